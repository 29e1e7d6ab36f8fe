import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { z } from 'zod';
import type { Command } from '@yunshi/contracts/define';
import type { Saga, Step } from './define.ts';
import { advance, awaited, begin, type Ask, type Direction, type Moved, type SagaInput, type SagaState } from './run.ts';

/** Draws a value while a property runs: `draw(fc.integer, { min: 0, max: ask.amount })`. */
export type Draw = fc.GeneratorValue;

/** Everything the other side may say to one command. Made by `answersTo`. */
export type Answers = { readonly command: Command; readonly replies: Readonly<Record<string, (ask: unknown, draw: Draw) => unknown>> };

/** Says how a command may be answered: one generator for each declared reply, none may be left out. */
export const answersTo = <C extends Command>(
  command: C,
  replies: { readonly [K in keyof C['replies'] & string]: (ask: z.output<C['data']>, draw: Draw) => z.input<C['replies'][K]> },
): Answers => ({ command, replies: replies as unknown as Answers['replies'] });

/** At which step it may be amended, and into what. */
export type Amends<D> = { readonly step: string; readonly into: (data: D, draw: Draw) => D };

/** What a saga may begin with, how each of its commands may be answered, and how it may be amended, if it may. */
export type World<D> = { readonly data: fc.Arbitrary<D>; readonly answers: readonly Answers[]; readonly amends?: Amends<D> };

/** A rule, and the check of it: `for (const { rule, holds } of sagaProperties(…)) test(rule, holds)`. */
export type Property = { readonly rule: string; readonly holds: () => void };

/** What carries a saga forward. Given otherwise only to prove that the rules find a careless one. */
export type Engine = { readonly begin: typeof begin; readonly advance: typeof advance };

/** What happens at one awaited answer. */
type Turn = 'answer' | 'refuse' | 'stay-silent' | 'stop' | 'amend';
type Taken<D> = { readonly before: Moved<D>; readonly input: SagaInput; readonly after: Moved<D> };
type Run<D> = { readonly first: Moved<D>; readonly taken: readonly Taken<D>[]; readonly end: SagaState<D> };

/** A saga on the test bench: its definition, what it may begin with, how it is answered and amended, what moves it. */
type Subject<D> = {
  readonly saga: Saga<D>;
  readonly data: fc.Arbitrary<D>;
  readonly answers: Answering;
  readonly amends: Amends<D> | undefined;
  readonly engine: Engine;
};

/** The rules that every saga keeps, whatever it is about. All of them are checked against the definition itself, without servers. */
export function sagaProperties<D>(saga: Saga<D>, world: World<D>, engine: Engine = { begin, advance }): readonly Property[] {
  const subject: Subject<D> = { saga, data: world.data, answers: answering(saga, world), amends: world.amends, engine };
  const asking = saga.steps.filter((step) => step.send !== undefined);
  return [
    ...wholeRules(subject),
    ...disorderRules(subject),
    ...asking.flatMap((step) => [...turningBack(subject, step), ...standingFirm(subject, step)]),
    ...(world.amends ? amending(subject, world.amends) : []),
  ];
}

type Answer = { readonly reply: string; readonly answer: unknown };
type Answering = {
  readonly happy: (step: Step, direction: Direction, ask: unknown, draw: Draw) => Answer;
  readonly refusal: (step: Step, ask: unknown, draw: Draw) => Answer;
  readonly prolonging: (step: Step, ask: unknown, draw: Draw) => Answer;
};

function answering<D>(saga: Saga<D>, world: World<D>): Answering {
  const byType = new Map(world.answers.map((known) => [known.command.type, known.replies]));
  for (const command of saga.steps.flatMap(({ send, undo }) => [send, undo])) {
    if (command && !byType.has(command.type))
      throw new Error(`the world of saga ${saga.name} does not say how ${command.type} is answered`);
  }
  const make = (command: Command | undefined, reply: string, ask: unknown, draw: Draw): Answer => {
    const answer = byType.get(command?.type ?? '')?.[reply];
    assert.ok(answer, `the world of saga ${saga.name} has no '${reply}' for ${command?.type}`);
    return { reply, answer: answer(ask, draw) };
  };
  return {
    happy: (step, direction, ask, draw) => {
      if (direction === 'do') return make(step.send, step.on ?? '', ask, draw);
      return make(step.undo, draw(fc.constantFrom, ...Object.keys(step.undo?.replies ?? {})), ask, draw);
    },
    prolonging: (step, ask, draw) => make(step.send, step.prolong?.on ?? '', ask, draw),
    refusal: (step, ask, draw) => make(step.send, draw(fc.constantFrom, ...refusalsOf(step)), ask, draw),
  };
}

