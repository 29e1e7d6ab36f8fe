import type { Clock } from '@yunshi/kernel/clock';
import { crashpoint } from './crashpoint.ts';
import type { DeadLetterRecords } from './dead-letters.ts';
import type { Handler } from './handle.ts';
import type { Identity, Lane } from './lane.ts';

const pageMax = 500;
const attemptsMax = 12;
const retryMs = (attempt: number): number => Math.min(1_000 * 2 ** attempt, 300_000);

type Due = {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly attempts: number;
  readonly traceparent: string | null;
};
type DueSaga = { readonly id: string; readonly traceparent: string | null };

/** The tables of what falls due. */
export type DueRecords = {
  readonly deadlines: (now: Date, max: number) => PromiseLike<readonly Due[]>;
  readonly nextDeadline: () => PromiseLike<Date | undefined>;
  readonly putOff: (
    id: string,
    to: { readonly dueAt: Date; readonly attempts: number; readonly lastError: string },
  ) => PromiseLike<unknown>;
  readonly giveUp: (id: string) => PromiseLike<unknown>;
  readonly sagas: (now: Date, max: number) => PromiseLike<readonly DueSaga[]>;
  readonly nextSaga: () => PromiseLike<Date | undefined>;
};
type Parts = {
  readonly records: DueRecords;
  readonly letters: DeadLetterRecords;
  readonly clock: Clock;
  readonly lane: Lane;
  readonly onFault: (what: string, error: unknown) => void;
};

/** Puts one piece of work into the lane; answers the error it failed with, if any. */
const carriedOut = (lane: Lane, handler: Handler, identity: Identity, key: string, traceparent: string | null): Promise<unknown> =>
  new Promise((resolve) => {
    try {
      lane.push({
        handler,
        data: key,
        key,
        identity,
        traceparent: traceparent ?? undefined,
        done: () => resolve(undefined),
        failed: (error) => resolve(error),
      });
    } catch (error) {
      resolve(error);
    }
  });

/** Hands deadlines that have come to their handlers; answers when the next one comes. */
export async function checkDeadlines(
  { records, letters, clock, lane, onFault }: Parts,
  handlers: ReadonlyMap<string, Handler>,
): Promise<Date | undefined> {
  const now = clock.now();
  const due = await records.deadlines(now, pageMax);
  await Promise.all(
    due.map(async (deadline) => {
      crashpoint('deadline.due');
      const handler = handlers.get(deadline.kind);
      const error = handler
        ? await carriedOut(lane, handler, { kind: 'deadline', id: deadline.id }, deadline.key, deadline.traceparent)
        : new Error(`nobody handles deadline '${deadline.kind}'`);
      if (error === undefined) return crashpoint('deadline.handled');
      onFault(`deadline ${deadline.id}`, error);
      await putOff({ records, letters, clock }, deadline, error);
    }),
  );
  if (due.length === pageMax) return now;
  return records.nextDeadline();
}

type PuttingOff = Pick<Parts, 'records' | 'letters' | 'clock'>;

async function putOff({ records, letters, clock }: PuttingOff, deadline: Due, error: unknown): Promise<void> {
  const attempts = deadline.attempts + 1;
  if (attempts >= attemptsMax) {
    await letters.bury({
      source: 'deadline',
      name: deadline.kind,
      subject: null,
      messageId: deadline.id,
      body: JSON.stringify(deadline),
      headers: {},
      error,
      attempts,
    });
    await records.giveUp(deadline.id);
    return;
  }
  const dueAt = new Date(clock.now().getTime() + retryMs(attempts));
  await records.putOff(deadline.id, { dueAt, attempts, lastError: error instanceof Error ? error.message : 'failed' });
}

/** Wakes sagas that have waited long enough; answers when the next one has. */
export async function checkSagas({ records, clock, lane, onFault }: Omit<Parts, 'letters'>, wake: Handler): Promise<Date | undefined> {
  const now = clock.now();
  const due = await records.sagas(now, pageMax);
  const errors = await Promise.all(due.map((saga) => carriedOut(lane, wake, { kind: 'wake' }, saga.id, saga.traceparent)));
  const failed = errors.filter((error) => error !== undefined);
  for (const error of failed) onFault('saga', error);
  if (failed.length > 0) return undefined;
  if (due.length === pageMax) return now;
  return records.nextSaga();
}
