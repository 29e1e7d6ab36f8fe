import type { Message } from '@yunshi/contracts/define';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { Failure, Saga, Step } from './define.ts';

export type Direction = 'do' | 'undo';
export type Phase = 'forward' | 'backward' | 'completed' | 'rolled-back';

/** Where one saga stands. Plain data: it is what the database keeps. */
export type SagaState<D = unknown> = {
  readonly data: D;
  readonly phase: Phase;
  /** Index of the step whose answer is awaited; meaningless once ended. */
  readonly at: number;
  /** Names of the steps that were asked to do something, in order; only these are undone. */
  readonly asked: readonly string[];
  /** How often the awaited step has been asked; starts at 1. */
  readonly asks: number;
  readonly failure?: Failure;
};

export type SagaInput =
  | { readonly kind: 'answered'; readonly step: string; readonly direction: Direction; readonly reply: string; readonly answer: unknown }
  /** The step's own deadline has passed. */
  | { readonly kind: 'deadline-passed' }
  /** It is time to ask again, because no answer has come. */
  | { readonly kind: 'asked-again' }
  /** Somebody with the right to do so wants the purchase taken back, such as a buyer who cancels. */
  | { readonly kind: 'stopped'; readonly reason: string }
  /** What it remembers is changed while it waits at this step, because what it is about has been agreed anew. */
  | { readonly kind: 'amended'; readonly step: string; readonly data: unknown };

/** A command to send, and what it is for. */
export type Ask = { readonly step: string; readonly direction: Direction; readonly message: Message };
export type Moved<D> = {
  readonly state: SagaState<D>;
  readonly ask?: Ask;
  /** The awaited step may stay unanswered until this moment (RFC 3339), if that is later than before. */
  readonly deadline?: string;
};
export type Ignored = 'ended' | 'not-awaited' | 'past-the-pivot' | 'refusal-not-allowed';

/** Begins a saga: the state at its first step, and the first command. */
export function begin<D>(saga: Saga<D>, data: D): Moved<D> {
  return forwardFrom(saga, { data: saga.data.parse(data), phase: 'forward', at: 0, asked: [], asks: 1 });
}

/** The step whose answer is awaited, or nothing once the saga has ended. */
export const awaited = (saga: Saga, state: SagaState): Step | undefined =>
  state.phase === 'forward' || state.phase === 'backward' ? saga.steps[state.at] : undefined;

/** What an input does to a saga. A pure function of its arguments; an input that does not count is answered with the reason. */
export function advance<D>(saga: Saga<D>, state: SagaState<D>, input: SagaInput): Result<Moved<D>, Ignored> {
  const step = awaited(saga, state);
  if (!step) return no('ended');
  const direction: Direction = state.phase === 'forward' ? 'do' : 'undo';
  switch (input.kind) {
    case 'answered':
      if (input.step !== step.name || input.direction !== direction) return no('not-awaited');
      return direction === 'do' ? answeredDo(saga, state, step, input) : answeredUndo(saga, state, step, input);
    case 'deadline-passed':
      if (direction === 'do' && step.kind === 'compensable')
        return ok(turnBack(saga, state, { step: step.name, cause: 'timed-out' }, state.at));
      return ok(askAgain(step, state, direction));
    case 'asked-again':
      return ok(askAgain(step, state, direction));
    case 'stopped':
      if (direction === 'undo' || step.kind !== 'compensable') return no('past-the-pivot');
      return ok(turnBack(saga, state, { step: step.name, cause: 'stopped', reply: input.reason }, state.at));
    case 'amended':
      if (direction === 'undo' || input.step !== step.name) return no('not-awaited');
      return ok(amend(saga, state, step, saga.data.parse(input.data)));
  }
}

function answeredDo<D>(
  saga: Saga<D>,
  state: SagaState<D>,
  step: Step,
  input: { reply: string; answer: unknown },
): Result<Moved<D>, Ignored> {
  const shape = step.send?.replies[input.reply];
  if (!shape) return no('refusal-not-allowed');
  const answer = shape.parse(input.answer);
  if (input.reply === step.on) {
    const data = step.keep ? (step.keep(state.data, answer) as D) : state.data;
    return ok(forwardFrom(saga, { ...state, data, at: state.at + 1 }));
  }
  if (input.reply === step.prolong?.on) return ok({ state, deadline: step.prolong.until(answer) });
  if (step.kind === 'retriable') return no('refusal-not-allowed');
  return ok(turnBack(saga, state, { step: step.name, cause: 'refused', reply: input.reply, answer }, state.at - 1));
}

function answeredUndo<D>(
  saga: Saga<D>,
  state: SagaState<D>,
  step: Step,
  input: { reply: string; answer: unknown },
): Result<Moved<D>, Ignored> {
  const shape = step.undo?.replies[input.reply];
  if (!shape) return no('refusal-not-allowed');
  const answer = shape.parse(input.answer);
  const data = step.undoKeep ? (step.undoKeep(state.data, { reply: input.reply, data: answer }) as D) : state.data;
  return ok(backwardFrom(saga, { ...state, data, at: state.at - 1 }));
}

/** The awaited step stays awaited, unless it is one to be left out now: then the saga goes on without its answer. It has been asked, so it is undone like any other. */
function amend<D>(saga: Saga<D>, before: SagaState<D>, step: Step, data: D): Moved<D> {
  const state = { ...before, data };
  return step.when && !step.when(data) ? forwardFrom(saga, { ...state, at: state.at + 1 }) : { state };
}

/** A refused step did nothing and is not undone (`from` is the one before it); a silent one may have done something and is. */
const turnBack = <D>(saga: Saga<D>, state: SagaState<D>, failure: Failure, from: number): Moved<D> =>
  backwardFrom(saga, { ...state, phase: 'backward', failure, at: from });

function forwardFrom<D>(saga: Saga<D>, state: SagaState<D>): Moved<D> {
  const asked = [...state.asked];
  for (let at = state.at; at < saga.steps.length; at++) {
    const step = saga.steps[at]!;
    if (step.when && !step.when(state.data)) continue;
    asked.push(step.name);
    if (!step.send) continue;
    return { state: { ...state, at, asked, asks: 1 }, ask: askTo(step, state, 'do') };
  }
  return { state: { ...state, at: saga.steps.length, asked, asks: 0, phase: 'completed' } };
}

function backwardFrom<D>(saga: Saga<D>, state: SagaState<D>): Moved<D> {
  for (let at = state.at; at >= 0; at--) {
    const step = saga.steps[at]!;
    if (!step.undo || !state.asked.includes(step.name)) continue;
    return { state: { ...state, at, asks: 1 }, ask: askTo(step, state, 'undo') };
  }
  return { state: { ...state, at: -1, asks: 0, phase: 'rolled-back' } };
}

const askAgain = <D>(step: Step, state: SagaState<D>, direction: Direction): Moved<D> => ({
  state: { ...state, asks: state.asks + 1 },
  ask: askTo(step, state, direction),
});

function askTo(step: Step, state: SagaState, direction: Direction): Ask {
  const message = direction === 'do' ? step.send!(step.with!(state.data)) : step.undo!(step.undoWith!(state.data, state.failure!));
  return { step: step.name, direction, message };
}
