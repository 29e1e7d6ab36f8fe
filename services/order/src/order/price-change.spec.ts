import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reachable } from '@yunshi/kernel/flow';
import { orderPolicy } from '../policy.ts';
import { fanying, lin, named, noon, placed } from '../stories.ts';
import { noCoupons } from '../quote/quote.ts';
import { awaitedOf, bankMoved, complete, priceChangeFlow, receive, reject, requestCancel, type Order } from './order.ts';
import { askPrice, keepPrice, settlePrice, takePrice, type PriceAsked } from './price-change.ts';

const changeId = named<string>('sag', 'e1');
const asks = (total: number, deduction = 0): PriceAsked => ({ changeId, total, deduction, note: '老客户优惠', by: lin });
/** ¥1,200.00 less a coupon of ¥20.00. */
const unpaid = placed();
const asked = (total: number, deduction = 0, order = unpaid): Order => {
  const changed = askPrice(order, asks(total, deduction), orderPolicy, noon);
  if (!changed.ok) throw new Error(changed.error.code);
  return changed.value.order;
};
const taken = (order: Order): Order => {
  const changed = takePrice(order, changeId, noon);
  if (!changed.ok) throw new Error(changed.error);
  return changed.value.order;
};
const paid = receive(unpaid, { paymentId: named('pay', 'c1'), channel: 'wechat_native', paidAt: noon }, noon).order;

test('every status of a price change can be reached', () => {
  expect(reachable(priceChangeFlow, 'asked')).toEqual(new Set(priceChangeFlow.states));
});

describe('asked for', () => {
  test('an unpaid order waits until it is known whether the price changes', () => {
    const changed = askPrice(unpaid, asks(110_000, 2_000), orderPolicy, noon);
    expect(changed).toMatchObject({
      ok: true,
      value: {
        order: { status: 'pending_payment', total: 120_000, payable: 118_000, priceChange: { status: 'asked', payable: 108_000 } },
        entries: [{ what: 'price-change-asked', amount: 108_000, awaits: { what: 'price-change', until: null } }],
      },
    });
  });

  test.each<[string, Order]>([
    ['is paid', paid],
    [
      'is to be cancelled',
      (() => {
        const cancelling = requestCancel(unpaid, noon);
        return cancelling.ok ? cancelling.value.order : unpaid;
      })(),
    ],
    ['has ended', reject(unpaid, { reason: 'payment-timeout', refunded: 0 }, noon).order],
    ['waits for its approval', placed({}, { rules: { approvalAbove: 0, poNumberRequired: false } })],
  ])('not of an order that %s', (_, order) => {
    expect(askPrice(order, asks(100_000), orderPolicy, noon)).toEqual({ ok: false, error: { code: 'order-not-repriceable' } });
  });

  test('never above the original: neither the price, nor what is left of it after the coupon', () => {
    const above = { code: 'price-above-original', field: 'total', total: 120_000, payable: 118_000 };
    expect(askPrice(unpaid, asks(120_001, 2_001), orderPolicy, noon)).toEqual({ ok: false, error: above });
    expect(askPrice(unpaid, asks(119_000, 0), orderPolicy, noon)).toEqual({ ok: false, error: above });
    expect(askPrice(unpaid, asks(118_000, 0), orderPolicy, noon).ok).toBe(true);
    expect(askPrice(unpaid, asks(120_000, 2_000), orderPolicy, noon)).toMatchObject({ error: { code: 'price-unchanged' } });
  });

  test('one change at a time, and not for ever', () => {
    const first = asked(110_000);
    expect(askPrice(first, asks(100_000), orderPolicy, noon)).toMatchObject({ error: { code: 'price-change-under-way' } });
    expect(askPrice(taken(first), asks(100_000), orderPolicy, noon)).toMatchObject({ error: { code: 'price-change-under-way' } });
    const settled = settlePrice(taken(first), changeId).order;
    expect(askPrice(settled, asks(118_000), orderPolicy, noon).ok).toBe(true);
    const often = { ...unpaid, priceChanges: orderPolicy.priceChangesMax };
    expect(askPrice(often, asks(1), orderPolicy, noon)).toMatchObject({ error: { code: 'too-many-price-changes' } });
  });
});

