import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

// The tables that the core keeps in every service's schema. `sent` is partitioned by time, which drizzle cannot say: its statements
// stand in the migration.

const time = (name: string) => timestamp(name, { withTimezone: true });

/** Messages of committed transactions that the stream has not acknowledged yet. Small: rows leave it within milliseconds. */
export const outbox = pgTable('outbox', {
  id: uuid('id').primaryKey(),
  subject: text('subject').notNull(),
  body: text('body').notNull(),
  traceparent: text('traceparent'),
  createdAt: time('created_at')
    .notNull()
    .default(sql`now()`),
});

/** Receipts: one row for each message that this service has taken in. */
export const inbox = pgTable(
  'inbox',
  {
    id: uuid('id').primaryKey(),
    receivedAt: time('received_at')
      .notNull()
      .default(sql`now()`),
  },
  // Only looked up to forget what is old: a summary of ranges, because an entry for each row would cost as much as the row.
  (table) => [index('inbox_received_at').using('brin', table.receivedAt).with({ autosummarize: true })],
);

/** One row for each saga, step and direction that has been asked of this service, with the answer once there is one. */
export const barrier = pgTable(
  'barrier',
  {
    sagaId: text('saga_id').notNull(),
    step: text('step').notNull(),
    direction: text('direction', { enum: ['do', 'undo'] }).notNull(),
    /** Null while the answer is still to come; `tombstone` where the undo arrived first, so that a late `do` does nothing. */
    reply: text('reply'),
    answer: text('answer'),
  },
  (table) => [primaryKey({ columns: [table.sagaId, table.step, table.direction] })],
);

/** First answers to HTTP requests with an Idempotency-Key. */
export const idempotency = pgTable(
  'idempotency',
  {
    account: text('account').notNull(),
    key: text('key').notNull(),
    hash: text('hash').notNull(),
    status: integer('status').notNull(),
    body: text('body').notNull(),
    createdAt: time('created_at')
      .notNull()
      .default(sql`now()`),
  },
  (table) => [primaryKey({ columns: [table.account, table.key] }), index('idempotency_created_at').on(table.createdAt)],
);

/**
 * What is wrong with the step that a saga awaits.
 * - `not-declared`: it was answered with something that the command does not declare, or that this step may not answer
 * - `buried`: a message about it, the command or its answer, is a dead letter of `service`
 * - `unanswered`: it has been asked again and again
 */
export type Trouble = {
  readonly kind: 'not-declared' | 'buried' | 'unanswered';
  readonly detail: string;
  readonly service?: string;
  readonly since: string;
};

export const sagas = pgTable(
  'sagas',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    version: integer('version').notNull(),
    /** The business id that operators search by. */
    key: text('key').notNull(),
    phase: text('phase', { enum: ['forward', 'backward', 'completed', 'rolled-back'] }).notNull(),
    /** The step whose answer is awaited. */
    step: text('step'),
    state: jsonb('state').notNull(),
    /** Number of the newest log entry. */
    seq: integer('seq').notNull(),
    /** Business time to ask again or to give the step up. */
    wakeAt: time('wake_at'),
    /**
     * When the saga is looked at: never later than `wakeAt`, and often earlier. Each move puts `wakeAt` off, and would have to change an
     * index and with it every index of the table; this one is left behind, and catches up when its time has come.
     */
    lookAt: time('look_at'),
    deadlineAt: time('deadline_at'),
    startedAt: time('started_at').notNull(),
    endedAt: time('ended_at'),
    traceparent: text('traceparent'),
    /** Why an operator should look, if anything is wrong with the awaited step; gone when the saga moves on. */
    trouble: jsonb('trouble').$type<Trouble>(),
  },
  (table) => [
    index('sagas_look_at')
      .on(table.lookAt)
      .where(sql`look_at is not null`),
    index('sagas_key').on(table.key),
    index('sagas_phase').on(table.phase, table.id),
    index('sagas_trouble')
      .on(table.id)
      .where(sql`trouble is not null`),
  ],
);

