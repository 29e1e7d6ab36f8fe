import { randomUUID } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '@yunshi/db/connect';
import { until } from '@yunshi/testing/until';
import { helpDeskWish, openMarket, type Person } from '../../fixtures/market.ts';
import { goodMood } from '../../fixtures/neighbours.ts';
import { limited, minus20, monthly, named, usable } from '../stories.ts';
import type { ShownOrder } from './wire.ts';

const market = await openMarket();
afterAll(() => market.close());
beforeEach(() => void Object.assign(market.neighbours.mood, goodMood()));

type Page<T> = { items: T[]; next_cursor: string | null };
const list = async (query: string, as: Person = 'lin') => (await market.get<Page<ShownOrder>>(`/v1/orders?${query}`, { as })).body;
const numbers = (page: Page<ShownOrder>) => page.items.map(({ order_number: number }) => number);

describe('my orders', () => {
  test('come newest first, page by page, each once', async () => {
    const placed: string[] = [];
    for (let count = 0; count < 5; count++) placed.unshift((await market.order()).order_number);
    const pages = [await list('limit=2')];
    for (let cursor = pages[0]?.next_cursor; cursor; cursor = pages.at(-1)?.next_cursor) pages.push(await list(`limit=2&cursor=${cursor}`));
    expect(pages.flatMap(numbers)).toEqual(placed);
    expect(pages.at(-1)?.next_cursor).toBeNull();
  });

  test('are found by status, product, kind, time, number and instance', async () => {
    const paid = await market.order({ sku_id: monthly, duration: 3 });
    await market.pay(paid);
    const done = await market.until(paid.order_id, ({ status }) => status === 'completed');
    const found = async (query: string) => numbers(await list(query));
    expect(await found('status=completed')).toEqual([done.order_number]);
    expect(await found('status=failed')).toEqual([]);
    expect(await found(`product_id=${done.product.product_id}`)).toContain(done.order_number);
    expect(await found(`product_id=${named('prd', 'f')}`)).toEqual([]);
    expect(await found('kind=renewal')).toEqual([]);
    expect(await found(`placed_from=${encodeURIComponent(done.placed_at)}`)).toEqual([done.order_number]);
    expect(await found(`placed_until=${encodeURIComponent(done.placed_at)}&limit=100`)).not.toContain(done.order_number);
    expect(await found(`keyword=${done.instance_id}`)).toEqual([done.order_number]);
    expect(await found(`keyword=${done.order_number}`)).toEqual([done.order_number]);
    expect(await found(`keyword=${done.order_number.slice(0, 8)}`)).toHaveLength(6);
    expect(await found(`keyword=${done.user_id}&status=completed`)).toEqual([done.order_number]);
    expect(await found('keyword=%25%25%25%25')).toEqual([]);
  });

  test('take no unknown filter and no made-up cursor', async () => {
    expect(await market.get('/v1/orders?colour=red')).toMatchObject({ status: 400, body: { code: 'request-not-valid' } });
    expect(await market.get('/v1/orders?cursor=made-up')).toMatchObject({ status: 400, body: { code: 'cursor-not-valid' } });
  });
});

