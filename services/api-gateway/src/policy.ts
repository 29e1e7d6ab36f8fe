/** The numbers of the data plane. Only the age of a signature and these limits are wall time; an instance's period is business time. */
export const forwardPolicy = {
  /** Of a request's body; one that is longer is refused before it is forwarded, where its length is told. */
  bodyBytesMax: 32 * 1_024 * 1_024,
  /** A body up to this is read whole before anything is forwarded, so that a client that never sends it uses up no call. */
  bufferedBytesMax: 64 * 1_024,
  /** For a client to send what is read before forwarding. */
  bodyMsMax: 30_000,
  connectMsMax: 3_000,
  /** Until the upstream begins to answer. */
  answerMsMax: 60_000,
  /** Of silence within an answer. */
  silenceMsMax: 60_000,
  /** To one upstream, of one process. */
  connectionsMax: 256,
  /** Calls in hand, of one process. */
  inHandMax: 4_096,
  /** A kept-alive connection is given up before upstreams usually do, because a call on a closing one is in doubt. */
  keepAliveMs: 4_000,
} as const;

/** An X-Date may be this far from our clock. */
export const skewMsMax = 15 * 60_000;

/** How long what is known of a key is believed: together with the event's way it stays below a second. */
export const keyPolicy = { freshMs: 200, believedMs: 500, entriesMax: 50_000 } as const;

export const meterPolicy = {
  /** Of one lease. */
  leaseMax: 2_000,
  leaseMin: 8,
  /** A lease is to last about this long at the rate of the last one. */
  leaseMs: 500,
  /** What is counted is stored, and what is not needed given back, this often. */
  settleEveryMs: 200,
  /** A lease of which nothing was taken for this long is given back. */
  idleMs: 600,
  /** Where others hold what is left, a call waits for them this long. */
  waitMsMax: 2_000,
  waitStepMs: 150,
  /** Who has nothing left is not asked for again for this long. */
  usedUpMs: 250,
  /** How often others' journals are looked after. */
  recoverEveryMs: 2_000,
  /** Calls of which it is not stored yet that they were counted; above, nothing new is taken. */
  unsettledMax: 20_000,
} as const;

/** The log of calls. */
export const logPolicy = { keptDays: 90, sweepEveryMs: 3_600_000, sweepRows: 5_000, pathCharsMax: 512, chartDaysMax: 366 } as const;
