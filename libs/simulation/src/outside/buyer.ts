import type { Claim } from '@yunshi/coupon/claim/claim';
import { forOrder } from '@yunshi/coupon/claim/claim';
import { claimCoupon } from '@yunshi/coupon/claim/claiming';
import type { ClaimId, OrderId } from '@yunshi/kernel/ids';
import type { Facts, Request } from '@yunshi/order/order/order';
import { cancelOrder, placeOrder, placeTrialOrder, type Placing } from '@yunshi/order/order/writes';
import { agreementName, orderPolicy } from '@yunshi/order/policy';
import { noRules } from '@yunshi/order/purchasing/purchasing';
import { isTrial, price } from '@yunshi/order/quote/quote';
import type { Attempt, Payment } from '@yunshi/payment-gateway/payment/state';
import { sleep, surely, wait } from './clients.ts';
import { lowerPrice, type Bargain } from './seller.ts';
import { buyers, goods, productOf, type Good, type Market } from '../market.ts';
import { idOf } from '../time/names.ts';
import type { Process } from '../process.ts';

const minute = 60_000;
const hour = 60 * minute;

/** What a buyer is about to do. */
export type Plan = {
  readonly buyer: (typeof buyers)[number];
  readonly good: Good;
  readonly withCoupon: boolean;
  /** Business milliseconds from the order to the payment. */
  readonly paysAfterMs: number;
  /** Whether it is paid, or its code is looked at and no more, or not even that. */
  readonly payment: 'pays' | 'looks' | 'leaves';
  /** Milliseconds from the order to the wish to cancel it. */
  readonly cancelsAfterMs: number | undefined;
  /** What its provider makes of the price meanwhile. */
  readonly bargains: readonly Bargain[];
  /** Says «I have paid» afterwards. */
  readonly asks: boolean;
  readonly startsAfterMs: number;
};

export function drawPlan({ world: { dice, mix } }: Market): Plan {
  const paysAfterMs = dice.pick([
    0,
    dice.spread(10, 5_000),
    dice.spread(10, 30_000),
    dice.spread(5_000, 3 * hour),
    dice.spread(hour, 25 * hour),
  ]);
  const payment = dice.chance(mix.leaves) ? 'leaves' : dice.chance(mix.looksOnly) ? 'looks' : 'pays';
  // Some change their mind in the moment that they pay.
  const atOnce = paysAfterMs + dice.spread(1, 2_000) - dice.spread(1, 2_000);
  return {
    buyer: dice.pick(buyers),
    good: dice.pick(['yearly', 'yearly', 'yearly', 'yearly', 'daily', 'calls', 'trial'] as const),
    withCoupon: dice.chance(mix.coupons),
    paysAfterMs,
    payment,
    cancelsAfterMs: dice.chance(mix.cancels) ? dice.pick([dice.spread(1, 50), dice.spread(1, 5 * hour), Math.max(0, atOnce)]) : undefined,
    bargains: Array.from({ length: dice.chance(mix.bargains) ? dice.pick([1, 1, 2]) : 0 }, () => ({
      afterMs: dice.pick([dice.spread(1, 50), dice.spread(1, 5 * hour), Math.max(0, atOnce)]),
      percent: dice.pick([0, 50, 90, 99, 100]),
    })),
    asks: dice.chance(0.2),
    startsAfterMs: dice.chance(0.5) ? 0 : dice.spread(1, 30_000),
  };
}

/** What a client was told, and may rely on. */
export type Told = { readonly orderId: OrderId; readonly plan: Plan; cancelAccepted?: true };

/** A buyer who orders, pays, cancels, as a client that repeats every request until it has an answer. */
export async function buy(market: Market, plan: Plan, told: Told[], keys: () => string): Promise<void> {
  const { world } = market;
  await sleep(world, plan.startsAfterMs);
  const orderId = await placed(market, plan, keys());
  if (orderId === undefined) return;
  const mine: Told = { orderId, plan };
  told.push(mine);
  world.tell(() => `${orderId} is ordered: ${JSON.stringify(plan)}`);
  const bargains = plan.bargains.map((bargain) => lowerPrice(market, bargain, orderId, keys()));
  await Promise.all([pay(market, plan, orderId, keys), cancel(market, plan, mine), ...bargains]);
}

async function placed(market: Market, plan: Plan, key: string): Promise<OrderId | undefined> {
  const { order } = market.services;
  const { accountId } = plan.buyer;
  const answer = await surely(order, (process) => {
    const placing = placingOf(market, plan, process);
    const once = { account: accountId, key, hash: 'order' };
    const { product } = placing.facts;
    const forTrial = product?.skus.some((sku) => sku.skuId === placing.request.wish.skuId && isTrial(sku)) === true;
    return forTrial ? process.engine!.write(placeTrialOrder, placing, once) : process.engine!.write(placeOrder, placing, once);
  });
  return answer.status === 201 ? (answer.body as { order_id: OrderId }).order_id : undefined;
}

