import type { Message } from '@yunshi/contracts/define';
import type { Rows } from '@yunshi/db/rows';
import type { Saga, Step } from '@yunshi/saga/define';
import { advance, awaited, begin, type Moved, type SagaInput, type SagaState } from '@yunshi/saga/run';
import { crashpoint } from './crashpoint.ts';
import { Buried, buriedType, replySubject, replyType, stopType, type Envelope } from './envelope.ts';
import type { Handler, SagaAmendment, SagaRef, SagaStart } from './handle.ts';
import { sagaLogRows, sagaRows, type SagaLogRow, type SagaRow } from './store.ts';
import type { Trouble } from './tables.ts';

/** A command in a saga's name. */
export type SagaAsk = { readonly message: Message; readonly saga: SagaRef };

/** Silence after which the awaited step is asked again: 15 s, then four times as long each time, at most an hour. */
const askAgainMs = { first: 15_000, factor: 4, max: 3_600_000 };
/** How long a compensable step may stay silent where its definition does not say. */
export const withinMsDefault = 600_000;
/** Asked more often than this (for more than an hour), a step that nothing but an answer can end is shown to an operator. */
const asksUntroubledMax = 5;

type Written = { readonly writes: readonly { to: Rows<string, unknown>; row: unknown }[]; readonly asks: readonly SagaAsk[] };

const logged = (row: SagaRow, at: Date, input: unknown, moved: Moved<unknown>): SagaLogRow => ({
  id: `${row.id}:${String(row.seq).padStart(5, '0')}`,
  at,
  input,
  phase: row.phase,
  step: row.step,
  data: moved.state.data,
  sent: moved.ask ? `${moved.ask.direction} ${moved.ask.message.type}` : null,
});

/** What is wrong with the awaited step after a move: what was wrong before, as long as it is the same step, or that nobody answers it. */
function troubleAfter(before: SagaRow, state: SagaState, step: Step | undefined, now: Date): Trouble | null {
  if (!step || step.name !== before.step || state.phase !== before.phase) return null;
  // A compensable step that stays silent is given up at its deadline; a pivot may take the days that its maker allows it.
  const onlyAnAnswerEndsIt = state.phase === 'backward' || step.kind === 'retriable';
  if (before.trouble !== null && before.trouble.kind !== 'unanswered') return before.trouble;
  if (!onlyAnAnswerEndsIt || state.asks <= asksUntroubledMax) return before.trouble;
  return { kind: 'unanswered', detail: `asked ${state.asks} times`, since: before.trouble?.since ?? now.toISOString() };
}

function deadlineOf(saga: Saga, state: SagaState, now: Date): Date | null {
  const step = awaited(saga, state);
  if (!step || state.phase !== 'forward' || step.kind !== 'compensable') return null;
  if (typeof step.within === 'function') return new Date(step.within(state.data));
  return new Date(now.getTime() + (step.within ?? withinMsDefault));
}

/** A deadline that is put off, and never brought forward. */
const putOff = (before: Date | null, to: string | undefined): Date | null =>
  before && to !== undefined && before < new Date(to) ? new Date(to) : before;

/** The row of a saga after a move. The deadline belongs to the step: asking again does not move it, only an answer that prolongs it. */
function rowAfter(saga: Saga, before: SagaRow, moved: Moved<unknown>, now: Date): SagaRow {
  const { state } = moved;
  const awaitedStep = awaited(saga, state);
  const step = awaitedStep?.name ?? null;
  const sameStep = step !== null && step === before.step && state.phase === before.phase;
  const deadlineAt = sameStep ? putOff(before.deadlineAt, moved.deadline) : deadlineOf(saga, state, now);
  const again = new Date(now.getTime() + Math.min(askAgainMs.first * askAgainMs.factor ** (state.asks - 1), askAgainMs.max));
  const ended = state.phase === 'completed' || state.phase === 'rolled-back';
  const wakeAt = ended ? null : deadlineAt && deadlineAt < again ? deadlineAt : again;
  return {
    ...before,
    phase: state.phase,
    step,
    state,
    seq: before.seq + 1,
    wakeAt,
    lookAt: wakeAt && before.lookAt && before.lookAt < wakeAt ? before.lookAt : wakeAt,
    deadlineAt: ended ? null : deadlineAt,
    endedAt: ended ? now : null,
    trouble: troubleAfter(before, state, awaitedStep, now),
  };
}

/** Notes what is wrong with the awaited step, and the message that shows it. The saga stays where it is, and asks again when it would have. */
function troubled(before: SagaRow, trouble: Omit<Trouble, 'since'>, input: unknown, now: Date): Written {
  const row: SagaRow = { ...before, seq: before.seq + 1, trouble: { ...trouble, since: before.trouble?.since ?? now.toISOString() } };
  return {
    writes: [
      { to: sagaRows as Rows<string, unknown>, row },
      { to: sagaLogRows as Rows<string, unknown>, row: logged(row, now, input, { state: row.state as SagaState }) },
    ],
    asks: [],
  };
}

