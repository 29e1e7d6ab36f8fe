/** How long and how often a provider is asked, and when an instance ends. One place for the numbers; times are business time. */
export const deliveryPolicy = {
  /** An unbroken run of errors, silence or nonsense for this long ends the delivery. */
  failingMsMax: 3 * 3_600_000,
  /** A provider may answer signId "0" (it delivers later) for this long. */
  pendingMsMax: 72 * 3_600_000,
  /** How long a provider is told that an instance has expired or is to be reclaimed; after that it stands in the list to re-drive. */
  tellingMsMax: 72 * 3_600_000,
  /** From expiry to release: the buyer may still renew. */
  graceMs: 7 * 86_400_000,
  /** How long after one another a delivery case is asked for, until one is opened. */
  caseWantedMs: 3_600_000,
  /** Before its expiry the buyer is reminded of it, so many days ahead. */
  reminderDays: [30, 7, 1],
  backOff: { firstMs: 2_000, factor: 2, msMax: 5 * 60_000, spread: 0.2 },
  pendingBackOff: { firstMs: 2_000, factor: 1.6, msMax: 10 * 60_000, spread: 0.2 },
} as const;

/**
 * How many calls one process makes to one provider at a time. Telling (isolate, take back) can wait: when a hundred thousand instances of one
 * provider expire on one day, it must not keep buyers from what they have bought. Those that find no place come again at moments as far apart
 * as the provider's calls have lately been ending, within the given bounds.
 */
export const linePolicy = {
  servingAtOnceMax: 32,
  tellingAtOnceMax: 8,
  /** Questions about usage, which anybody may ask by looking. */
  meteringAtOnceMax: 4,
  gapMs: { first: 2, min: 2, max: 1_000 },
} as const;

export type BackOff = { readonly firstMs: number; readonly factor: number; readonly msMax: number; readonly spread: number };

/**
 * Milliseconds to wait after the given try (1 is the first). Spread by a number drawn from the key, so that instances which failed together
 * do not come back together, and the decision stays a function of its arguments.
 */
export function waitMs(backOff: BackOff, tries: number, key: string): number {
  const plain = Math.min(backOff.msMax, backOff.firstMs * backOff.factor ** (tries - 1));
  return Math.round(plain * (1 - backOff.spread / 2 + backOff.spread * fraction(`${key} ${tries}`)));
}

/** A number in [0, 1) that looks random but is the text's own (FNV-1a). */
export function fraction(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}
