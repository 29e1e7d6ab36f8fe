import { performs } from '@yunshi/messaging/handle';
import type { Performer } from '@yunshi/messaging/handle';
import type { InstanceId } from '@yunshi/kernel/ids';
import type { z } from 'zod';
import type { Dialect } from '../delivery/dialect.ts';
import type { Lines } from '../delivery/lines.ts';
import type { EndpointBook } from '../endpoint/endpoints.ts';
import { callMeter, type MeteringRequest } from './calls.ts';
import type { Usage } from './usage.ts';

export type MeteringPerformerParts = {
  readonly endpoints: Pick<EndpointBook, 'of'>;
  readonly dialects: readonly Dialect[];
  readonly lines: Lines;
  readonly usageOf: (instanceId: InstanceId) => Promise<Usage | undefined>;
  readonly wallNow: () => Date;
};
type Called = z.input<(typeof callMeter)['outcome']>;

/** Asks providers, with the endpoint, the token and the clock of this moment. */
export function meteringPerformers({ endpoints, dialects, lines, usageOf, wallNow }: MeteringPerformerParts): readonly Performer[] {
  const byName = new Map(dialects.map((dialect) => [dialect.name, dialect]));
  const unsent = (note: string): Called => ({
    outcome: { kind: 'failed' },
    exchange: { note: `not sent: ${note}`, performedAt: wallNow().toISOString(), durationMs: 0 },
  });

  async function said(request: MeteringRequest, signal: AbortSignal): Promise<Called> {
    const endpoint = await endpoints.of(request.productId, request.providerId);
    if (endpoint === undefined) return unsent('the product has no endpoint');
    const metering = byName.get(endpoint.dialect)?.metering;
    if (metering === undefined) return unsent(`«${endpoint.dialect}» has no words for usage`);
    if (request.alert !== undefined) {
      const { outcome, exchange } = await metering.set(endpoint, { ...request, alert: request.alert }, signal);
      return { outcome: outcome.kind === 'told' ? { kind: 'told' } : outcome, exchange };
    }
    const { outcome, exchange } = await metering.query(endpoint, request, signal);
    if (outcome.kind !== 'told') return { outcome, exchange };
    const { total, used, unit } = outcome;
    return { outcome: { kind: 'told', reading: { total, used, unit } }, exchange };
  }

  /** A call that was given up as lost must not undo what the provider was told since. */
  async function isOvertaken({ instanceId, action, seq }: MeteringRequest): Promise<boolean> {
    const usage = await usageOf(instanceId);
    return (action === 'query-usage' ? usage?.query : usage?.setting)?.seq !== seq;
  }

  return [
    performs(callMeter, async (request, { signal }) => {
      const place = lines.enter(request.providerId, request.action);
      if ('again' in place) return { again: place.again.toISOString() };
      try {
        return (await isOvertaken(request)) ? unsent('another call has taken its stead') : await said(request, signal);
      } finally {
        place.leave();
      }
    }),
  ];
}
