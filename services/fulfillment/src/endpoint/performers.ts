import { performs } from '@yunshi/messaging/handle';
import type { Performer } from '@yunshi/messaging/handle';
import type { Exchange, FlowAlert } from '../delivery/request.ts';
import type { Dialect, Endpoint as Called, Metered } from '../delivery/dialect.ts';
import { checkEndpoint, probeEndpoint } from './calls.ts';
import type { EndpointBook } from './endpoints.ts';

export type EndpointPerformerParts = {
  readonly endpoints: Pick<EndpointBook, 'of' | 'debugOf'>;
  readonly dialects: readonly Dialect[];
  readonly wallNow: () => Date;
};

type AskedForUsage = Metered & { readonly alert?: FlowAlert | undefined };

/** Carry out checks and probes, with the address, the token and the clock of this moment. */
export function endpointPerformers({ endpoints, dialects, wallNow }: EndpointPerformerParts): readonly Performer[] {
  const byName = new Map(dialects.map((dialect) => [dialect.name, dialect]));
  const unsent = (note: string) => ({
    outcome: { kind: 'failed' as const, sent: false },
    exchange: { note: `not sent: ${note}`, performedAt: wallNow().toISOString(), durationMs: 0 } satisfies Exchange,
  });
  /** It is enough that it answers as it should: whether it counts rightly nobody can see from outside. */
  async function metered({ name, metering }: Dialect, endpoint: Called, { alert, ...of }: AskedForUsage, signal: AbortSignal) {
    if (metering === undefined) return unsent(`«${name}» has no words for usage`);
    const { outcome, exchange } =
      alert === undefined ? await metering.query(endpoint, of, signal) : await metering.set(endpoint, { ...of, alert }, signal);
    if (outcome.kind === 'told') return { outcome: { kind: 'agreed' as const }, exchange };
    return { outcome: outcome.kind === 'declined' ? { kind: 'declined' as const } : { kind: 'failed' as const, sent: true }, exchange };
  }

  return [
    performs(checkEndpoint, async ({ productId, providerId, debugSeq, step, request, metering }, { signal }) => {
      const endpoint = await endpoints.debugOf(productId, providerId);
      if (endpoint === undefined || endpoint.seq !== debugSeq) return unsent('the debug address has been changed meanwhile');
      const dialect = byName.get(endpoint.dialect);
      if (dialect === undefined) return unsent(`nobody speaks «${endpoint.dialect}»`);
      if (metering !== undefined) return metered(dialect, endpoint, metering, signal);
      if (request === undefined && step !== 'verify') return unsent('the instance has no signId');
      if (request === undefined) {
        const { ok, exchange } = await dialect.verify(endpoint);
        return { outcome: ok ? { kind: 'verified' as const } : { kind: 'failed' as const, sent: true }, exchange };
      }
      const { outcome, exchange } = await dialect.call(endpoint, request, signal);
      // The credentials that come with a delivery are nobody's: they end here.
      return { outcome: outcome.kind === 'delivered' ? { kind: 'delivered' as const, signId: outcome.signId } : outcome, exchange };
    }),
    performs(probeEndpoint, async ({ productId, providerId }) => {
      const endpoint = await endpoints.of(productId, providerId);
      const dialect = endpoint === undefined ? undefined : byName.get(endpoint.dialect);
      if (endpoint === undefined || dialect === undefined) return { ok: false, note: 'there is no endpoint that could be asked' };
      const { ok, exchange } = await dialect.verify(endpoint);
      if (ok) return { ok };
      const note = exchange.note ?? `it answered ${exchange.httpStatus ?? 'nothing'} with other words`;
      return { ok, note };
    }),
  ];
}
