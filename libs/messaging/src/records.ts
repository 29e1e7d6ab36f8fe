import type { Sql } from '@yunshi/db/connect';
import { leaseMs } from './decide.ts';
import type { CallRecords } from './calls.ts';
import { described, errorClassOf, type DeadLetterRecords } from './dead-letters.ts';
import type { DueRecords } from './due.ts';
import type { Outgoing } from './envelope.ts';
import { keepMinutes, type OutboxRecords, type StreamSeen } from './relay.ts';
import type { CallRow } from './store.ts';

/** What the core reads and writes outside of its lanes. */
export type Records = {
  readonly outbox: OutboxRecords;
  readonly calls: CallRecords;
  readonly due: DueRecords;
  readonly letters: DeadLetterRecords;
};

/** In PostgreSQL: the only SQL for it. */
export const recordsIn = (sql: Sql): Records => ({ outbox: outboxIn(sql), calls: callsIn(sql), due: dueIn(sql), letters: lettersIn(sql) });

const outboxIn = (sql: Sql): OutboxRecords => ({
  move: (ids) => sql`
    with moved as (delete from outbox where id = any(${ids as string[]}::uuid[]) returning id, subject, body, traceparent, created_at)
    insert into sent (id, subject, body, traceparent, created_at) select * from moved`,
  waiting: ({ olderThanMs, max }) => sql<Outgoing[]>`
    select id, subject, body, traceparent from outbox
    where created_at < now() - ${olderThanMs} * interval '1 millisecond' order by created_at limit ${max}`,
  takeBack: (stream, withinS) => sql`
    with again as (
      delete from sent where sent_at > (select max(sent_at) from sent) - ${withinS} * interval '1 second' and subject like ${`${stream.toLowerCase()}.%`}
      returning id, subject, body, traceparent, created_at)
    insert into outbox (id, subject, body, traceparent, created_at) select id, subject, body, traceparent, created_at from again on conflict do nothing`,
  seen: async (stream) =>
    (await sql<StreamSeen[]>`select server_id as "serverId", created, last_seq as "lastSeq" from streams_seen where stream = ${stream}`)[0],
  saw: (stream, { serverId, created, lastSeq }) => sql`
    insert into streams_seen (stream, server_id, created, last_seq) values (${stream}, ${serverId}, ${created}, ${lastSeq})
    on conflict (stream) do update set server_id = excluded.server_id, created = excluded.created, last_seq = excluded.last_seq`,
  tidy: () => tidy(sql),
});

const partitionMinutes = 5;

/** Keeps the partitions of `sent`: the present and the next one are there, those past their time are dropped. */
async function tidy(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(hashtext('sent partitions'), hashtext(current_schema()))`;
    const step = partitionMinutes * 60_000;
    const current = Math.floor(Date.now() / step) * step;
    for (const start of [current - step, current, current + step, current + 2 * step]) {
      await tx.unsafe(
        `create table if not exists sent_${start / 1000} partition of sent for values from ('${new Date(start).toISOString()}') to ('${new Date(start + step).toISOString()}')`,
      );
    }
    const oldest = (Date.now() - keepMinutes * 60_000 - step) / 1000;
    const old = await tx<{ name: string }[]>`
      select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'sent'::regclass and substr(c.relname, 6)::bigint < ${Math.floor(oldest)}`;
    for (const { name } of old) await tx.unsafe(`drop table ${name}`);
  });
  await sql`delete from idempotency where ctid in (select ctid from idempotency where created_at < now() - interval '7 days' limit 5000)`;
  await sql`delete from inbox where ctid in (select ctid from inbox where received_at < now() - interval '30 days' limit 5000)`;
}

const callsIn = (sql: Sql): CallRecords => ({
  takeDue: (now, max) => sql<CallRow[]>`
    update calls set leased_until = now() + ${leaseMs} * interval '1 millisecond', attempts = attempts + 1
    where id in (select id from calls where open and not_before <= ${now} and leased_until < now() order by not_before limit ${max} for update skip locked)
    returning id, kind, key, request, open, attempts, not_before as "notBefore", leased_until as "leasedUntil", last_error as "lastError", created_at as "createdAt", traceparent`,
  nextAfter: async (now) =>
    (await sql<{ at: Date | null }[]>`select min(not_before) as at from calls where open and not_before > ${now}`)[0]?.at ?? undefined,
  putBack: (id, { notBefore, lastError }) =>
    sql`update calls set leased_until = 'epoch', not_before = ${notBefore}, last_error = ${lastError} where id = ${id} and open`,
  giveUp: (id) => sql`update calls set open = false where id = ${id}`,
});

const dueIn = (sql: Sql): DueRecords => ({
  deadlines: (now, max) =>
    sql`select id, kind, key, attempts, traceparent from deadlines where due_at <= ${now} order by due_at limit ${max}`,
  nextDeadline: async () => (await sql<{ at: Date | null }[]>`select min(due_at) as at from deadlines`)[0]?.at ?? undefined,
  putOff: (id, { dueAt, attempts, lastError }) =>
    sql`update deadlines set due_at = ${dueAt}, attempts = ${attempts}, last_error = ${lastError} where id = ${id}`,
  giveUp: (id) => sql`delete from deadlines where id = ${id}`,
  sagas: (now, max) => sql`select id, traceparent from sagas where look_at <= ${now} order by look_at limit ${max}`,
  nextSaga: async () => (await sql<{ at: Date | null }[]>`select min(look_at) as at from sagas`)[0]?.at ?? undefined,
});

const lettersIn = (sql: Sql): DeadLetterRecords => ({
  bury: ({ source, name, subject, messageId, body, headers, error, attempts, notice }) => sql`
    with told as (
      insert into outbox (id, subject, body, traceparent)
      select ${notice?.id ?? null}::uuid, ${notice?.subject ?? null}, ${notice?.body ?? null}, ${notice?.traceparent ?? null} where ${notice !== undefined})
    insert into dead_letters (source, name, subject, message_id, body, headers, error, error_class, attempts, state)
    values (${source}, ${name}, ${subject}, ${messageId}, ${body}, ${sql.json(headers)}, ${described(error)}, ${errorClassOf(error)}, ${attempts}, 'open')
    on conflict (source, message_id) where message_id is not null do update set
      state = 'open', body = excluded.body, headers = excluded.headers, error = excluded.error, error_class = excluded.error_class,
      attempts = excluded.attempts, at = excluded.at`,
});
