import { describe, expect, test } from 'vitest';
import { releaseCoupon, reserveCoupon, useCoupon } from '@yunshi/contracts/coupon';
import { renewInstance } from '@yunshi/contracts/fulfillment';
import { completeOrder, rejectOrder } from '@yunshi/contracts/order';
import { collectPayment, returnPayment } from '@yunshi/contracts/payment';
import type { PaymentId } from '@yunshi/kernel/ids';
import { play } from '@yunshi/saga/play';
import { sagaProperties } from '@yunshi/saga/properties';
import { helpDeskYear, instance, linBuys, linBuysWithCoupon, named, nextNoon, order, shops } from '../stories.ts';
import { renewalSaga } from './renewal.saga.ts';
import type { Purchase } from './steps.ts';
import { purchases, world } from './world.fixture.ts';

const renewing = (purchase: Purchase): Purchase => ({ ...purchase, kind: 'renewal', instanceId: instance });
const paid = { paymentId: named<PaymentId>('pay', 'c1'), channel: 'wechat_native', paidAt: nextNoon };

describe('a renewal', () => {
  test('is paid with its coupon, agreed by the provider, and completed for the instance that was there', () => {
    play(renewalSaga, renewing(linBuysWithCoupon))
      .sends(reserveCoupon, {
        orderId: order,
        accountId: shops,
        claimId: linBuysWithCoupon.claimId!,
        kind: 'renewal',
        lines: [helpDeskYear],
      })
      .receives('reserved', { deduction: 2_000 })
      .sends(collectPayment)
      .receives('paid', paid)
      .sends(renewInstance, {
        orderId: order,
        accountId: shops,
        instanceId: instance,
        kind: 'renewal',
        skuName: linBuys.skuName,
        line: helpDeskYear,
      })
      .receives('renewed', { instanceId: instance })
      .sends(useCoupon)
      .receives('used')
      .sends(completeOrder, { orderId: order, instanceId: instance })
      .receives('completed')
      .endsCompleted();
  });

  test('that the provider refuses is refunded, and its coupon given back', () => {
    play(renewalSaga, renewing(linBuysWithCoupon))
      .receives('reserved', { deduction: 2_000 })
      .receives('paid', paid)
      .sends(renewInstance)
      .receives('refused', { reason: 'provider-refused' })
      .sends(returnPayment, { orderId: order, accountId: shops, reason: 'not-delivered' })
      .receives('refunded', { amount: 118_000 })
      .sends(releaseCoupon)
      .receives('released')
      .sends(rejectOrder, { orderId: order, reason: 'not-delivered', refunded: 118_000 });
  });
});

describe('as every saga', () => {
  const renewals = { ...world, data: purchases.map(renewing) };
  for (const { rule, holds } of sagaProperties(renewalSaga, renewals)) test(`${rule}`, () => expect(holds).not.toThrow());
});