describe('a SKU with a limit per account', () => {
  const wish = { sku_id: limited, duration: undefined, coupon: 'none' };
  const tries = (as: Person) =>
    market.post<ShownOrder & { code: string; maximum: number }>('/v1/orders', {
      as,
      key: randomUUID(),
      body: { ...helpDeskWish, ...wish },
    });
  const quoted = (as: Person) => market.post<{ code: string }>('/v1/quotes', { as, body: { sku_id: limited } });

  test('of fifty orders at once for at most three exactly three are taken', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => tries('shen')));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(new Set(refused.map(({ status, body }) => `${status} ${body.code} ${body.maximum}`))).toEqual(
      new Set(['409 purchase-limit-reached 3']),
    );
    expect((await tries('pan')).status).toBe(201);
  });

  test('what ended unpaid does not count, nor what was refunded in full; the quote says so before the order', async () => {
    const [first, second] = [await market.order(wish, { as: 'tao' }), await market.order(wish, { as: 'tao' })];
    const third = await market.order(wish, { as: 'tao' });
    expect((await quoted('tao')).body.code).toBe('purchase-limit-reached');
    await market.post(`/v1/orders/${first.order_id}/cancel`, { as: 'tao' });
    await until(async () => (await quoted('tao')).status === 200, { what: 'a cancelled order does not count' });
    await market.order(wish, { as: 'tao' });
    expect((await tries('tao')).status).toBe(409);

    await market.pay(second);
    const done = async () => (await market.get<ShownOrder>(`/v1/orders/${second.order_id}`, { as: 'tao' })).body;
    await until(async () => (await done()).status === 'completed');
    const back = { orderId: second.order_id, accountId: second.account_id };
    await market.neighbours.refund({ ...back, amount: 5_000 });
    await until(async () => (await done()).refunded === 5_000);
    expect((await tries('tao')).status).toBe(409);
    await market.neighbours.refund({ ...back, amount: 9_900 });
    await until(async () => (await done()).refunded === 9_900);
    expect((await tries('tao')).status).toBe(201);
    expect((await tries('tao')).status).toBe(409);
    expect(third.status).toBe('pending_payment');
  });
});

describe('the file of my orders', () => {
  test('has what the list finds, readable by a spreadsheet', async () => {
    const first = await market.order({}, { as: 'he' });
    const second = await market.order({ sku_id: monthly, duration: 3 }, { as: 'he' });
    const rows = (await market.file('/v1/orders/export', 'he')).split('\r\n');
    expect(rows[0]).toMatch(/^订单号,订单类型,状态,商品,规格,/);
    expect(rows.slice(1, -1).map((row) => row.split(',').slice(0, 5))).toEqual([
      [second.order_number, '新购', '待支付', '帆影智能客服', '基础版'],
      [first.order_number, '新购', '待支付', '帆影智能客服', '团队版'],
    ]);
    expect(rows[2]).toContain(',1,1200.00,1200.00,0.00,0.00,1200.00,0.00,');
    expect((await market.file('/v1/orders/export?status=completed', 'he')).split('\r\n')).toHaveLength(2);
  });
});

describe('the provider and the operator', () => {
  test('see the orders of their products, or all', async () => {
    const { order_id: id, order_number: number } = await market.order({}, { as: 'wu' });
    for (const [as, at] of [
      ['seller', '/v1/provider/orders'],
      ['operator', '/v1/ops/orders'],
    ] as const) {
      expect((await market.get<Page<ShownOrder>>(`${at}?keyword=${number}`, { as })).body.items).toMatchObject([{ order_id: id }]);
      expect((await market.get<Page<ShownOrder>>(`${at}?account_id=${market.people.wu.accountId}`, { as })).body.items).toMatchObject([
        { order_id: id },
      ]);
      expect(await market.get(`${at}/${id}`, { as })).toMatchObject({ status: 200, body: { order_number: number } });
      expect(await market.get(`${at}/${id}/timeline`, { as })).toMatchObject({ status: 200, body: { items: [{ what: 'placed' }] } });
      expect(await market.file(`${at}/export?keyword=${number}`, as)).toContain(number);
    }
  });

  test('see no orders of others', async () => {
    const { order_id: id, order_number: number } = await market.order();
    const as = 'provider';
    expect((await market.get<Page<ShownOrder>>(`/v1/provider/orders?keyword=${number}`, { as })).body.items).toEqual([]);
    expect(await market.get(`/v1/provider/orders/${id}`, { as })).toMatchObject({ status: 404 });
    expect(await market.get(`/v1/provider/orders/${id}/timeline`, { as })).toMatchObject({ status: 404 });
    expect(await market.file(`/v1/provider/orders/export?keyword=${number}`, as)).not.toContain(number);
    expect(await market.get('/v1/provider/orders?provider_id=prv_1', { as: 'seller' })).toMatchObject({ status: 400 });
  });
});

