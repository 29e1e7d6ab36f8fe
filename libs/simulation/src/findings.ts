import type { Violation } from '@yunshi/journeys/rules';
import type { Run } from './run.ts';

export type Failed = { readonly seed: number; readonly violations: readonly Violation[] };

/** What many runs came to. Plain data: it goes from thread to thread. */
export type Findings = {
  readonly seeds: number;
  readonly orders: number;
  readonly events: number;
  /** What happened how often, over all runs. */
  readonly reached: ReadonlyMap<string, number>;
  readonly failed: readonly Failed[];
};

export const nothingFound: Findings = { seeds: 0, orders: 0, events: 0, reached: new Map(), failed: [] };

export const findingsOf = ({ seed, orders, events, reached, violations }: Run): Findings => ({
  seeds: 1,
  orders,
  events,
  reached,
  failed: violations.length > 0 ? [{ seed, violations }] : [],
});

export function together(all: readonly Findings[]): Findings {
  const reached = new Map<string, number>();
  for (const one of all) for (const [what, times] of one.reached) reached.set(what, (reached.get(what) ?? 0) + times);
  const sum = (of: 'seeds' | 'orders' | 'events'): number => all.reduce((total, one) => total + one[of], 0);
  return { seeds: sum('seeds'), orders: sum('orders'), events: sum('events'), reached, failed: all.flatMap(({ failed }) => failed) };
}
