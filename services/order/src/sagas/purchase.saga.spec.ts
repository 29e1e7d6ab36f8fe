import { describe, expect, test } from 'vitest';
import { recordSale } from '@yunshi/contracts/catalog';
import { releaseCoupon, reserveCoupon, useCoupon } from '@yunshi/contracts/coupon';
import { fulfilOrder } from '@yunshi/contracts/fulfillment';
import { completeOrder, rejectOrder } from '@yunshi/contracts/order';
import { collectPayment, returnPayment } from '@yunshi/contracts/payment';
import type { PaymentId } from '@yunshi/kernel/ids';
import { play } from '@yunshi/saga/play';
import { sagaProperties } from '@yunshi/saga/properties';
import { helpDeskYear, instance, linBuys, linBuysWithCoupon, minus20, named, nextNoon, order, shops } from '../stories.ts';
import { purchaseSaga } from './purchase.saga.ts';
import { repriced } from './steps.ts';
import { world } from './world.fixture.ts';

const payment = named<PaymentId>('pay', 'c1');
const paid = { paymentId: payment, channel: 'wechat_native', paidAt: '2026-03-02T12:05:00+08:00' };
const held = { orderId: order, accountId: shops, claimId: minus20 };

describe('bought', () => {
  test('with a coupon: the discounted price is collected, the coupon used after delivery', () => {
    play(purchaseSaga, linBuysWithCoupon)
      .sends(reserveCoupon, { ...held, kind: 'new_purchase', lines: [helpDeskYear] })
      .receives('reserved', { deduction: 2_000 })
      .sends(collectPayment, {
        orderId: order,
        accountId: shops,
        providerId: helpDeskYear.providerId,
        amount: 118_000,
        description: '帆影智能客服 团队版',
        deliveryType: 'saas',
        payBy: nextNoon,
      })
      .receives('paid', paid)
      .sends(fulfilOrder)
      .receives('fulfilled', { instanceId: instance })
      .sends(useCoupon, held)
      .receives('used')
      .sends(recordSale, { orderId: order, accountId: shops, productId: helpDeskYear.productId, quantity: 1 })
      .receives('recorded')
      .sends(completeOrder, { orderId: order, instanceId: instance })
      .receives('completed')
      .endsCompleted();
  });

  test('without a coupon: nothing is asked of the coupon service', () => {
    play(purchaseSaga, linBuys)
      .sends(collectPayment)
      .receives('paid', paid)
      .sends(fulfilOrder)
      .receives('fulfilled', { instanceId: instance })
      .sends(recordSale)
      .receives('recorded')
      .sends(completeOrder)
      .receives('completed')
      .endsCompleted();
  });

  test('with nothing to pay: a coupon for the whole price, or a free trial, is delivered at once', () => {
    const free = { ...linBuys, payable: 0 };
    play(purchaseSaga, { ...free, claimId: minus20 })
      .receives('reserved', { deduction: 120_000 })
      .sends(fulfilOrder);
    play(purchaseSaga, { ...free, isTrial: true, line: { ...helpDeskYear, unitPrice: 0, amount: 0 } }).sends(fulfilOrder);
  });

  test('while the provider is silent, delivery is asked for again and the money stays', () => {
    play(purchaseSaga, linBuys).receives('paid', paid).timesOut().sends(fulfilOrder).timesOut().sends(fulfilOrder);
  });
});

