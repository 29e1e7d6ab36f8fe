import { meterPolicy } from '../policy.ts';

/** How many calls a process wants next: about what the last lease says it needs in `leaseMs`. What it gets, `granted` says. */
export function wanted(last: { readonly size: number; readonly tookMs: number } | undefined): number {
  if (last === undefined) return meterPolicy.leaseMin;
  const needed = Math.ceil((last.size / Math.max(1, last.tookMs)) * meterPolicy.leaseMs);
  return Math.min(meterPolicy.leaseMax, Math.max(meterPolicy.leaseMin, Math.min(needed, last.size * 4)));
}

/**
 * How many of what is left one process gets: no more than a quarter, so that near the end of a package many processes share what is there
 * and the last call is served by whoever is asked for it. The ledger's statement says the same; a test compares.
 */
export const granted = (want: number, left: number): number => Math.max(0, Math.min(want, Math.max(1, Math.floor(left / 4)), left));
