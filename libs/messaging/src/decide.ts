import type { Span } from '@opentelemetry/api';
import type { Message, Reply } from '@yunshi/contracts/define';
import type { Rows } from '@yunshi/db/rows';
import { messageOut, replyOut, stopOut, type Outgoing } from './envelope.ts';
import { IdempotencyKeyReused } from './faults.ts';
import type { CallIntent, Decision, Response, SagaRef } from './handle.ts';
import type { Host } from './host.ts';
import type { Work } from './lane.ts';
import { sagaAmended, sagaStarted, type SagaAsk } from './saga-rows.ts';
import {
  barrierKey,
  idempotencyKey,
  type BarrierRow,
  type CallRow,
  type Changes,
  type DeadlineRow,
  type IdempotencyRow,
  type SagaRow,
  type Seen,
} from './store.ts';
import { goesOn, traceparentOf } from '@yunshi/telemetry/trace';

/** What a saga's handler may decide beyond what others may: commands in the saga's name. */
export type CoreDecision = Decision<unknown> & { readonly asks?: readonly SagaAsk[] };

export type Decided = Changes & {
  /** To be called after the commit. */
  readonly finish: readonly (() => void)[];
  readonly saved: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  /** The earliest time at which something of this batch falls due. */
  readonly soonest: Date | undefined;
  readonly endedSagas: readonly SagaRow[];
};

const tombstone = 'tombstone';
/** How long the process that stored an intent may be at it before another one takes over, in milliseconds. */
export const leaseMs = 20_000;

export const deadlineId = (of: { readonly kind: string; readonly key: string }): string => `${of.kind} ${of.key}`;

/** When and where a batch is decided on. */
export type Moment = {
  /** Business time. */
  readonly now: Date;
  readonly service: string;
  readonly host: Pick<Host, 'wallMs' | 'uuid'>;
};

/** Decides on a batch, piece by piece, each seeing the results of those before it. Touches no database. */
export function decideBatch(batch: readonly (Work & { readonly span: Span })[], seen: Seen, moment: Moment): Decided {
  const ledger = new BatchLedger(seen, moment);
  for (const work of batch) {
    const finish = ledger.take(work);
    ledger.finish.push(finish);
  }
  return ledger.decided();
}

type Verdict = 'fresh' | 'gone' | { readonly again: BarrierRow } | { readonly answered: IdempotencyRow };

/** Collects what a batch changes while it is being decided. */
class BatchLedger {
  readonly finish: (() => void)[] = [];
  readonly #seen: Seen;
  readonly #now: Date;
  readonly #service: string;
  readonly #host: Moment['host'];
  readonly #received = new Set<string>();
  readonly #barriers = new Map<string, BarrierRow>();
  readonly #lateAnswers: BarrierRow[] = [];
  readonly #idempotency = new Map<string, IdempotencyRow>();
  readonly #saves = new Map<string, { rows: Rows<string, unknown>; changed: Map<string, unknown> }>();
  readonly #deadlines = new Map<string, DeadlineRow>();
  readonly #cancelled = new Set<string>();
  readonly #calls: CallRow[] = [];
  readonly #closedCalls: string[] = [];
  readonly #outgoing: Outgoing[] = [];

  constructor(seen: Seen, { now, service, host }: Moment) {
    this.#seen = seen;
    this.#now = now;
    this.#service = service;
    this.#host = host;
  }