describe('not bought', () => {
  test('the coupon is refused: nothing was held, the order ends', () => {
    play(purchaseSaga, linBuysWithCoupon)
      .receives('refused', { reason: 'expired' })
      .sends(rejectOrder, { orderId: order, reason: 'coupon-refused', refunded: 0 })
      .receives('rejected')
      .endsRolledBack('reserve coupon');
  });

  test('the coupon service is silent: what it may have held is released', () => {
    play(purchaseSaga, linBuysWithCoupon)
      .timesOut()
      .sends(releaseCoupon, held)
      .receives('released')
      .sends(rejectOrder, { orderId: order, reason: 'unanswered', refunded: 0 })
      .receives('rejected')
      .endsRolledBack('reserve coupon');
  });

  test('not paid until the deadline: the payment is closed, the coupon usable again', () => {
    play(purchaseSaga, linBuysWithCoupon)
      .receives('reserved', { deduction: 2_000 })
      .timesOut()
      .sends(returnPayment, { orderId: order, accountId: shops, reason: 'payment-timeout' })
      .receives('closed')
      .sends(releaseCoupon, held)
      .receives('released')
      .sends(rejectOrder, { orderId: order, reason: 'payment-timeout', refunded: 0 })
      .receives('rejected')
      .endsRolledBack('collect payment');
  });

  test('cancelled by the buyer while paying: closed, or given back if the money was faster', () => {
    const cancelled = { orderId: order, accountId: shops, reason: 'cancelled' } as const;
    play(purchaseSaga, linBuys)
      .isStopped('cancelled')
      .sends(returnPayment, cancelled)
      .receives('closed')
      .sends(rejectOrder, { orderId: order, reason: 'cancelled', refunded: 0 })
      .receives('rejected')
      .endsRolledBack('collect payment');
    play(purchaseSaga, linBuys)
      .isStopped('cancelled')
      .sends(returnPayment, cancelled)
      .receives('refunded', { amount: 120_000 })
      .sends(rejectOrder, { orderId: order, reason: 'cancelled', refunded: 120_000 });
  });

  test('no channel can be paid through: the coupon is released, nothing is given back', () => {
    play(purchaseSaga, linBuysWithCoupon)
      .receives('reserved', { deduction: 2_000 })
      .receives('refused', { reason: 'no-channel' })
      .sends(releaseCoupon, held)
      .receives('released')
      .sends(rejectOrder, { orderId: order, reason: 'payment-refused', refunded: 0 })
      .receives('rejected')
      .endsRolledBack('collect payment');
  });

  test('the provider never delivers: all money back, the coupon too, the order failed', () => {
    const bought = play(purchaseSaga, linBuysWithCoupon)
      .receives('reserved', { deduction: 2_000 })
      .receives('paid', paid)
      .sends(fulfilOrder)
      .receives('refused', { reason: 'provider-never-delivered' })
      .sends(returnPayment, { orderId: order, accountId: shops, reason: 'not-delivered' })
      .receives('refunded', { amount: 118_000 })
      .sends(releaseCoupon, held)
      .receives('released')
      .sends(rejectOrder, { orderId: order, reason: 'not-delivered', refunded: 118_000 })
      .receives('rejected');
    bought.endsRolledBack('fulfil');
    expect(bought.undone).toEqual(['collect payment', 'reserve coupon', 'place order']);
  });

  test('nothing was paid and the provider refuses: there is nothing to give back', () => {
    play(purchaseSaga, { ...linBuysWithCoupon, payable: 0 })
      .receives('reserved', { deduction: 120_000 })
      .receives('refused', { reason: 'not-deliverable' })
      .sends(releaseCoupon)
      .receives('released')
      .sends(rejectOrder, { orderId: order, reason: 'not-delivered', refunded: 0 })
      .receives('rejected')
      .endsRolledBack('fulfil');
  });
});

describe('at another price', () => {
  const cheaper = (amount: number, payable: number, claimId: typeof minus20 | null = null) =>
    repriced({ line: { ...helpDeskYear, amount }, payable, claimId });
  const awaitingPayment = () => play(purchaseSaga, linBuysWithCoupon).receives('reserved', { deduction: 2_000 }).sends(collectPayment);

  test('what was paid in the end is delivered, with the coupon that still fits', () => {
    const bought = awaitingPayment()
      .isAmended(cheaper(110_000, 108_000, minus20))
      .receives('paid', paid)
      .sends(fulfilOrder)
      .receives('fulfilled', { instanceId: instance })
      .sends(useCoupon, held);
    expect(bought.state.data).toMatchObject({ payable: 108_000, line: { amount: 110_000 } });
  });

  test('a coupon that does not fit any more is not used', () => {
    const bought = awaitingPayment()
      .isAmended(cheaper(90_000, 90_000))
      .receives('paid', paid)
      .receives('fulfilled', { instanceId: instance })
      .sends(recordSale);
    expect(bought.state.asked).not.toContain('use coupon');
  });

  test('with nothing left to pay it is delivered at once, and what comes of the payment is not heard', () => {
    const gift = awaitingPayment()
      .isAmended(cheaper(0, 0))
      .sends(fulfilOrder)
      .ignores({ kind: 'answered', step: 'collect payment', direction: 'do', reply: 'paid', answer: paid })
      .receives('refused', { reason: 'provider-never-delivered' })
      .sends(returnPayment, { orderId: order, accountId: shops, reason: 'not-delivered' })
      .receives('closed')
      .sends(releaseCoupon, held)
      .receives('released')
      .sends(rejectOrder, { orderId: order, reason: 'not-delivered', refunded: 0 })
      .receives('rejected');
    gift.endsRolledBack('fulfil');
    expect(gift.undone).toEqual(['collect payment', 'reserve coupon', 'place order']);
  });

  test('not paid in time: taken back like any other', () => {
    const late = awaitingPayment().isAmended(cheaper(90_000, 90_000)).timesOut().sends(returnPayment).receives('closed');
    expect(late.sends(releaseCoupon, held).undone).toEqual(['collect payment']);
  });
});

describe('too late', () => {
  test('a buyer who cancels after paying is not heard: delivery has begun', () => {
    play(purchaseSaga, linBuys).receives('paid', paid).ignores({ kind: 'stopped', reason: 'cancelled' }).sends(fulfilOrder);
  });

  test('money that comes after the deadline is not delivered for: the return takes care of it', () => {
    const late = { kind: 'answered', step: 'collect payment', direction: 'do', reply: 'paid', answer: paid } as const;
    play(purchaseSaga, linBuys).timesOut().ignores(late).sends(returnPayment);
  });
});

describe('as every saga', () => {
  for (const { rule, holds } of sagaProperties(purchaseSaga, world)) test(`${rule}`, () => expect(holds).not.toThrow());
});
