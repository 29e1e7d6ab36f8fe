import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Span } from '@opentelemetry/api';
import type { Connection, Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import { decideBatch } from './decide.ts';
import type { Outgoing } from './envelope.ts';
import { isConnectionLost, isLostRace, isPassing, Overloaded, Unavailable } from './faults.ts';
import type { Handler, Idempotency, Response, SagaRef } from './handle.ts';
import { look, store, type CallRow } from './store.ts';
import { workSpan } from './trace.ts';

/** What makes a piece of work happen once. */
export type Identity =
  | { readonly kind: 'message'; readonly id: string }
  | { readonly kind: 'command'; readonly id: string; readonly from: SagaRef }
  | { readonly kind: 'write'; readonly idempotency: Idempotency | undefined }
  | { readonly kind: 'deadline'; readonly id: string }
  | { readonly kind: 'call'; readonly id: string }
  /** Harmless to repeat: the decision itself looks at the row. */
  | { readonly kind: 'wake' };

/** What became of a piece of work, once its transaction is committed. */
export type Done = { readonly response?: Response; readonly repeated: boolean };

export type Work = {
  readonly handler: Handler;
  readonly data: unknown;
  readonly key: string;
  readonly identity: Identity;
  readonly traceparent: string | undefined;
  readonly done: (result: Done) => void;
  /** `passing`: not the work's own fault, nothing is known to have happened. */
  readonly failed: (error: unknown, passing: boolean) => void;
};

type Queued = Work & { readonly span: Span };

export type Committed = {
  readonly outgoing: readonly Outgoing[];
  readonly calls: readonly CallRow[];
  readonly saved: ReadonlyMap<string, Iterable<string>>;
  readonly soonest: Date | undefined;
};

export type LaneOptions = {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly service: string;
  /** Connections that work in parallel. */
  readonly lanes?: number;
  readonly batchMax?: number;
  readonly queueMax?: number;
  readonly onCommitted: (committed: Committed) => void;
};

/** How often one batch is tried again at once before its work is split or sent back. */
const immediateTriesMax = 5;

/**
 * Takes what waits, up to a batch, and carries it out in one transaction: two round trips, whatever the number of pieces.
 * Messages, HTTP writes, deadlines and outcomes of outside calls all go through here.
 */
export function lane({ sql, clock, service, lanes = 2, batchMax = 64, queueMax = 5_000, onCommitted }: LaneOptions) {
  const queue: Queued[] = [];
  let running = 0;
  let stopping = false;
  const idle = Promise.withResolvers<void>();

  async function attempt(connection: Connection, batch: readonly Queued[]): Promise<readonly (() => void)[]> {
    const now = clock.now();
    const seen = await look(connection, batch, now);
    const decided = decideBatch(batch, seen, { now, service });
    await store(connection, decided, now);
    onCommitted({ outgoing: decided.outgoing, calls: decided.calls, saved: decided.saved, soonest: decided.soonest });
    return decided.finish;
  }

  /** Runs the batch; work that breaks is found by halving, so that one poisoned message does not hold up the others. */
  async function runBatch(connection: Connection, batch: readonly Queued[], tries = 1): Promise<void> {
    try {
      for (const finish of await attempt(connection, batch)) finish();
      for (const { span } of batch) span.end();
    } catch (error) {
      await connection`rollback`.catch(() => undefined);
      if (isConnectionLost(error)) return fail(batch, new Unavailable('the database', { cause: error }), true);
      if ((isLostRace(error) || isPassing(error)) && tries < immediateTriesMax) return runBatch(connection, batch, tries + 1);
      if (batch.length === 1 || isPassing(error)) return fail(batch, error, isPassing(error));
      const middle = Math.ceil(batch.length / 2);
      await runBatch(connection, batch.slice(0, middle));
      await runBatch(connection, batch.slice(middle));
    }
  }

  function fail(batch: readonly Queued[], error: unknown, passing: boolean): void {
    for (const work of batch) {
      work.span.recordException(error instanceof Error ? error : String(error));
      work.span.end();
      work.failed(error, passing);
    }
  }

  async function drain(): Promise<void> {
    running++;
    let connection: Connection | undefined;
    // What arrives in one read of the socket belongs into one batch.
    await nextTurn();
    try {
      while (queue.length > 0) {
        const batch = queue.splice(0, batchMax);
        try {
          connection ??= (await sql.reserve()) as unknown as Connection;
        } catch (error) {
          fail(batch, new Unavailable('the database', { cause: error }), true);
          continue;
        }
        let broken = false;
        const release = connection;
        await runBatch(
          connection,
          batch.map((work) => ({
            ...work,
            failed: (error, passing) => {
              broken ||= error instanceof Unavailable;
              work.failed(error, passing);
            },
          })),
        );
        if (broken) {
          release.release();
          connection = undefined;
        }
      }
    } finally {
      connection?.release();
      running--;
      if (queue.length > 0 && running < lanes) void drain();
      else if (running === 0 && stopping) idle.resolve();
    }
  }

  return {
    /** Queues the work. Answers through its `done` or `failed`, never by throwing, except when the lane is full or stopping. */
    push(work: Work): void {
      if (stopping) throw new Unavailable('this service, which is stopping,');
      if (queue.length >= queueMax) throw new Overloaded(queue.length);
      queue.push({ ...work, span: workSpan(work) });
      if (running < lanes) void drain();
    },
    queued: () => queue.length,
    /** Takes nothing new, and answers when everything taken has been carried out. */
    async stop(): Promise<void> {
      stopping = true;
      if (running > 0) await idle.promise;
    },
  };
}
export type Lane = ReturnType<typeof lane>;
