import { performs } from '@yunshi/messaging/handle';
import type { Performer } from '@yunshi/messaging/handle';
import type { Exchange, FlowAlert } from '../delivery/request.ts';
import type { Dialect, Endpoint as Called, HeardOfFlow, Metered } from '../delivery/dialect.ts';
import { fits } from '../usage/usage.ts';
import type { FlowUnit } from '@yunshi/kernel/marketplace';
import { checkEndpoint, probeEndpoint } from './calls.ts';
import type { EndpointBook } from './endpoints.ts';

export type EndpointPerformerParts = {
  readonly endpoints: Pick<EndpointBook, 'of' | 'debugOf'>;
  readonly dialects: readonly Dialect[];
  readonly wallNow: () => Date;
};

type AskedForUsage = Metered & { readonly counts: FlowUnit; readonly alert?: FlowAlert | undefined };

/** Carry out checks and probes, with the address, the token and the clock of this moment. */
export function endpointPerformers({ endpoints, dialects, wallNow }: EndpointPerformerParts): readonly Performer[] {
  const byName = new Map(dialects.map((dialect) => [dialect.name, dialect]));
  const unsent = (note: string) => ({
    outcome: { kind: 'failed' as const, sent: false },
    exchange: { note: `not sent: ${note}`, performedAt: wallNow().toISOString(), durationMs: 0 } satisfies Exchange,
  });
  /** It is enough that it answers in what the SKU is sold in: whether it counts rightly nobody can see from outside. */
  async function metered({ name, metering }: Dialect, endpoint: Called, { alert, counts, ...of }: AskedForUsage, signal: AbortSignal) {
    if (metering === undefined) return unsent(`«${name}» has no words for usage`);
    if (alert !== undefined) return judged(await metering.set(endpoint, { ...of, alert }, signal));
    const { outcome, exchange } = await metering.query(endpoint, of, signal);
    if (outcome.kind !== 'told' || fits(outcome.unit, counts)) return judged({ outcome, exchange });
    return judged({
      outcome: { kind: 'failed' },
      exchange: { ...exchange, note: `it counts in ${outcome.unit}, and is sold in ${counts}` },
    });
  }
  function judged({ outcome: { kind }, exchange }: HeardOfFlow) {
    const outcome = kind === 'told' ? { kind: 'agreed' as const } : kind === 'failed' ? { kind, sent: true } : { kind };
    return { outcome, exchange };
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
