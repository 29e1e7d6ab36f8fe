import { recordSale } from '@yunshi/contracts/catalog';
import { releaseCoupon, reserveCoupon, useCoupon } from '@yunshi/contracts/coupon';
import { fulfilOrder } from '@yunshi/contracts/fulfillment';
import { completeOrder, rejectOrder } from '@yunshi/contracts/order';
import { collectPayment, returnPayment } from '@yunshi/contracts/payment';
import type { InstanceId } from '@yunshi/kernel/ids';
import { saga } from '@yunshi/saga/define';
import { bill, claim, completion, couponWithinMs, hasCoupon, Purchase, rejection, reservation, returned, returning } from './steps.ts';

const delivery = ({ orderId, orderNumber, accountId, userId, kind, productName, skuName, isTrial, line }: Purchase) => ({
  orderId,
  orderNumber,
  accountId,
  userId,
  kind,
  productName,
  skuName,
  isTrial,
  line,
});
const delivered = (p: Purchase, { instanceId }: { instanceId: InstanceId }) => ({ ...p, instanceId });
const sale = ({ orderId, accountId, line }: Purchase) => ({ orderId, accountId, productId: line.productId, quantity: line.quantity });
export const purchaseSaga = saga('purchase', 1, Purchase)
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
  // The provider delivers here. From now on the purchase only goes forward; a buyer's regret is a refund, not a rollback.
  .pivot('fulfil', { send: fulfilOrder, with: delivery, on: 'fulfilled', keep: delivered })
  .retriable('use coupon', { when: hasCoupon, send: useCoupon, with: claim, on: 'used' })
  .retriable('record sale', { send: recordSale, with: sale, on: 'recorded' })
  .retriable('complete order', { send: completeOrder, with: completion, on: 'completed' })
  .end();