describe('DELETE /v1/orders/{id}', () => {
  const remove = (id: string, as: Person = 'ma') => market.ask<unknown>('DELETE', `/v1/orders/${id}`, { as });

  test('hides what ended unpaid from its buyer, and from nobody else', async () => {
    const { order_id: id, order_number: number } = await market.order({}, { as: 'ma' });
    expect(await remove(id)).toMatchObject({ status: 409, body: { code: 'order-not-deletable' } });
    await market.post(`/v1/orders/${id}/cancel`, { as: 'ma' });
    await until(async () => (await market.get<ShownOrder>(`/v1/orders/${id}`, { as: 'ma' })).body.status === 'cancelled');
    expect(await remove(id, 'zhao')).toMatchObject({ status: 404 });
    expect(await remove(id)).toMatchObject({ status: 204 });
    expect(await market.get(`/v1/orders/${id}`, { as: 'ma' })).toMatchObject({ status: 404 });
    expect(await market.get(`/v1/orders/${id}/timeline`, { as: 'ma' })).toMatchObject({ status: 404 });
    expect(await list(`keyword=${number}`, 'ma')).toMatchObject({ items: [] });
    expect(await remove(id)).toMatchObject({ status: 404 });
    expect(await market.get(`/v1/ops/orders/${id}`, { as: 'operator' })).toMatchObject({
      body: { deleted_at: expect.any(String) as string },
    });
  });
});

describe('what is not yours is not found', () => {
  test.each(['', '/timeline', '/events'])('GET /v1/orders/{id}%s', async (path) => {
    const { order_id: id } = await market.order();
    expect(await market.get(`/v1/orders/${id}${path}`, { as: 'zhao' })).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await market.get(`/v1/orders/${named('ord', 'f')}${path}`)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });

  test('nor can it be cancelled, nor does it show in a list', async () => {
    const { order_id: id, order_number: number } = await market.order();
    expect(await market.post(`/v1/orders/${id}/cancel`, { as: 'zhao' })).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await list(`keyword=${number}`, 'zhao')).toEqual({ items: [], next_cursor: null });
    expect((await list(`keyword=${number}`)).items).toMatchObject([{ status: 'pending_payment', cancel_requested_at: null }]);
  });

  test.each(['provider', 'operator'] as const)('a %s buys nothing', async (as) => {
    expect(await market.get('/v1/orders', { as })).toMatchObject({ status: 403, body: { code: 'role-not-allowed' } });
    expect(await market.post('/v1/quotes', { as, body: {} })).toMatchObject({ status: 403, body: { code: 'role-not-allowed' } });
  });
});

describe('an order is refused', () => {
  test('without the agreements, naming them', async () => {
    const body = { sku_id: monthly, duration: 1, accepted_agreements: ['marketplace-service@2026-01'] };
    expect(await market.post('/v1/orders', { key: 'without-agreements', body })).toMatchObject({
      status: 422,
      headers: expect.anything() as unknown,
      body: {
        code: 'agreements-not-accepted',
        missing: ['third-party-goods@2026-01'],
        errors: [{ in: 'body', field: '/accepted_agreements' }],
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      },
    });
  });

  test('at another price than the buyer saw, with the new one', async () => {
    market.neighbours.mood.coupons = [usable(minus20, 2_000)];
    await expect(market.order({ expected_payable: 120_000 })).rejects.toThrow('price-changed');
    expect((await list('limit=100')).items.filter(({ payable }) => payable === 118_000)).toEqual([]);
  });
});

