import { releaseCoupon, reserveCoupon, useCoupon } from '@yunshi/contracts/coupon';
import { renewInstance } from '@yunshi/contracts/fulfillment';
import { completeOrder, rejectOrder } from '@yunshi/contracts/order';
import { collectPayment, returnPayment } from '@yunshi/contracts/payment';
import type { InstanceId } from '@yunshi/kernel/ids';
import { saga } from '@yunshi/saga/define';
import { bill, claim, completion, couponWithinMs, hasCoupon, Purchase, rejection, reservation, returned, returning } from './steps.ts';

// A renewal begins with an instance, and the command's own schema refuses one that is missing.
const prolongation = ({ orderId, accountId, instanceId, kind, skuName, line }: Purchase) => ({
  orderId,
  accountId,
  instanceId: instanceId as InstanceId,
  kind: kind as 'renewal' | 'trial_conversion',
  skuName,
  line,
});

/** 续费 and 转正式版: paid as a purchase is, and then the instance that is there goes on. */
export const renewalSaga = saga('renewal', 1, Purchase)
  .startedBy('place order', { undo: rejectOrder, undoWith: rejection })
  .compensable('reserve coupon', {
    when: hasCoupon,
    send: reserveCoupon,
    with: reservation,
    on: 'reserved',
    within: couponWithinMs,
    undo: releaseCoupon,
    undoWith: claim,
  })
  .compensable('collect payment', {
    when: (p) => p.payable > 0,
    send: collectPayment,
    with: bill,
    on: 'paid',
    within: (p) => p.payBy,
    // A company's payment takes a second person and days.
    prolong: { on: 'held', until: ({ until }) => until },
    undo: returnPayment,
    undoWith: returning,
    undoKeep: returned,
  })
  .pivot('renew', { send: renewInstance, with: prolongation, on: 'renewed' })
  .retriable('use coupon', { when: hasCoupon, send: useCoupon, with: claim, on: 'used' })
  .retriable('complete order', { send: completeOrder, with: completion, on: 'completed' })
  .end();
