import { plannedOnce, type Connection } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { session as openSession } from '@yunshi/db/session';
import { crashpoint, crashpointInFlight } from './crashpoint.ts';
import type { Outgoing } from './envelope.ts';
import type { SagaRef } from './handle.ts';
import type { Sessions, Work } from './lane.ts';
import { barrier, calls, deadlines, sagaLog, sagas } from './tables.ts';

export type SagaRow = typeof sagas.$inferSelect;
export type SagaLogRow = typeof sagaLog.$inferSelect;
export type CallRow = typeof calls.$inferSelect;
export type DeadlineRow = typeof deadlines.$inferSelect;
export type BarrierRow = typeof barrier.$inferSelect;

export const sagaRows: Rows<string, SagaRow> = rowsOf(sagas, 'id');
export const sagaLogRows: Rows<string, SagaLogRow> = rowsOf(sagaLog, 'id', { onConflict: 'keep' });
const callRows = rowsOf(calls, 'id');
const deadlineRows = rowsOf(deadlines, 'id');

export type IdempotencyRow = { account: string; key: string; hash: string; status: number; body: string };

/** What the database knows of a batch before it is decided on. */
export type Seen = {
  readonly received: ReadonlySet<string>;
  readonly barrier: ReadonlyMap<string, BarrierRow>;
  readonly answered: ReadonlyMap<string, IdempotencyRow>;
  /** Deadlines that were still set and due; they are locked. */
  readonly due: ReadonlySet<string>;
  /** Calls that are still open; they are locked. */
  readonly open: ReadonlySet<string>;
  readonly rows: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  /** Per table name: the keys that were looked for and not found. They are not locked, since there is nothing to lock. */
  readonly missing: ReadonlyMap<string, ReadonlySet<string>>;
};

export const barrierKey = (ref: Pick<SagaRef, 'sagaId' | 'step' | 'direction'>): string => `${ref.sagaId} ${ref.direction} ${ref.step}`;
export const idempotencyKey = (of: { readonly account: string; readonly key: string }): string => `${of.account} ${of.key}`;

/**
 * Waits for all statements of a pipeline, then throws the first error, if any.
 * `Promise.all` would reject while later statements still run on the same connection.
 */
async function settled<T extends readonly Promise<unknown>[]>(statements: T): Promise<{ -readonly [I in keyof T]: Awaited<T[I]> }> {
  const results = await Promise.allSettled(statements);
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as never;
}

type Id = { readonly id: string };
const nothing = Promise.resolve([] as never[]);
const identities = <K extends Work['identity']['kind']>(batch: readonly Work[], kind: K) =>
  batch.map((work) => work.identity).filter((identity): identity is Extract<Work['identity'], { kind: K }> => identity.kind === kind);

/** Sessions of a lane in PostgreSQL. */
export function sessionsIn(url: string, name: string): Sessions {
  const sessions = openSession({ url, name, planning: plannedOnce });
  return {
    async get() {
      const { connection, isLost, lost } = await sessions.get();
      return {
        look: (batch, now) => look(connection, batch, now),
        store: (changes, now) => store(connection, changes, now),
        rollback: () => connection`rollback`.execute(),
        isLost,
        lost,
      };
    },
    end: sessions.end,
  };
}

/** What a batch has to know before it can be decided on. */
export type Questions = {
  readonly messageIds: readonly string[];
  readonly commands: readonly { readonly from: SagaRef }[];
  readonly idempotency: readonly { readonly account: string; readonly key: string }[];
  readonly deadlineIds: readonly string[];
  readonly callIds: readonly string[];
  /** Rows to lock, tables and keys in one order everywhere, so that batches cannot deadlock. */
  readonly tables: readonly { readonly rows: Rows<string, unknown>; readonly keys: readonly string[] }[];
};

export function questionsOf(batch: readonly Work[]): Questions {
  const commands = identities(batch, 'command');
  const ids = (kind: 'deadline' | 'call') =>
    identities(batch, kind)
      .map((identity) => identity.id)
      .sort();
  return {
    messageIds: [...identities(batch, 'message'), ...commands].map((identity) => identity.id),
    commands,
    idempotency: identities(batch, 'write').flatMap((identity) => identity.idempotency ?? []),
    deadlineIds: ids('deadline'),
    callIds: ids('call'),
    tables: tablesOf(batch),
  };
}

