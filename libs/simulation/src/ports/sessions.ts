import type { Session, Sessions, Work } from '@yunshi/messaging/lane';
import { barrierKey, idempotencyKey, questionsOf, type BarrierRow, type Changes, type Seen } from '@yunshi/messaging/store';
import { pgError, Transaction, type Database } from './database.ts';
import { never } from './never.ts';
import type { Process } from '../process.ts';

const lostError = (): Error => Object.assign(new Error('the connection was lost'), { code: 'CONNECTION_CLOSED' });
/** How long a server may take to notice that the other end has gone: `idle_in_transaction_session_timeout`. */
const noticedMsMax = 20_000;
const passingCodes = ['40001', '40P01', '57014', '53200'] as const;

/** Sessions of one lane. */
export function sessionsOver(process: Process): Sessions {
  let current: Connection | undefined;
  return {
    async get() {
      if (current && !current.isLost()) return current.session;
      current = await connected(process);
      return current.session;
    },
    end: () => Promise.resolve(),
  };
}

function connected(process: Process): Promise<Connection> {
  const { world, service } = process;
  return new Promise((resolve, reject) => {
    world.loop.after(world.latency(), () => {
      if (!process.alive) return;
      if (service.database.isDown) return reject(Object.assign(new Error('nobody listens'), { code: 'ECONNREFUSED' }));
      resolve(new Connection(process));
    });
  });
}

type Answer<T> = (result: T | Error) => void;

/** A connection to the database, from both its ends. */
export class Connection {
  readonly session: Session;
  readonly #process: Process;
  readonly #database: Database;
  readonly #lost = Promise.withResolvers<never>();
  #isLost = false;
  /** The server's end. */
  #isServed = true;
  #tx: Transaction | undefined;

  constructor(process: Process) {
    this.#process = process;
    this.#database = process.service.database;
    this.#lost.promise.catch(() => undefined);
    process.connections.add(this);
    this.session = {
      look: (batch, now) => this.#ask('look', (answer) => this.#look(batch, now, answer)),
      store: (changes) => this.#ask('store', (answer) => this.#store(changes, answer)),
      rollback: () => this.#ask('rollback', (answer) => this.#rollback(answer)),
      isLost: this.isLost,
      lost: this.#lost.promise,
    };
  }

  isLost = (): boolean => this.#isLost;

  /** The process has died; what it had sent by then still arrives. */
  close(): void {
    this.#process.world.loop.after(this.#process.world.latency(), () => this.#endAtServer());
  }

