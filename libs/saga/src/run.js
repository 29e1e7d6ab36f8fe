import { no, ok } from '@yunshi/kernel/result';
/** Begins a saga: the state at its first step, and the first command. */
export function begin(saga, data) {
  return forwardFrom(saga, { data: saga.data.parse(data), phase: 'forward', at: 0, asked: [], asks: 1 });
}
/** The step whose answer is awaited, or nothing once the saga has ended. */
export const awaited = (saga, state) => (state.phase === 'forward' || state.phase === 'backward' ? saga.steps[state.at] : undefined);
/** What an input does to a saga. A pure function of its arguments; an input that does not count is answered with the reason. */
export function advance(saga, state, input) {
  const step = awaited(saga, state);
  if (!step) return no('ended');
  const direction = state.phase === 'forward' ? 'do' : 'undo';
  switch (input.kind) {
    case 'answered':
      if (input.step !== step.name || input.direction !== direction) return no('not-awaited');
      return direction === 'do' ? answeredDo(saga, state, step, input) : ok(answeredUndo(saga, state, step, input));
    case 'deadline-passed':
      if (direction === 'do' && step.kind === 'compensable')
        return ok(turnBack(saga, state, { step: step.name, cause: 'timed-out' }, state.at));
      return ok(askAgain(step, state, direction));
    case 'asked-again':
      return ok(askAgain(step, state, direction));
    case 'stopped':
      if (direction === 'undo' || step.kind !== 'compensable') return no('past-the-pivot');
      return ok(turnBack(saga, state, { step: step.name, cause: 'stopped', reply: input.reason }, state.at));
  }
}
function answeredDo(saga, state, step, input) {
  const shape = step.send?.replies[input.reply];
  if (!shape) return no('refusal-not-allowed');
  const answer = shape.parse(input.answer);
  if (input.reply === step.on) {
    const data = step.keep ? step.keep(state.data, answer) : state.data;
    return ok(forwardFrom(saga, { ...state, data, at: state.at + 1 }));
  }
  if (step.kind === 'retriable') return no('refusal-not-allowed');
  return ok(turnBack(saga, state, { step: step.name, cause: 'refused', reply: input.reply, answer }, state.at - 1));
}
function answeredUndo(saga, state, step, input) {
  const answer = step.undo?.replies[input.reply]?.parse(input.answer);
  const data = step.undoKeep ? step.undoKeep(state.data, { reply: input.reply, data: answer }) : state.data;
  return backwardFrom(saga, { ...state, data, at: state.at - 1 });
}
/** A refused step did nothing and is not undone (`from` is the one before it); a silent one may have done something and is. */
const turnBack = (saga, state, failure, from) => backwardFrom(saga, { ...state, phase: 'backward', failure, at: from });
function forwardFrom(saga, state) {
  const asked = [...state.asked];
  for (let at = state.at; at < saga.steps.length; at++) {
    const step = saga.steps[at];
    if (step.when && !step.when(state.data)) continue;
    asked.push(step.name);
    if (!step.send) continue;
    return { state: { ...state, at, asked, asks: 1 }, ask: askTo(step, state, 'do') };
  }
  return { state: { ...state, at: saga.steps.length, asked, asks: 0, phase: 'completed' } };
}
function backwardFrom(saga, state) {
  for (let at = state.at; at >= 0; at--) {
    const step = saga.steps[at];
    if (!step.undo || !state.asked.includes(step.name)) continue;
    return { state: { ...state, at, asks: 1 }, ask: askTo(step, state, 'undo') };
  }
  return { state: { ...state, at: -1, asks: 0, phase: 'rolled-back' } };
}
const askAgain = (step, state, direction) => ({
  state: { ...state, asks: state.asks + 1 },
  ask: askTo(step, state, direction),
});
function askTo(step, state, direction) {
  const message = direction === 'do' ? step.send(step.with(state.data)) : step.undo(step.undoWith(state.data, state.failure));
  return { step: step.name, direction, message };
}
