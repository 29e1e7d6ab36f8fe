import { recordSale } from '@yunshi/contracts/catalog';
import { fulfilOrder } from '@yunshi/contracts/fulfillment';
import type { InstanceId } from '@yunshi/kernel/ids';
import { saga } from '@yunshi/saga/define';
import { couponReserved, couponUsed, orderCompleted, orderPlaced, paymentCollected, Purchase } from './steps.ts';

const delivery = ({
  orderId,
  orderNumber,
  accountId,
  userId,
  kind,
  productName,
  skuName,
  isTrial,
  humanDelivery,
  line,
  server,
}: Purchase) => ({
  orderId,
  orderNumber,
  accountId,
  userId,
  kind,
  productName,
  skuName,
  isTrial,
  humanDelivery,
  line,
  ...(server !== undefined && { server }),
});
const delivered = (p: Purchase, { instanceId }: { instanceId: InstanceId }) => ({ ...p, instanceId });
const sale = ({ orderId, accountId, line }: Purchase) => ({ orderId, accountId, productId: line.productId, quantity: line.quantity });

/** 新购: paid, delivered, and counted as a sale. */
export const purchaseSaga = saga('purchase', 1, Purchase)
  .startedBy('place order', orderPlaced)
  .compensable('reserve coupon', couponReserved)
  .compensable('collect payment', paymentCollected)
  // The provider delivers here. From now on the purchase only goes forward; a buyer's regret is a refund, not a rollback.
  .pivot('fulfil', { send: fulfilOrder, with: delivery, on: 'fulfilled', keep: delivered })
  .retriable('use coupon', couponUsed)
  .retriable('record sale', { send: recordSale, with: sale, on: 'recorded' })
  .retriable('complete order', orderCompleted)
  .end();