const refusalsOf = (step: Step): string[] =>
  Object.keys(step.send?.replies ?? {}).filter((reply) => reply !== step.on && reply !== step.prolong?.on);

const take = <D>({ saga, engine }: Subject<D>, from: SagaState<D>, input: SagaInput): Moved<D> => {
  const moved = engine.advance(saga, from, input);
  assert.ok(moved.ok, `ignored as ${moved.ok ? '' : moved.error}: ${JSON.stringify(input)}`);
  return moved.value;
};

/** One whole life of a saga: at each awaited answer `turn` says what happens. */
function live<D>(subject: Subject<D>, data: D, draw: Draw, turn: (step: Step, direction: Direction) => Turn): Run<D> {
  const { saga, engine } = subject;
  const first = engine.begin(saga, data);
  const taken: Taken<D>[] = [];
  let now = first;
  while (now.ask) {
    // Each step is asked, undone and at most once stopped or left waiting; whatever lasts longer goes round in circles.
    assert.ok(taken.length <= saga.steps.length * 4, 'the saga does not come to an end');
    const before: Moved<D> = now;
    const step = stepAwaited(saga, before.state);
    const input = inputFor(subject, turn(step, now.ask.direction), { step, ask: now.ask, state: now.state }, draw);
    const after = take(subject, before.state, input);
    taken.push({ before, input, after });
    now = input.kind === 'amended' && !after.ask ? { state: after.state, ask: newWords(subject, after.state) } : after;
  }
  return { first, taken, end: now.state };
}

function stepAwaited<D>(saga: Saga<D>, state: SagaState<D>): Step {
  const step = awaited(saga, state);
  assert.ok(step, 'nothing is awaited');
  return step;
}

/** What is asked of the awaited step as it is now. */
function newWords<D>(subject: Subject<D>, state: SagaState<D>): Ask {
  const { ask } = take(subject, state, { kind: 'asked-again' });
  assert.ok(ask, 'a step that is awaited is not asked again');
  return ask;
}

type Awaiting<D> = { readonly step: Step; readonly ask: Ask; readonly state: SagaState<D> };

function inputFor<D>({ answers, amends }: Subject<D>, turn: Turn, { step, ask, state }: Awaiting<D>, draw: Draw): SagaInput {
  const about = { kind: 'answered', step: step.name, direction: ask.direction } as const;
  switch (turn) {
    case 'answer':
      return { ...about, ...answers.happy(step, ask.direction, ask.message.data, draw) };
    case 'refuse':
      return { ...about, ...answers.refusal(step, ask.message.data, draw) };
    case 'stay-silent':
      return { kind: 'deadline-passed' };
    case 'stop':
      return { kind: 'stopped', reason: 'cancelled' };
    case 'amend':
      return { kind: 'amended', step: step.name, data: amends?.into(state.data, draw) };
  }
}

/** A life in which each step, until one turns the saga back, meets what the generator draws. */
function anyLife<D>(subject: Subject<D>, data: D, draw: Draw): Run<D> {
  let amended = false;
  return live(subject, data, draw, (step, direction) => {
    if (direction === 'undo' || step.kind === 'retriable') return 'answer';
    if (step.name === subject.amends?.step && !amended && draw(fc.boolean)) {
      amended = true;
      return 'amend';
    }
    const possible: Turn[] = ['answer', 'answer', 'answer'];
    if (refusalsOf(step).length > 0) possible.push('refuse');
    if (step.kind === 'compensable') possible.push('stay-silent', 'stop');
    return draw(fc.constantFrom, ...possible);
  });
}

