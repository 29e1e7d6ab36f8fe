/** Key pairs of an API instance; times are business time. */
export const keyPolicy = {
  /** Pairs that count at the same time, rotated ones within their overlap included. */
  keysMax: 10,
  /** For how long a rotated pair still counts. */
  overlapMs: 24 * 3_600_000,
  /** Retired pairs that the list still shows. */
  retiredKept: 10,
} as const;

/** How an upstream is checked before calls may go there. */
export const upstreamPolicy = { checkMsMax: 5_000, answerBytesMax: 64 * 1_024 } as const;
