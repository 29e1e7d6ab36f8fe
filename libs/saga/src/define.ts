import type { z } from 'zod';
import type { Command } from '@yunshi/contracts/define';

type Input<C extends Command> = z.input<C['data']>;
type Answer<C extends Command, K extends keyof C['replies']> = z.output<C['replies'][K]>;

/** Why a saga turned back: which step, what happened there, and for a refusal what it answered. */
export type Failure = {
  readonly step: string;
  readonly cause: 'refused' | 'timed-out' | 'stopped';
  readonly reply?: string;
  readonly answer?: unknown;
};

/** How long a compensable step may stay unanswered: until a moment (RFC 3339), or for a number of milliseconds. */
export type Within<D> = number | ((data: D) => string);

type Ask<D, C extends Command, K extends keyof C['replies'] & string> = {
  readonly send: C;
  readonly with: (data: D) => Input<C>;
  /** The one reply that means «go on»; every other declared reply is a refusal, unless it prolongs the step. */
  readonly on: K;
  /** What to remember from that reply. */
  readonly keep?: (data: D, answer: Answer<C, K>) => D;
  /** The step is left out, and so is its undo, where this is false when its turn comes. */
  readonly when?: (data: D) => boolean;
};
type Undo<D, U extends Command> = {
  readonly undo: U;
  readonly undoWith: (data: D, failure: Failure) => Input<U>;
  /** What to remember from the undo's answer. */
  readonly undoKeep?: (
    data: D,
    answer: { [K in keyof U['replies'] & string]: { reply: K; data: Answer<U, K> } }[keyof U['replies'] & string],
  ) => D;
};
type Prolonging<C extends Command, X extends keyof C['replies'] & string> = {
  [R in X]: { readonly on: R; readonly until: (answer: Answer<C, R>) => string };
}[X];
type Patience<D, C extends Command, K extends keyof C['replies'] & string> = {
  readonly within?: Within<D>;
  /** A reply that is no answer yet: the step may stay unanswered until the moment (RFC 3339) that it names, if that is later than before. */
  readonly prolong?: Prolonging<C, Exclude<keyof C['replies'] & string, K>>;
};

export type StepKind = 'compensable' | 'pivot' | 'retriable';

// The builder has checked each step against its own command; past it, steps of all commands stand in one list and their data types are erased.
/* oxlint-disable typescript/no-explicit-any */
export type Step = {
  readonly name: string;
  readonly kind: StepKind;
  readonly send?: Command;
  readonly with?: (data: any) => any;
  readonly on?: string;
  readonly keep?: (data: any, answer: any) => any;
  readonly when?: (data: any) => boolean;
  readonly within?: Within<any>;
  readonly prolong?: { readonly on: string; readonly until: (answer: any) => string };
  readonly undo?: Command;
  readonly undoWith?: (data: any, failure: Failure) => any;
  readonly undoKeep?: (data: any, answer: any) => any;
};

/** A finished definition. `data` is what the saga remembers between its steps. */
export type Saga<D = any> = {
  readonly name: string;
  readonly version: number;
  readonly data: z.ZodType<D>;
  readonly steps: readonly Step[];
};
/* oxlint-enable typescript/no-explicit-any */

export type BeforePivot<D> = {
  /** What stood before the saga began, and how it is taken back. Nothing is sent. */
  startedBy<U extends Command>(name: string, step: Undo<D, U>): BeforePivot<D>;
  /** May be refused or time out; is undone if a later step fails. */
  compensable<C extends Command, K extends keyof C['replies'] & string, U extends Command>(
    name: string,
    step: Ask<D, C, K> & Undo<D, U> & Patience<D, C, K>,
  ): BeforePivot<D>;
  /** The point of no return: refused, everything before is undone; answered, the saga only goes forward; silent, it is asked again. */
  pivot<C extends Command, K extends keyof C['replies'] & string>(name: string, step: Ask<D, C, K>): AfterPivot<D>;
};
export type AfterPivot<D> = {
  /** Is asked until it answers; has no refusal that turns the saga back. */
  retriable<C extends Command, K extends keyof C['replies'] & string>(name: string, step: Ask<D, C, K>): AfterPivot<D>;
  end(): Saga<D>;
};

const declared = new Map<string, Saga>();

/** Every saga declared by the modules imported so far, for the registry of a service and for generated documents. */
export const declaredSagas = (): readonly Saga[] => [...declared.values()];

/** Begins the definition of a saga. Change of steps = new version beside the old one, because instances are in flight. */
export function saga<S extends z.ZodType>(name: string, version: number, data: S): BeforePivot<z.output<S>> {
  const steps: Step[] = [];
  const add = (kind: StepKind) => (stepName: string, step: object) => {
    if (steps.some((other) => other.name === stepName)) throw new Error(`saga ${name} has two steps called '${stepName}'`);
    steps.push(Object.freeze({ name: stepName, kind, ...step }));
    return builder;
  };
  const end = () => {
    const finished = Object.freeze({ name, version, data, steps: Object.freeze(steps) }) as Saga;
    declared.set(`${name} v${version}`, finished);
    return finished;
  };
  const builder = { startedBy: add('compensable'), compensable: add('compensable'), pivot: add('pivot'), retriable: add('retriable'), end };
  return builder as unknown as BeforePivot<z.output<S>>;
}
