import { fileURLToPath } from 'node:url';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import type { Query } from '@yunshi/contracts/define';
import { connect, type Sql } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { wallClock, type Clock } from '@yunshi/kernel/clock';
import type { Saga } from '@yunshi/saga/define';
import { alarm, type Alarm } from './alarm.ts';
import { connectBus, ensureStreams, managerOf } from './bus.ts';
import { caller } from './calls.ts';
import { offsetInDatabase, sharedTestClock } from './clock.ts';
import { consume, type Consuming } from './consume.ts';
import { Unavailable } from './faults.ts';
import { checkDeadlines, checkSagas } from './due.ts';
import type { Answerer, Handler, HttpWrite, Idempotency, Performer, Response } from './handle.ts';
import { lane as makeLane, type Committed, type Lane } from './lane.ts';
import { ask, serveQueries } from './queries.ts';
import { receiver } from './receive.ts';
import { relay as makeRelay, type RelayStats } from './relay.ts';
import { sagaHandlers } from './saga-rows.ts';
import { observe } from './waiting.ts';
import { activeTraceparent } from '@yunshi/telemetry/trace';

/** What the parts of a service are made of. */
export type Parts = { readonly clock: Clock; readonly sql: Sql };

export type CoreOptions = {
  /** First word of the message types that it owns: `order`, `payment`, … */
  readonly service: string;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** On: business time can be moved over the bus. Never in production. */
  readonly testClock: boolean;
  /** Folder of the service's own migrations, as drizzle-kit writes them. */
  readonly migrations: string;
  readonly handlers: (parts: Parts) => readonly Handler[];
  readonly performers?: (parts: Parts) => readonly Performer[];
  readonly answerers?: (parts: Parts) => readonly Answerer[];
  readonly sagas?: readonly Saga[];
  /** Is told of every fault that was not the caller's: what was being done, and the error. */
  readonly onFault: (what: string, error: unknown) => void;
  /** Connections for reads outside the lane. */
  readonly readersMax?: number;
};

export type CoreStats = RelayStats & { readonly queued: number; readonly calling: number };

/** The running message core of one service. */
export type Core = Parts & {
  readonly nc: NatsConnection;
  /**
   * Runs a write through the lane and answers after its COMMIT.
   * With an idempotency key, a repeated request gets the stored answer (`replayed: true`); another body under the same key is refused
   * by `IdempotencyKeyReused`. Throws `Overloaded` when the lane is full, `Unavailable` when the database cannot be reached (whether it
   * happened is unknown: repeat with the same key), and whatever the decision throws, in which case nothing has happened.
   */
  readonly write: <Data, K extends string, R, KB extends string, B>(
    how: HttpWrite<Data, K, R, KB, B>,
    data: Data,
    idempotency?: Idempotency,
  ) => Promise<Response & { readonly replayed: boolean }>;
  /** Asks another service. Throws `Unavailable` when nobody answers in time (2 s if not said otherwise). */
  readonly ask: <D extends z.ZodType, A extends z.ZodType>(
    query: Query<string, D, A>,
    data: z.input<D>,
    timeoutMs?: number,
  ) => Promise<z.output<A>>;
  /** Calls the listener after each commit that saved the row, in this process only: a hint to look, never the truth. */
  readonly watch: (rows: { readonly name: string }, key: string, listener: () => void) => () => void;
  /** Begins to take in messages, deadlines and calls. Before this, only writes and queries work (for seeding). */
  readonly run: () => Promise<void>;
  /** Checks for /readyz: name → whether it is well. */
  readonly ready: () => Promise<Readonly<Record<string, boolean>>>;
  readonly stats: () => CoreStats;
  /** Finishes what is in hand, then closes everything. */
  readonly stop: () => Promise<void>;
};

const coreMigrations = { name: 'core', path: fileURLToPath(new URL('../migrations', import.meta.url)) };

/** A database that may forget what it has committed is no place for money. */
async function refuseForgetfulDatabase(sql: Sql, onFault: CoreOptions['onFault']): Promise<void> {
  const settings = await sql<
    { name: string; setting: string }[]
  >`select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')`;
  const off = settings.filter(({ setting }) => setting === 'off').map(({ name }) => name);
  if (off.length === 0) return;
  const error = new Error(`PostgreSQL runs with ${off.join(', ')} off: committed orders would be lost in a power cut`);
  if (process.env['NODE_ENV'] === 'production') throw error;
  if (process.env['NODE_ENV'] !== 'test') onFault('database', error);
}

function byName(handlers: readonly Handler[], kinds: readonly Handler['on'][]): ReadonlyMap<string, Handler> {
  const named = new Map<string, Handler>();
  for (const handler of handlers.filter((one) => kinds.includes(one.on))) {
    if (named.has(handler.name)) throw new Error(`two handlers for ${handler.on} '${handler.name}': one message is received once`);
    named.set(handler.name, handler);
  }
  return named;
}

function consumptions(service: string, handlers: readonly Handler[], hasSagas: boolean): Consuming[] {
  const filters = (kind: Handler['on']) => handlers.filter((handler) => handler.on === kind).map((handler) => handler.subject!);
  const all: Consuming[] = [
    { stream: 'CMD', durable: `${service}-commands`, filters: filters('command') },
    { stream: 'RPL', durable: `${service}-replies`, filters: hasSagas ? [`rpl.${service}`] : [] },
    { stream: 'EVT', durable: `${service}-events`, filters: filters('event') },
  ];
  return all.filter((one) => one.filters.length > 0);
}