describe('GET /v1/orders/{id}/events', () => {
  type Told = { id: string; what: string; status: string };

  /** Reads the stream of an order until it ends or has told so many events. */
  async function follow(path: string, { upTo = Infinity, lastSeen }: { upTo?: number; lastSeen?: string } = {}): Promise<Told[]> {
    const gone = new AbortController();
    const response = await fetch(path, {
      signal: gone.signal,
      headers: { authorization: `Bearer ${await market.issuer.token(market.people.lin)}`, ...(lastSeen && { 'last-event-id': lastSeen }) },
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const told: Told[] = [];
    let text = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const [, id] = /^id: (.*)$/m.exec(frame) ?? [];
        const [, data] = /^data: (.*)$/m.exec(frame) ?? [];
        if (id && data) told.push({ id, ...(JSON.parse(data) as Omit<Told, 'id'>) });
      }
      if (told.length >= upTo) gone.abort();
      if (told.length >= upTo) break;
    }
    return told;
  }
  const whats = (told: Told[]) => told.map(({ id, what, status }) => [id, what, status]);

  test('tells the present status first, then every change, and ends with the order', async () => {
    const order = await market.order();
    const streaming = follow(`${market.url()}/v1/orders/${order.order_id}/events`);
    await market.pay(order);
    expect(whats(await streaming)).toEqual([
      ['1', 'placed', 'pending_payment'],
      ['2', 'paid', 'processing'],
      ['3', 'completed', 'completed'],
    ]);
  });

  test('tells changes that another instance of the service made', async () => {
    const other = await market.startAnother();
    const orders = await Promise.all(Array.from({ length: 6 }, () => market.order()));
    const streams = orders.map(({ order_id: id }, index) => follow(`${index % 2 ? other.url : market.url()}/v1/orders/${id}/events`));
    await Promise.all(orders.map((order) => market.pay(order)));
    for (const told of await Promise.all(streams)) expect(told.at(-1)).toMatchObject({ id: '3', what: 'completed' });
  });

  test('a client that comes back is told what it missed, and nothing twice', async () => {
    const order = await market.order();
    const path = `${market.url()}/v1/orders/${order.order_id}/events`;
    expect(whats(await follow(path, { upTo: 1 }))).toEqual([['1', 'placed', 'pending_payment']]);
    await market.pay(order);
    await market.until(order.order_id, ({ status }) => status === 'completed');
    expect(whats(await follow(path, { lastSeen: '1' }))).toEqual([
      ['2', 'paid', 'processing'],
      ['3', 'completed', 'completed'],
    ]);
    expect(whats(await follow(path))).toEqual([['3', 'completed', 'completed']]);
    const nothing = await market.get(`/v1/orders/${order.order_id}/events`, { headers: { 'last-event-id': '3' } });
    expect(nothing.status).toBe(204);
  });
});

