import { createInbox, headers as makeHeaders, type NatsConnection } from '@nats-io/transport-node';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { Sql } from '@yunshi/db/connect';
import { streamOf, streams, type StreamName } from './bus.ts';
import type { Outgoing } from './envelope.ts';
import { crashpoint } from './crashpoint.ts';
import { messageSent } from '@yunshi/telemetry/metrics';
import { traceparentOf } from '@yunshi/telemetry/trace';
import { publishSpan } from './trace.ts';

const flushEveryMs = 50;
const sweepEveryMs = 1_000;
const housekeepingEveryMs = 60_000;
const ackTimeoutMs = 5_000;
/** Rows younger than this are still on their way by the process that committed them. */
const sweepAfterMs = 2_000;
const inFlightMax = 8_192;
const sweepMax = 1_000;
/** Acknowledged rows are kept this long, and published again when the stream may have lost them. */
const keepMinutes = 20;
const partitionMinutes = 5;
/** After a restart of the server with its store intact, at most the unsynced tail is missing. */
const unsyncedTailS = 60;

type InFlight = { readonly id: string; readonly stream: StreamName; readonly sentAtMs: number };
type PubAck = { readonly stream?: string; readonly seq?: number; readonly error?: { readonly description?: string } };

export type RelayStats = { readonly inFlight: number; readonly oldestPendingMs: number };

/**
 * Carries committed outbox rows to the streams. Rows are published at once after their commit, moved to `sent` in batches when the
 * stream has acknowledged them, and swept up after a crash. One inbox subscription and one map of pending acknowledgements serve all.
 */