/** First round trip: begins the transaction, and reads and locks everything that the batch is about. */
async function look(connection: Connection, batch: readonly Work[], now: Date): Promise<Seen> {
  const { messageIds, commands, idempotency: keys, deadlineIds, callIds, tables } = questionsOf(batch);
  // In the order in which they are sent, without waiting for each other.
  const begun = connection`begin`.execute();
  const received = messageIds.length
    ? connection<Id[]>`select id from inbox where id = any(${messageIds as string[]}::uuid[])`.execute()
    : nothing;
  const barriers = commands.length
    ? connection<BarrierRow[]>`
        select saga_id as "sagaId", step, direction, reply, answer from barrier
        where saga_id = any(${commands.map((command) => command.from.sagaId)})`.execute()
    : nothing;
  const answered = keys.length
    ? connection<IdempotencyRow[]>`
        select i.account, i.key, i.hash, i.status, i.body from idempotency i
        join unnest(${keys.map((one) => one.account)}::text[], ${keys.map((one) => one.key)}::text[]) as k(account, key) on k.account = i.account and k.key = i.key`.execute()
    : nothing;
  const open = callIds.length
    ? connection<Id[]>`select id from calls where id = any(${callIds as string[]}::uuid[]) and open order by id for update`.execute()
    : nothing;
  const locked = tables.map(({ rows, keys: wanted }) => rows.lock(connection, wanted));
  // Behind the rows that they are about: whoever holds such a row may be about to move its deadline, and would wait for us as we for it.
  const due = deadlineIds.length
    ? connection<
        Id[]
      >`select id from deadlines where id = any(${deadlineIds as string[]}) and due_at <= ${now} order by id for update`.execute()
    : nothing;
  await settled([begun, received, barriers, answered, open, ...locked, due]);
  const found = new Map<string, ReadonlyMap<string, unknown>>();
  for (const [index, { rows }] of tables.entries())
    found.set(rows.name, new Map((await locked[index]!).map((row) => [rows.keyOf(row), row])));
  return {
    received: new Set((await received).map((row) => row.id)),
    barrier: new Map((await barriers).map((row) => [barrierKey(row), row])),
    answered: new Map((await answered).map((row) => [idempotencyKey(row), row])),
    due: new Set((await due).map((row) => row.id)),
    open: new Set((await open).map((row) => row.id)),
    rows: found,
    missing: new Map(tables.map(({ rows, keys: wanted }) => [rows.name, new Set(wanted.filter((key) => !found.get(rows.name)?.has(key)))])),
  };
}

/** One lock statement for each table that the batch touches. */
function tablesOf(batch: readonly Work[]): Questions['tables'] {
  const wanted = new Map<string, { rows: Rows<string, unknown>; keys: Set<string> }>();
  const want = (rows: Rows<string, unknown>, key: string) => {
    const entry = wanted.get(rows.name) ?? { rows, keys: new Set() };
    entry.keys.add(key);
    wanted.set(rows.name, entry);
  };
  for (const { handler, key, data } of batch) {
    if (handler.of) want(handler.of, key);
    if (handler.beside) want(handler.beside.of, handler.beside.key(data as never));
  }
  return [...wanted.values()]
    .sort((a, b) => (a.rows.name < b.rows.name ? -1 : 1))
    .map(({ rows, keys }) => ({ rows, keys: [...keys].sort() }));
}

/** Everything that a batch writes. */
export type Changes = {
  /** Per table name: the rows to save, newest state of each. */
  readonly saves: ReadonlyMap<string, { readonly rows: Rows<string, unknown>; readonly changed: ReadonlyMap<string, unknown> }>;
  readonly missing: Seen['missing'];
  readonly received: readonly string[];
  readonly barriers: readonly BarrierRow[];
  readonly lateAnswers: readonly BarrierRow[];
  readonly idempotency: readonly IdempotencyRow[];
  readonly deadlines: readonly DeadlineRow[];
  readonly cancelled: readonly string[];
  readonly calls: readonly CallRow[];
  readonly closedCalls: readonly string[];
  readonly outgoing: readonly Outgoing[];
};

const column = <R, K extends keyof R>(rows: readonly R[], name: K): R[K][] => rows.map((row) => row[name]);

