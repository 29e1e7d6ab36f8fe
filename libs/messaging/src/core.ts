import { fileURLToPath } from 'node:url';
import type { NatsConnection } from '@nats-io/transport-node';
import type { z } from 'zod';
import type { Query } from '@yunshi/contracts/define';
import { analyzeEarly } from '@yunshi/db/analyze';
import { connect, neverWholeTables, type Sql } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { wallClock, type Clock } from '@yunshi/kernel/clock';
import type { Saga } from '@yunshi/saga/define';
import { connectBus, ensureStreams, managerOf } from './bus.ts';
import { offsetInDatabase, sharedTestClock } from './clock.ts';
import { consume } from './consume.ts';
import { startEngine, type Engine, type EngineStats } from './engine.ts';
import type { Answerer, Handler, Performer } from './handle.ts';
import { processHost } from './host.ts';
import { publisherOn } from './publisher.ts';
import { ask, serveQueries } from './queries.ts';
import { recordsIn } from './records.ts';
import { sessionsIn } from './store.ts';
import { observe } from './waiting.ts';

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

/** The running message core of one service. */
export type Core = Parts & {
  readonly nc: NatsConnection;
  readonly write: Engine['write'];
  /** Asks another service. Throws `Unavailable` when nobody answers in time (2 s if not said otherwise). */
  readonly ask: <D extends z.ZodType, A extends z.ZodType>(
    query: Query<string, D, A>,
    data: z.input<D>,
    timeoutMs?: number,
  ) => Promise<z.output<A>>;
  readonly watch: Engine['watch'];
  /** Begins to take in messages, deadlines and calls. Before this, only writes and queries work (for seeding). */
  readonly run: () => Promise<void>;
  /** Checks for /readyz: name → whether it is well. */
  readonly ready: () => Promise<Readonly<Record<string, boolean>>>;
  readonly stats: () => EngineStats;
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

/** Connects a service to its database and the bus, and prepares everything that moves messages for it. */
export async function startCore(options: CoreOptions): Promise<Core> {
  const { service, databaseUrl, onFault } = options;
  await migrate(databaseUrl, [coreMigrations, { name: service, path: options.migrations }]);
  const sql = connect({ url: databaseUrl, name: `yunshi-${service}`, connectionsMax: options.readersMax ?? 6, planning: neverWholeTables });
  await refuseForgetfulDatabase(sql, onFault);
  const nc = await connectBus(options.natsUrl, service);
  const jsm = await managerOf(nc);
  await ensureStreams(jsm);
  const clock = options.testClock ? await sharedTestClock(nc, service, offsetInDatabase(sql)) : wallClock;
  const parts: Parts = { clock, sql };
  const engine = await startEngine(
    {
      service,
      handlers: options.handlers(parts),
      performers: options.performers?.(parts) ?? [],
      sagas: options.sagas ?? [],
      onFault,
    },
    {
      clock,
      host: processHost,
      sessions: (name) => sessionsIn(databaseUrl, `yunshi-${service}-${name}`),
      records: recordsIn(sql),
      publisher: publisherOn(nc, jsm, onFault),
      consume: (consuming, onMessage) => consume({ nc, jsm }, consuming, onMessage, onFault),
    },
  );
  let unobserve = (): void => undefined;
  let stopAnalyzing = (): void => undefined;
  serveQueries(nc, service, options.answerers?.(parts) ?? [], onFault);
  followConnection(nc, engine, onFault);

  return {
    ...parts,
    nc,
    write: engine.write,
    ask: (query, data, timeoutMs = 2_000) => ask(nc, query, data, timeoutMs),
    watch: engine.watch,
    async run() {
      stopAnalyzing = await analyzeEarly(sql, onFault);
      engine.run();
      unobserve = observe({ sql, clock, jsm }, engine.consumings);
    },
    async ready() {
      const database = await sql`select 1`.then(
        () => true,
        () => false,
      );
      return { database, nats: !nc.isClosed() && nc.info !== undefined && engine.pulling() };
    },
    stats: engine.stats,
    async stop() {
      unobserve();
      stopAnalyzing();
      await engine.stop();
      await nc.drain().catch(() => undefined);
      await sql.end({ timeout: 5 });
    },
  };
}

/** Tells the engine when the connection goes and comes. A closed connection is the end: nothing works without the bus. */
function followConnection(nc: NatsConnection, engine: Engine, onFault: CoreOptions['onFault']): void {
  void (async () => {
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') engine.disconnected();
      if (status.type === 'reconnect') await engine.reconnected();
      if (status.type === 'error') onFault('nats', status.error);
    }
  })();
}
