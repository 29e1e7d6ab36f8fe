import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoPersonas, demoProducts } from '@yunshi/contracts/demo-world';
import { startSystem, type System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageWish } from './image-wish.ts';
import { Shopper } from './shopper.ts';

let dir: string;
let system: System;
let buyer: Shopper;
let operator: Shopper;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-renewal-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false });
  const urls = { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! };
  buyer = await new Shopper(urls).login('su');
  operator = await new Shopper(urls).login('operator');
});
afterAll(async () => {
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

type Order = { order_id: string; status: string; payable: number; instance_id: string; refunded: number; kind: string };
type Instance = {
  instance_id: string;
  status: string;
  expires_at: string;
  is_trial: boolean;
  sku_id: string;
  orders: readonly { order_id: string; state: string }[];
};

const day = 86_400_000;
const pass = (days: number) => operator.post('/v1/test/clock', { advance: `P${days}D` });
const instanceOf = async (id: string) => (await buyer.get(`/v1/instances/${id}`)).body as Instance;
const orderOf = async (id: string) => (await buyer.get(`/v1/orders/${id}`)).body as Order;

/** Quotes and orders. */
async function place(wish: object): Promise<Order> {
  const quote = await buyer.post('/v1/quotes', { ...wish, coupon: 'none' });
  if (quote.status !== 200) throw new Error(JSON.stringify(quote.body));
  const accepted_agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
  const placed = await buyer.post('/v1/orders', { ...wish, coupon: 'none', accepted_agreements });
  if (placed.status !== 201) throw new Error(JSON.stringify(placed.body));
  return placed.body as Order;
}

/** Quotes, orders, pays, and answers the order when it has ended. */
async function buy(wish: object): Promise<Order> {
  const { order_id: id, payable } = await place(wish);
  if (payable > 0) await buyer.scan((await buyer.payable(id))!);
  return until(async () => {
    const order = await orderOf(id);
    return ['completed', 'failed'].includes(order.status) ? order : undefined;
  });
}
const quoteOf = (wish: object) => buyer.post('/v1/quotes', { ...wish, coupon: 'none' });
const script = (action: string, behaviour: string) =>
  buyer.outside('POST', `/sandbox/provider/${demoPersonas.fanying.providerId}/script`, { action, behaviour, times: 1 });

describe('an API package', () => {
  const { productId, skus } = demoProducts.invoiceReading;
  type Api = Instance & { operations: string[]; api: { address: string; available: number; used: number; usage: string } };
  type Pair = { readonly id: string; readonly secret: string };
  const apiOf = async (id: string) => (await buyer.get(`/v1/instances/${id}`)).body as Api;
  const pairOf = async (id: string, secretId: string): Promise<Pair> => {
    const { body } = await buyer.get(`/v1/instances/${id}/keys/${secretId}/secret`);
    return { id: secretId, secret: body['secret_key'] as string };
  };
  const hmac = ({ secret }: Pair, text: string) => createHmac('sha1', secret).update(text).digest('base64');
  const dialects = {
    A: (pair: Pair, date: string) => ({
      date,
      source: 'any',
      authorization: `hmac id="${pair.id}", algorithm="hmac-sha1", headers="date source", signature="${hmac(pair, `date: ${date}\nsource: any`)}"`,
    }),
    B: (pair: Pair, date: string) => ({
      'x-date': date,
      'x-source': 'market',
      authorization: `hmac id="${pair.id}", algorithm="hmac-sha1", headers="x-date x-source", signature="${hmac(pair, `x-date: ${date}\nx-source: market`)}"`,
    }),
    C: (pair: Pair, date: string) => ({
      authorization: JSON.stringify({ id: pair.id, 'x-date': date, signature: hmac(pair, `x-date: ${date}`) }),
    }),
  };
  async function call(address: string, pair: Pair, dialect: keyof typeof dialects = 'C') {
    const headers = { ...dialects[dialect](pair, new Date().toUTCString()), 'content-type': 'application/json' };
    const response = await fetch(`${address}/v1/invoices?lang=zh`, { method: 'POST', body: '{"image":"…"}', headers });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  const upstreamCalls = async () => (await buyer.outside('GET', `/sandbox/upstream-calls/${productId}`)).body['calls'] as number;
  const settled = (id: string, used: number) => until(async () => (await apiOf(id)).api.used === used, { what: `${used} are counted` });

  test('is bought, called in every dialect to the last call, topped up, and its keys are rotated and disabled', async () => {
    const { instance_id: id, status } = await buy({ sku_id: skus.calls100 });
    expect(status).toBe('completed');
    const fresh = await until(async () => {
      const instance = await apiOf(id);
      return instance.api?.used === 0 ? instance : undefined;
    });
    expect(fresh).toMatchObject({
      status: 'shipped',
      operations: expect.arrayContaining(['renew']),
      api: { available: 100, usage: '0/100' },
    });
    const { address } = fresh.api;
    const [key] = (await buyer.get(`/v1/instances/${id}/keys`)).body['items'] as { secret_id: string }[];
    const pair = await pairOf(id, key!.secret_id);
    await until(async () => (await call(address, pair, 'A')).status === 200, { what: 'the gateway has heard of the key' });
    for (const dialect of ['A', 'B', 'C'] as const)
      expect(await call(address, pair, dialect)).toMatchObject({ status: 200, body: { path: '/v1/invoices', instance: id } });
    const rest = await Promise.all(Array.from({ length: 120 }, () => call(address, pair)));
    expect(rest.filter((answer) => answer.status === 200)).toHaveLength(96);
    expect(rest.find((answer) => answer.status !== 200)).toMatchObject({ status: 403, body: { code: 'calls-used-up' } });
    await settled(id, 100);
    expect(await upstreamCalls()).toBe(100);

    expect((await buy({ kind: 'renewal', instance_id: id })).status).toBe('completed');
    await until(async () => (await call(address, pair)).status === 200, { what: 'topped up' });
    expect((await apiOf(id)).api.available).toBe(200);
    const counts = await buyer.get(`/v1/instances/${id}/calls/counts`);
    expect(counts.body).toMatchObject({ items: [{ secret_id: pair.id }] });

    const made = await buyer.post(`/v1/instances/${id}/keys/${pair.id}/rotate`, {});
    const next = await pairOf(id, made.body['secret_id'] as string);
    await until(async () => (await call(address, next)).status === 200, { what: 'the new pair counts' });
    expect((await call(address, pair)).status).toBe(200);
    await pass(1);
    await until(async () => (await call(address, pair)).status === 403, { what: 'the old pair is over' });
    expect((await buyer.post(`/v1/instances/${id}/keys/${next.id}/disable`, {})).status).toBe(200);
    await until(async () => (await call(address, next)).status === 403, { what: 'the new pair is disabled' });
    await settled(id, await upstreamCalls());
  });
});

type Server = {
  state: string;
  server_id: string | null;
  public_ip: string | null;
  private_ip: string | null;
  image_id: string;
  operation: object | null;
};
type Image = Instance & { server: Server | null; app: { fields: { name: string; value: string }[] } | null };

describe('an image', () => {
  const minutes = (count: number) => operator.post('/v1/test/clock', { advance: `PT${count * 60}S` });
  const imageOf = async (id: string) => (await buyer.get(`/v1/instances/${id}`)).body as Image;
  /** Lets business time go on until the server is as it is awaited. */
  const whenServer = (id: string, is: (server: Server) => boolean) =>
    until(
      async () => {
        const { server } = await imageOf(id);
        if (server !== null && is(server)) return server;
        await minutes(0.5);
        return undefined;
      },
      { what: 'the server is as it is awaited', every: 250 },
    );

  test('is configured and paid, runs after minutes, is stopped, started and installed anew, and released after it has expired', async () => {
    const { wish, offers } = await imageWish(buyer);
    const quote = (await quoteOf(wish)).body as { total: number; unit_price: number; server: { amount: number } };
    expect(quote.server.amount).toBeGreaterThan(10_000);
    expect(quote.total).toBe(quote.unit_price + quote.server.amount);
    expect(await quoteOf({ ...wish, server: { ...wish.server, machine_type: 'S9.HUGE' } })).toMatchObject({
      status: 422,
      body: { code: 'server-choice-not-offered', errors: [{ field: '/server/machine_type' }] },
    });

    const placed = await place(wish);
    await buyer.scan((await buyer.payable(placed.order_id))!);
    const id = placed.order_id.replace('ord_', 'ins_');
    await until(async () => (await imageOf(id)).server?.server_id, { what: 'the cloud has taken the order' });
    expect(await imageOf(id)).toMatchObject({ status: 'shipping', server: { state: 'making' } });
    await minutes(2);
    expect((await orderOf(placed.order_id)).status).toBe('processing');
    const made = await whenServer(id, ({ state }) => state === 'running');
    expect(made).toMatchObject({ public_ip: expect.stringMatching(/^203\./), private_ip: expect.stringMatching(/^10\./) });
    expect(
      await until(async () => ((await orderOf(placed.order_id)).status === 'completed' ? orderOf(placed.order_id) : undefined)),
    ).toMatchObject({
      instance_id: id,
    });
    const login = (await imageOf(id)).app?.fields;
    expect(login?.map(({ name }) => name)).toEqual(['用户名', '密码']);

    const operate = (what: string, body: object = {}) => buyer.post(`/v1/instances/${id}/server/${what}`, body);
    expect(await operate('stop')).toMatchObject({ status: 202, body: { state: 'stopping', operation: 'stop' } });
    expect(await operate('start')).toMatchObject({ status: 409, body: { code: 'server-busy' } });
    await whenServer(id, ({ state }) => state === 'stopped');
    expect((await operate('start')).status).toBe(202);
    await whenServer(id, ({ state }) => state === 'running');
    const other = offers.images[1]!.id;
    expect(await operate('reinstall', { image_id: 'img-unknown' })).toMatchObject({ status: 422, body: { code: 'image-not-of-product' } });
    expect((await operate('reinstall', { image_id: other })).status).toBe(202);
    await whenServer(id, ({ state, image_id }) => state === 'running' && image_id === other);
    expect((await imageOf(id)).app?.fields[1]?.value).not.toBe(login?.[1]?.value);

    const { expires_at: first } = await instanceOf(id);
    await until(async () => (await quoteOf({ kind: 'renewal', instance_id: id, duration: 1 })).status === 200);
    expect(await buy({ kind: 'renewal', instance_id: id, duration: 1 })).toMatchObject({ status: 'completed', instance_id: id });
    expect(new Date((await instanceOf(id)).expires_at).getTime() - new Date(first).getTime()).toBeGreaterThan(27 * day);

    await pass(63);
    await until(async () => (await instanceOf(id)).status === 'expired');
    await until(async () => (await quoteOf({ kind: 'renewal', instance_id: id, duration: 1 })).body['why'] === 'not-in-use');
    await pass(8);
    await until(async () => (await instanceOf(id)).status === 'closed');
    await whenServer(id, ({ state }) => state === 'released');
    const { items } = (await buyer.outside('GET', '/sandbox/cloud/servers')).body as { items: { name: string; state: string }[] };
    expect(items.filter(({ name }) => name === id).map(({ state }) => state)).toEqual(['TERMINATED']);
  });

  test('whose server cannot be made is no instance: the money goes back, and nothing is left at the cloud', async () => {
    const { wish } = await imageWish(buyer);
    await buyer.outside('POST', '/sandbox/cloud/next', { what: 'launch-fails', times: 1 });
    const placed = await place(wish);
    await buyer.scan((await buyer.payable(placed.order_id))!);
    const id = placed.order_id.replace('ord_', 'ins_');
    await whenServer(id, ({ state }) => state === 'released');
    const order = await until(async () => {
      await minutes(0.5);
      const now = await orderOf(placed.order_id);
      return now.status === 'failed' ? now : undefined;
    });
    expect(order.refunded).toBe(order.payable);
    expect(await instanceOf(id)).toMatchObject({ status: 'failed', failure: 'server-not-made' });
    const { items } = (await buyer.outside('GET', '/sandbox/cloud/servers')).body as { items: { name: string; state: string }[] };
    expect(items.filter(({ name }) => name === id).map(({ state }) => state)).toEqual(['TERMINATED']);
  });
});

describe('an instance', () => {
  test('is renewed before it ends, and in its days of grace; then it is gone', async () => {
    const bought = await buy({ sku_id: demoProducts.helpDesk.skus.basic, duration: 1 });
    const id = bought.instance_id;
    const first = await instanceOf(id);
    const renewed = await buy({ kind: 'renewal', instance_id: id, duration: 3 });
    expect(renewed).toMatchObject({ status: 'completed', kind: 'renewal', instance_id: id });
    const second = await instanceOf(id);
    expect(new Date(second.expires_at).getTime() - new Date(first.expires_at).getTime()).toBeGreaterThan(88 * day);

    await pass(125);
    await until(async () => (await instanceOf(id)).status === 'expired');
    const late = await buy({ kind: 'renewal', instance_id: id, duration: 1 });
    expect(late.status).toBe('completed');
    const third = await instanceOf(id);
    expect(third.status).toBe('shipped');
    expect(new Date(third.expires_at).getTime() - new Date(second.expires_at).getTime()).toBeLessThan(32 * day);

    await pass(45);
    await until(async () => (await instanceOf(id)).status === 'closed');
    await until(async () => {
      const { status, body } = await quoteOf({ kind: 'renewal', instance_id: id, duration: 1 });
      return status === 409 && body['code'] === 'instance-not-renewable' && body['why'] === 'closed';
    });
  });

  test('renews itself where its buyer has said so, as far as the order: what he does not pay does not go on', async () => {
    const { instance_id: id } = await buy({ sku_id: demoProducts.helpDesk.skus.basic, duration: 1 });
    const { expires_at: first } = await instanceOf(id);
    const quote = await quoteOf({ kind: 'renewal', instance_id: id, duration: 3 });
    const accepted_agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
    const on = await buyer.put(`/v1/auto-renewals/${id}`, { duration: 3, accepted_agreements });
    expect(on).toMatchObject({ status: 200, body: { status: 'on', expires_at: first, order_id: null } });
    const orderedFor = (end: string) =>
      until(
        async () => {
          const { body } = await buyer.get(`/v1/auto-renewals/${id}`);
          return body['expires_at'] === end ? (body['order_id'] as string | null) : undefined;
        },
        { what: `an order is placed for ${end}` },
      );
    type Told = { kind: string; auto_renewal: { order_id: string | null; pay_by: string | null } };
    const told = (kind: string) =>
      until(
        async () => {
          const { items } = (await buyer.get(`/v1/notifications?instance_id=${id}`)).body as { items: Told[] };
          return items.find((one) => one.kind === kind);
        },
        { what: `the buyer is told: ${kind}` },
      );
    await pass(18);
    await told('auto-renewal-announced');
    await pass(7);
    const placed = (await orderedFor(first))!;
    expect((await told('auto-renewal-ordered')).auto_renewal).toMatchObject({ order_id: placed, pay_by: first });
    expect(await orderOf(placed)).toMatchObject({ kind: 'renewal', status: 'pending_payment' });
    await buyer.scan((await buyer.payable(placed))!);
    await until(async () => (await orderOf(placed)).status === 'completed');
    const second = (await instanceOf(id)).expires_at;
    expect(new Date(second).getTime() - new Date(first).getTime()).toBeGreaterThan(88 * day);

    // The next one is not paid.
    await pass(94);
    const next = await orderedFor(second);
    expect(next).not.toBe(placed);
    await pass(8);
    await until(async () => (await orderOf(next)).status === 'closed');
    await until(async () => (await instanceOf(id)).status === 'expired');
  });

  test('that its provider will not renew stays as it is, and the money goes back', async () => {
    const { instance_id: id } = await buy({ sku_id: demoProducts.helpDesk.skus.basic, duration: 1 });
    const before = await instanceOf(id);
    expect((await script('renewInstance', 'decline')).status).toBeLessThan(300);
    const refused = await buy({ kind: 'renewal', instance_id: id, duration: 1 });
    expect(refused).toMatchObject({ status: 'failed', refunded: refused.payable });
    // Its history names the renewal that failed.
    const { orders, ...after } = await instanceOf(id);
    expect({ ...after, orders: orders.slice(1) }).toEqual(before);
    expect(orders[0]).toMatchObject({ order_id: refused.order_id, state: 'refused' });
  });

  test('of a trial becomes formal, and stays the same instance', async () => {
    const trial = await buy({ sku_id: demoProducts.helpDesk.skus.trial, duration: 7 });
    const id = trial.instance_id;
    await until(async () => (await quoteOf({ kind: 'trial_conversion', instance_id: id, duration: 1 })).status === 200);
    expect((await quoteOf({ kind: 'renewal', instance_id: id, duration: 1 })).body).toMatchObject({
      code: 'instance-not-renewable',
      why: 'trial',
    });
    expect(await buy({ kind: 'trial_conversion', instance_id: id, duration: 1 })).toMatchObject({ status: 'completed', instance_id: id });
    expect(await instanceOf(id)).toMatchObject({ is_trial: false, status: 'shipped' });
    expect((await instanceOf(id)).sku_id).not.toBe(demoProducts.helpDesk.skus.trial);
  });

  test('of somebody else is not found', async () => {
    const { instance_id: id } = await buy({ sku_id: demoProducts.helpDesk.skus.basic, duration: 1 });
    const other = await new Shopper({ gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! }).login('zhao');
    expect(await other.post('/v1/quotes', { kind: 'renewal', instance_id: id, duration: 1 })).toMatchObject({
      status: 422,
      body: { code: 'instance-not-found' },
    });
  });
});
