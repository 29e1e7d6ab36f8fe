import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OrderEnd } from '@yunshi/contracts/order';
import { reachable } from '@yunshi/kernel/flow';
import type { OrderId, PaymentId } from '@yunshi/kernel/ids';
import { orderPolicy } from '../policy.ts';
import { noCoupons } from '../quote/quote.ts';
import {
  facts,
  helpDeskProduct,
  instance,
  limited,
  linAsks,
  minus20,
  named,
  noon,
  order as orderId,
  placed,
  trialOrder,
  trialWeek,
  yearly,
} from '../stories.ts';
import {
  awaitedOf,
  bankMoved,
  complete,
  orderFlow,
  orderNumber,
  paymentTakenBack,
  place,
  receive,
  refunded,
  reject,
  remove,
  requestCancel,
  type Changed,
  type Order,
  type Request,
} from './order.ts';

const later = (minutes: number): Date => new Date(noon.getTime() + minutes * 60_000);
const receipt = { paymentId: named<PaymentId>('pay', 'c1'), channel: 'wechat_native', paidAt: later(5) } as const;
const refusal = (changes: Partial<Request>, known: Partial<typeof facts> = {}) => {
  const result = place({ ...linAsks, ...changes }, { ...facts, ...known }, orderPolicy, noon);
  return result.ok ? undefined : result.error;
};
const whats = ({ entries }: Changed) => entries.map(({ what }) => what);

test('every status can be reached', () => {
  expect(reachable(orderFlow, 'pending_approval')).toEqual(new Set(orderFlow.states));
});

test('only what ended without a payment is deleted', () => {
  const unpaid = placed();
  const closed = reject(unpaid, { reason: 'payment-timeout', refunded: 0 }, later(1_441)).order;
  expect(remove(closed, later(2_000))).toMatchObject({ ok: true, value: { deletedAt: later(2_000) } });
  const givenBack = reject(receive(unpaid, receipt, later(6)).order, { reason: 'cancelled', refunded: unpaid.payable }, later(7)).order;
  for (const order of [unpaid, receive(unpaid, receipt, later(6)).order, complete(unpaid, instance, later(6)).order, givenBack])
    expect(remove(order, later(2_000))).toEqual({ ok: false, error: 'order-not-deletable' });
});

describe('placing', () => {
  test('freezes product, SKU, price, coupon, provider and the accepted agreements, and waits 24 hours for the money', () => {
    expect(placed()).toMatchObject({
      status: 'pending_payment',
      version: 1,
      productName: '帆影智能客服',
      skuName: '团队版',
      providerName: '帆影软件',
      total: 120_000,
      claimId: minus20,
      deduction: 2_000,
      payable: 118_000,
      agreements: ['marketplace-service@2026-01', 'third-party-goods@2026-01'],
      payBy: later(24 * 60),
    });
  });

  test('the first entry of the timeline says what is awaited, and until when', () => {
    const result = place(linAsks, facts, orderPolicy, noon);
    expect(result.ok && result.value.entries).toEqual([
      {
        entryId: `${orderId}:0001`,
        orderId,
        version: 1,
        at: noon,
        what: 'placed',
        status: 'pending_payment',
        reason: null,
        amount: null,
        bank: null,
        awaits: { what: 'payment', until: later(24 * 60).toISOString() },
      },
    ]);
  });

  test('with nothing to pay it is in processing at once', () => {
    expect(trialOrder()).toMatchObject({ status: 'processing', payable: 0, isTrial: true });
    expect(awaitedOf(trialOrder())).toEqual({ what: 'delivery', until: null });
  });

  test('without all agreements it is refused, naming those that are missing', () => {
    expect(refusal({ acceptedAgreements: ['marketplace-service@2026-01', 'third-party-goods@2020-01'] })).toEqual({
      code: 'agreements-not-accepted',
      field: 'accepted_agreements',
      missing: ['third-party-goods@2026-01'],
    });
  });

  test('at another price than the buyer saw it is refused, with the new one', () => {
    expect(refusal({ expectedPayable: 120_000 })).toEqual({ code: 'price-changed', field: 'expected_payable', payable: 118_000 });
    expect(placed({ expectedPayable: 118_000 }).payable).toBe(118_000);
  });

  test('a trial is given once per buyer and product', () => {
    const wish = { skuId: trialWeek, quantity: 1 };
    expect(refusal({ wish }, { coupons: noCoupons, trialTaken: true })).toEqual({ code: 'trial-already-taken', field: 'sku_id' });
    expect(placed({}, { trialTaken: true }).isTrial).toBe(false);
  });

  test('a SKU is bought as often as its provider allows, by renewals even more often', () => {
    const wish = { skuId: limited, quantity: 1 };
    expect(placed({ wish }, { coupons: noCoupons, bought: 2 }).skuId).toBe(limited);
    expect(refusal({ wish }, { coupons: noCoupons, bought: 3 })).toEqual({ code: 'purchase-limit-reached', field: 'sku_id', maximum: 3 });
    const renews = { kind: 'renewal', instanceId: instance } as const;
    expect(placed({ wish: { ...wish, renews } }, { coupons: noCoupons, bought: 9 }).kind).toBe('renewal');
    expect(placed({}, { bought: 1_000 }).skuId).toBe(yearly);
  });

  test.each([{ deliveryType: 'human_service' as const }, { humanDelivery: true }])(
    'what people deliver (%j) is sold only where delivery cases are opened, and remembers that it needs one',
    (changes) => {
      const product = { ...helpDeskProduct, ...changes };
      expect(refusal({}, { product, casesOpened: false })).toEqual({ code: 'delivery-not-offered', field: 'sku_id' });
      expect(placed({}, { product, casesOpened: true }).humanDelivery).toBe(true);
      expect(placed({}, { casesOpened: true }).humanDelivery).toBe(false);
    },
  );

  test('what is wrong with the wish or the coupon is passed on', () => {
    expect(refusal({}, { product: undefined })).toMatchObject({ code: 'sku-not-found' });
    expect(refusal({ coupon: minus20 }, { coupons: noCoupons })).toMatchObject({ code: 'coupon-not-usable', reason: 'not-found' });
    expect(refusal({}, { product: { ...helpDeskProduct, published: false } })).toMatchObject({ code: 'product-withdrawn' });
  });
});

