import fc from 'fast-check';
import { recordSale } from '@yunshi/contracts/catalog';
import { CouponRefusal, releaseCoupon, reserveCoupon, useCoupon } from '@yunshi/contracts/coupon';
import { fulfilOrder, renewInstance } from '@yunshi/contracts/fulfillment';
import { completeOrder, rejectOrder } from '@yunshi/contracts/order';
import { Channel, collectPayment, returnPayment } from '@yunshi/contracts/payment';
import type { PaymentId } from '@yunshi/kernel/ids';
import { answersTo, type World } from '@yunshi/saga/properties';
import { helpDeskYear, instance, linBuys, minus20, named, nextNoon } from '../stories.ts';
import { repriced, type Purchase } from './steps.ts';

/* Everybody whom the sagas of this service talk to, with every answer that they may give. */

/** Purchases of every kind: with a coupon and without, free and dear, for one period and for many seats. */
export const purchases: fc.Arbitrary<Purchase> = fc
  .record({
    payable: fc.constantFrom(0, 1, 120_000, 1_000_000_000_000),
    withCoupon: fc.boolean(),
    quantity: fc.integer({ min: 1, max: 500 }),
  })
  .map(({ payable, withCoupon, quantity }) => ({
    ...linBuys,
    line: { ...helpDeskYear, quantity, amount: payable },
    payable,
    ...(withCoupon && { claimId: minus20 }),
  }));

export const world: World<Purchase> = {
  data: purchases,
  answers: [
    answersTo(reserveCoupon, {
      reserved: ({ lines }, draw) => ({ deduction: draw(fc.integer, { min: 0, max: lines[0]?.amount ?? 0 }) }),
      refused: (_, draw) => ({ reason: draw(() => fc.constantFrom(...CouponRefusal.options)) }),
    }),
    answersTo(releaseCoupon, { released: () => ({}) }),
    answersTo(useCoupon, { used: () => ({}) }),
    answersTo(collectPayment, {
      paid: (_, draw) => ({
        paymentId: named<PaymentId>('pay', 'c1'),
        channel: draw(() => fc.constantFrom(...Channel.options)),
        paidAt: nextNoon,
      }),
      held: () => ({ until: nextNoon }),
      refused: (_, draw) => ({ reason: draw(() => fc.constantFrom('closed', 'no-channel')) }),
    }),
    answersTo(returnPayment, {
      closed: () => ({}),
      refunded: (_, draw) => ({ amount: draw(fc.integer, { min: 1, max: 1_000_000_000_000 }) }),
    }),
    answersTo(fulfilOrder, {
      fulfilled: () => ({ instanceId: instance }),
      refused: (_, draw) => ({
        reason: draw(() =>
          fc.constantFrom('provider-failed', 'provider-never-delivered', 'not-deliverable', 'delivery-closed', 'server-not-made'),
        ),
      }),
    }),
    answersTo(renewInstance, {
      renewed: () => ({ instanceId: instance }),
      refused: (_, draw) => ({ reason: draw(() => fc.constantFrom('not-renewable', 'provider-refused', 'provider-failed')) }),
    }),
    answersTo(recordSale, { recorded: () => ({}) }),
    answersTo(completeOrder, { completed: () => ({}) }),
    answersTo(rejectOrder, { rejected: () => ({}) }),
  ],
  // 改价: the price falls while the payment is awaited, perhaps to nothing, perhaps below what the coupon needs.
  amends: {
    step: 'collect payment',
    into: (p, draw) => {
      const total = draw(fc.integer, { min: 0, max: p.line.amount });
      const payable = draw(fc.integer, { min: 0, max: Math.min(total, p.payable) });
      const claimId = p.claimId !== undefined && payable < total ? p.claimId : null;
      return repriced({ line: { ...p.line, amount: total }, payable, claimId })(p);
    },
  },
};