export function relay({
  sql,
  nc,
  jsm,
  onFault,
}: {
  readonly sql: Sql;
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly onFault: (what: string, error: unknown) => void;
}) {
  const inbox = createInbox();
  const pending = new Map<string, InFlight>();
  const inFlight = new Set<string>();
  const newestSeq = new Map<StreamName, number>();
  const timers: NodeJS.Timeout[] = [];
  let acknowledged: string[] = [];
  let counter = 0;
  let connected = true;
  let working: Promise<unknown> = Promise.resolve();

  const subscription = nc.subscribe(`${inbox}.*`, {
    callback: (error, message) => {
      if (error) return onFault('acknowledgement', error);
      const token = message.subject.slice(inbox.length + 1);
      const sent = pending.get(token);
      if (!sent) return;
      pending.delete(token);
      // No data: nobody listens on the subject, because the stream is missing. The row stays and is swept up.
      const ack: PubAck = message.data.length > 0 ? message.json<PubAck>() : { error: { description: 'no stream takes the subject' } };
      if (ack.error || ack.seq === undefined) {
        inFlight.delete(sent.id);
        return onFault('publish', new Error(ack.error?.description ?? 'no sequence in the acknowledgement'));
      }
      if (ack.seq > (newestSeq.get(sent.stream) ?? 0)) newestSeq.set(sent.stream, ack.seq);
      acknowledged.push(sent.id);
    },
  });

  /** Publishes rows that are committed. What cannot be published now stays in the outbox for the sweep. */
  function send(messages: readonly Outgoing[]): void {
    if (!connected || messages.length === 0) return;
    crashpoint('relay.before-publish');
    for (const { id, subject, body, traceparent } of messages) {
      if (pending.size >= inFlightMax) return;
      const token = String(counter++);
      const stream = streamOf(subject);
      const span = publishSpan(subject, id, traceparent ?? undefined);
      const headers = makeHeaders();
      headers.set('Nats-Msg-Id', id);
      headers.set('Nats-Expected-Stream', stream);
      const parent = traceparentOf(span) ?? traceparent;
      if (parent) headers.set('traceparent', parent);
      pending.set(token, { id, stream, sentAtMs: performance.now() });
      inFlight.add(id);
      nc.publish(subject, body, { headers, reply: `${inbox}.${token}` });
      span.end();
      messageSent(subject);
    }
    crashpoint('relay.after-publish');
  }

  async function flush(): Promise<void> {
    if (acknowledged.length === 0) return;
    const ids = acknowledged;
    acknowledged = [];
    try {
      crashpoint('relay.before-move');
      await sql`
        with moved as (delete from outbox where id = any(${ids}::uuid[]) returning id, subject, body, traceparent, created_at)
        insert into sent (id, subject, body, traceparent, created_at) select * from moved`;
      for (const id of ids) inFlight.delete(id);
    } catch (error) {
      acknowledged.push(...ids);
      throw error;
    }
  }

  async function sweep(): Promise<void> {
    const tooLate = performance.now() - ackTimeoutMs;
    for (const [token, sent] of pending) {
      if (sent.sentAtMs > tooLate) break;
      pending.delete(token);
      inFlight.delete(sent.id);
    }
    if (!connected) return;
    const rows = await sql<Outgoing[]>`
      select id, subject, body, traceparent from outbox where created_at < now() - ${sweepAfterMs} * interval '1 millisecond' order by created_at limit ${sweepMax}`;
    send(rows.filter((row) => !inFlight.has(row.id)));
  }

  /** Publishes again what an exchanged or restarted server may have lost. Ids stay the same; the inboxes absorb what arrives twice. */
  async function checkIdentity(): Promise<void> {
    const serverId = nc.info?.server_id ?? '';
    for (const { name } of streams as readonly { readonly name: StreamName }[]) {
      const info = await jsm.streams.info(name);
      const created = String(info.created);
      const [known] = await sql<
        { server_id: string; created: string; last_seq: number }[]
      >`select server_id, created, last_seq from streams_seen where stream = ${name}`;
      const lastSeq = Math.max(newestSeq.get(name) ?? 0, known?.created === created ? known.last_seq : 0);
      if (known && known.created !== created) {
        newestSeq.set(name, 0);
        await republish(name, keepMinutes * 60);
      } else if (known && (known.server_id !== serverId || info.state.last_seq < lastSeq)) {
        await republish(name, unsyncedTailS);
      }
      await sql`
        insert into streams_seen (stream, server_id, created, last_seq) values (${name}, ${serverId}, ${created}, ${info.state.last_seq})
        on conflict (stream) do update set server_id = excluded.server_id, created = excluded.created, last_seq = excluded.last_seq`;
    }
  }

  async function republish(stream: StreamName, withinS: number): Promise<void> {
    await flush();
    const prefix = `${stream.toLowerCase()}.%`;
    await sql`
      with again as (delete from sent where sent_at > now() - ${withinS} * interval '1 second' and subject like ${prefix} returning id, subject, body, traceparent, created_at)
      insert into outbox (id, subject, body, traceparent, created_at) select id, subject, body, traceparent, created_at from again on conflict do nothing`;
  }

  /** Keeps the partitions of `sent`: the present and the next one are there, those past their time are dropped. */
  async function housekeeping(): Promise<void> {
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

  /** One piece of background work at a time; a fault is told and tried again at the next tick. */
  const background = (what: string, work: () => Promise<void>): Promise<void> => {
    const next = working.then(work).catch((error: unknown) => onFault(what, error));
    working = next;
    return next;
  };

  return {
    async start(): Promise<void> {
      await housekeeping();
      await checkIdentity();
      timers.push(
        setInterval(() => acknowledged.length > 0 && void background('flush', flush), flushEveryMs),
        setInterval(() => void background('sweep', sweep), sweepEveryMs),
        setInterval(() => void background('housekeeping', housekeeping), housekeepingEveryMs),
      );
      await sweep();
    },
    send,
    /** The connection went away: nothing is published until it is back. */
    disconnected(): void {
      connected = false;
    },
    /** The connection is back, perhaps to another server. */
    reconnected(): Promise<void> {
      connected = true;
      pending.clear();
      inFlight.clear();
      return background('identity', async () => {
        await checkIdentity();
        await sweep();
      });
    },
    stats(): RelayStats {
      const [first] = pending.values();
      return { inFlight: pending.size, oldestPendingMs: first ? performance.now() - first.sentAtMs : 0 };
    },
    async stop(): Promise<void> {
      for (const timer of timers) clearInterval(timer);
      await nc.flush().catch(() => undefined);
      await background('flush', flush);
      subscription.unsubscribe();
    },
  };
}
export type Relay = ReturnType<typeof relay>;
