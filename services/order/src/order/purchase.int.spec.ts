import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '@yunshi/testing/until';
import { goodMood } from '../../fixtures/neighbours.ts';
import { helpDeskWish, openMarket, type Person } from '../../fixtures/market.ts';
import { minus20, trialWeek, usable } from '../stories.ts';
import type { ShownEntry, ShownOrder } from './wire.ts';
import type { z } from 'zod';

const market = await openMarket();
afterAll(() => market.close());
beforeEach(() => void Object.assign(market.neighbours.mood, goodMood()));

type Timeline = { items: z.infer<typeof ShownEntry>[] };
const timelineOf = async (orderId: string) => (await market.get<Timeline>(`/v1/orders/${orderId}/timeline`)).body.items;
const trial = { ...helpDeskWish, sku_id: trialWeek, duration: undefined };
const day = 24 * 3_600_000;

describe('bought', () => {
  test('with a coupon: held, paid at the lower price, delivered, used, counted, 交易成功', async () => {
    market.neighbours.mood.coupons = [usable(minus20, 2_000)];
    const order = await market.order({ expected_payable: 118_000 });
    expect(order).toMatchObject({ status: 'pending_payment', payable: 118_000, awaits: { what: 'payment', until: order.pay_by } });
    await market.pay(order);
    const done = await market.until(order.order_id, ({ status }) => status === 'completed');
    expect(done).toMatchObject({ payment: { channel: 'wechat_native' }, refunded: 0, end_reason: null, awaits: null });
    expect(done.instance_id).toMatch(/^ins_/);
    expect(await market.neighbours.deal(order.order_id)).toMatchObject({ amount: 118_000, coupon: 'used', payment: 'paid', sales: 1 });
    const told = await timelineOf(order.order_id);
    expect(told.map(({ version, what, message }) => [version, what, message])).toEqual([
      [1, 'placed', '订单已提交'],
      [2, 'paid', '已付款 ¥1180.00，等待服务商交付'],
      [3, 'completed', '交易成功'],
    ]);
  });

  test('with nothing to pay: delivered at once, and no payment is ever opened', async () => {
    const order = await market.order({ sku_id: trialWeek, duration: undefined }, { as: 'zhao' });
    expect(order).toMatchObject({ status: 'processing', payable: 0, sku: { is_trial: true } });
    await until(async () => (await market.neighbours.deal(order.order_id))?.sales === 1);
    expect((await market.neighbours.deal(order.order_id))?.payment).toBeNull();
  });

  test('while the provider takes its time the order is 处理中, and the money stays', async () => {
    market.neighbours.mood.fulfil = 'wait';
    const order = await market.order();
    await market.pay(order);
    expect((await market.until(order.order_id, ({ status }) => status === 'processing')).awaits).toEqual({ what: 'delivery', until: null });
    await until(async () => (await market.neighbours.deal(order.order_id))?.delivery === 'asked');
    await market.neighbours.deliver(order.order_id);
    await market.until(order.order_id, ({ status }) => status === 'completed');
  });
});

