import { z } from 'zod';
import { releaseCoupon, reserveCoupon, useCoupon } from '@yunshi/contracts/coupon';
import { completeOrder, rejectOrder, type OrderEnd } from '@yunshi/contracts/order';
import { collectPayment, returnPayment } from '@yunshi/contracts/payment';
import { AccountId, ClaimId, InstanceId, OrderId, UserId } from '@yunshi/kernel/ids';
import { Line, OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { ServerConfiguration } from '@yunshi/kernel/server';
import type { Failure } from '@yunshi/saga/define';

/* What the sagas of this service have in common: what they remember, and the steps by which an order is begun, paid and ended. */

/** What a purchase remembers between its steps: the order as it was frozen, and what the steps have brought. */
export const Purchase = z.object({
  orderId: OrderId,
  orderNumber: z.string(),
  accountId: AccountId,
  userId: UserId,
  kind: OrderKind,
  line: Line,
  /** Of an image: the cloud server that is made of it. */
  server: ServerConfiguration.optional(),
  /** How much of the payable amount is for a server. */
  serverAmount: Fen.default(0),
  productName: z.string(),
  skuName: z.string(),
  isTrial: z.boolean(),
  /** People deliver it, which may take months. */
  humanDelivery: z.boolean().default(false),
  /** The claimed coupon that the buyer chose. */
  claimId: ClaimId.optional(),
  /** The coupon took nothing off the price as it was changed 改价, and has been given back. */
  couponLetGo: z.boolean().optional(),
  /** What the buyer confirmed: list price less the coupon's deduction. It stays, whatever the answers say; only a change of the price changes it. */
  payable: Fen,
  payBy: z.iso.datetime({ offset: true }),
  /** What the purchase makes, or what it is for. */
  instanceId: InstanceId.optional(),
  refunded: Fen,
});
export type Purchase = z.infer<typeof Purchase>;

/** A coupon's service answers in milliseconds; one that is down for this long must not keep the buyer waiting for a price. */
const couponWithinMs = 10 * 60_000;
/** What WeChat shows the payer, in characters. */
const descriptionMax = 127;

const hasCoupon = (p: Purchase) => p.claimId !== undefined;
// `hasCoupon` stands before each use, and the command's own schema refuses a claim that is missing.
const claim = ({ orderId, accountId, claimId }: Purchase) => ({ orderId, accountId, claimId: claimId as ClaimId });
const reservation = (p: Purchase) => ({ ...claim(p), kind: p.kind, lines: [p.line] });

const bill = ({ orderId, accountId, line, payable, serverAmount, productName, skuName, payBy }: Purchase) => ({
  orderId,
  accountId,
  providerId: line.providerId,
  amount: payable,
  serverAmount,
  description: `${productName} ${skuName}`.slice(0, descriptionMax),
  deliveryType: line.deliveryType,
  payBy,
});
const returning = ({ orderId, accountId }: Purchase, failure: Failure) => ({ orderId, accountId, reason: whyReturned(failure) });
const returned = (p: Purchase, answer: { reply: 'closed' } | { reply: 'refunded'; data: { amount: Fen } }) =>
  answer.reply === 'refunded' ? { ...p, refunded: answer.data.amount } : p;

// The pivot's answer brings the instance; the command's own schema refuses one that is missing.
const completion = ({ orderId, instanceId }: Purchase) => ({ orderId, instanceId: instanceId as InstanceId });
const rejection = ({ orderId, refunded }: Purchase, failure: Failure) => ({ orderId, refunded, reason: whyEnded(failure) });

/** The reason that the order shows, from where the purchase turned back. */
export function whyEnded({ step, cause }: Failure): OrderEnd {
  if (cause === 'stopped') return 'cancelled';
  if (step === 'collect payment') return cause === 'timed-out' ? 'payment-timeout' : 'payment-refused';
  if (step === 'fulfil' || step === 'renew') return 'not-delivered';
  return cause === 'refused' ? 'coupon-refused' : 'unanswered';
}

function whyReturned(failure: Failure): 'payment-timeout' | 'cancelled' | 'not-delivered' | 'rejected' {
  const ended = whyEnded(failure);
  return ended === 'payment-timeout' || ended === 'cancelled' || ended === 'not-delivered' ? ended : 'rejected';
}

/** The order stands already when its saga begins. */
export const orderPlaced = { undo: rejectOrder, undoWith: rejection } as const;

export const couponReserved = {
  when: hasCoupon,
  send: reserveCoupon,
  with: reservation,
  on: 'reserved',
  within: couponWithinMs,
  undo: releaseCoupon,
  undoWith: claim,
} as const;

export const paymentCollected = {
  when: (p: Purchase) => p.payable > 0,
  send: collectPayment,
  with: bill,
  on: 'paid',
  within: (p: Purchase) => p.payBy,
  // A company's payment takes a second person and days.
  prolong: { on: 'held', until: ({ until }: { until: string }) => until },
  undo: returnPayment,
  undoWith: returning,
  undoKeep: returned,
} as const;

/** What a purchase remembers once its price has been changed. */
export const repriced =
  ({ line, payable, claimId }: { readonly line: Line; readonly payable: Fen; readonly claimId: ClaimId | null }) =>
  (p: Purchase): Purchase => ({ ...p, line, payable, ...(hasCoupon(p) && claimId === null && { couponLetGo: true }) });

const keepsCoupon = (p: Purchase) => hasCoupon(p) && p.couponLetGo !== true;
export const couponUsed = { when: keepsCoupon, send: useCoupon, with: claim, on: 'used' } as const;
export const orderCompleted = { send: completeOrder, with: completion, on: 'completed' } as const;
