import { z } from 'zod';

/** What can be made to go wrong, a number of times. A restart forgets it. */
export const Mishap = z.enum([
  /** An API call is answered 500 and nothing was done. */
  'call-fails',
  /** An API call is carried out, and its answer never arrives. */
  'answer-lost',
  /** No delivery of a notice arrives, ever: only a query tells. */
  'notice-never',
]);
export type Mishap = z.infer<typeof Mishap>;

export type Mishaps = { readonly arm: (what: Mishap, times: number) => void; readonly take: (what: Mishap) => boolean };

export function mishaps(): Mishaps {
  const armed = new Map<Mishap, number>();
  return {
    arm: (what, times) => void armed.set(what, times),
    take: (what) => {
      const left = armed.get(what) ?? 0;
      if (left > 0) armed.set(what, left - 1);
      return left > 0;
    },
  };
}
