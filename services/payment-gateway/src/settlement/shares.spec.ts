import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commissionOf } from '../ledger/ledger.ts';
import { attemptId, bill, minutes, opened } from '../payment/stories.ts';
import type { Attempt, Payment, Refund } from '../payment/state.ts';
import { leftOf, ownPartsOfRefund, sharesOf } from './shares.ts';

/** A completed order that was paid with so much, of which so much was for a server. */
function sold(amount: number, serverAmount: number): { payment: Payment; paid: Attempt } {
  const paid = {
    attemptId: attemptId(1),
    orderId: bill.orderId,
    channel: 'wechat_native',
    status: 'kept',
    amount,
    received: amount,
    orphanReason: null,
  } as Attempt;
  return { payment: { ...opened(), amount, serverAmount, status: 'paid', soldAt: minutes(5), attempts: [paid] }, paid };
}
const refunded = (payment: Payment, paid: Attempt, amount: number): Payment => ({
  ...payment,
  refunds: [
    ...payment.refunds,
    { attemptId: paid.attemptId, amount, ...ownPartsOfRefund(payment, paid, amount), status: 'succeeded' } as Refund,
  ],
});

const prices = fc.tuple(fc.integer({ min: 1, max: 1_000_000_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }));
const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

describe("the marketplace's own part of an order", () => {
  test('is the server and 10 % of the rest', () => {
    const { payment, paid } = sold(20_000, 15_000);
    expect(sharesOf(payment, paid)).toEqual({ commission: 500, server: 15_000, own: 15_500, provider: 4_500 });
    expect(sharesOf(sold(20_000, 20_000).payment, paid)).toMatchObject({ own: 20_000, provider: 0 });
  });

  test('goes back with refunds, so that what is kept is the part of what is left, and none of nothing', () => {
    fc.assert(
      fc.property(prices, parts, ([amount, portion], shares) => {
        const server = Math.round(amount * portion);
        const { payment: whole, paid } = sold(amount, server);
        let payment = whole;
        for (const share of [...shares, 1]) {
          const left = leftOf(payment, paid);
          const back = Math.max(Math.min(Math.round(left * share), left), 0);
          if (back === 0) continue;
          payment = refunded(payment, paid, back);
          const { own, provider } = sharesOf(payment, paid);
          expect(own).toBeGreaterThanOrEqual(0);
          expect(provider).toBeGreaterThanOrEqual(0);
          expect(own + provider).toBe(leftOf(payment, paid));
          const kept = leftOf(payment, paid);
          expect(server > 0 || own === commissionOf(kept)).toBe(true);
        }
        expect(sharesOf(payment, paid)).toMatchObject({ own: 0, provider: 0 });
      }),
    );
  });

  test('is untouched by a refund before the sale', () => {
    const { payment, paid } = sold(20_000, 15_000);
    expect(ownPartsOfRefund({ ...payment, soldAt: null }, paid, 20_000)).toEqual({ commission: 0, server: 0 });
  });
});
