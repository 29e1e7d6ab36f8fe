import { z } from 'zod';

/** What can be made to go wrong, a number of times. */
export const Mishap = z.enum([
  /** A call is answered 500 and nothing was done. */
  'call-fails',
  /** A call is carried out, and its answer never arrives. */
  'answer-lost',
  /** A call is carried out, and its answer is signed wrongly. */
  'answer-forged',
  /** No delivery of a notice arrives, ever: only a query tells. */
  'notice-never',
  /** A delivery of a notice is lost once. */
  'notice-lost',
  /** A refund that was taken in fails. */
  'refund-fails',
]);
export type Mishap = z.infer<typeof Mishap>;