describe('the order number', () => {
  test('begins with the day in China and has 24 digits', () => {
    expect(orderNumber(orderId, new Date('2026-03-01T16:00:00.001Z'))).toMatch(/^2026030200000001\d{8}$/);
    expect(orderNumber(orderId, new Date('2026-03-02T15:59:59.999Z'))).toMatch(/^2026030286399999\d{8}$/);
  });

  test('differs between orders of one moment', () => {
    const ending = (digits: string) => `${orderId.slice(0, -digits.length)}${digits}` as OrderId;
    const numbers = ['00000000', '00000001', 'ffffffff'].map((digits) => orderNumber(ending(digits), noon).slice(-8));
    expect(numbers).toEqual(['00000000', '00000001', '94967295']);
  });
});

describe('a company that pays through its bank', () => {
  const payBy = later(7 * 24 * 60);
  const news = { bank: 'ICBC', since: later(1), until: later(2 * 24 * 60), payBy } as const;
  test('has the order wait for as long as that may take, and is told for whom', () => {
    const started = bankMoved(placed(), { ...news, stage: 'started' });
    expect(started.order).toMatchObject({ status: 'pending_payment', payBy });
    const approving = bankMoved(started.order, { ...news, stage: 'approving' });
    expect([...started.entries, ...approving.entries]).toMatchObject([
      { what: 'bank-started', bank: 'ICBC', awaits: { what: 'payment', until: later(2 * 24 * 60).toISOString() } },
      { what: 'bank-approving', bank: 'ICBC', awaits: { what: 'bank-approval' } },
    ]);
    const ended = bankMoved(approving.order, { ...news, stage: 'ended', until: null });
    expect(ended.entries).toMatchObject([{ what: 'bank-ended', awaits: { what: 'payment', until: payBy.toISOString() } }]);
  });
  test('never has it wait for less long than before, and nothing is told when the order has gone on', () => {
    const held = bankMoved(placed(), { ...news, stage: 'started' }).order;
    expect(bankMoved(held, { ...news, stage: 'ended', payBy: later(10) }).order.payBy).toEqual(payBy);
    const paid = receive(held, receipt, later(5)).order;
    expect(bankMoved(paid, { ...news, stage: 'approving' })).toEqual({ order: paid, entries: [] });
  });
  test('may get its money back from the bank after all: the order keeps its status, and the timeline tells', () => {
    const done = complete(receive(placed(), receipt, later(5)).order, instance, later(9)).order;
    const taken = paymentTakenBack(done, { amount: done.payable, at: later(60) });
    expect(taken.order.status).toBe('completed');
    expect(taken.entries).toMatchObject([{ what: 'payment-revoked', amount: done.payable, awaits: null }]);
  });
});