describe('taken', () => {
  test('the order costs the new price, with the coupon that still fits', () => {
    const { order, entries } = (() => {
      const changed = takePrice(asked(110_000, 2_000), changeId, noon);
      return changed.ok ? changed.value : { order: unpaid, entries: [] };
    })();
    expect(order).toMatchObject({ total: 110_000, deduction: 2_000, payable: 108_000, claimId: unpaid.claimId, firstTotal: 120_000 });
    expect(order.line).toEqual({ ...unpaid.line, amount: 110_000 });
    expect(entries).toMatchObject([{ what: 'price-changed', amount: 108_000, awaits: { what: 'payment' } }]);
  });

  test("a coupon that takes off nothing any more is the buyer's again", () => {
    expect(taken(asked(90_000))).toMatchObject({ total: 90_000, deduction: 0, payable: 90_000, claimId: null, couponName: null });
  });

  test('with nothing left to pay it is in processing at once, and can end like any other', () => {
    const free = taken(asked(0));
    expect(free).toMatchObject({ status: 'processing', payable: 0 });
    expect(awaitedOf(free)).toEqual({ what: 'delivery', until: null });
    expect(complete(free, named('ins', 'b1'), noon).order.status).toBe('completed');
    expect(reject(free, { reason: 'not-delivered', refunded: 0 }, noon).order.status).toBe('failed');
  });

  test('not once the money is there, nor when the buyer wants out', () => {
    const repricing = asked(110_000);
    const received = receive(repricing, { paymentId: named('pay', 'c1'), channel: 'wechat_native', paidAt: noon }, noon).order;
    expect(takePrice(received, changeId, noon)).toEqual({ ok: false, error: 'paid' });
    const cancelling = requestCancel(repricing, noon);
    expect(takePrice(cancelling.ok ? cancelling.value.order : repricing, changeId, noon)).toEqual({ ok: false, error: 'ended' });
    const closed = reject(repricing, { reason: 'payment-timeout', refunded: 0 }, noon).order;
    expect(takePrice(closed, changeId, noon)).toEqual({ ok: false, error: 'ended' });
  });

  test("money of an older price that came and went is not counted as the order's", () => {
    expect(reject(taken(asked(90_000)), { reason: 'cancelled', refunded: 118_000 }, noon).order).toMatchObject({ refunded: 90_000 });
  });
});

describe('kept', () => {
  test('the old price stays, with the reason', () => {
    const { order, entries } = keepPrice(asked(110_000), { changeId, reason: 'bank-holds-voucher' }, noon);
    expect(order).toMatchObject({ total: 120_000, payable: 118_000, priceChange: { status: 'kept', keptBecause: 'bank-holds-voucher' } });
    expect(entries).toMatchObject([{ what: 'price-kept', amount: 118_000, awaits: { what: 'payment' } }]);
  });

  test('nothing is told of an order that has ended', () => {
    const closed = reject(asked(110_000), { reason: 'cancelled', refunded: 0 }, noon).order;
    expect(keepPrice(closed, { changeId, reason: 'ended' }, noon)).toMatchObject({ order: { version: closed.version }, entries: [] });
  });
});

type Move = (order: Order) => Order;
const price = fc.tuple(fc.integer({ min: 0, max: 130_000 }), fc.integer({ min: 0, max: 2_000 }));
const moves: fc.Arbitrary<Move> = fc.oneof(
  price.map<Move>(([total, off]) => (order) => {
    const changed = askPrice(
      order,
      asks(total, order.claimId === null ? 0 : Math.min(off, total)),
      { ...orderPolicy, priceChangesMax: 9 },
      noon,
    );
    return changed.ok ? changed.value.order : order;
  }),
  fc.constant<Move>((order) => {
    const changed = order.priceChange?.status === 'asked' ? takePrice(order, changeId, noon) : undefined;
    return changed?.ok ? changed.value.order : order;
  }),
  fc.constant<Move>((order) => (order.priceChange?.status === 'changed' ? settlePrice(order, changeId).order : order)),
  fc.constant<Move>((order) =>
    order.priceChange?.status === 'asked' ? keepPrice(order, { changeId, reason: 'unanswered' }, noon).order : order,
  ),
  fc.constant<Move>((order) => bankMoved(order, { stage: 'ended', bank: 'ICBC', since: noon, until: null, payBy: noon }).order),
);

describe('whatever is asked, in whatever order', () => {
  test('line, total, deduction and payable agree to the fen, and nothing is ever dearer than what the buyer confirmed', () => {
    fc.assert(
      fc.property(fc.constantFrom(unpaid, placed({}, { coupons: noCoupons })), fc.array(moves, { maxLength: 25 }), (order, story) => {
        for (const now of story.reduce<Order[]>((all, move) => [...all, move(all.at(-1) ?? order)], [order])) {
          expect(now.line.amount).toBe(now.total);
          expect(now.payable).toBe(now.total - now.deduction);
          expect(now.deduction).toBeGreaterThanOrEqual(0);
          expect(now.payable).toBeGreaterThanOrEqual(0);
          expect(now.total).toBeLessThanOrEqual(order.total);
          expect(now.payable).toBeLessThanOrEqual(order.payable);
          expect(now.claimId === null).toBe(now.deduction === 0);
          expect(now.status).toBe(now.payable === 0 ? 'processing' : 'pending_payment');
          expect(now.providerId).toBe(fanying);
        }
      }),
    );
  });
});
