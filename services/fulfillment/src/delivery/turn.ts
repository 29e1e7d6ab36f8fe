import type { z } from 'zod';
import type { callProvider } from './calls.ts';
import type { Lines } from './lines.ts';
import type { ProviderRequest } from './request.ts';

type Called = z.input<(typeof callProvider)['outcome']>;
type Context = { readonly signal: AbortSignal };

export type Turn = {
  readonly lines: Lines;
  /** Number of the newest call that is intended for the instance. */
  readonly newestSeqOf: (instanceId: string) => Promise<number | undefined>;
  readonly wallNow: () => Date;
};

/** Makes a call when its provider's line has a place, and not at all where a newer one has taken its stead: an old isolation must not undo a renewal. */
export const inTurn =
  ({ lines, newestSeqOf, wallNow }: Turn, call: (request: ProviderRequest, context: Context) => Promise<Called>) =>
  async (request: ProviderRequest, context: Context): Promise<Called> => {
    const place = lines.enter(request.providerId, request.task);
    if ('again' in place) return { again: place.again.toISOString() };
    try {
      const newest = await newestSeqOf(request.instanceId);
      if (newest !== undefined && newest > request.seq) {
        return {
          outcome: { kind: 'failed', sent: false },
          exchange: { note: 'not sent: a newer call has taken its stead', performedAt: wallNow().toISOString(), durationMs: 0 },
        };
      }
      return await call(request, context);
    } finally {
      place.leave();
    }
  };
