import type { Span } from '@opentelemetry/api';
import type { Clock } from '@yunshi/kernel/clock';
import { batchCommitted, sagaEnded } from '@yunshi/telemetry/metrics';
import { failSpan } from '@yunshi/telemetry/trace';
import { crashpoint } from './crashpoint.ts';
import { decideBatch, type Decided } from './decide.ts';
import type { Outgoing } from './envelope.ts';
import { isConnectionLost, isLostRace, isPassing, Overloaded, Unavailable } from './faults.ts';
import type { Handler, Idempotency, Response, SagaRef } from './handle.ts';
import type { Host } from './host.ts';
import type { CallRow, Seen } from './store.ts';
import { transactionSpan, workSpan } from './trace.ts';

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
  /** Per table: the saved rows by their keys. */
  readonly saved: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  readonly soonest: Date | undefined;
};

/** One connection to the database that carries out one batch after the other. */
export type Session = {
  /** Begins a transaction, and reads and locks everything that the batch is about. */
  readonly look: (batch: readonly Work[], now: Date) => Promise<Seen>;
  /** Writes the changes and commits. */
  readonly store: (changes: Decided, now: Date) => Promise<void>;
  readonly rollback: () => Promise<unknown>;
  /** True from the moment that the connection has gone: nothing may be sent on it any more, because no answer would ever come. */
  readonly isLost: () => boolean;
  /** Rejects when the connection goes; to be raced against every wait for an answer. */
  readonly lost: Promise<never>;
};
/** `get` answers the same session until it is lost, then a new one. */
export type Sessions = { readonly get: () => Promise<Session>; readonly end: () => Promise<void> };

export type LaneOptions = {
  readonly open: (name: string) => Sessions;
  readonly host: Host;
  readonly clock: Clock;
  readonly service: string;
  /** Connections that work in parallel. */
  readonly lanes?: number;
  readonly batchMax?: number;
  readonly queueMax?: number;
  readonly onCommitted: (committed: Committed) => void;
  readonly onFault: (what: string, error: unknown) => void;
};

const rollbackMsMax = 3_000;
const overloadToldMs = 10_000;
/**
 * From the start of one batch to that of the next, unless a whole batch waits: so many times what a batch takes, which grows with the load
 * of the machine. A transaction costs as much as five or six pieces of work, so a busy service must not make one for two pieces.
 */
const paceFactor = 2;
const paceMsMax = 50;
/** How often one batch is tried again at once before its work is split or sent back. */
const immediateTriesMax = 5;

/**
 * Takes what waits, up to a batch, and carries it out in one transaction: two round trips, whatever the number of pieces.
 * Messages, HTTP writes, deadlines and outcomes of outside calls all go through here.
 */