describe('GET /v1/ops/sagas', () => {
  type Shown = {
    saga_id: string;
    key: string;
    phase: string;
    step: string | null;
    asks: number;
    failure: { step: string } | null;
    trouble: { kind: string; service: string; detail: string } | null;
  };
  const sagas = async (query: string, as: Person = 'operator') => market.get<Page<Shown>>(`/v1/ops/sagas?${query}`, { as });

  test('shows where each purchase stands, and why it turned back', async () => {
    const waiting = await market.order();
    market.neighbours.mood.fulfil = 'refuse';
    const failing = await market.order();
    await market.pay(failing);
    await market.until(failing.order_id, ({ status }) => status === 'failed');
    const of = async (order: ShownOrder) => (await sagas(`key=${order.order_id}`)).body.items;
    expect(await of(waiting)).toMatchObject([{ phase: 'forward', step: 'collect payment', failure: null }]);
    await until(async () => (await of(failing))[0]?.phase === 'rolled-back');
    expect(await of(failing)).toMatchObject([{ phase: 'rolled-back', step: null, failure: { step: 'fulfil', cause: 'refused' } }]);
    const found = (await sagas(`phase=forward&step=${encodeURIComponent('collect payment')}&limit=1`)).body;
    expect(found.items).toMatchObject([{ key: waiting.order_id }]);
    expect(found.next_cursor).not.toBeNull();
  });

  test('shows a saga with its log: what came in, where it stood then, what was sent', async () => {
    const order = await market.order();
    await market.pay(order);
    await market.until(order.order_id, ({ status }) => status === 'completed');
    const id = (await sagas(`key=${order.order_id}`)).body.items[0]?.saga_id;
    const read = async () =>
      (await market.get<{ phase: string; log: { sent: string | null; step: string | null }[] }>(`/v1/ops/sagas/${id}`, { as: 'operator' }))
        .body;
    await until(async () => (await read()).phase === 'completed');
    expect((await read()).log.map(({ step, sent }) => [step, sent])).toEqual([
      ['collect payment', 'do payment.collect'],
      ['fulfil', 'do fulfillment.fulfil'],
      ['record sale', 'do catalog.record-sale'],
      ['complete order', 'do order.complete'],
      [null, null],
    ]);
    expect(await market.get(`/v1/ops/sagas/${named('sag', 'f')}`, { as: 'operator' })).toMatchObject({ status: 404 });
  });

  test('an undo that fails is found, asked for again by an operator, and then ends', async () => {
    Object.assign(market.neighbours.mood, { coupons: [usable(minus20, 2_000)], collect: 'refuse', release: new Error('the coupon jams') });
    const order = await market.order();
    const troubled = async () => (await sagas('troubled=true')).body.items;
    const saga = await until(async () => (await troubled())[0], { within: 40_000 });
    expect(saga).toMatchObject({
      key: order.order_id,
      phase: 'backward',
      step: 'reserve coupon',
      trouble: { kind: 'buried', service: 'neighbours', detail: 'coupon.release: Error: the coupon jams' },
    });
    expect((await sagas('troubled=true&phase=forward')).body.items).toEqual([]);

    market.neighbours.mood.release = undefined;
    market.neighbours.faults.length = 0;
    const path = `/v1/ops/sagas/${saga.saga_id}`;
    const asked = await market.post(`${path}/ask-again`, { as: 'operator', body: { reason: 'the coupon is oiled' } });
    expect(asked).toMatchObject({ status: 202, body: { phase: 'backward' } });
    const ended = await market.until(order.order_id, ({ status }) => status === 'closed');
    expect(ended.refunded).toBe(0);
    const read = async () =>
      (await market.get<{ phase: string; log: { input: { kind: string } }[]; history: object[] }>(path, { as: 'operator' })).body;
    await until(async () => (await read()).phase === 'rolled-back');
    expect(await troubled()).toEqual([]);
    const { log, history } = await read();
    expect(log.map(({ input }) => input.kind)).toEqual(expect.arrayContaining(['buried', 'asked-again']));
    expect(history).toMatchObject([{ action: 'saga.ask-again', actor: market.people.operator.userId, reason: 'the coupon is oiled' }]);
    const audit = await market.get<Page<object>>(`/v1/ops/order/audit?object=saga:${saga.saga_id}`, { as: 'operator' });
    expect(audit.body.items).toEqual(history);
    expect(await market.post(`${path}/ask-again`, { as: 'operator', body: {} })).toMatchObject({
      status: 409,
      body: { code: 'saga-not-waiting', detail: 'It is rolled-back.' },
    });
  });

  test('one that should have been woken and was not is found', async () => {
    const order = await market.order();
    const past = async () => (await sagas('past_bound=true')).body.items.map(({ key }) => key);
    expect(await past()).toEqual([]);
    const sql = connect({ url: market.database.url, name: 'test', connectionsMax: 1 });
    // A lock that somebody holds keeps the saga from being woken.
    await sql.begin(async (tx) => {
      await tx`select 1 from sagas where key = ${order.order_id} for update`;
      await market.passTime(60_000);
      await until(async () => (await past()).includes(order.order_id));
    });
    await sql.end();
    await until(async () => (await past()).length === 0);
  });

  test('nobody asks again for what does not exist', async () => {
    const path = `/v1/ops/sagas/${named('sag', 'f')}/ask-again`;
    expect(await market.post(path, { as: 'operator', body: {} })).toMatchObject({ status: 404 });
    expect((await market.post(path, { as: 'lin', body: {} })).status).toBe(403);
  });

  test('is for operators', async () => {
    expect((await sagas('', 'lin')).status).toBe(403);
    expect((await sagas('', 'provider')).status).toBe(403);
  });
});