  /** Decides on one piece of work and answers what to call after the commit. A decision that throws changes nothing and fails alone. */
  take(work: Work & { readonly span: Span }): () => void {
    const verdict = this.#isFresh(work);
    const traceparent = traceparentOf(work.span) ?? work.traceparent;
    if (verdict === 'gone') return () => work.done({ repeated: true });
    if (typeof verdict === 'object') return this.#repeat(work, verdict, traceparent);
    let decision: CoreDecision;
    try {
      const row = work.handler.of && this.#row(work.handler.of, work.key);
      const from =
        work.identity.kind === 'command' ? { ...work.identity.from, ...(traceparent !== undefined && { traceparent }) } : undefined;
      const reply = (work.handler as { replies?: unknown }).replies;
      const second = work.handler.beside;
      const beside = second && this.#row(second.of, second.key(work.data as never));
      decision = work.handler.decide(work.data as never, row, { now: this.#now, from, reply, beside } as never) as CoreDecision;
    } catch (error) {
      return () => work.failed(error, false);
    }
    this.#record(work, decision, traceparent);
    return () => work.done({ repeated: false, ...(decision.response && { response: decision.response }) });
  }

  #isFresh({ identity }: Work): Verdict {
    switch (identity.kind) {
      case 'wake':
        return 'fresh';
      case 'deadline':
        return this.#seen.due.has(identity.id) ? 'fresh' : 'gone';
      case 'call':
        return this.#seen.open.has(identity.id) && !this.#closedCalls.includes(identity.id) ? 'fresh' : 'gone';
      case 'message':
        return this.#isReceived(identity.id) ? 'gone' : 'fresh';
      case 'command': {
        const known = this.#barrierOf(identity.from);
        return known ? { again: known } : 'fresh';
      }
      case 'write': {
        if (!identity.idempotency) return 'fresh';
        const key = idempotencyKey(identity.idempotency);
        const answered = this.#idempotency.get(key) ?? this.#seen.answered.get(key);
        return answered ? { answered } : 'fresh';
      }
    }
  }

  /** A command that was handled before gets the stored answer again, if there is one yet; a request gets its first answer. */
  #repeat(work: Work, verdict: { again: BarrierRow } | { answered: IdempotencyRow }, traceparent: string | undefined): () => void {
    if ('answered' in verdict) {
      const { hash, status, body } = verdict.answered;
      if (work.identity.kind === 'write' && work.identity.idempotency?.hash !== hash)
        return () => work.failed(new IdempotencyKeyReused(), false);
      const response: Response = { status, body: JSON.parse(body) as unknown };
      return () => work.done({ repeated: true, response });
    }
    if (work.identity.kind === 'command') {
      this.#receive(work.identity.id);
      const { reply, answer } = verdict.again;
      if (reply !== null && reply !== tombstone) {
        this.#reply(work.identity.from, { reply, data: JSON.parse(answer ?? 'null') as unknown }, traceparent);
      }
    }
    return () => work.done({ repeated: true });
  }

