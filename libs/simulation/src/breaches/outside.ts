import type { Performer } from '@yunshi/messaging/handle';
import { questionsOf } from '@yunshi/messaging/store';
import type { SaasRequest } from '@yunshi/protocols/saas/actions';
import { overSessions, rest, type Breach } from './breach.ts';

const leftovers = 'a provider keeps one live instance for each delivered order, and none for any other';
const crashing = { crash: 0.02, downMsMax: 500 } as const;

const sickForDays = { providerSick: 1, sickMsMin: 360_000_000, sickMsMax: 361_000_000 } as const;
/** Many pay in the moment that their order is closed. */
const refunding = { looksOnly: 0.9, paidBeforeClose: 1, leap: 0.9, leapMs: [90_000_000] } as const;

/** What can be done wrongly with calls that leave the system. */
export const outsideBreaches: readonly Breach[] = [
  {
    what: 'the intent of a call is kept in memory only',
    by: {
      ports: overSessions(({ look, store }) => ({
        look: async (batch, now) => ({ ...(await look(batch, now)), open: new Set(questionsOf(batch).callIds) }),
        store: (changes, now) => store({ ...changes, calls: changes.calls.filter(({ attempts }) => attempts === 0) }, now),
      })),
    },
    mix: crashing,
    breaks: rest,
  },
  {
    what: 'the outcome of a call counts although another process has settled it',
    by: {
      ports: (ports, process) => {
        const { database } = process.service;
        const takeDue: typeof ports.records.calls.takeDue = (now, max) => {
          for (const [id, call] of database.calls) if (call.open) database.calls.set(id, { ...call, leasedUntil: new Date(0) });
          return ports.records.calls.takeDue(now, max);
        };
        const records = { ...ports.records, calls: { ...ports.records.calls, takeDue } };
        return overSessions(({ look }) => ({
          look: async (batch, now) => ({ ...(await look(batch, now)), open: new Set(questionsOf(batch).callIds) }),
        }))({ ...ports, records }, process);
      },
    },
    mix: { pairs: ['payment', 'fulfillment'], outsideSlow: 0.5 },
    breaks: 'the outcome of an outside call is taken once',
  },
  {
    what: 'a refund gets a fresh number each time that it is applied for',
    by: { wechat: (client) => afresh(client, 'out_refund_no') },
    mix: { outsideUnheard: 0.5, callbackNever: 0.9, ...refunding },
    breaks: 'our book of refunds is that of the channels',
  },
  {
    what: 'an order gets a fresh number at the channel each time that it is placed',
    by: { wechat: (client) => afresh(client, 'combine_out_trade_no') },
    mix: { outsideUnheard: 0.5 },
    breaks: 'no money lies at a channel that no attempt of ours knows of',
  },
  {
    what: 'a provider is given a fresh order number each time that it is asked to deliver',
    by: {
      provider: (door) => {
        const asked = new Map<string, number>();
        return {
          ...door,
          send: (ask) => {
            const request = JSON.parse(ask.body ?? '{}') as SaasRequest;
            if (request.action !== 'createInstance') return door.send(ask);
            const nth = (asked.get(request.orderId) ?? 0) + 1;
            asked.set(request.orderId, nth);
            return door.send(nth === 1 ? ask : { ...ask, body: JSON.stringify({ ...request, orderId: `${request.orderId}N${nth}` }) });
          },
        };
      },
    },
    mix: { outsideUnheard: 0.5 },
    breaks: leftovers,
  },
  {
    what: 'a delivery of unknown outcome is taken for one that was never asked for',
    by: {
      behaviour: (behaved) => ({ ...behaved, performers: behaved.performers.map(neverSent) }),
    },
    mix: { ...sickForDays, outsideUnheard: 0.3 },
    breaks: leftovers,
    seedsMax: 600,
  },
  {
    what: 'an attempt that nobody lived to tell of is taken for one that was never made',
    by: {
      behaviour: (behaved) => ({
        ...behaved,
        handlers: behaved.handlers.map((handler) =>
          handler.on === 'outcome'
            ? {
                ...handler,
                decide: (called: never, row: unknown, context: never) =>
                  handler.decide({ ...(called as object), attempt: 1 } as never, row, context),
              }
            : handler,
        ),
      }),
    },
    mix: { crashAt: { 'outside call, after': 0.7 }, downMsMax: 50, outsideRefuses: 0.8, leap: 0.9, leapMs: [3_600_000] },
    breaks: leftovers,
    seedsMax: 3_000,
  },
];

type Client = Parameters<NonNullable<Breach['by']['wechat']>>[0];

/** Gives each repeated request another number. */
function afresh(client: Client, number: string): Client {
  const asked = new Map<string, number>();
  return {
    ...client,
    exchange: (ask) => {
      const body = (ask.body ?? {}) as Readonly<Record<string, string>>;
      const given = body[number];
      if (given === undefined) return client.exchange(ask);
      const nth = (asked.get(given) ?? 0) + 1;
      asked.set(given, nth);
      return client.exchange(nth === 1 ? ask : { ...ask, body: { ...body, [number]: `${given}N${nth}` } });
    },
  };
}

function neverSent(performer: Performer): Performer {
  return {
    ...performer,
    perform: async (request, context) => {
      const performed = (await performer.perform(request, context)) as { readonly outcome?: { readonly kind: string } };
      return performed.outcome?.kind === 'failed' ? { ...performed, outcome: { kind: 'failed', sent: false } } : performed;
    },
  };
}
