import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoPersonas, demoProducts } from '@yunshi/contracts/demo-world';
import { startSystem, type System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
type Instance = { instance_id: string; status: string; expires_at: string; is_trial: boolean; sku_id: string };

const day = 86_400_000;
const pass = (days: number) => operator.post('/v1/test/clock', { advance: `P${days}D` });
const instanceOf = async (id: string) => (await buyer.get(`/v1/instances/${id}`)).body as Instance;
const orderOf = async (id: string) => (await buyer.get(`/v1/orders/${id}`)).body as Order;

/** Quotes, orders, pays, and answers the order when it has ended. */
async function buy(wish: object): Promise<Order> {
  const quote = await buyer.post('/v1/quotes', { ...wish, coupon: 'none' });
  if (quote.status !== 200) throw new Error(JSON.stringify(quote.body));
  const accepted_agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
  const placed = await buyer.post('/v1/orders', { ...wish, coupon: 'none', accepted_agreements });
  if (placed.status !== 201) throw new Error(JSON.stringify(placed.body));
  const { order_id: id, payable } = placed.body as Order;
  if (payable > 0) await buyer.scan((await buyer.payable(id))!);
  return until(async () => {
    const order = await orderOf(id);
    return ['completed', 'failed'].includes(order.status) ? order : undefined;
  });
}
const quoteOf = (wish: object) => buyer.post('/v1/quotes', { ...wish, coupon: 'none' });
const script = (action: string, behaviour: string) =>
  buyer.outside('POST', `/sandbox/provider/${demoPersonas.fanying.providerId}/script`, { action, behaviour, times: 1 });

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

  test('that its provider will not renew stays as it is, and the money goes back', async () => {
    const { instance_id: id } = await buy({ sku_id: demoProducts.helpDesk.skus.basic, duration: 1 });
    const before = await instanceOf(id);
    expect((await script('renewInstance', 'decline')).status).toBeLessThan(300);
    const refused = await buy({ kind: 'renewal', instance_id: id, duration: 1 });
    expect(refused).toMatchObject({ status: 'failed', refunded: refused.payable });
    expect(await instanceOf(id)).toEqual(before);
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