describe('the way of an order', () => {
  test('paid, then delivered: 处理中, then 交易成功', () => {
    const paid = receive(placed(), receipt, later(5));
    expect(paid.order).toMatchObject({ status: 'processing', paidAt: later(5), channel: 'wechat_native' });
    expect(awaitedOf(paid.order)).toEqual({ what: 'delivery', until: null });
    const done = complete(paid.order, instance, later(9));
    expect(done.order).toMatchObject({ status: 'completed', instanceId: instance, endedAt: later(9), version: 3 });
    expect(whats(done)).toEqual(['completed']);
    expect(awaitedOf(done.order)).toBeNull();
  });

  test('delivered before the news of the payment: the timeline still tells both, in order', () => {
    const done = complete(placed(), instance, later(9));
    expect(whats(done)).toEqual(['paid', 'completed']);
    const told = receive(done.order, receipt, later(10));
    expect(told.order).toMatchObject({ status: 'completed', version: 3, paidAt: later(5) });
    expect(told.entries).toEqual([]);
  });

  test('not delivered: failed, with the money back', () => {
    const failed = reject(receive(placed(), receipt, later(5)).order, { reason: 'not-delivered', refunded: 118_000 }, later(60));
    expect(failed.order).toMatchObject({ status: 'failed', endReason: 'not-delivered', refunded: 118_000 });
    expect(failed.entries).toMatchObject([{ what: 'failed', reason: 'not-delivered', amount: 118_000, awaits: null }]);
  });

  test.each([
    ['payment-timeout', 'closed'],
    ['cancelled', 'cancelled'],
    ['not-delivered', 'failed'],
    ['coupon-refused', 'closed'],
    ['payment-refused', 'closed'],
    ['unanswered', 'closed'],
  ] as const)('undone because of %s it ends %s, whether or not it knew of a payment', (reason, status) => {
    expect(reject(placed(), { reason, refunded: 0 }, later(5)).order.status).toBe(status);
    expect(reject(receive(placed(), receipt, later(5)).order, { reason, refunded: 118_000 }, later(6)).order.status).toBe(status);
  });
});

describe('cancelling', () => {
  test('is a wish until the channel has confirmed it', () => {
    const asked = requestCancel(placed(), later(1));
    expect(asked).toMatchObject({ ok: true, value: { order: { status: 'pending_payment', cancelRequestedAt: later(1) } } });
    expect(asked.ok && awaitedOf(asked.value.order)).toEqual({ what: 'cancellation', until: null });
  });

  test('again changes nothing', () => {
    const asked = requestCancel(placed(), later(1));
    const again = asked.ok && requestCancel(asked.value.order, later(2));
    expect(again && again.ok && again.value.entries).toEqual([]);
  });

  test('is too late once the order is paid or over', () => {
    const paid = receive(placed(), receipt, later(5)).order;
    expect(requestCancel(paid, later(6))).toEqual({ ok: false, error: 'order-not-cancellable' });
    expect(requestCancel(reject(placed(), { reason: 'payment-timeout', refunded: 0 }, later(5)).order, later(6))).toEqual({
      ok: false,
      error: 'order-not-cancellable',
    });
  });

  test('money that was faster: the order goes on as if nobody had asked', () => {
    const asked = requestCancel(placed(), later(1));
    const paid = asked.ok ? receive(asked.value.order, receipt, later(5)) : undefined;
    expect(paid && awaitedOf(paid.order)).toEqual({ what: 'delivery', until: null });
  });
});

describe('for any news in any order', () => {
  type News = (order: Order, now: Date) => Changed;
  const asChanged = (order: Order, now: Date): Changed => {
    const result = requestCancel(order, now);
    return result.ok ? result.value : { order, entries: [] };
  };
  const news = fc.oneof(
    fc.constant<News>((order, now) => receive(order, receipt, now)),
    fc.constant<News>((order, now) => complete(order, instance, now)),
    fc.constant<News>(asChanged),
    fc
      .record({ reason: fc.constantFrom(...OrderEnd.options), refunded: fc.constantFrom(0, 118_000) })
      .map<News>((ended) => (order, now) => reject(order, ended, now)),
  );

  test('an order ends once, its timeline has no gap, and its status is that of its newest entry', () => {
    fc.assert(
      fc.property(fc.array(news, { maxLength: 8 }), (all) => {
        let order = placed();
        const told = ['placed'];
        for (const [index, happen] of all.entries()) {
          const changed = happen(order, later(index));
          const newest = changed.entries.at(-1) ?? order;
          expect(changed.order).toMatchObject({ version: newest.version, status: newest.status });
          expect(changed.order).toMatchObject(order.endedAt === null ? {} : { status: order.status, endedAt: order.endedAt });
          expect(changed.entries.map(({ version }) => version)).toEqual(changed.entries.map((_, nth) => order.version + nth + 1));
          order = changed.order;
          told.push(...whats(changed));
        }
        expect(new Set(told).size).toBe(told.length);
        expect(order.payable).toBe(order.total - order.deduction);
      }),
    );
  });
});

describe('refunded after it was completed', () => {
  const completed = complete(receive(placed(), receipt, noon).order, instance, noon).order;

  test('what went back is told once, however often and in whatever order the news comes', () => {
    const half = refunded(completed, { amount: 50_000, at: noon });
    expect(half).toMatchObject({ order: { refunded: 50_000, status: 'completed' }, entries: [{ what: 'refunded', amount: 50_000 }] });
    const all = refunded(half.order, { amount: 118_000, at: noon });
    expect(all).toMatchObject({ order: { refunded: 118_000 }, entries: [{ amount: 68_000 }] });
    expect(refunded(all.order, { amount: 50_000, at: noon })).toEqual({ order: all.order, entries: [] });
  });
});
