import { z } from 'zod';
import type { Armed } from '../armed.ts';

/** What can be made to go wrong, a number of times. */
export const Mishap = z.enum([
  /** An API call is answered 500 and nothing was done. */
  'call-fails',
  /** An API call is carried out, and its answer never arrives. */
  'answer-lost',
  /** No delivery of a notice arrives, ever: only a query tells. */
  'notice-never',
]);
export type Mishap = z.infer<typeof Mishap>;

export type Mishaps = Armed<Mishap>;