const asks = <D>(run: Run<D>, direction: Direction): string[] =>
  [run.first, ...run.taken.map(({ after }) => after)].flatMap(({ ask }) => (ask?.direction === direction ? [ask.step] : []));

/** The steps that must be undone when the saga turns back at `last`: all that may have done something, in reverse. */
function toUndo<D>({ saga }: Subject<D>, run: Run<D>, last: Step, lastToo: boolean): string[] {
  const asked = new Set(asks(run, 'do'));
  const until = saga.steps.indexOf(last) + (lastToo ? 1 : 0);
  const done = saga.steps.slice(0, until).filter((step) => step.send === undefined || asked.has(step.name));
  return done
    .filter((step) => step.kind === 'compensable')
    .map((step) => step.name)
    .reverse();
}

/** A counterexample is made smaller for so long and no longer: there may be no end of smaller ones. */
const shrinking = { interruptAfterTimeLimit: 10_000 } as const;

const lives = <D>(data: fc.Arbitrary<D>, holds: (data: D, draw: Draw) => void): void =>
  fc.assert(
    fc.property(data, fc.gen(), (value, draw) => holds(value, draw)),
    shrinking,
  );

function wholeRules<D>(subject: Subject<D>): Property[] {
  const { data } = subject;
  const order = subject.saga.steps.map((step) => step.name);
  return [
    {
      rule: 'answered well, it asks each step at most once, in the order of the definition, and completes',
      holds: () =>
        lives(data, (value, draw) => {
          const run = live(subject, value, draw, () => 'answer');
          assert.equal(run.end.phase, 'completed');
          assert.deepEqual(asks(run, 'undo'), []);
          assert.deepEqual(
            asks(run, 'do'),
            order.filter((name) => asks(run, 'do').includes(name)),
          );
        }),
    },
    {
      rule: 'whatever it meets, it ends completed with nothing undone, or rolled back with a failure that is told',
      holds: () =>
        lives(data, (value, draw) => {
          const run = anyLife(subject, value, draw);
          if (run.end.phase === 'completed') assert.deepEqual(asks(run, 'undo'), []);
          else assert.ok(run.end.phase === 'rolled-back' && run.end.failure !== undefined, `it ended ${run.end.phase}`);
        }),
    },
    {
      rule: 'what the database keeps as JSON is enough to go on in the same way',
      holds: () =>
        lives(data, (value, draw) => {
          for (const { before, input, after } of anyLife(subject, value, draw).taken) {
            assert.deepEqual(asJson(take(subject, asJson(before.state), asJson(input))), asJson(after));
          }
        }),
    },
  ];
}

const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The same command in the same words, and nothing else changed: what asking again must be. */
function assertAskedAgain<D>(subject: Subject<D>, before: Moved<D>, input: SagaInput): void {
  const again = take(subject, before.state, input);
  assert.deepEqual(again.ask, before.ask);
  assert.deepEqual(again.state, { ...before.state, asks: before.state.asks + 1 });
}

const isIgnored = <D>({ saga, engine }: Subject<D>, state: SagaState<D>, input: SagaInput): void =>
  assert.equal(engine.advance(saga, state, input).ok, false, `it took notice of ${JSON.stringify(input)}`);

const answersIn = <D>(run: Run<D>): SagaInput[] => run.taken.map(({ input }) => input).filter((input) => input.kind === 'answered');

const awaits = <D>({ ask }: Moved<D>, input: SagaInput): boolean =>
  input.kind === 'answered' && input.step === ask?.step && input.direction === ask.direction;