describe('at another price', () => {
  const changePrice = (orderId: string, body: object, as: Person = 'seller') =>
    market.post<ShownOrder>(`/v1/provider/orders/${orderId}/price`, { as, key: randomUUID(), body });
  const payable = (orderId: ShownOrder['order_id']) => until(async () => (await market.neighbours.deal(orderId))?.payment === 'open');
  const settled = ({ price_change: change }: ShownOrder) => change?.status === 'settled';

  test('lowered by its provider, with the coupon reckoned anew: paid, delivered and used at that price', async () => {
    Object.assign(market.neighbours.mood, { coupons: [usable(minus20, 2_000)], deduction: 1_000 });
    const order = await market.order();
    await payable(order.order_id);
    const asked = await changePrice(order.order_id, { total: 90_000, note: '老客户优惠' });
    expect(asked).toMatchObject({ status: 202, body: { payable: 118_000, price_change: { status: 'asked', payable: 89_000 } } });
    expect(await market.until(order.order_id, settled)).toMatchObject({
      total: 90_000,
      original_total: 120_000,
      deduction: 1_000,
      payable: 89_000,
      coupon: { claim_id: minus20 },
      status: 'pending_payment',
    });
    await market.pay(order);
    await market.until(order.order_id, ({ status }) => status === 'completed');
    expect(await market.neighbours.deal(order.order_id)).toMatchObject({ amount: 89_000, coupon: 'used', sales: 1 });
    const told = await timelineOf(order.order_id);
    expect(told.map(({ what, message }) => [what, message]).slice(1, 4)).toEqual([
      ['price-change-asked', '服务商正在改价，暂时不能付款'],
      ['price-changed', '服务商已改价，实付金额 ¥890.00'],
      ['paid', '已付款 ¥890.00，等待服务商交付'],
    ]);
  });

  test('to nothing: delivered at once without a payment, and the coupon is the buyer’s again', async () => {
    Object.assign(market.neighbours.mood, { coupons: [usable(minus20, 2_000)] });
    const order = await market.order();
    await payable(order.order_id);
    expect((await changePrice(order.order_id, { total: 0 })).status).toBe(202);
    const done = await market.until(order.order_id, (now) => now.status === 'completed' && settled(now));
    expect(done).toMatchObject({ payable: 0, coupon: null, payment: null });
    expect(await market.neighbours.deal(order.order_id)).toMatchObject({ payment: 'closed', coupon: 'released', sales: 1 });
  });

  test('to nothing, and the provider does not deliver: taken back with nothing to give back', async () => {
    Object.assign(market.neighbours.mood, { coupons: [usable(minus20, 2_000)], fulfil: 'refuse' });
    const order = await market.order();
    await payable(order.order_id);
    await changePrice(order.order_id, { total: 0 });
    const failed = await market.until(order.order_id, (now) => now.status === 'failed' && settled(now));
    expect(failed).toMatchObject({ end_reason: 'not-delivered', refunded: 0 });
  });

  test('refused where the money was faster, and the price stays', async () => {
    market.neighbours.mood.pause = 'stay-silent';
    const order = await market.order();
    await payable(order.order_id);
    await changePrice(order.order_id, { total: 90_000 });
    await market.pay(order);
    await market.until(order.order_id, ({ status }) => status === 'completed');
    await market.passTime(6 * 60_000);
    const kept = await market.until(order.order_id, ({ price_change: change }) => change?.status === 'kept');
    expect(kept).toMatchObject({ status: 'completed', payable: 120_000, price_change: { kept_because: 'unanswered' } });
  });

  test('refused by a bank that holds the voucher: it can be paid as before', async () => {
    market.neighbours.mood.pause = 'bank-holds-voucher';
    const order = await market.order();
    await payable(order.order_id);
    await changePrice(order.order_id, { total: 90_000 });
    const kept = await market.until(order.order_id, ({ price_change: change }) => change?.status === 'kept');
    expect(kept).toMatchObject({ payable: 120_000, awaits: { what: 'payment' }, price_change: { kept_because: 'bank-holds-voucher' } });
    await market.pay(order);
    await market.until(order.order_id, ({ status }) => status === 'completed');
  });

  test('cancelled meanwhile: one end, and the price that stands is the one that was shown last', async () => {
    const order = await market.order();
    await payable(order.order_id);
    await Promise.all([changePrice(order.order_id, { total: 90_000 }), market.post(`/v1/orders/${order.order_id}/cancel`)]);
    const over = ({ price_change: change }: ShownOrder) => change === null || change.status === 'kept' || change.status === 'settled';
    const ended = await market.until(order.order_id, (now) => now.status === 'cancelled' && over(now));
    expect(ended.payable).toBe(ended.price_change?.status === 'settled' ? 90_000 : 120_000);
  });

  test('only by its provider, only while it is unpaid, never above the original', async () => {
    const order = await market.order();
    await payable(order.order_id);
    expect((await changePrice(order.order_id, { total: 1 }, 'provider')).status).toBe(404);
    expect((await changePrice(order.order_id, { total: 1 }, 'lin')).status).toBe(403);
    expect(await changePrice(order.order_id, { total: 120_001 })).toMatchObject({
      status: 422,
      body: { code: 'price-above-original', errors: [{ field: '/total' }] },
    });
    expect(await changePrice(order.order_id, { total: 120_000 })).toMatchObject({ status: 422, body: { code: 'price-unchanged' } });
    expect((await changePrice(order.order_id, { total: -1 })).status).toBe(400);
    await market.pay(order);
    await market.until(order.order_id, ({ status }) => status === 'completed');
    expect(await changePrice(order.order_id, { total: 1 })).toMatchObject({ status: 409, body: { code: 'order-not-repriceable' } });
  });
});

