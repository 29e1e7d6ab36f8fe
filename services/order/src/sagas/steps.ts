import { z } from 'zod';
import type { OrderEnd } from '@yunshi/contracts/order';
import { AccountId, ClaimId, InstanceId, OrderId, UserId } from '@yunshi/kernel/ids';
import { Line, OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import type { Failure } from '@yunshi/saga/define';

/* What the sagas of this service have in common: what they remember, and what they send of it. */

/** What a purchase remembers between its steps: the order as it was frozen, and what the steps have brought. */
export const Purchase = z.object({
  orderId: OrderId,
  orderNumber: z.string(),
  accountId: AccountId,
  userId: UserId,
  kind: OrderKind,
  line: Line,
  productName: z.string(),
  skuName: z.string(),
  isTrial: z.boolean(),
  /** The claimed coupon that the buyer chose. */
  claimId: ClaimId.optional(),
  /** What the buyer confirmed: list price less the coupon's deduction. It stays, whatever the answers say. */
  payable: Fen,
  payBy: z.iso.datetime({ offset: true }),
  /** What the purchase makes, or what it is for. */
  instanceId: InstanceId.optional(),
  refunded: Fen,
});
export type Purchase = z.infer<typeof Purchase>;

/** A coupon's service answers in milliseconds; one that is down for this long must not keep the buyer waiting for a price. */
export const couponWithinMs = 10 * 60_000;
/** What WeChat shows the payer, in characters. */
const descriptionMax = 127;

export const hasCoupon = (p: Purchase) => p.claimId !== undefined;
// `hasCoupon` stands before each use, and the command's own schema refuses a claim that is missing.
export const claim = ({ orderId, accountId, claimId }: Purchase) => ({ orderId, accountId, claimId: claimId as ClaimId });
export const reservation = (p: Purchase) => ({ ...claim(p), kind: p.kind, lines: [p.line] });

export const bill = ({ orderId, accountId, line, payable, productName, skuName, payBy }: Purchase) => ({
  orderId,
  accountId,
  providerId: line.providerId,
  amount: payable,
  description: `${productName} ${skuName}`.slice(0, descriptionMax),
  deliveryType: line.deliveryType,
  payBy,
});
export const returning = ({ orderId, accountId }: Purchase, failure: Failure) => ({ orderId, accountId, reason: whyReturned(failure) });
export const returned = (p: Purchase, answer: { reply: 'closed' } | { reply: 'refunded'; data: { amount: Fen } }) =>
  answer.reply === 'refunded' ? { ...p, refunded: answer.data.amount } : p;

// The pivot's answer brings the instance; the command's own schema refuses one that is missing.
export const completion = ({ orderId, instanceId }: Purchase) => ({ orderId, instanceId: instanceId as InstanceId });
export const rejection = ({ orderId, refunded }: Purchase, failure: Failure) => ({ orderId, refunded, reason: whyEnded(failure) });

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
