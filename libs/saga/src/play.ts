import assert from 'node:assert/strict';
import type { z } from 'zod';
import type { Command } from '@yunshi/contracts/define';
import type { Saga } from './define.ts';
import { advance, awaited, begin, type Moved, type SagaInput } from './run.ts';

/** Plays a saga in memory as a dialogue, one message at a time. Time, NATS and PostgreSQL take no part. */
export function play<D>(saga: Saga<D>, initial: NoInfer<D>) {
  let now: Moved<D> = begin(saga, initial);
  const undone: string[] = [];
  const take = (input: SagaInput): void => {
    const moved = advance(saga, now.state, input);
    assert.ok(moved.ok, `the saga ignored ${input.kind}: ${moved.ok ? '' : moved.error}`);
    // What is prolonged or amended is still awaited.
    const awaitsStill = moved.value.deadline !== undefined || (input.kind === 'amended' && !moved.value.ask);
    now = awaitsStill && now.ask ? { ...moved.value, ask: now.ask } : moved.value;
  };
  const self = {
    /** The saga asks for this next, with this data where it is given. */
    sends<C extends Command>(command: C, data?: z.input<C['data']>) {
      assert.equal(now.ask?.message.type, command.type);
      if (data !== undefined) assert.deepEqual(now.ask?.message.data, command.data.parse(data));
      return self;
    },
    receives(reply: string, answer: unknown = {}) {
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
    /** What it remembers is changed while it waits. */
    isAmended(change: (data: D) => D) {
      take({ kind: 'amended', step: awaited(saga, now.state)?.name ?? '', data: change(now.state.data) });
      return self;
    },
    /** The input is of no consequence: not awaited, or after the end. */
    ignores(input: SagaInput) {
      assert.equal(advance(saga, now.state, input).ok, false, 'the saga took notice');
      return self;
    },
    endsCompleted() {
      assert.equal(now.state.phase, 'completed');
      return now.state.data;
    },
    endsRolledBack(by: string) {
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
