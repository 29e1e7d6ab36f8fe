import { connectBus } from '@yunshi/messaging/bus';
import { orderCompleted } from '@yunshi/contracts/order';
import { closeConnections, order, pay, repeated, type Buyer, type Urls, type Wish } from './buyer.ts';

// The load generator, a process of its own. It is open: purchases begin when their time has come, however the system is doing, and every
// time is measured from the moment at which the purchase was to begin.

export type Setup = { readonly urls: Urls; readonly natsUrl: string; readonly buyers: readonly Buyer[]; readonly wish: Wish };
/** `purchases` at a fixed rate a second, one in `couponEvery` with a coupon as long as there are any. */
export type Ask = { readonly rate: number; readonly purchases: number; readonly couponEvery: number; readonly behindMax: number };
export type Told = {
  readonly started: number;
  readonly completed: number;
  /** True where it was given up because too many purchases were under way. */
  readonly overloaded: boolean;
  /** Milliseconds from the intended start to the answer of the order's POST, and to the order's completion. */
  readonly orderMs: readonly number[];
  readonly endMs: readonly number[];
  /** From the first start to the last completion. */
  readonly wallMs: number;
  readonly repeated: Readonly<Record<string, number>>;
  readonly errors: readonly string[];
};

const tickMs = 2;
/** A purchase that takes longer than this has failed. */
const endMsMax = 30_000;

async function main({ urls, natsUrl, buyers, wish }: Setup): Promise<void> {
  const completions = new Map<string, () => void>();
  const nc = await connectBus(natsUrl, 'bench');
  // The event is there when the completion is committed. Asking the orders' route instead would measure how often we ask.
  nc.subscribe(orderCompleted.subject, {
    callback: (_, message) => {
      const orderId = /"orderId":"([^"]+)"/.exec(message.string())?.[1];
      completions.get(orderId ?? '')?.();
    },
  });

  let nth = 0;
  async function purchase(intendedMs: number, withCoupon: boolean, told: { orderMs: number[]; endMs: number[] }): Promise<void> {
    const buyer = buyers[nth++ % buyers.length]!;
    const orderId = await order(urls, buyer, wish, withCoupon);
    told.orderMs.push(performance.now() - intendedMs);
    const completed = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`order ${orderId} is not completed after ${endMsMax} ms`)), endMsMax);
      completions.set(orderId, () => {
        clearTimeout(timer);
        resolve();
      });
    });
    try {
      await Promise.all([completed, pay(urls, buyer, orderId)]);
    } finally {
      completions.delete(orderId);
    }
    told.endMs.push(performance.now() - intendedMs);
  }

  async function run({ rate, purchases, couponEvery, behindMax }: Ask): Promise<Told> {
    const told = { orderMs: [] as number[], endMs: [] as number[], errors: [] as string[] };
    const running = new Set<Promise<void>>();
    const startMs = performance.now();
    let started = 0;
    let overloaded = false;
    repeated.clear();
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = Math.min(purchases, Math.floor(((performance.now() - startMs) * rate) / 1_000));
        overloaded = running.size > behindMax;
        for (; started < due && !overloaded; started++) {
          const bought = purchase(startMs + (started * 1_000) / rate, started % couponEvery === 0, told)
            .catch((error: unknown) => void told.errors.push(error instanceof Error ? error.message : String(error)))
            .finally(() => running.delete(bought));
          running.add(bought);
        }
        if (started < purchases && !overloaded) return;
        clearInterval(timer);
        resolve();
      }, tickMs);
    });
    await Promise.all(running);
    const { orderMs, endMs, errors } = told;
    return {
      started,
      completed: endMs.length,
      overloaded,
      orderMs,
      endMs,
      wallMs: performance.now() - startMs,
      repeated: Object.fromEntries(repeated),
      errors: errors.slice(0, 5),
    };
  }

  process.on('message', (ask: Ask) => {
    void run(ask).then((told) => process.send?.(told));
  });
  process.once('disconnect', () => {
    void nc.close().then(closeConnections);
  });
  process.send?.('ready');
}

process.once('message', (setup: Setup) => void main(setup));