  /** Nothing passes any more; either end notices when it does. */
  cut(serverNoticesMs: number): void {
    const { world } = this.#process;
    if (this.#isLost || !this.#process.connections.delete(this)) return;
    world.strike('connection to the database cut', () => this.#process.name);
    if (serverNoticesMs === 0) this.#endAtServer();
    else world.loop.after(serverNoticesMs, () => this.#endAtServer());
    world.loop.after(world.latency(), () => {
      this.#isLost = true;
      this.#lost.reject(lostError());
    });
  }

  #endAtServer(): void {
    this.#isServed = false;
    this.#endTransaction();
  }

  #endTransaction(): void {
    if (!this.#tx) return;
    this.#tx.ended = true;
    this.#database.release(this.#tx);
    this.#tx = undefined;
  }

  #ask<T>(point: string, serve: (answer: Answer<T>) => void): Promise<T> {
    const process = this.#process;
    const { world } = process;
    const { loop, dice, mix } = world;
    if (process.dies(`${point}, before`) || this.#isLost) return never;
    if (dice.chance(mix.cut / 2)) {
      world.tell(() => `${process.name}: ${point} will not arrive`);
      this.cut(dice.next() * noticedMsMax);
      return never;
    }
    return new Promise((resolve, reject) => {
      loop.after(world.latency(), () => {
        if (!this.#isServed) return;
        if (point !== 'rollback' && dice.chance(mix.passing))
          return this.#answer(point, pgError(dice.pick(passingCodes), 'try again'), resolve, reject);
        serve((result) => this.#answer(point, result, resolve, reject));
      });
    });
  }

  #answer<T>(point: string, result: T | Error, resolve: (value: T) => void, reject: (error: Error) => void): void {
    const process = this.#process;
    const { world } = process;
    if (world.dice.chance(world.mix.cut / 2)) {
      if (point === 'store') world.strike('commit of unknown outcome', () => process.name);
      return this.cut(world.dice.next() * noticedMsMax);
    }
    world.loop.after(world.latency(), () => {
      if (!process.alive || this.#isLost || !process.connections.has(this)) return;
      if (process.dies(`${point}, after`)) return;
      if (result instanceof Error) reject(result);
      else resolve(result);
    });
  }

  #look(batch: readonly Work[], now: Date, answer: Answer<Seen>): void {
    const database = this.#database;
    const tx = new Transaction();
    this.#tx = tx;
    const { messageIds, commands, idempotency, deadlineIds, callIds, tables } = questionsOf(batch);
    const received = new Set(messageIds.filter((id) => database.inbox.has(id)));
    const barrier: Seen['barrier'] = new Map(
      commands.flatMap(({ from }) =>
        (['do', 'undo'] as const).flatMap((direction) => {
          const row = database.barrier.get(barrierKey({ ...from, direction }));
          return row ? [[barrierKey(row), row] as const] : [];
        }),
      ),
    );
    if (received.size > 0) database.reach('message received again after its commit');
    for (const { from } of commands) if (isTombstone(barrier.get(barrierKey(from)))) database.reach('do after its undo');
    const answered: Seen['answered'] = new Map(
      idempotency.flatMap((one) => {
        const row = database.idempotency.get(idempotencyKey(one));
        return row ? [[idempotencyKey(row), row] as const] : [];
      }),
    );
    if (answered.size > 0) database.reach('request repeated with its key');
    const rows = new Map<string, Map<string, unknown>>();
    const missing = new Map<string, Set<string>>();
    const isDue = (id: string): boolean => (database.deadlines.get(id)?.dueAt ?? Infinity) <= now;
    const isOpen = (id: string): boolean => database.calls.get(id)?.open === true;
    const done = (): void => {
      const [due, open] = [new Set(deadlineIds.filter(isDue)), new Set(callIds.filter(isOpen))];
      answer({ received, barrier, answered, due, open, rows, missing });
    };
    const statements: ((then: () => void) => void)[] = [
      (then) => this.#lockRows(tx, 'calls', callIds.filter(isOpen), answer, then),
      ...tables.map(({ rows: { name }, keys }) => (then: () => void) => {
        const make = database.madeByLocking.get(name);
        const table = database.table(name);
        if (make)
          for (const key of keys) if (!table.has(key) && !database.isLockedByAnother(`${name} ${key}`, tx)) table.set(key, make(key));
        const present = keys.filter((key) => table.has(key) || make);
        this.#lockRows(tx, name, present, answer, () => {
          const found = new Map(present.flatMap((key) => (table.has(key) ? [[key, table.get(key)] as const] : [])));
          rows.set(name, found);
          missing.set(name, new Set(keys.filter((key) => !found.has(key))));
          then();
        });
      }),
      (then) => this.#lockRows(tx, 'deadlines', deadlineIds.filter(isDue), answer, then),
    ];
    const run = (index: number): void => {
      const statement = statements[index];
      if (statement) statement(() => run(index + 1));
      else done();
    };
    run(0);
  }

  #lockRows(tx: Transaction, table: string, keys: readonly string[], answer: Answer<never>, then: () => void): void {
    if (keys.length === 0) return then();
    this.#database.lock(
      tx,
      keys.map((key) => `${table} ${key}`),
      (error) => (error ? answer(error) : then()),
    );
  }

  #store(changes: Changes, answer: Answer<void>): void {
    const database = this.#database;
    const tx = this.#tx;
    if (!tx || tx.ended) return answer(pgError('25P01', 'there is no transaction'));
    const saves = [...changes.saves.values()].sort((a, b) => (a.rows.name < b.rows.name ? -1 : 1));
    const written = saves.flatMap(({ rows, changed }) => {
      const table = database.table(rows.name);
      return [...changed.keys()]
        .sort()
        .filter((key) => table.has(key))
        .map((key) => `${rows.name} ${key}`);
    });
    const timed = [...changes.cancelled, ...changes.deadlines.map((row) => row.id)].filter((id) => database.deadlines.has(id));
    this.#database.lock(tx, [...written, ...timed.map((id) => `deadlines ${id}`)], (error) => {
      const failed = error ?? database.write(changes);
      if (failed) return answer(failed);
      this.#process.world.tell(() => `${this.#process.name} commits ${summary(changes)}`);
      this.#endTransaction();
      answer(undefined);
    });
  }

  #rollback(answer: Answer<void>): void {
    this.#endTransaction();
    answer(undefined);
  }
}

const isTombstone = (row: BarrierRow | undefined): boolean => row?.reply === 'tombstone';

function summary({ saves, outgoing, calls, closedCalls, deadlines, received }: Changes): string {
  const rows = [...saves].flatMap(([name, { changed }]) => [...changed.keys()].map((key) => `${name} ${key}`));
  const parts = [
    ...rows,
    ...outgoing.map(({ subject, id }) => `→ ${subject} ${id.slice(-6)}`),
    ...calls.map(({ kind, id }) => `☎ ${kind} ${id.slice(-6)}`),
    ...closedCalls.map((id) => `☎ ${id.slice(-6)} closed`),
    ...deadlines.map(({ id }) => `⏰ ${id}`),
    ...received.map((id) => `✓ ${id.slice(-6)}`),
  ];
  return parts.length > 0 ? parts.join(', ') : 'nothing';
}