function disorderRules<D>(subject: Subject<D>): Property[] {
  const rule = (title: string, holds: (run: Run<D>, draw: Draw) => void): Property => ({
    rule: title,
    holds: () => lives(subject.data, (value, draw) => holds(anyLife(subject, value, draw), draw)),
  });
  return [
    rule('an answer that arrives again, at any later time, counts once', (run) => {
      run.taken.forEach(({ after }, index) => {
        for (const { input } of run.taken.slice(0, index + 1)) if (input.kind === 'answered') isIgnored(subject, after.state, input);
      });
    }),
    rule('of two neighbouring answers the second, come first, is ignored and counts when it comes again', (run) => {
      run.taken.slice(1).forEach(({ input, after }, index) => {
        const first = run.taken[index];
        if (first === undefined || input.kind !== 'answered' || awaits(first.before, input)) return;
        isIgnored(subject, first.before.state, input);
        assert.deepEqual(take(subject, take(subject, first.before.state, first.input).state, input), after);
      });
    }),
    rule('answers in any wrong order change nothing', (run, draw) => {
      const shuffled = draw(fc.shuffledSubarray<SagaInput>, answersIn(run));
      for (const now of [...run.taken.map(({ before }) => before), { state: run.end }]) {
        for (const input of shuffled) if (!awaits(now, input)) isIgnored(subject, now.state, input);
      }
    }),
    rule('an undo that is asked again says the same, and its second answer is ignored', (run) => {
      for (const { before, input, after } of run.taken.filter((taken) => taken.before.ask?.direction === 'undo')) {
        assertAskedAgain(subject, before, { kind: 'asked-again' });
        assertAskedAgain(subject, before, { kind: 'deadline-passed' });
        isIgnored(subject, after.state, input);
      }
    }),
    rule('an undo is not over by a reply that its command does not have', (run) => {
      for (const { before, input } of run.taken) {
        if (input.kind === 'answered' && input.direction === 'undo') isIgnored(subject, before.state, { ...input, reply: 'no such reply' });
      }
    }),
    rule('nobody can stop it twice, nor after its end', (run) => {
      for (const { after } of run.taken.filter((taken) => taken.after.state.phase !== 'forward')) {
        isIgnored(subject, after.state, { kind: 'stopped', reason: 'cancelled' });
      }
      isIgnored(subject, run.end, { kind: 'deadline-passed' });
      isIgnored(subject, run.end, { kind: 'asked-again' });
    }),
  ];
}

/** The rules about what may be changed while a saga waits. */
function amending<D>(subject: Subject<D>, { step: name, into }: Amends<D>): Property[] {
  const step = subject.saga.steps.find((one) => one.name === name);
  assert.ok(step?.send, `the world amends saga ${subject.saga.name} at '${name}', where it asks nothing`);
  const once = (then: Turn) => {
    let amended = false;
    return (now: Step, direction: Direction): Turn => {
      if (direction === 'undo') return 'answer';
      if (now === step && !amended) {
        amended = true;
        return 'amend';
      }
      return now.kind === 'pivot' ? then : 'answer';
    };
  };
  return [
    reached(
      subject,
      step,
      `amended at '${name}', it goes on with what is new: asked again in the new words, or left out`,
      (value, draw) => {
        const there = live(subject, value, draw, () => 'answer').taken.find(({ before }) => before.ask?.step === name);
        if (!there) return false;
        const data = subject.saga.data.parse(into(there.before.state.data, draw));
        const { state, ask } = take(subject, there.before.state, { kind: 'amended', step: name, data });
        assert.deepEqual(state.data, data);
        if (step.when?.(data) === false) assert.notEqual(ask?.step, name);
        else assert.deepEqual(newWords(subject, state).message.data, step.send?.(step.with?.(data)).data);
        return true;
      },
    ),
    reached(subject, step, `amended at '${name}', it undoes that step all the same when a later one fails`, (value, draw) => {
      const run = live(subject, value, draw, once('refuse'));
      if (!asks(run, 'do').includes(name)) return false;
      assert.ok(asks(run, 'undo').includes(name), 'it was asked, and is not undone');
      return true;
    }),
    reached(subject, step, `only at '${name}' and only going forward can it be amended`, (value, draw) => {
      const run = anyLife(subject, value, draw);
      for (const { before } of run.taken) {
        const amended = { kind: 'amended', step: name, data: before.state.data } as const;
        if (before.ask?.step !== name || before.ask.direction === 'undo') isIgnored(subject, before.state, amended);
      }
      return asks(run, 'do').includes(name);
    }),
  ];
}

