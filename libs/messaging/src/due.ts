import type { Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import { bury } from './dead-letters.ts';
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
type Parts = { readonly sql: Sql; readonly clock: Clock; readonly lane: Lane; readonly onFault: (what: string, error: unknown) => void };

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

const earliest = (times: readonly (Date | null | undefined)[]): Date | undefined =>
  times.reduce<Date | undefined>((first, time) => (time && (!first || time < first) ? time : first), undefined);

/** Hands deadlines that have come to their handlers; answers when the next one comes. */
export async function checkDeadlines(
  { sql, clock, lane, onFault }: Parts,
  handlers: ReadonlyMap<string, Handler>,
): Promise<Date | undefined> {
  const now = clock.now();
  const due = await sql<
    Due[]
  >`select id, kind, key, attempts, traceparent from deadlines where due_at <= ${now} order by due_at limit ${pageMax}`;
  await Promise.all(
    due.map(async (deadline) => {
      const handler = handlers.get(deadline.kind);
      const error = handler
        ? await carriedOut(lane, handler, { kind: 'deadline', id: deadline.id }, deadline.key, deadline.traceparent)
        : new Error(`nobody handles deadline '${deadline.kind}'`);
      if (error === undefined) return;
      onFault(`deadline ${deadline.id}`, error);
      await putOff({ sql, clock }, deadline, error);
    }),
  );
  if (due.length === pageMax) return now;
  const [next] = await sql<{ at: Date | null }[]>`select min(due_at) as at from deadlines`;
  return earliest([next?.at]);
}

async function putOff({ sql, clock }: Pick<Parts, 'sql' | 'clock'>, deadline: Due, error: unknown): Promise<void> {
  const attempts = deadline.attempts + 1;
  if (attempts >= attemptsMax) {
    await bury(sql, {
      source: 'deadline',
      name: deadline.kind,
      subject: null,
      messageId: deadline.id,
      body: JSON.stringify(deadline),
      headers: {},
      error,
      attempts,
    });
    await sql`delete from deadlines where id = ${deadline.id}`;
    return;
  }
  const message = error instanceof Error ? error.message : 'failed';
  await sql`update deadlines set due_at = ${new Date(clock.now().getTime() + retryMs(attempts))}, attempts = ${attempts}, last_error = ${message} where id = ${deadline.id}`;
}

/** Wakes sagas that have waited long enough; answers when the next one has. */
export async function checkSagas({ sql, clock, lane, onFault }: Parts, wake: Handler): Promise<Date | undefined> {
  const now = clock.now();
  const due = await sql<
    { id: string; traceparent: string | null }[]
  >`select id, traceparent from sagas where wake_at <= ${now} order by wake_at limit ${pageMax}`;
  const errors = await Promise.all(due.map((saga) => carriedOut(lane, wake, { kind: 'wake' }, saga.id, saga.traceparent)));
  const failed = errors.filter((error) => error !== undefined);
  for (const error of failed) onFault('saga', error);
  if (failed.length > 0) return undefined;
  if (due.length === pageMax) return now;
  const [next] = await sql<{ at: Date | null }[]>`select min(wake_at) as at from sagas`;
  return earliest([next?.at]);
}
