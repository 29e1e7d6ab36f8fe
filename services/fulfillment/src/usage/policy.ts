/** How often providers are asked about usage, and what of their reminders is kept. Business time, but for `replayMs`. */
export const usagePolicy = {
  /** A provider is asked about one instance no more often than this, however often its buyer looks. */
  askedEveryMs: 60_000,
  /** A call that has said nothing for this long is lost, and another may be made. */
  silentMsMax: 5 * 60_000,
  /** For how long a buyer's request waits for the provider's word; the protocol gives a provider five seconds. */
  waitMsMax: 6_000,
  /** Reminders of one instance that are kept, and that may come while any of their signatures is still good. */
  remindersMax: 20,
  /** Wall time for which a signature of the cloud API can be good: five minutes either way. */
  replayMs: 10 * 60_000,
} as const;