/** Checks a rule of one step in lives that reach it. A world in which no life does is a mistake of its generator, and is told. */
function reached<D>({ saga, data }: Subject<D>, step: Step, rule: string, holds: (value: D, draw: Draw) => boolean): Property {
  return {
    rule,
    holds: () => {
      let times = 0;
      lives(data, (value, draw) => {
        if (holds(value, draw)) times++;
      });
      assert.ok(times > 0, `no data of the world of saga ${saga.name} leads to '${step.name}'`);
    },
  };
}

/** The rules about where a saga turns back at a step, and what it undoes then. */
function turningBack<D>(subject: Subject<D>, step: Step): Property[] {
  const rule = (title: string, turn: Turn, lastToo: boolean) =>
    reached(subject, step, title, (value, draw) => {
      const run = live(subject, value, draw, (now, direction) => (now === step && direction === 'do' ? turn : 'answer'));
      if (!asks(run, 'do').includes(step.name)) return false;
      assert.equal(run.end.phase, 'rolled-back');
      assert.equal(run.end.failure?.step, step.name);
      assert.deepEqual(asks(run, 'undo'), toUndo(subject, run, step, lastToo));
      return true;
    });
  const rules: Property[] = [];
  if (step.kind !== 'retriable' && refusalsOf(step).length > 0) {
    rules.push(rule(`refused at '${step.name}', it undoes what was asked before, in reverse, and not the refused step`, 'refuse', false));
  }
  if (step.kind === 'compensable') {
    rules.push(rule(`unanswered at '${step.name}', it undoes that step too, because it may have happened`, 'stay-silent', true));
    rules.push(rule(`stopped at '${step.name}', it undoes that step and all before, in reverse`, 'stop', true));
  }
  return rules;
}

/** The rules about what a step takes no notice of, and about asking it again. */
function standingFirm<D>(subject: Subject<D>, step: Step): Property[] {
  const rule = (title: string, check: (there: Moved<D>, draw: Draw) => void) =>
    reached(subject, step, title, (value, draw) => {
      const there = live(subject, value, draw, () => 'answer').taken.find(({ before }) => before.ask?.step === step.name);
      if (there) check(there.before, draw);
      return there !== undefined;
    });
  const says = (reply: string, answer: unknown): SagaInput => ({ kind: 'answered', step: step.name, direction: 'do', reply, answer });
  const rules = [
    rule(`'${step.name}' ignores a reply that its command does not have`, ({ state }) =>
      isIgnored(subject, state, says('no such reply', {})),
    ),
    rule(`'${step.name}', asked again, is asked in the same words`, (there) => {
      assertAskedAgain(subject, there, { kind: 'asked-again' });
      if (step.kind !== 'compensable') assertAskedAgain(subject, there, { kind: 'deadline-passed' });
    }),
  ];
  if (step.prolong) {
    rules.push(
      rule(
        `'${step.name}' that is prolonged stays as it is, as often as that is said, and may be answered then`,
        ({ state, ask }, draw) => {
          const { reply, answer } = subject.answers.prolonging(step, ask?.message.data, draw);
          const prolonged = take(subject, state, says(reply, answer));
          assert.deepEqual(prolonged.state, state);
          assert.equal(prolonged.ask, undefined);
          assert.ok(!Number.isNaN(Date.parse(prolonged.deadline ?? '')), 'it does not say until when');
        },
      ),
    );
  }
  if (step.kind !== 'compensable') {
    const tooLate = ({ state }: Moved<D>) => isIgnored(subject, state, { kind: 'stopped', reason: 'cancelled' });
    rules.push(rule(`at '${step.name}' it is too late to stop`, tooLate));
  }
  if (step.kind === 'retriable' && refusalsOf(step).length > 0) {
    rules.push(
      rule(`'${step.name}' comes after the pivot: a refusal is not allowed and changes nothing`, ({ state, ask }, draw) => {
        const { reply, answer } = subject.answers.refusal(step, ask?.message.data, draw);
        isIgnored(subject, state, says(reply, answer));
      }),
    );
  }
  return rules;
}
