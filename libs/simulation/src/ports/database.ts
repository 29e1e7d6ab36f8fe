import type { DeadLetter } from '@yunshi/messaging/dead-letters';
import {
  barrierKey,
  idempotencyKey,
  type BarrierRow,
  type CallRow,
  type Changes,
  type DeadlineRow,
  type IdempotencyRow,
} from '@yunshi/messaging/store';
import type { Outgoing } from '@yunshi/messaging/envelope';
import type { StreamSeen } from '@yunshi/messaging/relay';
import type { SagaRow } from '@yunshi/messaging/store';
import { constraints } from './constraints.ts';
import { unlawful, type Law } from './laws.ts';
import type { Loop } from '../time/loop.ts';

/** An error as PostgreSQL gives it. */
export const pgError = (
  code: string,
  message: string,
  of: { readonly table_name?: string; readonly constraint_name?: string } = {},
): Error => Object.assign(new Error(message), { code, ...of });

/** One transaction: the locks that it holds, and what it waits for. */
export class Transaction {
  readonly locks = new Set<string>();
  waitsFor: Lock | undefined;
  /** Rolled back because its connection has gone, while it waited. */
  ended = false;
}
type Waiter = { readonly by: Transaction; readonly granted: () => void };
type Lock = { holder: Transaction; readonly waiting: Waiter[] };

export type OutboxRow = Outgoing & { readonly createdAt: number; sentAt?: number };

type Surroundings = {
  readonly loop: Loop;
  /** Told of what does not happen often. */
  readonly reach: (what: string) => void;
  /** Told of what must never be committed. */
  readonly broke: (law: Law, detail: string) => void;
  /** Told of every change. */
  readonly changed: () => void;
  /** What it does not see to: `locks`, `rows` or the unique keys of a table of the core. */
  readonly unguarded: ReadonlySet<string>;
};

const deadlockAfterMs = 1_000;

/**
 * The schema of one service as PostgreSQL would keep it: committed rows, row locks, unique keys. What is committed stays, whatever dies.
 * Statements of one transaction wait for locks one after the other; a circle of waiting transactions is broken after a second.
 */
export class Database {
  readonly tables = new Map<string, Map<string, unknown>>();
  /** How many receipts each message has. */
  readonly inbox = new Map<string, number>();
  readonly barrier = new Map<string, BarrierRow>();
  readonly idempotency = new Map<string, IdempotencyRow>();
  readonly deadlines = new Map<string, DeadlineRow>();
  readonly calls = new Map<string, CallRow>();
  readonly outbox = new Map<string, OutboxRow>();
  readonly sent = new Map<string, OutboxRow>();
  readonly letters = new Map<string, DeadLetter>();
  readonly streamsSeen = new Map<string, StreamSeen>();
  isDown = false;
  /** Tables whose rows come into being by being locked. */
  readonly madeByLocking: ReadonlyMap<string, (key: string) => unknown>;
  readonly name: string;
  readonly #locks = new Map<string, Lock>();
  readonly #loop: Loop;
  readonly #unguarded: ReadonlySet<string>;
  readonly #broke: Surroundings['broke'];
  readonly reach: Surroundings['reach'];
  readonly changed: Surroundings['changed'];

  constructor(
    name: string,
    { loop, reach, broke, changed, unguarded }: Surroundings,
    madeByLocking: ReadonlyMap<string, (key: string) => unknown> = new Map(),
  ) {
    this.name = name;
    this.#loop = loop;
    this.reach = reach;
    this.changed = changed;
    this.#broke = broke;
    this.#unguarded = unguarded;
    this.madeByLocking = madeByLocking;
  }

  table<R>(name: string): Map<string, R> {
    let table = this.tables.get(name);
    if (!table) this.tables.set(name, (table = new Map()));
    return table as Map<string, R>;
  }

  get sagas(): Map<string, SagaRow> {
    return this.table<SagaRow>('sagas');
  }

