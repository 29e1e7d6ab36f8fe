import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { demoProducts } from '@yunshi/contracts/demo-world';
import { Shopper, type Scanning } from '../shopper.ts';
import type { Random } from './random.ts';

/** Somebody who buys, and the coupons that were claimed before the trouble began. */
export type Customer = { readonly shopper: Shopper; readonly claims: string[] };

/** What the load generator was told, kept by itself: whatever is in here must be true of the system afterwards. */
export type Acknowledged = {
  /** Orders that were answered 201, by id, with the key of their request. */
  readonly orders: Map<string, string>;
  /** The same request, repeated after it was acknowledged, got another answer. */
  readonly changed: { readonly key: string; readonly first: string; readonly later: unknown }[];
  /** Orders that could not be read right after they were acknowledged. */
  readonly unreadable: string[];
  /** Orders by transactions that the payer's phone showed as paid. */
  readonly paid: Map<string, string>;
  /** Keys of requests to order that have no clear answer: each may have made an order. */
  readonly unanswered: Set<string>;
};

export type Load = {
  readonly acknowledged: Acknowledged;
  readonly unsure: ReadonlyMap<string, number>;
  readonly started: () => number;
  /** What a purchase ended with, as its buyer saw it. */
  readonly ends: ReadonlyMap<string, number>;
  /** Ends the arrivals, and waits until those who are here have left, or for so long (ms). Answers how many are left. */
  readonly stop: (within: number) => Promise<number>;
};

/** What is bought: mostly what is delivered at once, some that the provider takes its time for, some that it never delivers. */
const wishes = [
  { share: 0.72, wish: { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 } },
  { share: 0.1, wish: { sku_id: demoProducts.addressParsing.skus.calls1000, quantity: 1 } },
  { share: 0.1, wish: { sku_id: demoProducts.knowledgeBase.skus.monthly, quantity: 1, duration: 1 } },
  { share: 0.08, wish: { sku_id: demoProducts.stock.skus.monthly, quantity: 1, duration: 1 } },
] as const;
type Wish = { readonly sku_id: string; readonly quantity: number; readonly duration?: number };

/** What the buyers do once they have ordered. */
const conducts = [
  { conduct: 'pays', share: 0.5 },
  { conduct: 'pays after the bank has refused', share: 0.07 },
  { conduct: 'pays, and the callback is late', share: 0.07 },
  { conduct: 'pays, and the callback is lost once', share: 0.07 },
  { conduct: 'pays, and no callback ever comes', share: 0.07 },
  { conduct: 'leaves without paying', share: 0.08 },
  { conduct: 'cancels', share: 0.06 },
  { conduct: 'cancels and pays at the same time', share: 0.08 },
] as const;
type Conduct = (typeof conducts)[number]['conduct'];

const scanningOf: Readonly<Partial<Record<Conduct, Scanning>>> = {
  'pays, and the callback is late': { callback: 'late' },
  'pays, and the callback is lost once': { callback: 'lost' },
  'pays, and no callback ever comes': { callback: 'never' },
};

const couponShare = 0.3;
/** This part of the requests is sent again after it has been acknowledged. */
const repeatedShare = 0.1;
const tickMs = 20;
/** A code may have expired, or died by a newer one, before it was scanned. */
const scansMax = 3;

function byShare<T extends { readonly share: number }>(items: readonly T[], random: Random): T {
  let left = random.next();
  return items.find(({ share }) => (left -= share) < 0) ?? items[0]!;
}

/** The names of the agreements that a buyer of the product accepts. */
export async function agreementsOf(shopper: Shopper): Promise<ReadonlyMap<string, readonly string[]>> {
  const names = wishes.map(async ({ wish }): Promise<[string, string[]]> => {
    const quote = await shopper.post('/v1/quotes', wish);
    if (quote.status !== 200) throw new Error(`no quote for ${wish.sku_id}: ${JSON.stringify(quote.body)}`);
    return [wish.sku_id, (quote.body['agreements'] as { name: string }[]).map(({ name }) => name)];
  });
  return new Map(await Promise.all(names));
}

type LoadOptions = {
  readonly customers: readonly [Customer, ...Customer[]];
  readonly agreements: ReadonlyMap<string, readonly string[]>;
  readonly perS: number;
  readonly random: Random;
  readonly unsure: ReadonlyMap<string, number>;
};

