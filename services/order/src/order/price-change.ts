import type { PriceKept } from '@yunshi/contracts/order';
import { isTerminal, move, type ActionOf } from '@yunshi/kernel/flow';
import type { UserId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { OrderPolicy } from '../policy.ts';
import { serverAmountOf } from '../quote/server.ts';
import { awaitedOf, moved, orderFlow, priceChangeFlow, told, type Changed, type Order, type PriceChange } from './order.ts';

/*
 * 改价: the provider of an unpaid order asks for another price. It stands only once the payment channel has confirmed that nobody can pay
 * the old one any more; the saga `repricing` sees to that. A buyer never pays more than was confirmed when the order was placed.
 */

export type PriceAsked = {
  readonly changeId: string;
  readonly total: Fen;
  /** What the order's coupon takes off the new price. */
  readonly deduction: Fen;
  readonly note: string | null;
  readonly by: UserId;
};

export type PriceRefusal =
  | { readonly code: 'order-not-repriceable' }
  | { readonly code: 'price-change-under-way' }
  | { readonly code: 'too-many-price-changes' }
  | { readonly code: 'price-unchanged'; readonly field: 'total' }
  | { readonly code: 'price-below-server'; readonly field: 'total'; readonly server: Fen }
  | { readonly code: 'price-above-original'; readonly field: 'total'; readonly total: Fen; readonly payable: Fen };

/** Notes the wish. From here on the buyer is told that the order cannot be paid for a moment. */
export function askPrice(order: Order, asked: PriceAsked, { priceChangesMax }: OrderPolicy, now: Date): Result<Changed, PriceRefusal> {
  if (order.status !== 'pending_payment' || order.cancelRequestedAt !== null) return no({ code: 'order-not-repriceable' });
  if (isUnderWay(order.priceChange)) return no({ code: 'price-change-under-way' });
  if (order.priceChanges >= priceChangesMax) return no({ code: 'too-many-price-changes' });
  const { total, deduction, changeId, note, by } = asked;
  if (total === order.total) return no({ code: 'price-unchanged', field: 'total' });
  // The provider gives up what is its own: the server is the marketplace's.
  const server = serverAmountOf(order.server);
  if (total < server) return no({ code: 'price-below-server', field: 'total', server });
  const payable = total - deduction;
  // A lower price may cost more where the coupon does not reach it any more.
  if (total > order.firstTotal || payable > order.firstPayable)
    return no({ code: 'price-above-original', field: 'total', total: order.firstTotal, payable: order.firstPayable });
  const wish = { total, deduction, payable, note, askedBy: by, askedAt: now.toISOString() };
  const priceChange: PriceChange = { changeId, status: 'asked', ...wish, keptBecause: null };
  const waiting = { ...order, priceChange, priceChanges: order.priceChanges + 1 };
  return ok(told(waiting, [], now, 'price-change-asked', { amount: payable, awaits: awaitedOf(waiting) }));
}

/** Puts the new price in the place of the old one. With nothing left to pay the order is in processing at once. A coupon that takes off nothing is the buyer's again. */
export function takePrice(order: Order, changeId: string, now: Date): Result<Changed, 'paid' | 'ended'> {
  const change = changeOf(order, changeId);
  if (order.status !== 'pending_payment') return no(isTerminal(orderFlow, order.status) ? 'ended' : 'paid');
  if (order.cancelRequestedAt !== null) return no('ended');
  const { total, deduction, payable } = change;
  const amounts = { line: { ...order.line, amount: total - serverAmountOf(order.server) }, total, deduction, payable };
  const coupon = deduction > 0 ? {} : { claimId: null, couponName: null };
  const priced = { ...order, ...amounts, ...coupon, priceChange: after(change, 'change') };
  const changed = payable > 0 ? priced : moved(priced, 'waive');
  return ok(told(changed, [], now, 'price-changed', { amount: payable, awaits: awaitedOf(changed) }));
}

/** The price stays as it was. */
export function keepPrice(
  order: Order,
  { changeId, reason }: { readonly changeId: string; readonly reason: PriceKept },
  now: Date,
): Changed {
  const change = changeOf(order, changeId);
  const kept = { ...order, priceChange: { ...after(change, 'keep'), keptBecause: reason } };
  // The story of an order that has ended is told.
  if (isTerminal(orderFlow, order.status)) return { order: kept, entries: [] };
  return told(kept, [], now, 'price-kept', { amount: order.payable, awaits: awaitedOf(kept) });
}

/** The new price can be paid. That it stands was told before. */
export const settlePrice = (order: Order, changeId: string): Changed => ({
  order: { ...order, priceChange: after(changeOf(order, changeId), 'settle') },
  entries: [],
});

const isUnderWay = (change: PriceChange | null): boolean => change !== null && !isTerminal(priceChangeFlow, change.status);

function changeOf({ orderId, priceChange }: Order, changeId: string): PriceChange {
  if (priceChange?.changeId !== changeId) throw new Error(`order ${orderId} knows nothing of the price change ${changeId}`);
  return priceChange;
}

function after(change: PriceChange, action: ActionOf<typeof priceChangeFlow>): PriceChange {
  const status = move(priceChangeFlow, change.status, action);
  if (!status.ok) throw new Error(`price change ${change.changeId} is ${change.status} and cannot ${action}`);
  return { ...change, status: status.value };
}