function reached(before: SagaRow, { phase, step, endedAt }: SagaRow): void {
  if (before.seq === 0) return crashpoint('saga.begun');
  if (endedAt !== null) return crashpoint('saga.ended');
  if (phase !== before.phase) return crashpoint('saga.turned-back');
  if (step !== before.step) crashpoint('saga.advanced');
}

function written(saga: Saga, service: string, before: SagaRow, moved: Moved<unknown>, input: unknown, now: Date): Written {
  const row = rowAfter(saga, before, moved, now);
  const { ask } = moved;
  reached(before, row);
  return {
    writes: [
      { to: sagaRows as Rows<string, unknown>, row },
      { to: sagaLogRows as Rows<string, unknown>, row: logged(row, now, input, moved) },
    ],
    asks: ask ? [{ message: ask.message, saga: { sagaId: row.id, step: ask.step, direction: ask.direction, replyTo: service } }] : [],
  };
}

/** What beginning a saga writes and sends. */
export function sagaStarted({ saga, id, key, data }: SagaStart, service: string, now: Date, traceparent: string | undefined): Written {
  const fresh: SagaRow = {
    id,
    name: saga.name,
    version: saga.version,
    key,
    phase: 'forward',
    step: null,
    state: null,
    seq: 0,
    wakeAt: null,
    lookAt: null,
    deadlineAt: null,
    startedAt: now,
    endedAt: null,
    traceparent: traceparent ?? null,
    trouble: null,
  };
  return written(saga, service, fresh, begin(saga, data), { kind: 'started' }, now);
}

/** What amending a saga writes and, where it goes on without the awaited answer, sends. */
export const sagaAmended = ({ saga, row, step, moved }: SagaAmendment, service: string, now: Date): Written =>
  written(saga, service, row, moved, { kind: 'amended', step }, now);

const registryKey = (of: { readonly name: string; readonly version: number }): string => `${of.name} v${of.version}`;

/** The handlers that run the sagas of a service: one for replies and requests to stop, one for waking up. */
export function sagaHandlers(sagas: readonly Saga[], service: string): { readonly replies: Handler; readonly wake: Handler } {
  const registry = new Map(sagas.map((saga) => [registryKey(saga), saga]));
  const sagaOf = (row: SagaRow): Saga => {
    const saga = registry.get(registryKey(row));
    if (!saga) throw new Error(`no saga '${registryKey(row)}' is registered in ${service}, but ${row.id} is one`);
    return saga;
  };
  const step = (row: SagaRow | undefined, input: SagaInput | undefined, now: Date) => {
    if (!row || !input) return {};
    const saga = sagaOf(row);
    const moved = advance(saga, row.state as SagaState, input);
    if (moved.ok) return written(saga, service, row, moved.value, input, now);
    if (moved.error !== 'refusal-not-allowed' || input.kind !== 'answered') return {};
    return troubled(row, { kind: 'not-declared', detail: `answered '${input.reply}'` }, input, now);
  };
  const buried = (row: SagaRow | undefined, { saga: about, data }: Envelope, now: Date) => {
    const direction = row?.phase === 'forward' ? 'do' : 'undo';
    if (!row || row.endedAt !== null || about?.step !== row.step || about.direction !== direction) return {};
    const { by, type, error } = Buried.parse(data);
    return troubled(row, { kind: 'buried', service: by, detail: `${type}: ${error}` }, { kind: 'buried', by, type, error }, now);
  };
  const common = { on: 'saga', of: sagaRows as Rows<string, unknown>, parse: (data: unknown) => data } as const;
  return {
    replies: {
      ...common,
      name: replyType,
      subject: replySubject(service),
      key: (envelope: Envelope) => envelope.saga!.sagaId,
      decide: (envelope: Envelope, row: unknown, { now }: { now: Date }) => {
        const saga = row as SagaRow | undefined;
        return envelope.type === buriedType ? buried(saga, envelope, now) : step(saga, inputOf(envelope), now);
      },
    } as unknown as Handler,
    wake: {
      ...common,
      name: 'saga.wake',
      key: (sagaId: string) => sagaId,
      decide: (_: string, row: unknown, { now }: { now: Date }) => {
        const saga = row as SagaRow | undefined;
        if (!saga?.wakeAt) return {};
        if (saga.wakeAt > now) return { save: { ...saga, lookAt: saga.wakeAt } };
        crashpoint('saga.woken');
        const late = saga.deadlineAt !== null && saga.deadlineAt <= now;
        return step(saga, { kind: late ? 'deadline-passed' : 'asked-again' }, now);
      },
    } as unknown as Handler,
  };
}

function inputOf(envelope: Envelope): SagaInput | undefined {
  if (envelope.type === stopType) return { kind: 'stopped', reason: (envelope.data as { reason: string }).reason };
  if (!envelope.saga || envelope.reply === undefined) return undefined;
  return { kind: 'answered', step: envelope.saga.step, direction: envelope.saga.direction, reply: envelope.reply, answer: envelope.data };
}