  #record(work: Work, decision: CoreDecision, traceparent: string | undefined): void {
    this.#recordIdentity(work, decision);
    if (decision.save !== undefined && work.handler.of) this.#save(work.handler.of, decision.save);
    for (const { to, row } of decision.writes ?? []) this.#save(to, row);
    for (const start of decision.start ?? []) this.#recordSaga(sagaStarted(start, this.#service, this.#now, traceparent), traceparent);
    for (const amendment of decision.amend ?? []) {
      const itsTrace = goesOn(amendment.row.traceparent ?? undefined, traceparent);
      this.#recordSaga(sagaAmended(amendment, this.#service, this.#now), itsTrace);
    }
    for (const { message, saga } of decision.asks ?? []) this.#send(message, saga, traceparent);
    for (const event of decision.events ?? []) this.#send(event, undefined, traceparent);
    for (const { to, reply } of decision.answers ?? []) {
      this.#lateAnswers.push({ ...barrierOf(to), reply: reply.reply, answer: JSON.stringify(reply.data) });
      this.#reply(to, reply, goesOn(to.traceparent, traceparent));
    }
    if (decision.reply && work.identity.kind === 'command') this.#reply(work.identity.from, decision.reply, traceparent);
    for (const stopped of decision.stop ?? [])
      this.#outgoing.push(stopOut(this.#service, stopped, this.#now, traceparent, this.#host.uuid));
    for (const cancelled of decision.cancelDeadlines ?? []) {
      this.#deadlines.delete(deadlineId(cancelled));
      this.#cancelled.add(deadlineId(cancelled));
    }
    for (const { kind, key, dueAt } of decision.deadlines ?? []) {
      const id = deadlineId({ kind, key });
      this.#deadlines.set(id, { id, kind, key, dueAt, attempts: 0, lastError: null, traceparent: traceparent ?? null });
    }
    for (const intent of decision.calls ?? []) this.#calls.push(this.#callRow(intent, traceparent));
  }

  #recordIdentity({ identity }: Work, decision: CoreDecision): void {
    if (identity.kind === 'message') this.#receive(identity.id);
    if (identity.kind === 'call') this.#closedCalls.push(identity.id);
    // Only now: a deadline whose decision breaks stays, and comes again.
    if (identity.kind === 'deadline') this.#cancelled.add(identity.id);
    if (identity.kind === 'write' && identity.idempotency && decision.response) {
      const { status, body } = decision.response;
      this.#idempotency.set(idempotencyKey(identity.idempotency), { ...identity.idempotency, status, body: JSON.stringify(body ?? null) });
    }
    if (identity.kind !== 'command') return;
    this.#receive(identity.id);
    const { from } = identity;
    const answer = decision.reply ? JSON.stringify(decision.reply.data) : null;
    this.#barriers.set(barrierKey(from), { ...barrierOf(from), reply: decision.reply?.reply ?? null, answer });
    const before: SagaRef = { ...from, direction: 'do' };
    // The undo overtook its do: leave a tombstone, so that the do does nothing when it comes.
    if (from.direction === 'undo' && !this.#barrierOf(before))
      this.#barriers.set(barrierKey(before), { ...barrierOf(before), reply: tombstone, answer: null });
  }

  #recordSaga(
    started: { readonly writes: readonly { to: Rows<string, unknown>; row: unknown }[]; readonly asks: readonly SagaAsk[] },
    traceparent: string | undefined,
  ): void {
    for (const { to, row } of started.writes) this.#save(to, row);
    for (const { message, saga } of started.asks) this.#send(message, saga, traceparent);
  }

  #send(message: Message, saga: SagaRef | undefined, traceparent: string | undefined): void {
    this.#outgoing.push(messageOut(message, saga, this.#now, traceparent, this.#host.uuid));
  }
  #reply(to: SagaRef, reply: Reply, traceparent: string | undefined): void {
    this.#outgoing.push(replyOut(to, reply, this.#now, traceparent, this.#host.uuid));
  }

  #callRow({ kind, key, request, notBefore, traceparent: own }: CallIntent, traceparent: string | undefined): CallRow {
    const atOnce = notBefore === undefined || notBefore <= this.#now;
    return {
      id: this.#host.uuid(this.#now.getTime()),
      kind,
      key,
      request,
      open: true,
      attempts: atOnce ? 1 : 0,
      notBefore: notBefore ?? this.#now,
      leasedUntil: atOnce ? new Date(this.#host.wallMs() + leaseMs) : new Date(0),
      lastError: null,
      createdAt: this.#now,
      traceparent: goesOn(own, traceparent) ?? null,
    };
  }

  #row(rows: Rows<string, unknown>, key: string): unknown {
    return this.#saves.get(rows.name)?.changed.get(key) ?? this.#seen.rows.get(rows.name)?.get(key);
  }

  #save(rows: Rows<string, unknown>, row: unknown): void {
    const entry = this.#saves.get(rows.name) ?? { rows, changed: new Map() };
    entry.changed.set(rows.keyOf(row), row);
    this.#saves.set(rows.name, entry);
  }

  #receive(id: string): void {
    if (!this.#seen.received.has(id)) this.#received.add(id);
  }
  #isReceived(id: string): boolean {
    return this.#seen.received.has(id) || this.#received.has(id);
  }
  #barrierOf(ref: Pick<SagaRef, 'sagaId' | 'step' | 'direction'>): BarrierRow | undefined {
    return this.#barriers.get(barrierKey(ref)) ?? this.#seen.barrier.get(barrierKey(ref));
  }

  decided(): Decided {
    const times = [
      ...[...this.#deadlines.values()].map((row) => row.dueAt),
      ...this.#calls.filter((call) => call.attempts === 0).map((call) => call.notBefore),
      ...this.#sagas().flatMap((saga) => saga.lookAt ?? []),
    ];
    return {
      saves: this.#saves,
      missing: this.#seen.missing,
      received: [...this.#received],
      barriers: [...this.#barriers.values()],
      lateAnswers: this.#lateAnswers,
      idempotency: [...this.#idempotency.values()],
      deadlines: [...this.#deadlines.values()],
      cancelled: [...this.#cancelled],
      calls: this.#calls,
      closedCalls: this.#closedCalls,
      outgoing: this.#outgoing,
      endedSagas: this.#sagas().filter((saga) => saga.endedAt !== null),
      finish: this.finish,
      saved: new Map([...this.#saves].map(([name, { changed }]) => [name, changed])),
      soonest: times.length ? new Date(Math.min(...times.map((time) => time.getTime()))) : undefined,
    };
  }

  #sagas(): SagaRow[] {
    return [...(this.#saves.get('sagas')?.changed.values() ?? [])] as SagaRow[];
  }
}

const barrierOf = ({ sagaId, step, direction }: SagaRef): Pick<BarrierRow, 'sagaId' | 'step' | 'direction'> => ({
  sagaId,
  step,
  direction,
});
