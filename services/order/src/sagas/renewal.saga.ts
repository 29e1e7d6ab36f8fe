import { renewInstance } from '@yunshi/contracts/fulfillment';
import type { InstanceId } from '@yunshi/kernel/ids';
import { saga } from '@yunshi/saga/define';
import { couponReserved, couponUsed, orderCompleted, orderPlaced, paymentCollected, Purchase } from './steps.ts';

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
  .startedBy('place order', orderPlaced)
  .compensable('reserve coupon', couponReserved)
  .compensable('collect payment', paymentCollected)
  .pivot('renew', { send: renewInstance, with: prolongation, on: 'renewed' })
  .retriable('use coupon', couponUsed)
  .retriable('complete order', orderCompleted)
  .end();