/** Buyers arrive at a fixed rate, however long those before them are kept waiting. */
export function startLoad({ customers, agreements, perS, random, unsure }: LoadOptions): Load {
  const acknowledged: Acknowledged = { orders: new Map(), changed: [], unreadable: [], paid: new Map(), unanswered: new Set() };
  const ends = new Map<string, number>();
  const here = new Set<Promise<void>>();
  let started = 0;
  const begun = performance.now();

  const arrive = (): void => {
    const customer = random.pick(customers);
    // Everything is drawn here, so that the seed decides it whatever the answers are.
    const { wish } = byShare<(typeof wishes)[number]>(wishes, random);
    const { conduct } = byShare<(typeof conducts)[number]>(conducts, random);
    const coupon = (random.chance(couponShare) ? customer.claims.pop() : undefined) ?? 'none';
    const asked = { ...wish, coupon, accepted_agreements: agreements.get(wish.sku_id) ?? [] };
    const bought = buy(customer, asked, { conduct, repeats: random.chance(repeatedShare) }, acknowledged)
      .catch((error: unknown) => `gave up: ${error instanceof Error ? error.message.replaceAll(/\w{3}_[0-9a-f]+/g, '…') : String(error)}`)
      .then((end) => void ends.set(end, (ends.get(end) ?? 0) + 1))
      .finally(() => here.delete(bought));
    here.add(bought);
  };
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) * perS) / 1_000);
    for (; started < due; started++) arrive();
  }, tickMs);

  return {
    acknowledged,
    unsure,
    ends,
    started: () => started,
    async stop(within) {
      clearInterval(timer);
      await Promise.race([Promise.all(here), pause(within, undefined, { ref: false })]);
      return here.size;
    },
  };
}

type Ordered = Wish & { readonly coupon: string; readonly accepted_agreements: readonly string[] };

/** One purchase, as its buyer sees it. Answers how it ended for them. */
async function buy(
  { shopper }: Customer,
  wish: Ordered,
  { conduct, repeats }: { readonly conduct: Conduct; readonly repeats: boolean },
  acknowledged: Acknowledged,
): Promise<string> {
  const key = randomUUID();
  acknowledged.unanswered.add(key);
  const ordered = await shopper.post('/v1/orders', wish, key);
  // 401: a service whose clock has jumped believes nobody; what became of earlier tries it does not say.
  if (ordered.status !== 401) acknowledged.unanswered.delete(key);
  if (ordered.status !== 201) return `not ordered: ${ordered.status} ${String(ordered.body['code'])}`;
  const orderId = ordered.body['order_id'] as string;
  acknowledged.orders.set(orderId, key);
  const read = await shopper.get(`/v1/orders/${orderId}`);
  if (read.status === 404) acknowledged.unreadable.push(orderId);
  if (repeats) {
    const again = await shopper.post('/v1/orders', wish, key);
    if (again.body['order_id'] !== orderId && again.status !== 401) acknowledged.changed.push({ key, first: orderId, later: again });
  }
  switch (conduct) {
    case 'leaves without paying':
      return conduct;
    case 'cancels':
      return `${conduct}: ${(await shopper.post(`/v1/orders/${orderId}/cancel`, undefined)).status}`;
    case 'cancels and pays at the same time': {
      const [cancelled, scanned] = await Promise.all([
        shopper.post(`/v1/orders/${orderId}/cancel`, undefined),
        pay(shopper, orderId, {}, acknowledged),
      ]);
      return `${conduct}: ${cancelled.status}, ${scanned}`;
    }
    case 'pays after the bank has refused':
      await pay(shopper, orderId, { outcome: 'fails' }, acknowledged);
      return `${conduct}: ${await pay(shopper, orderId, {}, acknowledged)}`;
    default:
      return `${conduct}: ${await pay(shopper, orderId, scanningOf[conduct] ?? {}, acknowledged)}`;
  }
}

async function pay(shopper: Shopper, orderId: string, how: Scanning, { paid }: Acknowledged): Promise<string> {
  let refused = 'nothing to pay any more';
  for (let scans = 0; scans < scansMax; scans++) {
    const code = await shopper.payable(orderId);
    if (code === undefined) break;
    const scanned = await shopper.scan(code, how);
    for (const transaction of (scanned.body['transaction_ids'] as (string | null)[] | undefined) ?? [])
      if (scanned.body['trade_state'] === 'SUCCESS' && transaction !== null) paid.set(transaction, orderId);
    if (scanned.status === 200) return `${how.outcome === 'fails' ? 'refused' : 'paid'} (${String(scanned.body['trade_state'])})`;
    refused = `scan refused: ${String(scanned.body['code'])}`;
    if (!/code/.test(refused)) break;
  }
  return refused;
}
