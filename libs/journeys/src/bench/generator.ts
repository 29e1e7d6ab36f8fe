import type { Ask, Setup, Told } from './load.ts';
import { startWorker } from './worker.ts';

/** What came of offering purchases at a rate. */
export type Measured = Told & { readonly rate: number };

export type Generator = {
  readonly pid: number;
  readonly offer: (rate: number, seconds: number) => Promise<Measured>;
  readonly stop: () => Promise<void>;
};

/** One purchase in so many is paid with a coupon. */
const couponEvery = 20;
/** Purchases under way, in seconds of the rate, beyond which the system is behind for good. */
const behindS = 4;
const behindMin = 200;

/** Starts the process that buys. */
export async function startGenerator(setup: Setup): Promise<Generator> {
  const { pid, ask, stop } = startWorker<Setup | Ask, Told>(new URL('./load.ts', import.meta.url));
  await ask(setup);
  return {
    pid,
    async offer(rate, seconds) {
      const told = await ask({ rate, purchases: Math.round(rate * seconds), couponEvery, behindMax: Math.max(behindMin, rate * behindS) });
      return { ...told, rate };
    },
    stop,
  };
}

/** The value below which a share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