describe('not bought', () => {
  test('the coupon is refused: 已关闭, with the reason', async () => {
    Object.assign(market.neighbours.mood, { coupons: [usable(minus20, 2_000)], coupon: 'refuse' });
    const order = await market.order();
    const closed = await market.until(order.order_id, ({ status }) => status === 'closed');
    expect(closed).toMatchObject({ end_reason: 'coupon-refused', refunded: 0 });
    expect((await market.neighbours.deal(order.order_id))?.payment).toBeUndefined();
  });

  test('there is no way to pay it: 已关闭, and the coupon is free again', async () => {
    Object.assign(market.neighbours.mood, { coupons: [usable(minus20, 2_000)], collect: 'refuse' });
    const order = await market.order();
    await market.until(order.order_id, ({ end_reason: reason }) => reason === 'payment-refused');
    expect((await market.neighbours.deal(order.order_id))?.coupon).toBe('released');
  });

  test('the provider never delivers: failed, with all the money and the coupon back', async () => {
    Object.assign(market.neighbours.mood, { coupons: [usable(minus20, 2_000)], fulfil: 'refuse' });
    const order = await market.order();
    await market.pay(order);
    const failed = await market.until(order.order_id, ({ status }) => status === 'failed');
    expect(failed).toMatchObject({ end_reason: 'not-delivered', refunded: 118_000, instance_id: null });
    expect(await market.neighbours.deal(order.order_id)).toMatchObject({ payment: 'refunded', coupon: 'released', sales: 0 });
    const last = (await timelineOf(order.order_id)).at(-1);
    expect(last).toMatchObject({ what: 'failed', amount: 118_000, message: '订单处理失败：服务商未能交付，¥1180.00 已原路退回' });
  });

  test('cancelled by its buyer: accepted first, 已取消 once the channel has confirmed it', async () => {
    market.neighbours.mood.coupons = [usable(minus20, 2_000)];
    const order = await market.order();
    await until(async () => (await market.neighbours.deal(order.order_id))?.payment === 'open');
    const cancel = () => market.post(`/v1/orders/${order.order_id}/cancel`);
    expect(await cancel()).toMatchObject({ status: 202, body: { status: 'pending_payment', awaits: { what: 'cancellation' } } });
    const cancelled = await market.until(order.order_id, ({ status }) => status === 'cancelled');
    expect(cancelled).toMatchObject({ end_reason: 'cancelled', refunded: 0 });
    expect(await market.neighbours.deal(order.order_id)).toMatchObject({ payment: 'closed', coupon: 'released' });
    expect(await cancel()).toMatchObject({ status: 202, body: { status: 'cancelled' } });
  });

  test('cancelled after it was paid: refused', async () => {
    market.neighbours.mood.fulfil = 'wait';
    const order = await market.order();
    await market.pay(order);
    await market.until(order.order_id, ({ status }) => status === 'processing');
    const refusal = { status: 409, body: { code: 'order-not-cancellable', detail: 'The order is processing.' } };
    expect(await market.post(`/v1/orders/${order.order_id}/cancel`)).toMatchObject(refusal);
    await until(async () => (await market.neighbours.deal(order.order_id))?.delivery === 'asked');
    await market.neighbours.deliver(order.order_id);
    await market.until(order.order_id, ({ status }) => status === 'completed');
  });

  test('not paid within 24 hours: 已关闭, the payment closed, the coupon usable again', async () => {
    market.neighbours.mood.coupons = [usable(minus20, 2_000)];
    const order = await market.order();
    await until(async () => (await market.neighbours.deal(order.order_id))?.payment === 'open');
    await market.passTime(day - 60_000);
    expect((await market.get(`/v1/orders/${order.order_id}`)).body).toMatchObject({ status: 'pending_payment' });
    await market.passTime(60_000);
    await market.until(order.order_id, ({ status }) => status === 'closed');
    expect(await market.neighbours.deal(order.order_id)).toMatchObject({ payment: 'closed', coupon: 'released' });
    const late = await market.neighbours.pay({ orderId: order.order_id, accountId: order.account_id });
    expect(late).toMatchObject({ status: 409, body: 'closed' });
  });
});

describe('once', () => {
  test('the same key and body place one order, however many ask at the same time', async () => {
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => market.post<{ order_id: string }>('/v1/orders', { key, body: helpDeskWish })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.order_id)).size).toBe(1);
    const location = `/v1/orders/${answers[0]?.body.order_id}`;
    expect(new Set(answers.map(({ headers }) => headers.get('location')))).toEqual(new Set([location]));
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(9);
  });

  test('the same key with another body is refused, and so is a request without a key', async () => {
    const key = randomUUID();
    await market.order({}, { key });
    expect(await market.post('/v1/orders', { key, body: { ...helpDeskWish, duration: 2 } })).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
    expect(await market.post('/v1/orders', { body: helpDeskWish })).toMatchObject({
      status: 400,
      body: { code: 'idempotency-key-missing' },
    });
  });

  test('a trial is had once per buyer and product, however many ask two instances at the same time', async () => {
    market.neighbours.mood.fulfil = 'wait';
    const other = await market.startAnother();
    const ask = (as: Person, index: number) =>
      market.post<{ code: string }>('/v1/orders', { as, key: randomUUID(), body: trial, at: index % 2 ? other.url : market.url() });
    // Several new buyers, because the race is for the first row that a buyer has.
    const newcomers = ['su', 'ma', 'wu', 'he'] as const;
    const answers = await Promise.all(newcomers.flatMap((as) => Array.from({ length: 8 }, (_, index) => ask(as, index))));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(newcomers.length);
    expect(answers.filter(({ status, body }) => status === 409 && body.code === 'trial-already-taken')).toHaveLength(newcomers.length * 7);
    expect(await market.post('/v1/quotes', { as: 'su', body: { sku_id: trialWeek } })).toMatchObject({
      status: 409,
      body: { code: 'trial-already-taken' },
    });
  });

  test('a trial that was not delivered does not count', async () => {
    market.neighbours.mood.fulfil = 'refuse';
    const failed = await market.order(trial);
    await market.until(failed.order_id, ({ status }) => status === 'failed');
    expect((await market.order(trial)).order_id).not.toBe(failed.order_id);
  });
});