/** As the route does it: a new order for each request, with what is known at that moment. */
function placingOf(market: Market, { buyer, good, withCoupon }: Plan, process: Process): Placing {
  const { world, services, claims } = market;
  const { accountId, userId } = buyer;
  const wish = goods[good];
  const product = productOf(wish.skuId);
  const now = process.clock.now();
  const request: Request = {
    orderId: idOf('ord', now, world.dice),
    accountId,
    userId,
    wish,
    coupon: withCoupon ? claims[buyers.indexOf(buyer)]! : 'none',
    acceptedAgreements: orderPolicy.agreements.map(agreementName),
  };
  const priced = price(product, wish);
  if (!priced.ok) throw new Error(`a buyer wants what is not sold: ${priced.error.code}`);
  const held = [...services.coupon.database.table<Claim>('claims').values()].filter((claim) => claim.accountId === accountId);
  const { usable, unusable } = forOrder(held, { kind: 'new_purchase', lines: [priced.value.line], now });
  const trial = services.order.database.table<{ orderId: OrderId | null }>('trials').get(`${accountId} ${product.productId}`);
  const facts: Facts = {
    product,
    coupons: {
      usable: usable.map(({ claim, deduction }) => ({
        claimId: claim.claimId,
        couponId: claim.couponId,
        name: claim.name,
        deduction,
        expiresAt: claim.validUntil.toISOString(),
      })),
      unusable: unusable.map(({ claim: { claimId, couponId, name }, reason }) => ({ claimId, couponId, name, reason })),
    },
    bought: 0,
    trialTaken: trial !== undefined && trial.orderId !== null,
    casesOpened: false,
    server: undefined,
    rules: noRules,
  };
  return { request, facts };
}

async function cancel({ services, world }: Market, { cancelsAfterMs, buyer }: Plan, mine: Told): Promise<void> {
  if (cancelsAfterMs === undefined) return;
  await wait(world, cancelsAfterMs);
  const asked = { orderId: mine.orderId, accountId: buyer.accountId };
  const answer = await surely(services.order, (process) => process.engine!.write(cancelOrder, asked));
  if (answer.status === 202) mine.cancelAccepted = true;
  world.tell(() => `${mine.orderId}: the wish to cancel is answered ${answer.status}`);
}

const notYet = new Set(['payment-not-ready', 'attempt-closing', 'price-changing']);
const codeOfProblem = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

async function pay(market: Market, { paysAfterMs, payment, asks, buyer }: Plan, orderId: OrderId, keys: () => string): Promise<void> {
  const { world, services, wechat, writes } = market;
  if (payment === 'leaves') return;
  // Some look at the code first and pay later, others come back to pay.
  const looksFirst = world.dice.chance(0.5);
  if (!looksFirst) await wait(world, paysAfterMs);
  const shown = await codeFor(market, { orderId, accountId: buyer.accountId, key: keys() });
  if (shown === undefined) return;
  wechat.show(shown);
  if (payment === 'looks') return;
  if (looksFirst) await wait(world, paysAfterMs);
  if (!wechat.scan(shown)) {
    const fresh = await codeFor(market, { orderId, accountId: buyer.accountId, key: keys() });
    if (fresh === undefined) return;
    wechat.show(fresh);
    wechat.scan(fresh);
  }
  if (asks) await surely(services.payment, (process) => process.engine!.write(writes.askChannel, { orderId }));
}

type Paying = { readonly orderId: OrderId; readonly accountId: Request['accountId']; readonly key: string };

/** Opens an attempt and waits for its code; nothing where there is nothing to pay, or no more. */
async function codeFor({ world, services, writes }: Market, { orderId, accountId, key }: Paying): Promise<string | undefined> {
  const { payment } = services;
  const payments = payment.database.table<Payment>('payments');
  let attemptId: Attempt['attemptId'] | undefined;
  for (let tries = 0; tries < 200; tries++) {
    try {
      const answer = await surely(payment, (process) =>
        process.engine!.write(
          writes.openAttempt,
          { orderId, accountId, channel: 'wechat_native', attemptId: idOf('pat', process.clock.now(), world.dice) },
          { account: accountId, key, hash: orderId },
        ),
      );
      attemptId = (answer.body as { attempt_id: Attempt['attemptId'] }).attempt_id;
      break;
    } catch (error) {
      if (!notYet.has(codeOfProblem(error))) return undefined;
      await wait(world, Math.min(100 * 2 ** tries, 10 * minute));
      if (hasEnded(services.order.database.table<{ status: string }>('orders').get(orderId))) return undefined;
    }
  }
  for (let tries = 0; tries < 60; tries++) {
    const attempt = payments.get(orderId)?.attempts.find((one) => one.attemptId === attemptId);
    if (!attempt || (attempt.status !== 'opening' && attempt.status !== 'open')) return undefined;
    if (attempt.codeUrl !== null) return attempt.codeUrl;
    await wait(world, Math.min(50 * 1.5 ** tries, 10 * minute));
  }
  return undefined;
}

const hasEnded = (order: { readonly status: string } | undefined): boolean => order !== undefined && order.status !== 'pending_payment';

/** Claims one more of the coupon, with all others who want it. */
export async function claimOne(
  { services, world, couponId }: Market,
  buyer: (typeof buyers)[number],
  key: string,
  afterMs: number,
): Promise<ClaimId | undefined> {
  const { accountId, userId } = buyer;
  await sleep(world, afterMs);
  const answer = await surely(services.coupon, (process) => {
    const claimId = idOf('ccl', process.clock.now(), world.dice);
    return process.engine!.write(claimCoupon, { couponId, accountId, userId, claimId }, { account: accountId, key, hash: couponId });
  });
  return answer.status === 201 ? (answer.body as { claim_id: ClaimId }).claim_id : undefined;
}