  /** Takes the locks in the given order, waiting for each; then goes on, or says why not. */
  lock(tx: Transaction, keys: readonly string[], then: (error?: Error) => void, from = 0): void {
    if (this.#unguarded.has('locks')) return then();
    for (let index = from; index < keys.length; index++) {
      const key = keys[index]!;
      const lock = this.#locks.get(key);
      if (!lock) {
        this.#locks.set(key, { holder: tx, waiting: [] });
        tx.locks.add(key);
      } else if (lock.holder !== tx) {
        return this.#wait(tx, lock, () => this.lock(tx, keys, then, index), then);
      }
    }
    then();
  }

  isLockedByAnother(key: string, tx?: Transaction): boolean {
    const lock = this.#locks.get(key);
    return lock !== undefined && lock.holder !== tx;
  }

  #wait(tx: Transaction, lock: Lock, granted: () => void, failed: (error: Error) => void): void {
    tx.waitsFor = lock;
    const waiter: Waiter = {
      by: tx,
      granted: () => {
        tx.waitsFor = undefined;
        if (!tx.ended) granted();
      },
    };
    lock.waiting.push(waiter);
    if (!waitsForItself(tx)) return;
    this.#loop.after(deadlockAfterMs, () => {
      const place = lock.waiting.indexOf(waiter);
      if (place < 0 || !waitsForItself(tx)) return;
      lock.waiting.splice(place, 1);
      tx.waitsFor = undefined;
      this.reach('deadlock');
      failed(pgError('40P01', 'deadlock detected'));
    });
  }

  /** Ends the transaction's hold on its rows; whoever waits goes on, first come first served. */
  release(tx: Transaction): void {
    const keys = [...tx.locks];
    tx.locks.clear();
    for (const key of keys) {
      const lock = this.#locks.get(key)!;
      const next = this.#nextWaiting(lock);
      if (!next) {
        this.#locks.delete(key);
        continue;
      }
      lock.holder = next.by;
      next.by.locks.add(key);
      next.granted();
    }
  }

  #nextWaiting(lock: Lock): Waiter | undefined {
    for (;;) {
      const next = lock.waiting.shift();
      if (!next?.by.ended) return next;
    }
  }

  /** Writes everything, or answers why it cannot be written. */
  write(changes: Changes): Error | undefined {
    const violated = this.#violated(changes);
    if (violated) {
      this.reach(`lost race: ${violated.message}`);
      return violated;
    }
    for (const { law, detail } of unlawful(changes, this)) this.#broke(law, detail);
    for (const { rows, changed } of changes.saves.values()) {
      const table = this.table(rows.name);
      for (const [key, row] of changed) if (!rows.keeps || !table.has(key)) table.set(key, row);
    }
    for (const id of changes.received) this.inbox.set(id, (this.inbox.get(id) ?? 0) + 1);
    for (const row of changes.barriers) this.barrier.set(barrierKey(row), row);
    for (const row of changes.lateAnswers) {
      const known = this.barrier.get(barrierKey(row));
      if (known?.reply === null) this.barrier.set(barrierKey(row), row);
    }
    for (const row of changes.idempotency) this.idempotency.set(idempotencyKey(row), row);
    for (const id of changes.cancelled) this.deadlines.delete(id);
    for (const row of changes.deadlines) this.deadlines.set(row.id, row);
    for (const id of changes.closedCalls) this.calls.set(id, { ...this.calls.get(id)!, open: false });
    for (const row of changes.calls) this.calls.set(row.id, row);
    for (const message of changes.outgoing) this.outbox.set(message.id, { ...message, createdAt: this.#loop.now });
    this.changed();
    return undefined;
  }

  #violated({ saves, missing, received, barriers, idempotency }: Changes): Error | undefined {
    const duplicate = (table_name: string, constraint_name = `${table_name}_pkey`): Error =>
      pgError('23505', `duplicate key value violates unique constraint "${constraint_name}"`, { table_name, constraint_name });
    for (const { rows, changed } of saves.values()) {
      const constraint = constraints.get(rows.name);
      for (const row of constraint ? changed.values() : []) {
        const broken = constraint!(row as never);
        if (broken !== undefined) return pgError('23514', `row violates check constraint "${broken}"`, { constraint_name: broken });
      }
      if (!rows.insert || this.#unguarded.has('rows')) continue;
      const absent = missing.get(rows.name);
      const table = this.tables.get(rows.name);
      if (absent && table) for (const key of changed.keys()) if (absent.has(key) && table.has(key)) return duplicate(rows.name);
    }
    const taken = {
      inbox: () => received.some((id) => this.inbox.has(id)),
      barrier: () => barriers.some((row) => this.barrier.has(barrierKey(row))),
      idempotency: () => idempotency.some((row) => this.idempotency.has(idempotencyKey(row))),
    };
    for (const [table, isTaken] of Object.entries(taken)) if (!this.#unguarded.has(table) && isTaken()) return duplicate(table);
    return undefined;
  }
}

/** Whether a chain of waiting leads back to where it began. */
function waitsForItself(tx: Transaction): boolean {
  const seen = new Set<Transaction>();
  for (let at = tx.waitsFor?.holder; at && !seen.has(at); at = at.waitsFor?.holder) {
    if (at === tx) return true;
    seen.add(at);
  }
  return false;
}
