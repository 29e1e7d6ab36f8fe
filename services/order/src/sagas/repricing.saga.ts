import { z } from 'zod';
import { reckonCoupon } from '@yunshi/contracts/coupon';
import { changePrice, keepPrice, PriceChangeId, settlePrice, type PriceKept } from '@yunshi/contracts/order';
import { pausePayment, rebillPayment, resumePayment } from '@yunshi/contracts/payment';
import { AccountId, ClaimId, OrderId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import { saga, type Failure } from '@yunshi/saga/define';

/** What a change of price remembers between its steps. */
export const Repricing = z.object({
  changeId: PriceChangeId,
  orderId: OrderId,
  accountId: AccountId,
  /** The coupon that the order holds, and what it takes off the new price. */
  claimId: ClaimId.optional(),
  deduction: Fen,
  payable: Fen,
});
export type Repricing = z.infer<typeof Repricing>;

/** A channel closes an order in a second. One that cannot be reached for this long must not keep the buyer from paying. */
const pauseWithinMs = 5 * 60_000;

const change = ({ orderId, changeId }: Repricing) => ({ orderId, changeId });
const payment = ({ orderId, accountId }: Repricing) => ({ orderId, accountId });
// `when` stands before it, and the command's own schema refuses a claim that is missing.
const coupon = ({ orderId, accountId, claimId, deduction }: Repricing) => ({ orderId, accountId, claimId: claimId as ClaimId, deduction });
const bill = ({ orderId, accountId, payable }: Repricing) => ({ orderId, accountId, amount: payable });
const kept = (r: Repricing, failure: Failure) => ({ ...change(r), reason: whyKept(failure) });

const Refused = z.object({ reason: z.string() });
const because: Readonly<Record<string, PriceKept>> = {
  paid: 'paid',
  closed: 'ended',
  ended: 'ended',
  'bank-holds-voucher': 'bank-holds-voucher',
};
/** The reason that the provider is shown. */
export function whyKept({ answer }: Failure): PriceKept {
  const refused = Refused.safeParse(answer);
  return (refused.success ? because[refused.data.reason] : undefined) ?? 'unanswered';
}

/** 改价: nobody can pay, the price changes in the order and its purchase at once, then it can be paid again. */
export const repricingSaga = saga('repricing', 1, Repricing)
  .startedBy('ask for a price', { undo: keepPrice, undoWith: kept })
  .compensable('pause payment', {
    send: pausePayment,
    with: payment,
    on: 'paused',
    within: pauseWithinMs,
    undo: resumePayment,
    undoWith: payment,
  })
  // The order costs the new price from here on, and the purchase goes by it.
  .pivot('change price', { send: changePrice, with: change, on: 'changed' })
  .retriable('reckon coupon', { when: (r) => r.claimId !== undefined, send: reckonCoupon, with: coupon, on: 'reckoned' })
  .retriable('bill anew', { send: rebillPayment, with: bill, on: 'rebilled' })
  .retriable('settle price', { send: settlePrice, with: change, on: 'settled' })
  .end();
