/** Bills are fetched every morning and on demand; what was found is kept, and what asking again may mend is asked for again. */
import type { Channel } from '@yunshi/contracts/payment';
import type { Core } from '@yunshi/messaging/core';
import { due, httpWrite, whenCalled, write, type Decision, type Handler } from '@yunshi/messaging/handle';
import { RECHECK } from '../payment/handlers.ts';
import { lineRows, reconciliations } from './book.ts';
import { fetchStatement } from './calls.ts';
import type { Finding } from './compare.ts';
import { dayBefore, nextDay, runAt } from './schedule.ts';
import { begun, compared, idOf, unread, type Reconciliation } from './state.ts';
import type { Line, StatementSource } from './statement.ts';

/** The morning's run: it sets the next one. */
const DAILY = 'reconciliation.daily';
/** One more run of the same day. */
const AGAIN = 'reconciliation.again';

const AGAIN_MS = 30 * 60_000;
/** What was asked for again is answered long before. */
const MENDED_MS = 10 * 60_000;

type Run = { readonly channel: Channel; readonly day: string };
const runOf = (key: string): Run => {
  const [channel, day = ''] = key.split(':');
  return { channel: channel as Channel, day };
};

export const reconciliationHandlers = (): readonly Handler[] => [
  due(DAILY, {
    of: reconciliations,
    decide: (key: string, known, { now }) => {
      const { channel, day } = runOf(key);
      const next = nextDay(day);
      return {
        ...(known ? {} : { save: begun(channel, day, now) }),
        calls: [fetchStatement.intent(key, { channel, day })],
        deadlines: [{ kind: DAILY, key: idOf(channel, next), dueAt: runAt(next) }],
      };
    },
  }),
  due(AGAIN, {
    of: reconciliations,
    decide: (key: string) => ({ calls: [fetchStatement.intent(key, runOf(key))] }),
  }),
  whenCalled(fetchStatement, {
    of: reconciliations,
    decide: ({ key, request, outcome }, known, { now }): Decision<Reconciliation> => {
      const before = known ?? begun(request.channel, request.day, now);
      const again = (ms: number) => ({ kind: AGAIN, key, dueAt: new Date(now.getTime() + ms) });
      if (outcome.kind !== 'compared') {
        const after = unread(before, outcome.kind === 'unusable' ? outcome.why : null, now);
        return { save: after, ...(after.status === 'waiting' ? { deadlines: [again(AGAIN_MS)] } : {}) };
      }
      const { reconciliation, fresh } = compared(before, { ...outcome, lines: outcome.lines.length }, now);
      const rechecks = recheck(fresh, now);
      return {
        save: reconciliation,
        writes: outcome.lines.map((line) => write(lineRows, rowOf(request, line))),
        deadlines: rechecks.length === 0 ? [] : [...rechecks, again(MENDED_MS)],
      };
    },
  }),
];

/** Has the payments looked at that asking again may mend. */
const recheck = (fresh: readonly Finding[], now: Date) =>
  [...new Set(fresh.flatMap(({ mendable, orderId }) => (mendable && orderId !== null ? [orderId] : [])))].map((key) => ({
    kind: RECHECK,
    key,
    dueAt: now,
  }));

const rowOf = ({ channel, day }: Run, line: Line) => ({ ...line, lineId: `${channel}:${day}:${line.kind}:${line.number}`, channel, day });

/** Sets the first morning of every channel, unless it is set: each morning's run sets the next. */
export async function scheduleReconciliations(
  { write: put, clock }: Pick<Core, 'write' | 'clock'>,
  sources: readonly Pick<StatementSource, 'channel'>[],
) {
  const day = dayBefore(clock.now());
  for (const { channel } of sources) await put(reconciliationRuns.schedule, { channel, day });
}

export const reconciliationRuns = {
  schedule: httpWrite('reconciliation.schedule', {
    of: reconciliations,
    key: ({ channel, day }: Run) => idOf(channel, day),
    decide: ({ channel, day }, known, { now }): Decision<Reconciliation> =>
      known
        ? {}
        : {
            save: begun(channel, day, now),
            deadlines: [{ kind: DAILY, key: idOf(channel, day), dueAt: runAt(day) > now ? runAt(day) : now }],
          },
  }),
  run: httpWrite('reconciliation.run', {
    of: reconciliations,
    key: ({ channel, day }: Run) => idOf(channel, day),
    decide: ({ channel, day }, known, { now }): Decision<Reconciliation> => ({
      ...(known ? {} : { save: begun(channel, day, now) }),
      calls: [fetchStatement.intent(idOf(channel, day), { channel, day })],
      response: { status: 202, body: { reconciliation_id: idOf(channel, day) } },
    }),
  }),
};
