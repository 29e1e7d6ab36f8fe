import fc from 'fast-check';
import { ok } from '@yunshi/kernel/result';
import { describe, expect, test } from 'vitest';
import { takeMoney, tripSaga } from '../fixtures/trip.ts';
import { tripWorld } from '../fixtures/world.ts';
import type { Saga, Step } from './define.ts';
import { sagaProperties, type Engine } from './properties.ts';
import { advance, begin } from './run.ts';

describe('a sound saga keeps every rule', () => {
  for (const { rule, holds } of sagaProperties(tripSaga, tripWorld)) test(`${rule}`, () => expect(holds).not.toThrow());
});

/** The trip with one step told otherwise, past the compiler. */
const spoilt = (name: string, change: Partial<Step>): Saga => ({
  ...tripSaga,
  steps: tripSaga.steps.map((step) => (step.name === name ? { ...step, ...change } : step)),
});

const without = (name: string, part: keyof Step): Saga => ({
  ...tripSaga,
  steps: tripSaga.steps.map((step) =>
    step.name === name ? (Object.fromEntries(Object.entries(step).filter(([key]) => key !== part)) as Step) : step,
  ),
});

const broken = (saga: Saga, engine?: Engine): string[] =>
  sagaProperties(saga, tripWorld, engine).flatMap(({ rule, holds }) => {
    try {
      holds();
      return [];
    } catch {
      return [rule];
    }
  });

// What is broken on purpose needs no small example.
fc.configureGlobal({ endOnFailure: true });

describe('each rule can fail', () => {
  test('a step that cannot be undone is found when a later one fails', () => {
    expect(broken(without('hold seat', 'undo'))).toEqual(
      expect.arrayContaining([
        `refused at 'take money', it undoes what was asked before, in reverse, and not the refused step`,
        `unanswered at 'hold seat', it undoes that step too, because it may have happened`,
        `stopped at 'take money', it undoes that step and all before, in reverse`,
      ]),
    );
  });

  test('words that change each time are found', () => {
    let count = 0;
    const counting = ({ trip }: { trip: string }) => ({ trip, amount: ++count });
    expect(broken(spoilt('take money', { with: counting }))).toContain(`'take money', asked again, is asked in the same words`);
    const whining = ({ trip }: { trip: string }) => ({ trip, why: `for the ${++count}th time` });
    expect(broken(spoilt('take money', { undoWith: whining }))).toContain(
      'an undo that is asked again says the same, and its second answer is ignored',
    );
  });

  test('data that JSON cannot keep is found', () => {
    const keepDate = (trip: object) => ({ ...trip, fare: 5n });
    expect(broken(spoilt('hold seat', { keep: keepDate }))).toContain('what the database keeps as JSON is enough to go on in the same way');
  });

  test('a step that goes back after the pivot is found', () => {
    expect(broken(spoilt('post ticket', { kind: 'compensable' }))).not.toEqual([]);
  });

  test('an engine that takes notice of answers nobody awaits is found', () => {
    const credulous: Engine = {
      begin,
      advance: (saga, state, input) => {
        const moved = advance(saga, state, input);
        return moved.ok || moved.error !== 'not-awaited' ? moved : ok({ state: { ...state, asks: state.asks + 1 } });
      },
    };
    expect(broken(tripSaga, credulous)).toEqual(
      expect.arrayContaining([
        'an answer that arrives again, at any later time, counts once',
        'of two neighbouring answers the second, come first, is ignored and counts when it comes again',
        'answers in any wrong order change nothing',
        'an undo that is asked again says the same, and its second answer is ignored',
      ]),
    );
  });

  test('an engine that can be stopped at any time is found', () => {
    const timid: Engine = {
      begin,
      advance: (saga, state, input) =>
        input.kind === 'stopped' ? ok({ state: { ...state, phase: 'rolled-back' as const } }) : advance(saga, state, input),
    };
    expect(broken(tripSaga, timid)).toEqual(
      expect.arrayContaining([
        'nobody can stop it twice, nor after its end',
        `at 'issue ticket' it is too late to stop`,
        `stopped at 'hold seat', it undoes that step and all before, in reverse`,
      ]),
    );
  });

  test('an engine that lets any word pass is found', () => {
    const deaf: Engine = {
      begin,
      advance: (saga, state, input) => {
        const moved = advance(saga, state, input);
        return moved.ok || moved.error !== 'refusal-not-allowed' ? moved : ok({ state: { ...state, at: state.at + 1 } });
      },
    };
    expect(broken(tripSaga, deaf)).toEqual(
      expect.arrayContaining([
        'an undo is not over by a reply that its command does not have',
        `'hold seat' ignores a reply that its command does not have`,
        `'post ticket' comes after the pivot: a refusal is not allowed and changes nothing`,
      ]),
    );
  });

  test('an engine that amends at any time, or forgets what it was amended to, is found', () => {
    const pliant: Engine = {
      begin,
      advance: (saga, state, input) =>
        input.kind === 'amended' ? ok({ state: { ...state, data: saga.data.parse(input.data) } }) : advance(saga, state, input),
    };
    expect(broken(tripSaga, pliant)).toContain(`only at 'take money' and only going forward can it be amended`);
    const forgetful: Engine = {
      begin,
      advance: (saga, state, input) => (input.kind === 'amended' ? ok({ state }) : advance(saga, state, input)),
    };
    expect(broken(tripSaga, forgetful)).toContain(
      `amended at 'take money', it goes on with what is new: asked again in the new words, or left out`,
    );
  });

  test('an engine that forgets a step which is left out after all is found', () => {
    const clean: Engine = {
      begin,
      advance: (saga, state, input) => {
        const moved = advance(saga, state, input);
        if (!moved.ok || input.kind !== 'amended') return moved;
        const asked = moved.value.state.asked.filter((name) => name !== input.step);
        return ok({ ...moved.value, state: { ...moved.value.state, asked } });
      },
    };
    expect(broken(tripSaga, clean)).toContain(`amended at 'take money', it undoes that step all the same when a later one fails`);
  });

  test('a step that no data leads to is found', () => {
    expect(broken(spoilt('book room', { when: () => false }))).toContain(`'book room' ignores a reply that its command does not have`);
  });

  test('a command whose answers are not told is named', () => {
    const forgotten = { ...tripWorld, answers: tripWorld.answers.filter(({ command }) => command !== takeMoney) };
    expect(() => sagaProperties(tripSaga, forgotten)).toThrow('does not say how till.take is answered');
  });
});