/** Tells those who wait for a row that it has been saved. */
function watchers() {
  const listeners = new Map<string, Set<() => void>>();
  return {
    watch(rows: { readonly name: string }, key: string, listener: () => void): () => void {
      const id = `${rows.name} ${key}`;
      const set = listeners.get(id) ?? new Set();
      listeners.set(id, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(id);
      };
    },
    tell(saved: Committed['saved']): void {
      if (listeners.size === 0) return;
      for (const [name, keys] of saved) for (const key of keys) for (const listener of listeners.get(`${name} ${key}`) ?? []) listener();
    },
  };
}

const writeThrough =
  (lane: Lane): Core['write'] =>
  (how, data, idempotency) =>
    new Promise((resolve, reject) => {
      const handler = { on: 'write', ...how, parse: (value: unknown) => value } as unknown as Handler;
      lane.push({
        handler,
        data,
        key: how.key(data),
        identity: { kind: 'write', idempotency },
        traceparent: activeTraceparent(),
        done: ({ response, repeated }) => resolve({ status: 200, body: null, ...response, replayed: repeated }),
        failed: (error, passing) =>
          reject(
            error instanceof Error && (!passing || error instanceof Unavailable)
              ? error
              : new Unavailable('the database', { cause: error }),
          ),
      });
    });

/** Connects a service to its database and the bus, and prepares everything that moves messages for it. */
export async function startCore(options: CoreOptions): Promise<Core> {
  const { service, onFault } = options;
  await migrate(options.databaseUrl, [coreMigrations, { name: service, path: options.migrations }]);
  const sql = connect({ url: options.databaseUrl, name: `yunshi-${service}`, connectionsMax: options.readersMax ?? 6 });
  await refuseForgetfulDatabase(sql, onFault);
  const nc = await connectBus(options.natsUrl, service);
  const jsm = await managerOf(nc);
  await ensureStreams(jsm);
  const clock = options.testClock ? await sharedTestClock(nc, service, offsetInDatabase(sql)) : wallClock;
  const parts: Parts = { clock, sql };
  const handlers = options.handlers(parts);
  const sagas = sagaHandlers(options.sagas ?? [], service);
  const watching = watchers();
  const relay = makeRelay({ sql, nc, jsm, onFault });
  const alarms: Alarm[] = [];
  const lane = makeLane({
    databaseUrl: options.databaseUrl,
    clock,
    service,
    onCommitted: (committed) => {
      relay.send(committed.outgoing);
      calls.take(committed.calls);
      watching.tell(committed.saved);
      if (committed.soonest) for (const one of alarms) one.poke(committed.soonest);
    },
  });
  const calls = caller({
    sql,
    clock,
    lane,
    performers: options.performers?.(parts) ?? [],
    handlers: byName(handlers, ['outcome']),
    onFault,
  });
  const receive = receiver({ sql, lane, handlers: byName(handlers, ['command', 'event']), sagaReplies: sagas.replies, onFault });
  const consumers: ReturnType<typeof consume>[] = [];
  let unobserve = (): void => undefined;
  serveQueries(nc, service, options.answerers?.(parts) ?? [], onFault);
  await relay.start();
  followConnection(nc, relay, onFault);

  return {
    ...parts,
    nc,
    write: writeThrough(lane),
    ask: (query, data, timeoutMs = 2_000) => ask(nc, query, data, timeoutMs),
    watch: watching.watch,
    async run() {
      const due = { sql, clock, lane, onFault };
      const deadlines = byName(handlers, ['deadline']);
      alarms.push(
        alarm(
          clock,
          () => checkDeadlines(due, deadlines),
          (error) => onFault('deadlines', error),
        ),
        alarm(
          clock,
          () => checkSagas(due, sagas.wake),
          (error) => onFault('sagas', error),
        ),
        alarm(
          clock,
          () => calls.check(),
          (error) => onFault('calls', error),
        ),
      );
      const consumings = consumptions(service, handlers, (options.sagas ?? []).length > 0);
      consumers.push(...consumings.map((one) => consume({ nc, jsm }, one, receive, onFault)));
      unobserve = observe({ sql, clock, jsm }, consumings);
      return Promise.resolve();
    },
    async ready() {
      const database = await sql`select 1`.then(
        () => true,
        () => false,
      );
      return { database, nats: !nc.isClosed() && nc.info !== undefined && consumers.every((one) => one.pulling()) };
    },
    stats: () => ({ ...relay.stats(), queued: lane.queued(), calling: calls.running() }),
    async stop() {
      unobserve();
      await Promise.all(consumers.map((one) => one.stop()));
      await Promise.all(alarms.map((one) => one.stop()));
      await calls.stop();
      await lane.stop();
      await relay.stop();
      await nc.drain().catch(() => undefined);
      await sql.end({ timeout: 5 });
    },
  };
}

/** Tells the relay when the connection goes and comes. A closed connection is the end: nothing works without the bus. */
function followConnection(nc: NatsConnection, relay: ReturnType<typeof makeRelay>, onFault: CoreOptions['onFault']): void {
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') relay.disconnected();
      if (status.type === 'reconnect') await relay.reconnected();
      if (status.type === 'error') onFault('nats', status.error);
    }
  })();
}
