import { z } from 'zod';
import { WireTime } from './combine.ts';
import { Sealed } from './seal.ts';

/** The outside of every callback; what happened is inside `resource`, encrypted. */
export const Notice = z.object({
  /** `EV-…`: the same in every repetition. */
  id: z.string().min(1).max(64),
  create_time: WireTime,
  event_type: z.string().min(1).max(64),
  resource_type: z.literal('encrypt-resource'),
  summary: z.string().optional(),
  resource: Sealed.extend({ original_type: z.string().optional() }),
});
export type Notice = z.infer<typeof Notice>;

/**
 * Milliseconds between one unanswered delivery of a callback and the next: 15 repetitions over 24 hours and 4 minutes.
 * HTTP 200 or 204 within 5 seconds ends it, whatever the body says.
 */
const [SECOND, MINUTE, HOUR] = [1_000, 60_000, 3_600_000] as const;
export const NOTICE_RETRY_MS: readonly number[] = [
  15 * SECOND,
  15 * SECOND,
  30 * SECOND,
  3 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  60 * MINUTE,
  3 * HOUR,
  3 * HOUR,
  3 * HOUR,
  6 * HOUR,
  6 * HOUR,
];
export const NOTICE_TIMEOUT_MS = 5 * SECOND;
