import { streamOf } from '@yunshi/messaging/bus';
import type { Changes } from '@yunshi/messaging/store';
import { uuidv7Of } from '../time/names.ts';
import { overSessions, type Breach } from './breach.ts';

const received = 'every message that was sent has been received';
const often = { late: 0.5, lateMsMax: 5_000, twice: 0.3, ackLost: 0.2 } as const;

/** What can be done wrongly with messages. */
export const messageBreaches: readonly Breach[] = [
  {
    what: 'a message is acknowledged before the commit',
    by: {
      ports: (ports) => ({
        ...ports,
        consume: (consuming, onMessage) =>
          ports.consume(consuming, (message) => {
            message.ack();
            onMessage({ ...message, ack: () => undefined, nak: () => undefined });
          }),
      }),
    },
    mix: { crash: 0.02, downMsMax: 500 },
    breaks: received,
  },
  {
    what: 'there is no inbox',
    by: {
      ports: overSessions(({ look }) => ({ look: async (batch, now) => ({ ...(await look(batch, now)), received: new Set() }) })),
      unguarded: ['inbox'],
    },
    mix: often,
    breaks: 'no message is received twice',
  },
  {
    what: 'a message that is published again gets a fresh id',
    by: {
      ports: (ports, { world }) => ({
        ...ports,
        publisher: (acknowledged) => {
          const publisher = ports.publisher(acknowledged);
          const known = new Set<string>();
          return {
            ...publisher,
            publish: (message, token) => {
              const id = known.has(message.id) ? uuidv7Of(world.wallMs(), world.dice) : message.id;
              known.add(message.id);
              publisher.publish({ ...message, id, body: message.body.replace(message.id, id) }, token);
            },
          };
        },
      }),
    },
    mix: { pubAckLost: 0.3 },
    breaks: 'no message is received that nobody sent',
  },
  {
    what: 'a command leaves no barrier row that is looked at',
    by: {
      ports: overSessions(({ look }) => ({ look: async (batch, now) => ({ ...(await look(batch, now)), barrier: new Map() }) })),
      unguarded: ['barrier'],
    },
    mix: { ...often, pubAckLost: 0.3 },
    breaks: 'a command is carried out once',
  },
  {
    what: 'an undo that comes first leaves no tombstone',
    by: {
      ports: overSessions(({ store }) => ({
        store: (changes, now) => store({ ...changes, barriers: changes.barriers.filter(({ reply }) => reply !== 'tombstone') }, now),
      })),
    },
    mix: { overtaken: 0.9, leap: 0.9, leapMs: [20_000, 660_000] },
    breaks: 'nothing is done after it was undone',
  },
  {
    what: 'nothing is published again after the streams were wiped',
    by: {
      ports: (ports) => ({
        ...ports,
        records: { ...ports.records, outbox: { ...ports.records.outbox, takeBack: () => Promise.resolve() } },
      }),
    },
    mix: { wiped: 0.6, late: 0.3, lateMsMax: 20_000 },
    breaks: received,
  },
  {
    what: 'messages are published before the commit',
    by: {
      ports: (ports, process) => {
        const publisher = ports.publisher(() => undefined);
        const early = ({ outgoing }: Changes): void => {
          for (const message of outgoing) publisher.publish({ ...message, stream: streamOf(message.subject) }, 'early');
        };
        return overSessions(({ store }) => ({
          store: (changes, now) => {
            early(changes);
            return store(changes, now);
          },
        }))(ports, process);
      },
    },
    mix: { cut: 0.1 },
    breaks: 'no message is received that nobody sent',
  },
  {
    what: 'nobody sweeps the outbox',
    by: {
      ports: (ports) => ({
        ...ports,
        records: { ...ports.records, outbox: { ...ports.records.outbox, waiting: () => Promise.resolve([]) } },
      }),
    },
    mix: { publishLost: 0.1 },
    breaks: 'every message has left its outbox',
  },
  {
    what: 'a message counts as sent when it is committed',
    by: {
      ports: (ports, process) =>
        overSessions(({ store }) => ({
          store: async (changes, now) => {
            await store(changes, now);
            await ports.records.outbox.move(changes.outgoing.map(({ id }) => id));
          },
        }))(ports, process),
    },
    mix: { publishLost: 0.1 },
    breaks: received,
  },
  {
    what: 'a message is settled on a later connection than it came by',
    by: { engine: (engine) => ({ ...engine, disconnected: () => undefined, reconnected: engine.reconnected }) },
    mix: { wiped: 0.9, cut: 0.1, pairs: ['order', 'payment', 'fulfillment'], publishLost: 0.1, purchases: [4] },
    breaks: received,
    seedsMax: 1_000,
  },
  {
    what: 'a message is buried when it fails for the first time',
    by: {
      ports: (ports) => ({
        ...ports,
        consume: (consuming, onMessage) =>
          ports.consume(consuming, (message) => onMessage({ ...message, info: { ...message.info, deliveryCount: 5 } })),
      }),
    },
    mix: { breaks: 0.05 },
    breaks: 'no dead letter is open',
  },
];