export function lane({ open, host, clock, service, lanes = 2, batchMax = 64, queueMax = 5_000, onCommitted, onFault }: LaneOptions) {
  const sessions = Array.from({ length: lanes }, (_, nth) => open(`lane-${nth + 1}`));
  const resting = [...sessions];
  const queue: Queued[] = [];
  let stopping = false;
  let tellOverloadAtMs = 0;
  const idle = Promise.withResolvers<void>();

  async function decideAndStore({ look, store, isLost, lost }: Session, batch: readonly Queued[], now: Date): Promise<Decided> {
    const span = transactionSpan(batch);
    try {
      const seen = await Promise.race([look(batch, now), lost]);
      crashpoint('handle.looked');
      const decided = decideBatch(batch, seen, { now, service, host });
      crashpoint('handle.decided');
      // On another connection these statements would each commit by themselves.
      if (isLost()) await lost;
      await Promise.race([store(decided, now), lost]);
      return decided;
    } catch (error) {
      if (span) failSpan(span, error);
      throw error;
    } finally {
      span?.end();
    }
  }

  /** Runs the batch; work that breaks is found by halving, so that one poisoned message does not hold up the others. */
  async function runBatch(held: Session, batch: readonly Queued[], tries = 1): Promise<void> {
    const now = clock.now();
    let decided: Decided;
    try {
      decided = await decideAndStore(held, batch, now);
    } catch (error) {
      if (isConnectionLost(error) || !(await rolledBack(held))) return fail(batch, new Unavailable('the database', { cause: error }), true);
      if ((isLostRace(error) || isPassing(error)) && tries < immediateTriesMax) return runBatch(held, batch, tries + 1);
      if (batch.length === 1 || isPassing(error)) return fail(batch, error, isPassing(error));
      const middle = Math.ceil(batch.length / 2);
      await runBatch(held, batch.slice(0, middle));
      return runBatch(held, batch.slice(middle));
    }
    succeed(batch, decided, now);
  }

  /** It has happened: an error in what follows from it is told, and changes nothing about that. */
  function succeed(batch: readonly Queued[], decided: Decided, now: Date): void {
    crashpoint('commit.after');
    batchCommitted(batch.length);
    for (const saga of decided.endedSagas)
      sagaEnded({ saga: saga.name, outcome: saga.phase, seconds: (now.getTime() - saga.startedAt.getTime()) / 1_000 });
    const { outgoing, calls, saved, soonest, finish } = decided;
    tell(() => onCommitted({ outgoing, calls, saved, soonest }));
    for (const told of finish) tell(told);
    for (const { span } of batch) span.end();
  }

  function tell(follow: () => void): void {
    try {
      follow();
    } catch (error) {
      onFault('telling what became of work', error);
    }
  }

  /** False when the connection has gone, or does not even answer that. */
  async function rolledBack({ rollback, isLost, lost }: Session): Promise<boolean> {
    if (isLost()) return false;
    const silence = Promise.withResolvers<boolean>();
    const callOff = host.after(rollbackMsMax, () => silence.resolve(false));
    return Promise.race([rollback().then(() => true), lost, silence.promise])
      .catch(() => false)
      .finally(callOff);
  }

  function fail(batch: readonly Queued[], error: unknown, passing: boolean): void {
    for (const work of batch) {
      failSpan(work.span, error);
      work.span.end();
      tell(() => work.failed(error, passing));
    }
  }

  /** Told now and then: the answers say the rest, and a line for each refusal would be more work for who has too much of it already. */
  function overloaded(): Overloaded {
    const error = new Overloaded(`${queue.length} writes`);
    if (host.elapsedMs() < tellOverloadAtMs) return error;
    tellOverloadAtMs = host.elapsedMs() + overloadToldMs;
    onFault('lane', error);
    return error;
  }

  let isBeginning = false;
  let callOff: (() => void) | undefined;
  let takesMs = 0;
  let nextStartMs = 0;

  /** Has a free session take what waits: at once after a rest, with all that came in the same read of a socket; under load at its pace. */
  function schedule(): void {
    if (isBeginning || queue.length === 0 || resting.length === 0) return;
    const earlyMs = queue.length < batchMax && !stopping ? nextStartMs - host.elapsedMs() : 0;
    if (earlyMs > 0) {
      callOff ??= host.after(earlyMs, () => {
        callOff = undefined;
        schedule();
      });
      return;
    }
    callOff?.();
    callOff = undefined;
    isBeginning = true;
    void host.nextTurn().then(() => {
      isBeginning = false;
      void carryOut(resting.pop()!);
    });
  }

  async function carryOut(own: (typeof sessions)[number]): Promise<void> {
    const startMs = host.elapsedMs();
    nextStartMs = startMs + Math.min(takesMs * paceFactor, paceMsMax);
    const batch = queue.splice(0, batchMax);
    schedule();
    try {
      await runBatch(await own.get(), batch);
    } catch (error) {
      fail(batch, new Unavailable('the database', { cause: error }), true);
    }
    takesMs += (host.elapsedMs() - startMs - takesMs) / 4;
    resting.push(own);
    schedule();
    if (stopping && queue.length === 0 && resting.length === lanes) idle.resolve();
  }

  return {
    /** Queues the work. Answers through its `done` or `failed`, never by throwing, except when the lane is full or stopping. */
    push(work: Work): void {
      if (stopping) throw new Unavailable('this service, which is stopping,');
      if (queue.length >= queueMax) throw overloaded();
      queue.push({ ...work, span: workSpan(work) });
      schedule();
    },
    queued: () => queue.length,
    /** Takes nothing new, and answers when everything taken has been carried out. */
    async stop(): Promise<void> {
      stopping = true;
      if (queue.length > 0 || resting.length < lanes) await idle.promise;
      await Promise.all(sessions.map((one) => one.end()));
    },
  };
}
export type Lane = ReturnType<typeof lane>;