/** What happened to a saga, one row for each input that counted, with the state after it. */
export const sagaLog = pgTable('saga_log', {
  /** `<saga id>:<seq>`, zero-padded, so that it sorts. */
  id: text('id').primaryKey(),
  at: time('at').notNull(),
  input: jsonb('input').notNull(),
  phase: text('phase').notNull(),
  step: text('step'),
  data: jsonb('data').notNull(),
  sent: text('sent'),
});

export const deadlines = pgTable(
  'deadlines',
  {
    id: text('id').primaryKey(),
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    dueAt: time('due_at').notNull(),
    attempts: integer('attempts').notNull(),
    lastError: text('last_error'),
    traceparent: text('traceparent'),
  },
  (table) => [index('deadlines_due_at').on(table.dueAt)],
);

/** Intents of calls that leave the system, and what is known of them. */
export const calls = pgTable(
  'calls',
  {
    id: uuid('id').primaryKey(),
    kind: text('kind').notNull(),
    key: text('key').notNull(),
    request: jsonb('request').notNull(),
    open: boolean('open').notNull(),
    attempts: integer('attempts').notNull(),
    /** Business time before which it is not made. */
    notBefore: time('not_before').notNull(),
    /** Until when somebody is at it, by the database's clock. */
    leasedUntil: time('leased_until').notNull(),
    lastError: text('last_error'),
    createdAt: time('created_at').notNull(),
    traceparent: text('traceparent'),
  },
  (table) => [
    index('calls_open')
      .on(table.notBefore)
      .where(sql`open`),
    index('calls_key').on(table.key),
  ],
);

/** What could not be handled after all its attempts. Nothing is dropped: an operator looks, retries or discards. One row for each message. */
export const deadLetters = pgTable(
  'dead_letters',
  {
    seq: bigserial('seq', { mode: 'number' }).primaryKey(),
    source: text('source', { enum: ['message', 'deadline', 'call'] }).notNull(),
    name: text('name').notNull(),
    subject: text('subject'),
    messageId: text('message_id'),
    body: text('body').notNull(),
    headers: jsonb('headers').notNull(),
    error: text('error').notNull(),
    /** The error without what differs from case to case: letters with one cause have one class. */
    errorClass: text('error_class').notNull(),
    /** In the last round. */
    attempts: integer('attempts').notNull(),
    /** How often operators have had it tried again. */
    retries: integer('retries').notNull().default(0),
    firstAt: time('first_at')
      .notNull()
      .default(sql`now()`),
    /** When it was buried the last time. */
    at: time('at')
      .notNull()
      .default(sql`now()`),
    state: text('state', { enum: ['open', 'retried', 'discarded'] }).notNull(),
  },
  (table) => [
    index('dead_letters_open')
      .on(table.seq)
      .where(sql`state = 'open'`),
    uniqueIndex('dead_letters_of_one_message')
      .on(table.source, table.messageId)
      .where(sql`message_id is not null`),
  ],
);

/** What operators have done. Rows are added and never changed or removed: the database refuses both, even to the service itself. */
export const audit = pgTable(
  'audit',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: time('at')
      .notNull()
      .default(sql`now()`),
    /** The user. */
    actor: text('actor').notNull(),
    /** Such as `dead-letter.retry`. */
    action: text('action').notNull(),
    /** What it was done to, such as `dead-letter:17`. */
    object: text('object').notNull(),
    reason: text('reason'),
  },
  (table) => [index('audit_object').on(table.object, table.id)],
);

/** Which server and stream this service last published to: a change means that acknowledged messages may be gone. */
export const streamsSeen = pgTable('streams_seen', {
  stream: text('stream').primaryKey(),
  serverId: text('server_id').notNull(),
  created: text('created').notNull(),
  lastSeq: bigint('last_seq', { mode: 'number' }).notNull(),
});

/** How far the test clock has been moved; one row. Empty in production. */
export const testClockRow = pgTable('test_clock', {
  id: integer('id').primaryKey(),
  offsetMs: bigint('offset_ms', { mode: 'number' }).notNull(),
});
