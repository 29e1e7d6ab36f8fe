/** Signatures older or newer than this are refused. */
export const CLOCK_SKEW_MS_MAX = 5 * 60 * 1000;

/** Unix seconds as the wire writes them: ten digits, good until the year 2286. */
export const TIMESTAMP = /^[1-9]\d{9}$/;

/**
 * Whether a signature's time is close enough to the wall clock, in both directions: a message from the future is
 * as suspect as an old one.
 * @param timestamp unix seconds, as text on the wire
 * @param wallMs the wall clock, never the marketplace's test clock: the other side of the wire does not know that one
 */
export function isFresh(timestamp: string, wallMs: number): boolean {
  return TIMESTAMP.test(timestamp) && Math.abs(wallMs - Number(timestamp) * 1000) < CLOCK_SKEW_MS_MAX;
}
