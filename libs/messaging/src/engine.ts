import type { Clock } from '@yunshi/kernel/clock';
import type { Saga } from '@yunshi/saga/define';
import { alarm, type Alarm } from './alarm.ts';
import { caller } from './calls.ts';
import type { Consuming, Consumption } from './consume.ts';
import { crashpoint } from './crashpoint.ts';
import { checkDeadlines, checkSagas } from './due.ts';
import { Unavailable } from './faults.ts';
import type { Handler, HttpWrite, Idempotency, Performer, Response } from './handle.ts';
import type { Host } from './host.ts';
import { lane as makeLane, type Committed, type Lane, type Sessions } from './lane.ts';
import { receiver, type Delivered } from './receive.ts';
import type { Records } from './records.ts';
import { relay as makeRelay, type OpenPublisher, type RelayStats } from './relay.ts';
import { sagaHandlers } from './saga-rows.ts';
import { activeTraceparent } from '@yunshi/telemetry/trace';

/** What a service does with what reaches it. */
export type Behaviour = {
  readonly service: string;
  readonly handlers: readonly Handler[];
  readonly performers: readonly Performer[];
  readonly sagas: readonly Saga[];
  /** Is told of every fault that was not the caller's: what was being done, and the error. */
  readonly onFault: (what: string, error: unknown) => void;
};

/** What the engine stands on: PostgreSQL, JetStream and the process itself in production, or a simulation of them. */
export type Ports = {
  readonly clock: Clock;
  readonly host: Host;
  readonly sessions: (name: string) => Sessions;
  readonly records: Records;
  readonly publisher: OpenPublisher;
  readonly consume: (consuming: Consuming, onMessage: (message: Delivered) => void) => Consumption;
};

export type EngineStats = RelayStats & { readonly queued: number; readonly calling: number };

/** The rows that are watched, as far as it matters here. */
export type Watched<R> = { readonly name: string; readonly keyOf: (row: R) => string };

/** All that moves messages for one service, and none of the I/O. */
export type Engine = {
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
  /**
   * Calls the listener after each commit of this process that saved the row, with the row as it was committed. Other instances of the
   * service save rows too, and nobody is told: whoever waits must also look from time to time.
   */
  readonly watch: <R>(rows: Watched<R>, key: string, listener: (row: R) => void) => () => void;
  /** Begins to take in messages, deadlines and calls. */
  readonly run: () => void;
  readonly consumings: readonly Consuming[];
  /** Whether all consumers are at it. */
  readonly pulling: () => boolean;
  /** The connection to the bus went away, and came back. */
  readonly disconnected: () => void;
  readonly reconnected: () => Promise<void>;
  readonly stats: () => EngineStats;
  /** Finishes what is in hand. */
  readonly stop: () => Promise<void>;
};

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
  const listeners = new Map<string, Set<(row: unknown) => void>>();
  return {
    watch<R>(rows: Watched<R>, key: string, told: (row: R) => void): () => void {
      const listener = told as (row: unknown) => void;
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
      for (const [name, rows] of saved)
        for (const [key, row] of rows) for (const listener of listeners.get(`${name} ${key}`) ?? []) listener(row);
    },
  };
}

const writeThrough =
  (lane: Lane): Engine['write'] =>
  (how, data, idempotency) =>
    new Promise((resolve, reject) => {
      const handler = { on: 'write', ...how, parse: (value: unknown) => value } as unknown as Handler;
      lane.push({
        handler,
        data,
        key: how.key(data),
        identity: { kind: 'write', idempotency },
        traceparent: activeTraceparent(),
        done: ({ response, repeated }) => {
          crashpoint('write.before-answer');
          resolve({ status: 200, body: null, ...response, replayed: repeated });
        },
        failed: (error, passing) =>
          reject(
            error instanceof Error && (!passing || error instanceof Unavailable)
              ? error
              : new Unavailable('the database', { cause: error }),
          ),
      });
    });

export async function startEngine({ service, handlers, performers, sagas, onFault }: Behaviour, ports: Ports): Promise<Engine> {
  const { clock, host, records } = ports;
  const { letters } = records;
  const runner = sagaHandlers(sagas, service);
  const watching = watchers();
  const relay = makeRelay({ records: records.outbox, open: ports.publisher, host, onFault });
  const alarms: Alarm[] = [];
  const lane = makeLane({
    open: ports.sessions,
    host,
    clock,
    service,
    onFault,
    onCommitted: (committed) => {
      relay.send(committed.outgoing);
      calls.take(committed.calls);
      watching.tell(committed.saved);
      if (committed.soonest) for (const one of alarms) one.poke(committed.soonest);
    },
  });
  const outcomes = byName(handlers, ['outcome']);
  const calls = caller({ records: records.calls, letters, host, clock, lane, performers, handlers: outcomes, onFault });
  const incoming = byName(handlers, ['command', 'event']);
  let connections = 1;
  const receive = receiver({
    service,
    letters,
    clock,
    host,
    lane,
    handlers: incoming,
    sagaReplies: runner.replies,
    connection: () => connections,
    onFault,
  });
  const consumings = consumptions(service, handlers, sagas.length > 0);
  const consumers: Consumption[] = [];
  await relay.start();

  function watchTime(): void {
    const due = { records: records.due, letters, clock, lane, onFault };
    const deadlines = byName(handlers, ['deadline']);
    const checks = {
      deadlines: () => checkDeadlines(due, deadlines),
      sagas: () => checkSagas(due, runner.wake),
      calls: () => calls.check(),
    };
    for (const [what, check] of Object.entries(checks)) alarms.push(alarm({ clock, host }, check, (error) => onFault(what, error)));
  }

  return {
    write: writeThrough(lane),
    watch: watching.watch,
    run() {
      watchTime();
      consumers.push(...consumings.map((one) => ports.consume(one, receive)));
    },
    consumings,
    pulling: () => consumers.every((one) => one.pulling()),
    disconnected() {
      connections++;
      relay.disconnected();
    },
    reconnected: relay.reconnected,
    stats: () => ({ ...relay.stats(), queued: lane.queued(), calling: calls.running() }),
    async stop() {
      await Promise.all(consumers.map((one) => one.stop()));
      await Promise.all(alarms.map((one) => one.stop()));
      await calls.stop();
      await lane.stop();
      await relay.stop();
    },
  };
}
