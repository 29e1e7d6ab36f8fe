import type { JetStreamManager } from '@nats-io/jetstream';
import type { Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import { observeWaiting, type Backlog, type ConsumerState } from '@yunshi/telemetry/metrics';
import type { Consuming } from './consume.ts';

type Counted = {
  readonly outbox_rows: number;
  readonly outbox_oldest: number;
  readonly running: number;
  readonly past: number;
  readonly calls_oldest: number;
};

/** What a service has stored that must not grow old, in one statement over small partial indexes. */
export async function backlog(sql: Sql, now: Date): Promise<Backlog> {
  const [[counted], letters] = await Promise.all([
    sql<Counted[]>`
      select
        (select count(*) from outbox) as outbox_rows,
        (select coalesce(extract(epoch from now() - min(created_at)), 0)::float from outbox) as outbox_oldest,
        (select count(*) from sagas where look_at is not null) as running,
        (select count(*) from sagas where look_at is not null and deadline_at < ${now}) as past,
        (select coalesce(extract(epoch from ${now}::timestamptz - min(not_before)), 0)::float from calls where open and not_before <= ${now}) as calls_oldest`,
    sql<{ source: string; n: number }[]>`select source, count(*) as n from dead_letters where state = 'open' group by source`,
  ]);
  return {
    outboxRows: counted!.outbox_rows,
    outboxOldestSeconds: counted!.outbox_oldest,
    sagasRunning: counted!.running,
    sagasPastDeadline: counted!.past,
    callsOldestSeconds: counted!.calls_oldest,
    deadLetters: Object.fromEntries(letters.map(({ source, n }) => [source, n])),
  };
}

/** Tells the metrics what waits, whenever they are collected. Answers how to end it. */
export function observe(
  { sql, clock, jsm }: { readonly sql: Sql; readonly clock: Clock; readonly jsm: JetStreamManager },
  consumings: readonly Consuming[],
): () => void {
  const consumer = async ({ stream, durable }: Consuming): Promise<ConsumerState> => {
    const { num_pending, num_ack_pending, num_redelivered } = await jsm.consumers.info(stream, durable);
    return { stream, durable, pending: num_pending, unacknowledged: num_ack_pending, redelivered: num_redelivered };
  };
  return observeWaiting({ consumers: () => Promise.all(consumings.map(consumer)), backlog: () => backlog(sql, clock.now()) });
}
