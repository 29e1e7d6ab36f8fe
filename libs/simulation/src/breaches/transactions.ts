import type { Engine } from '@yunshi/messaging/engine';
import { questionsOf, type SagaRow } from '@yunshi/messaging/store';
import { overSessions, rest, type Breach, type Wrapping } from './breach.ts';

const busy = { pairs: ['coupon', 'order', 'payment', 'fulfillment'], late: 0.3, lateMsMax: 2_000 } as const;

const takingDeadlinesOut: NonNullable<Wrapping['ports']> = (ports, process) => {
  const { due } = ports.records;
  const deadlines: typeof due.deadlines = async (now, max) => {
    const found = await due.deadlines(now, max);
    await Promise.all(found.map(({ id }) => due.giveUp(id)));
    return found;
  };
  const inHand = overSessions(({ look }) => ({
    look: async (batch, now) => ({ ...(await look(batch, now)), due: new Set(questionsOf(batch).deadlineIds) }),
  }));
  return inHand({ ...ports, records: { ...ports.records, due: { ...due, deadlines } } }, process);
};

/** What can be done wrongly with transactions, requests and time. */
export const transactionBreaches: readonly Breach[] = [
  {
    what: 'rows are committed first, and what follows from them after that',
    by: {
      ports: overSessions(({ look, store }) => ({
        store: async (changes, now) => {
          await store({ ...changes, outgoing: [], calls: [], deadlines: [] }, now);
          const nothing = { saves: new Map(), missing: new Map(), received: [], barriers: [], lateAnswers: [], idempotency: [] };
          await look([], now);
          await store({ ...changes, ...nothing, cancelled: [], closedCalls: [] }, now);
        },
      })),
    },
    mix: { cut: 0.1 },
    breaks: rest,
  },
  {
    what: 'rows are not locked',
    by: { unguarded: ['locks'] },
    mix: { ...busy, claims: 1 },
    breaks: 'no coupon is claimed beyond its stock or by a buyer beyond the limit',
  },
  {
    what: 'a new row overwrites the one that somebody else has made meanwhile',
    by: { unguarded: ['rows', 'barrier', 'inbox'] },
    mix: { ...busy, twice: 0.9, pubAckLost: 0.3 },
    breaks: 'no message is received twice',
  },
  {
    what: 'a request is answered before the commit',
    by: { engine: answeringEarly },
    mix: { cut: 0.2 },
    breaks: 'a request that was acknowledged to a client is never lost',
  },
  {
    what: 'idempotency keys are not looked at',
    by: { engine: (engine) => ({ ...engine, write: (how, data) => engine.write(how, data) }) },
    mix: { answerLost: 0.4 },
    breaks: 'a repeated request makes no second order',
  },
  {
    what: 'a deadline is taken out when it is found, and handled afterwards',
    by: { ports: takingDeadlinesOut },
    mix: { cut: 0.3, callbackNever: 0.9, looksOnly: 0.9, paidBeforeClose: 1, leap: 0.9, leapMs: [90_000_000] },
    breaks: rest,
  },
  {
    what: 'the steps of a saga have no deadline',
    by: {
      ports: overSessions(({ store }) => ({ store: (changes, now) => store({ ...changes, saves: withoutDeadlines(changes.saves) }, now) })),
    },
    mix: {},
    breaks: 'every saga has ended',
  },
];

/** Answers as soon as it is decided what to answer. */
function answeringEarly(engine: Engine): Engine {
  return {
    ...engine,
    write: (how, data, idempotency) =>
      new Promise((resolve, reject) => {
        const decide: typeof how.decide = (asked, row, context) => {
          const decided = how.decide(asked, row, context);
          if (decided.response) resolve({ ...decided.response, replayed: false });
          return decided;
        };
        engine.write({ ...how, decide }, data, idempotency).then(resolve, reject);
      }),
  };
}

type Saves = Parameters<Parameters<Parameters<typeof overSessions>[0]>[0]['store']>[0]['saves'];
const withoutDeadlines = (saves: Saves): Saves =>
  new Map(
    [...saves].map(([name, saved]) =>
      name === 'sagas'
        ? [name, { ...saved, changed: new Map([...saved.changed].map(([id, row]) => [id, { ...(row as SagaRow), deadlineAt: null }])) }]
        : [name, saved],
    ),
  );
