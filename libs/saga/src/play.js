import assert from 'node:assert/strict';
import { advance, awaited, begin } from './run.ts';
/** Plays a saga in memory as a dialogue, one message at a time. Time, NATS and PostgreSQL take no part. */
export function play(saga, initial) {
  let now = begin(saga, initial);
  const undone = [];
  const take = (input) => {
    const moved = advance(saga, now.state, input);
    assert.ok(moved.ok, `the saga ignored ${input.kind}: ${moved.ok ? '' : moved.error}`);
    now = moved.value;
  };
  const self = {
    /** The saga asks for this next, with this data where it is given. */
    sends(command, data) {
      assert.equal(now.ask?.message.type, command.type);
      if (data !== undefined) assert.deepEqual(now.ask?.message.data, command.data.parse(data));
      return self;
    },
    receives(reply, answer = {}) {
      const ask = now.ask;
      assert.ok(ask, 'nothing is awaited');
      if (ask.direction === 'undo') undone.push(ask.step);
      take({ kind: 'answered', step: ask.step, direction: ask.direction, reply, answer });
      return self;
    },
    timesOut() {
      take({ kind: 'deadline-passed' });
      return self;
    },
    isStopped(reason = 'cancelled') {
      take({ kind: 'stopped', reason });
      return self;
    },
    /** The input is of no consequence: not awaited, or after the end. */
    ignores(input) {
      assert.equal(advance(saga, now.state, input).ok, false, 'the saga took notice');
      return self;
    },
    endsCompleted() {
      assert.equal(now.state.phase, 'completed');
      return now.state.data;
    },
    endsRolledBack(by) {
      assert.equal(now.state.phase, 'rolled-back');
      assert.equal(now.state.failure?.step, by);
      return now.state.data;
    },
    get state() {
      return now.state;
    },
    get awaited() {
      return awaited(saga, now.state);
    },
    get asks() {
      return now.ask;
    },
    get undone() {
      return undone;
    },
    get isDone() {
      return now.state.phase === 'completed' || now.state.phase === 'rolled-back';
    },
  };
  return self;
}
