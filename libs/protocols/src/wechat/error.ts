import { z } from 'zod';

/** The body of every 4xx and 5xx. `detail` has a shape of its own for some codes. */
export const WireError = z.object({
  code: z.string(),
  message: z.string(),
  detail: z.record(z.string(), z.unknown()).optional(),
});
export type WireError = z.infer<typeof WireError>;

/** `ORDERPAID` in older pages, `ORDER_PAID` in newer ones; closing a paid order answers either. */
export const PAID_CODES: ReadonlySet<string> = new Set(['ORDERPAID', 'ORDER_PAID']);
/** No such order. After an unknown outcome of our own order this means that it never arrived. */
export const MISSING_CODES: ReadonlySet<string> = new Set(['ORDER_NOT_EXIST', 'RESOURCE_NOT_EXISTS']);

/**
 * What an HTTP status says about the request. Branch on this first and on the code second: codes are added without notice.
 * - `done`: carried out
 * - `refused`: not carried out, and repeating it as it is will not help
 * - `unknown`: carried out or not; query, or repeat it with the same number
 */
export function outcomeOf(status: number): 'done' | 'refused' | 'unknown' {
  if (status >= 200 && status < 300) return 'done';
  if (status >= 400 && status < 500 && status !== 429 && status !== 408) return 'refused';
  return 'unknown';
}
