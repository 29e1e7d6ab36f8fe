import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reckonCoupon } from '@yunshi/contracts/coupon';
import { changePrice, keepPrice, settlePrice } from '@yunshi/contracts/order';
import { pausePayment, rebillPayment, resumePayment } from '@yunshi/contracts/payment';
import { play } from '@yunshi/saga/play';
import { answersTo, sagaProperties, type World } from '@yunshi/saga/properties';
import { minus20, named, order, shops } from '../stories.ts';
import { repricingSaga, type Repricing } from './repricing.saga.ts';

const changeId = named<string>('sag', 'e1');
const toNinety: Repricing = { changeId, orderId: order, accountId: shops, deduction: 0, payable: 90_000 };
const withCoupon: Repricing = { ...toNinety, claimId: minus20, deduction: 2_000, payable: 88_000 };
const mine = { orderId: order, accountId: shops };
const change = { orderId: order, changeId };

describe('changed', () => {
  test('nobody can pay, then the price changes, then the new one can be paid', () => {
    play(repricingSaga, withCoupon)
      .sends(pausePayment, mine)
      .receives('paused')
      .sends(changePrice, change)
      .receives('changed')
      .sends(reckonCoupon, { ...mine, claimId: minus20, deduction: 2_000 })
      .receives('reckoned')
      .sends(rebillPayment, { ...mine, amount: 88_000 })
      .receives('rebilled')
      .sends(settlePrice, change)
      .receives('settled')
      .endsCompleted();
  });

  test('without a coupon nothing is asked of the coupon service', () => {
    play(repricingSaga, toNinety)
      .receives('paused')
      .receives('changed')
      .sends(rebillPayment, { ...mine, amount: 90_000 });
  });
});

describe('not changed', () => {
  test.each([
    ['paid', 'paid'],
    ['closed', 'ended'],
    ['bank-holds-voucher', 'bank-holds-voucher'],
    ['not-open', 'unanswered'],
  ] as const)('the payment cannot be paused (%s): the old price stays, nothing was held', (said, reason) => {
    play(repricingSaga, withCoupon)
      .receives('refused', { reason: said })
      .sends(keepPrice, { ...change, reason })
      .receives('kept')
      .endsRolledBack('pause payment');
  });

  test('the channel does not answer: the buyer can pay again, at the old price', () => {
    play(repricingSaga, withCoupon)
      .timesOut()
      .sends(resumePayment, mine)
      .receives('resumed')
      .sends(keepPrice, { ...change, reason: 'unanswered' })
      .receives('kept')
      .endsRolledBack('pause payment');
  });

  test.each(['paid', 'ended'] as const)('the purchase does not wait for its payment any more (%s)', (reason) => {
    play(repricingSaga, withCoupon)
      .receives('paused')
      .receives('refused', { reason })
      .sends(resumePayment, mine)
      .receives('resumed')
      .sends(keepPrice, { ...change, reason })
      .receives('kept')
      .endsRolledBack('change price');
  });
});

const world: World<Repricing> = {
  data: fc.boolean().map((coupon) => (coupon ? withCoupon : toNinety)),
  answers: [
    answersTo(pausePayment, {
      paused: () => ({}),
      refused: (_, draw) => ({ reason: draw(() => fc.constantFrom('not-open', 'paid', 'closed', 'bank-holds-voucher')) }),
    }),
    answersTo(resumePayment, { resumed: () => ({}) }),
    answersTo(changePrice, { changed: () => ({}), refused: (_, draw) => ({ reason: draw(() => fc.constantFrom('paid', 'ended')) }) }),
    answersTo(keepPrice, { kept: () => ({}) }),
    answersTo(reckonCoupon, { reckoned: () => ({}) }),
    answersTo(rebillPayment, { rebilled: () => ({}) }),
    answersTo(settlePrice, { settled: () => ({}) }),
  ],
};

describe('as every saga', () => {
  for (const { rule, holds } of sagaProperties(repricingSaga, world)) test(`${rule}`, () => expect(holds).not.toThrow());
});