/** Second round trip: writes the batch as sets and commits. */
async function store(connection: Connection, changes: Changes, now: Date): Promise<void> {
  const { received, barriers, lateAnswers, idempotency, outgoing } = changes;
  const saves = [...changes.saves.values()].sort((a, b) => (a.rows.name < b.rows.name ? -1 : 1));
  const saved = ({ rows, changed }: (typeof saves)[number]) => saveSet(connection, rows, changed, changes.missing.get(rows.name));
  await settled(saves.filter(({ rows }) => !rows.pipelined).flatMap(saved));
  const statements = saves.filter(({ rows }) => rows.pipelined).flatMap(saved);
  if (received.length) statements.push(connection`insert into inbox (id) select unnest(${received}::uuid[])`.execute());
  if (barriers.length) statements.push(insertBarriers(connection, barriers));
  if (lateAnswers.length) statements.push(updateBarriers(connection, lateAnswers));
  if (idempotency.length)
    statements.push(
      connection`
        insert into idempotency (account, key, hash, status, body)
        select * from unnest(${column(idempotency, 'account')}::text[], ${column(idempotency, 'key')}::text[], ${column(idempotency, 'hash')}::text[],
          ${column(idempotency, 'status')}::int[], ${column(idempotency, 'body')}::text[])`.execute(),
    );
  if (changes.cancelled.length) statements.push(connection`delete from deadlines where id = any(${changes.cancelled})`.execute());
  if (changes.deadlines.length) statements.push(deadlineRows.save(connection, changes.deadlines));
  if (changes.closedCalls.length)
    statements.push(connection`update calls set open = false where id = any(${changes.closedCalls}::uuid[])`.execute());
  if (changes.calls.length) statements.push(callRows.save(connection, changes.calls));
  if (outgoing.length)
    statements.push(
      connection`
        insert into outbox (id, subject, body, traceparent)
        select * from unnest(${column(outgoing, 'id')}::uuid[], ${column(outgoing, 'subject')}::text[], ${column(outgoing, 'body')}::text[],
          ${column(outgoing, 'traceparent')}::text[])`.execute(),
    );
  crashpoint('commit.before');
  const commit = connection`commit`.execute();
  crashpointInFlight('commit.in-flight');
  await settled([...statements, commit]);
  // After an error inside a pipelined transaction COMMIT itself resolves, and says that it rolled back.
  const { command } = await commit;
  if (command !== 'COMMIT') throw new Error(`the transaction ended with ${command} at ${now.toISOString()}`);
}

/**
 * Saves the rows of one table in the order of their keys. Those that were looked for and not found are inserted, so that a row which
 * another lane or instance has made meanwhile fails this batch instead of being overwritten by a decision that did not know it.
 */
function saveSet(
  connection: Connection,
  rows: Rows<string, unknown>,
  changed: ReadonlyMap<string, unknown>,
  missing: ReadonlySet<string> | undefined,
): Promise<unknown>[] {
  const inOrder = [...changed].sort(([a], [b]) => (a < b ? -1 : 1));
  const isNew = (key: string) => rows.insert !== undefined && missing?.has(key) === true;
  const fresh = inOrder.filter(([key]) => isNew(key)).map(([, row]) => row);
  const known = inOrder.filter(([key]) => !isNew(key)).map(([, row]) => row);
  return [
    ...(rows.insert && fresh.length ? [rows.insert(connection, fresh)] : []),
    ...(known.length ? [rows.save(connection, known)] : []),
  ];
}

const insertBarriers = (connection: Connection, rows: readonly BarrierRow[]): Promise<unknown> =>
  connection`
    insert into barrier (saga_id, step, direction, reply, answer)
    select * from unnest(${column(rows, 'sagaId')}::text[], ${column(rows, 'step')}::text[], ${column(rows, 'direction')}::text[],
      ${column(rows, 'reply')}::text[], ${column(rows, 'answer')}::text[])`.execute();

const updateBarriers = (connection: Connection, rows: readonly BarrierRow[]): Promise<unknown> =>
  connection`
    update barrier b set reply = n.reply, answer = n.answer
    from unnest(${column(rows, 'sagaId')}::text[], ${column(rows, 'step')}::text[], ${column(rows, 'direction')}::text[],
      ${column(rows, 'reply')}::text[], ${column(rows, 'answer')}::text[]) as n(saga_id, step, direction, reply, answer)
    where b.saga_id = n.saga_id and b.step = n.step and b.direction = n.direction and b.reply is null`.execute();
