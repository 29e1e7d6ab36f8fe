/** Carries what a played channel tells its merchants, and has time do what only time does, by the business clock. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Clock } from '@yunshi/kernel/clock';
import type { Log } from '@yunshi/telemetry/log';
import { withRemoteParent } from '@yunshi/telemetry/trace';

const LOOK_AGAIN_MS = 500;

/** Something on its way, sent until it is accepted. */
export type Parcel = {
  readonly attempts: number;
  readonly nextAt: Date | null;
  /** The next deliveries that shall get lost on the way. */
  readonly losses: number;
  readonly lastAnswer: string | null;
  readonly traceparent: string | null;
};

type Route<P extends Parcel> = {
  /** What is due, for this process alone for a while. */
  readonly claim: (now: Date) => PromiseLike<readonly P[]>;
  readonly record: (parcel: P) => Promise<void>;
  /** @returns the HTTP status, or what went wrong on the way */
  readonly send: (parcel: P) => Promise<number | string>;
  readonly accepts: readonly number[];
  /** Waits between the deliveries. */
  readonly retryMs: readonly number[];
  readonly sweep: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};
export type Courier = { readonly wake: () => void; readonly stop: () => Promise<void> };

export function startCourier<P extends Parcel>(route: Route<P>): Courier {
  const { claim, record, sweep, clock, log } = route;
  const stopped = new AbortController();
  let alarm = new AbortController();
  const round = async (): Promise<void> => {
    await sweep();
    const parcels = await claim(clock.now());
    await Promise.all(parcels.map(async (parcel) => record(await delivered(parcel, route))));
  };
  const run = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      alarm = new AbortController();
      await round().catch((error: unknown) => log.error({ err: error }, 'a courier could not do its round'));
      await pause(LOOK_AGAIN_MS, undefined, { signal: AbortSignal.any([alarm.signal, stopped.signal]) }).catch(() => undefined);
    }
  };
  const running = run();
  return {
    wake: () => alarm.abort(),
    stop: async () => {
      stopped.abort();
      await running;
    },
  };
}

async function delivered<P extends Parcel>(parcel: P, { send, accepts, retryMs, clock }: Route<P>): Promise<P> {
  const lost = parcel.losses > 0;
  const answer = lost ? 'lost on the way' : await withRemoteParent(parcel.traceparent ?? undefined, () => send(parcel));
  const tried = { ...parcel, attempts: parcel.attempts + 1, losses: Math.max(parcel.losses - 1, 0), lastAnswer: String(answer) };
  if (typeof answer === 'number' && accepts.includes(answer)) return { ...tried, nextAt: null };
  const waitMs = retryMs[parcel.attempts];
  return { ...tried, nextAt: waitMs === undefined ? null : new Date(clock.now().getTime() + waitMs) };
}
