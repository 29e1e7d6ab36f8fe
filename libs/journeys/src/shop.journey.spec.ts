import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoProviders } from '@yunshi/contracts/demo-world';
import { connect, type Sql } from '@yunshi/db/connect';
import { startSystem, type System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evidenceOf } from './chaos/evidence.ts';
import { violations } from './invariants.ts';

/* What a provider puts on its shelf and gives away as coupons, as a buyer meets it: through the gateway, across all services. */

let dir: string;
let system: System;
let sql: Sql;
const tokens = new Map<string, string>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-shop-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false });
  sql = connect({ url: system.adminUrl, name: 'shop journey', connectionsMax: 3 });
  for (const persona of ['lin', 'he', 'zhao', 'fanying', 'chenxi', 'lidun', 'operator']) {
    const { body } = await ask('POST', '/v1/dev/token', undefined, { persona });
    tokens.set(persona, String(body['access_token']));
  }
});
afterAll(async () => {
  await sql?.end();
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

type Coupon = { claim_id: string; name: string; deduction: number; selected: boolean; reason: string };
type Body = Record<string, unknown> & {
  product_id: string;
  coupon_id: string;
  claim_id: string;
  order_id: string;
  review_id: string;
  code: string;
  status: string;
  payable: number;
  skus: { sku_id: string; price: object; name: string }[];
  items: { product_id: string }[];
  coupons: { usable: Coupon[]; unusable: Coupon[] };
  attempts: { code_url: string | null }[];
  agreements: { name: string }[];
};
type Answer = { readonly status: number; readonly body: Body };

async function ask(method: string, path: string, as?: string, body?: unknown, base = system.urls['gateway']!): Promise<Answer> {
  const response = await fetch(base + path, {
    method,
    signal: AbortSignal.timeout(20_000),
    headers: {
      'idempotency-key': randomUUID(),
      ...(as !== undefined && { authorization: `Bearer ${tokens.get(as)}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
}
/** As `ask`, where nothing but the wanted answer will do. */
async function sure(status: number, ...asked: Parameters<typeof ask>): Promise<Body> {
  const answer = await ask(...asked);
  if (answer.status !== status) throw new Error(`${asked.slice(0, 3).join(' ')}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const quote = (sku_id: string, more: object = {}) => ask('POST', '/v1/quotes', 'lin', { sku_id, duration: 1, ...more });
async function orderOf(sku_id: string, coupon = 'none', more: object = {}): Promise<Answer> {
  const { agreements } = (await quote(sku_id, { coupon: 'none' })).body;
  const accepted_agreements = agreements.map(({ name }) => name);
  return ask('POST', '/v1/orders', 'lin', { sku_id, duration: 1, coupon, accepted_agreements, ...more });
}
async function order(...asked: Parameters<typeof orderOf>): Promise<Body> {
  const { status, body } = await orderOf(...asked);
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body;
}
const orderIs = (id: string, status: string) =>
  until(async () => (await ask('GET', `/v1/orders/${id}`, 'lin')).body.status === status, { within: 30_000, what: `${id} is ${status}` });
/** What the buyer's screen shows, to be scanned. */
const openCode = (id: string) =>
  until(async () => {
    const { body } = await ask('POST', '/v1/payments', 'lin', { order_id: id, channel: 'wechat_native' });
    return body.attempts?.at(-1)?.code_url;
  });
async function pay(id: string): Promise<void> {
  const code = await openCode(id);
  await ask('POST', '/sandbox/wechat/scan', undefined, { code_url: code }, system.urls['sandbox']!);
}
const advance = (by: string) => sure(200, 'POST', '/v1/test/clock', 'operator', { advance: by });

/** Other services learn what the catalogue says within this time of its answer, where the machine has nothing else to do. */
const learntMsMax = 1_000;
const learntMs: number[] = [];
async function learnt(what: string, look: () => Promise<boolean>): Promise<void> {
  const from = performance.now();
  await until(look, { what });
  learntMs.push(performance.now() - from);
}

const monthly = (price: number) => ({ model: 'per_period', price, unit: 'month', durations: [1, 3, 12] });
const texts = {
  category_id: 'customers',
  name: '帆影回访助手',
  summary: '把每一次回访排进日历',
  description: '回访计划与记录。',
  guide: '登录后导入客户。',
};
/** Adds software as a draft, has its interface checked and published, and puts it on the shelf. */
async function publishProduct(who = 'fanying', trial: readonly object[] = []): Promise<Body> {
  const skus = [{ name: '团队版', price: monthly(9_900) }, ...trial];
  const { product_id: id } = await sure(201, 'POST', '/v1/provider/products', who, { ...texts, delivery_type: 'saas', skus });
  const product = `/v1/provider/products/${id}`;
  await until(async () => (await ask('GET', `${product}/endpoint`, who)).status === 200, { what: 'the draft is known to who will call' });
  await publishInterface(product, who);
  return until(async () => {
    const { status, body } = await ask('POST', `${product}/publish`, who);
    return status === 200 ? body : undefined;
  });
}
/** Answers the steps of the check. */
async function publishInterface(product: string, who: string): Promise<readonly string[]> {
  const { check_id: check } = await sure(202, 'POST', `${product}/endpoint/check`, who);
  const ended = await until(async () => {
    const { body } = await ask('GET', `${product}/endpoint/checks/${String(check)}`, who);
    return body['state'] !== 'running' ? body : undefined;
  });
  if (ended['state'] !== 'passed') throw new Error(JSON.stringify(ended));
  await sure(200, 'POST', `${product}/endpoint/publish`, who);
  return ended['steps'] as string[];
}

test('a product goes from its provider’s desk to a buyer’s review; what an order says, later editions do not change', async () => {
  const product = await publishProduct();
  const { product_id: id } = product;
  const sku = product.skus[0]!.sku_id;
  await learnt('the new product can be bought', async () => (await quote(sku)).status === 200);
  const found = await sure(200, 'GET', `/v1/products?q=${encodeURIComponent('回访')}`);
  expect(found.items.map(({ product_id }) => product_id)).toEqual([id]);

  const bought = await order(sku);
  const skus = [{ sku_id: sku, name: '团队版', price: monthly(12_900) }];
  await sure(200, 'PUT', `/v1/provider/products/${id}`, 'fanying', { ...texts, name: '帆影回访助手 Pro', skus, product_version: 2 });
  await learnt('the new price is quoted', async () => (await quote(sku, { coupon: 'none' })).body.payable === 12_900);
  await sure(200, 'POST', `/v1/provider/products/${id}/withdraw`, 'fanying');
  await learnt('what is off the shelf is not sold', async () => (await quote(sku)).body.code === 'product-withdrawn');
  // The quickest of the three: others may keep the machine busy meanwhile.
  expect(Math.min(...learntMs)).toBeLessThan(learntMsMax);
  expect((await ask('GET', `/v1/orders/${bought.order_id}`, 'lin')).body).toMatchObject({ payable: 9_900, product: { name: texts.name } });

  const review = { stars: 4, text: '提醒很准，导入还可以更快' };
  expect((await ask('POST', `/v1/products/${id}/reviews`, 'lin', review)).body.code).toBe('product-not-bought');
  await pay(bought.order_id);
  await orderIs(bought.order_id, 'completed');
  const written = await sure(201, 'POST', `/v1/products/${id}/reviews`, 'lin', review);
  expect((await ask('POST', `/v1/products/${id}/reviews`, 'lin', review)).body.code).toBe('product-already-reviewed');
  await sure(200, 'PUT', `/v1/provider/reviews/${written.review_id}/answer`, 'fanying', { text: '已提速' });
  expect(await sure(200, 'GET', `/v1/products/${id}`)).toMatchObject({ sales_count: 1, rating: { reviews: 1, average: 4 } });
  await sure(200, 'POST', `/v1/ops/reviews/${written.review_id}/hide`, 'operator', { reason: '核实中' });
  expect(await sure(200, 'GET', `/v1/products/${id}`)).toMatchObject({ rating: { reviews: 0, average: null } });
});

describe('the orders of an organisation', () => {
  let sku: string;
  let few: string;

  test('wait for its approver when they are dear, and carry the number that it keeps them under', async () => {
    const limited = { name: '限购版', price: monthly(100), per_account_max: 1 };
    const product = await publishProduct('fanying', [limited]);
    sku = product.skus.find(({ name }) => name === '团队版')!.sku_id;
    few = product.skus.find(({ name }) => name === '限购版')!.sku_id;
    await until(async () => (await quote(sku)).status === 200, { what: 'the product can be bought' });
    await sure(200, 'PUT', '/v1/purchasing-rules', 'he', { approval_above: 5_000, po_number_required: true });
    expect((await orderOf(sku)).body.code).toBe('po-number-missing');
    const { order_id: id, status } = await order(sku, 'none', { po_number: 'PO-2026-0042' });
    expect(status).toBe('pending_approval');
    expect((await ask('POST', `/v1/orders/${id}/approve`, 'lin', {})).status).toBe(403);
    await sure(200, 'POST', `/v1/orders/${id}/approve`, 'he', { note: '同意' });
    await pay(id);
    await orderIs(id, 'completed');
    const file = await fetch(`${system.urls['gateway']}/v1/orders/export?keyword=${id}`, {
      headers: { authorization: `Bearer ${tokens.get('lin')}` },
    });
    expect(file.headers.get('content-type')).toContain('text/csv');
    expect((await file.text()).trimEnd().split('\r\n')[1]).toContain('PO-2026-0042');
  });

  test('that are declined end as cancelled; deleted, they are gone for it and stay for the provider', async () => {
    const { order_id: id } = await order(sku, 'none', { po_number: 'PO-2026-0043' });
    await sure(200, 'POST', `/v1/orders/${id}/decline`, 'he', { note: '预算不足' });
    expect(await sure(200, 'GET', `/v1/orders/${id}`, 'lin')).toMatchObject({ status: 'cancelled', approval: { note: '预算不足' } });
    await sure(204, 'DELETE', `/v1/orders/${id}`, 'lin');
    expect((await ask('GET', `/v1/orders/${id}`, 'lin')).status).toBe(404);
    expect(await sure(200, 'GET', `/v1/provider/orders/${id}`, 'fanying')).toMatchObject({ status: 'cancelled' });
    await sure(200, 'PUT', '/v1/purchasing-rules', 'he', { approval_above: null, po_number_required: false });
  });

  test('are no more than the provider allows each account; what ended unpaid does not count', async () => {
    const first = await order(few);
    expect((await quote(few)).body.code).toBe('purchase-limit-reached');
    await sure(202, 'POST', `/v1/orders/${first.order_id}/cancel`, 'lin');
    await orderIs(first.order_id, 'cancelled');
    const second = await order(few);
    await pay(second.order_id);
    await orderIs(second.order_id, 'completed');
    expect((await quote(few)).body.code).toBe('purchase-limit-reached');
  });
});

describe('software of a provider that is called by Alibaba’s SPI', () => {
  test('is on the shelf only once its interface is checked and published; then it is bought, delivered and signed on to', async () => {
    const draft = { ...texts, name: '砺盾基线核查', delivery_type: 'saas', skus: [{ name: '团队版', price: monthly(9_900) }] };
    const { product_id: early } = await sure(201, 'POST', '/v1/provider/products', 'lidun', draft);
    expect((await ask('POST', `/v1/provider/products/${early}/publish`, 'lidun')).body.code).toBe('endpoint-not-published');

    const trial = { name: '体验版', price: { model: 'per_period', price: 0, unit: 'day', durations: [7] }, trial_of: '团队版' };
    const { product_id: id, skus } = await publishProduct('lidun', [trial]);
    const checks = await sure(200, 'GET', `/v1/provider/products/${id}/endpoint/checks`, 'lidun');
    const { results } = checks.items[0] as unknown as { results: { step: string; request: string }[] };
    expect(results.map(({ step }) => step)).toEqual(['verify', 'create', 'create-again', 'convert', 'renew', 'expire', 'destroy']);
    expect(results[3]?.request).toMatch(/action=upgradeInstance.*\naction=renewInstance/);

    const sku = skus[0]!.sku_id;
    await until(async () => (await quote(sku)).status === 200);
    const bought = await order(sku);
    await pay(bought.order_id);
    await orderIs(bought.order_id, 'completed');
    const { instance_id: instance } = await sure(200, 'GET', `/v1/orders/${bought.order_id}`, 'lin');
    const { app } = (await sure(200, 'GET', `/v1/instances/${String(instance)}`, 'lin')) as unknown as { app: { auth_url: string } };
    expect(await (await fetch(app.auth_url)).text()).toContain('您已登录');
    expect((await fetch(app.auth_url.replace(/token=.*/, 'token=guess'))).status).toBe(403);
  });
});

describe('software that is metered', () => {
  const left = (body: Body) => (body as unknown as { usage: { used: string; left: string } | null }).usage;
  const played = `/sandbox/provider/${demoProviders.fanying.providerId}`;

  test('shows its buyer what is left, as its provider counts it; and the provider reminds when that is little', async () => {
    const flow = { amount: 2_000, unit: 'Mb' };
    const { product_id, skus } = await publishProduct('fanying');
    const path = `/v1/provider/products/${product_id}`;
    const edition = (on_sale: boolean) => {
      const metered = { name: '流量版', price: monthly(1_900), flow, on_sale };
      const kept = skus.map(({ sku_id, name, price }) => ({ sku_id, name, price }));
      return { ...texts, skus: [...kept, metered], product_version: 2 };
    };
    // Nobody has seen yet that the provider tells what is used.
    expect((await ask('PUT', path, 'fanying', edition(true))).body.code).toBe('endpoint-not-metering');
    const edited = await sure(200, 'PUT', path, 'fanying', edition(false));
    const sku = edited.skus.find(({ name }) => name === '流量版')!.sku_id;
    await until(async () => (await publishInterface(path, 'fanying')).includes('query-usage'), { what: 'the check asks for usage' });
    await until(async () => (await ask('PUT', `${path}/skus/${sku}/on-sale`, 'fanying', { on_sale: true })).status === 200);
    await until(async () => (await quote(sku)).status === 200);
    const bought = await order(sku);
    expect(bought).toMatchObject({ flow });
    await pay(bought.order_id);
    await orderIs(bought.order_id, 'completed');
    const { instance_id: id } = await sure(200, 'GET', `/v1/orders/${bought.order_id}`, 'lin');
    const instance = `/v1/instances/${String(id)}`;
    expect(left(await sure(200, 'GET', `${instance}/usage`, 'lin'))).toMatchObject({ used: '0', left: '2000' });
    await sure(200, 'PUT', `${instance}/usage-reminder`, 'lin', { on: true, amount: '200', unit: 'Mb' });

    // The provider's own program: it has a key of the marketplace's cloud API, and calls it when the meter says so.
    const sandbox = system.urls['sandbox']!;
    const { secret_id, secret_key } = await sure(201, 'POST', '/v1/provider/cloud-keys', 'fanying');
    const key = { secret_id, secret_key, endpoint: system.urls['gateway'] };
    expect((await ask('PUT', `${played}/cloud-key`, undefined, key, sandbox)).status).toBe(204);
    const { items } = (await ask('GET', `${played}/instances?order_id=${bought.order_id}`, undefined, undefined, sandbox)).body;
    const { signId } = items[0] as unknown as { signId: string };
    const used = await ask('POST', `${played}/instances/${signId}/usage`, undefined, { add: 1_812.5 }, sandbox);
    expect(used.body).toMatchObject({ left: '187.5', reminded: { ok: true } });

    expect(await sure(200, 'GET', `/v1/notifications?instance_id=${String(id)}`, 'lin')).toMatchObject({
      items: [{ kind: 'usage-low', usage: { total: '2000', left: '187.5', unit: 'Mb' } }],
    });
    await advance('PT60S');
    const shown = await sure(200, 'GET', `${instance}/usage`, 'lin');
    expect(shown).toMatchObject({ reminder: { on: true, amount: '200' }, reminders: [{ left: '187.5' }] });
    expect(left(shown)).toMatchObject({ used: '1812.5', left: '187.5' });
    expect((await ask('GET', `${instance}/usage`, 'zhao')).status).toBe(404);
  });
});

describe('coupons', () => {
  let sku = '';
  let productId = '';
  beforeAll(async () => {
    const product = await publishProduct();
    productId = product.product_id;
    sku = product.skus[0]!.sku_id;
    await until(async () => (await quote(sku)).status === 200);
  });

  const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
  const terms = {
    scope: { type: 'shop' },
    scenes: ['new_purchase'],
    stock: 10,
    claim_from: inDays(-1),
    claim_until: inDays(30),
    validity: { type: 'after_claim', days: 60 },
  };
  const publishCoupon = (name: string, off: number, who = 'fanying', more: object = {}) =>
    sure(201, 'POST', '/v1/provider/coupons', who, { ...terms, name, benefit: { type: 'amount', threshold: 9_000, off }, ...more });
  const claim = async ({ coupon_id }: Body): Promise<string> =>
    (await sure(201, 'POST', `/v1/coupons/${coupon_id}/claims`, 'lin')).claim_id;
  const claimIs = (id: string, status: string) =>
    until(async () => (await ask('GET', `/v1/my/coupons/${id}`, 'lin')).body.status === status, {
      within: 30_000,
      what: `${id} is ${status}`,
    });

  test('the best one is chosen by itself; the others are listed, with the reason where they are no good', async () => {
    const best = await claim(await publishCoupon('满 90 减 88', 8_800));
    const unlisted = await claim(await publishCoupon('满 90 减 87', 8_700, 'fanying', { listed: false }));
    const renewal = await claim(await publishCoupon('续费满 90 减 89', 8_900, 'fanying', { scenes: ['renewal'] }));
    const page = await sure(200, 'GET', `/v1/products/${productId}`);
    const claimable = (page['coupons'] as unknown as { name: string; left: number }[]).map(({ name }) => name);
    expect(claimable).toContain('满 90 减 88');
    expect(claimable).not.toContain('满 90 减 87');
    const { coupons, payable } = (await quote(sku)).body;
    expect(payable).toBe(9_900 - 8_800);
    expect(coupons.usable[0]).toMatchObject({ claim_id: best, selected: true });
    expect(coupons.usable).toContainEqual(expect.objectContaining({ claim_id: unlisted, selected: false, payable: 1_200 }));
    expect(coupons.unusable).toContainEqual(expect.objectContaining({ claim_id: renewal, reason: 'wrong-scene' }));
  });

  test('an order holds its coupon until it is cancelled, or nobody pays; then another order may use it up', async () => {
    const mine = await claim(await publishCoupon('满 90 减 10', 1_000));
    const cancelled = await order(sku, mine);
    await claimIs(mine, 'reserved');
    expect((await quote(sku, { coupon: mine })).body).toMatchObject({ code: 'coupon-not-usable', reason: 'in-use' });
    await sure(202, 'POST', `/v1/orders/${cancelled.order_id}/cancel`, 'lin');
    await orderIs(cancelled.order_id, 'cancelled');
    await claimIs(mine, 'usable');

    const unpaid = await order(sku, mine);
    await claimIs(mine, 'reserved');
    await advance('PT24H1M');
    await orderIs(unpaid.order_id, 'closed');
    await claimIs(mine, 'usable');

    const paid = await order(sku, mine);
    expect(paid.payable).toBe(8_900);
    await pay(paid.order_id);
    await orderIs(paid.order_id, 'completed');
    await claimIs(mine, 'used');
    expect((await quote(sku, { coupon: mine })).body.code).toBe('coupon-not-usable');
  });

  test('an order that cannot be delivered gives the coupon back with the money; what was made is taken back when the provider re-drives the call', async () => {
    const script = (path: string, body: object) =>
      ask('POST', `/sandbox/provider/${demoProviders.fanying.providerId}/${path}`, undefined, body, system.urls['sandbox']!);
    // It makes the instance and never says so, and then does not take it back either.
    await script('script', { action: 'createInstance', behaviour: 'lost-answer', times: 1_000 });
    await script('script', { action: 'destroyInstance', behaviour: 'status-500', times: 1_000 });
    const mine = await claim(await publishCoupon('满 90 减 20', 2_000));
    const failing = await order(sku, mine);
    await pay(failing.order_id);
    await orderIs(failing.order_id, 'processing');
    await until(
      async () => {
        await advance('PT20M');
        return (await ask('GET', `/v1/orders/${failing.order_id}`, 'lin')).body.status === 'failed';
      },
      { within: 60_000, every: 100 },
    );
    await claimIs(mine, 'usable');
    expect((await quote(sku, { coupon: mine })).body.payable).toBe(7_900);

    const failed = '/v1/provider/calls?given_up=true';
    await until(
      async () => {
        await advance('PT12H');
        return (await sure(200, 'GET', failed, 'fanying')).items.length === 1;
      },
      { within: 60_000, every: 100, what: 'the call is given up' },
    );
    await script('script/clear', {});
    const atProvider = async () =>
      (
        await ask(
          'GET',
          `/sandbox/provider/${demoProviders.fanying.providerId}/instances?order_id=${failing.order_id}`,
          undefined,
          undefined,
          system.urls['sandbox']!,
        )
      ).body.items as unknown as { status: string }[];
    expect(await atProvider()).toMatchObject([{ status: 'active' }]);
    expect(await sure(202, 'POST', '/v1/provider/calls/redrive', 'fanying', { reason: '接口已修复' })).toMatchObject({
      refused: [],
      left: 0,
    });
    await until(async () => (await atProvider())[0]?.status === 'reclaimed', { what: 'the provider has taken it back' });
    expect((await sure(200, 'GET', failed, 'fanying')).items).toEqual([]);
  });

  test('a provider changes the price of an unpaid order: the old code is dead, the coupon is reckoned anew, to nothing it needs no payment', async () => {
    const changePrice = (id: string, total: number) => ask('POST', `/v1/provider/orders/${id}/price`, 'fanying', { total });
    const shown = async (id: string) => (await ask('GET', `/v1/orders/${id}`, 'lin')).body;
    const settled = (id: string) =>
      until(async () => {
        const change = (await shown(id))['price_change'] as { status: string } | null;
        return change?.status === 'settled' || change?.status === 'kept' ? change : undefined;
      });
    const tenth = await claim(await publishCoupon('九折', 0, 'fanying', { benefit: { type: 'discount', pay_percent: 90 } }));
    const cheaper = await order(sku, tenth);
    const code = await openCode(cheaper.order_id);
    expect((await changePrice(cheaper.order_id, 9_901)).body.code).toBe('price-above-original');
    expect((await changePrice(cheaper.order_id, 5_000)).status).toBe(202);
    expect(await settled(cheaper.order_id)).toMatchObject({ status: 'settled', payable: 4_500 });
    expect((await ask('POST', '/sandbox/wechat/scan', undefined, { code_url: code }, system.urls['sandbox']!)).status).not.toBe(200);
    expect(await shown(cheaper.order_id)).toMatchObject({ total: 5_000, deduction: 500, payable: 4_500, original_total: 9_900 });
    await pay(cheaper.order_id);
    await orderIs(cheaper.order_id, 'completed');
    await claimIs(tenth, 'used');
    expect((await changePrice(cheaper.order_id, 1)).body.code).toBe('order-not-repriceable');

    const mine = await claim(await publishCoupon('满 90 减 30', 3_000));
    const gift = await order(sku, mine);
    await openCode(gift.order_id);
    expect((await changePrice(gift.order_id, 0)).status).toBe(202);
    await settled(gift.order_id);
    await orderIs(gift.order_id, 'completed');
    expect(await shown(gift.order_id)).toMatchObject({ payable: 0, coupon: null, payment: null });
    await claimIs(mine, 'usable');
  });

  test('a service that has lost its replica of the catalogue learns it anew at its start', async () => {
    const count = async () => (await sql<{ n: number }[]>`select count(*)::int as n from svc_coupon.products`)[0]!.n;
    const before = await count();
    expect(before).toBeGreaterThan(27);
    await system.kill('coupon');
    await sql`truncate svc_coupon.products`;
    await system.restart('coupon');
    await until(async () => (await count()) === before, { within: 20_000 });
    await publishCoupon('重启之后满 90 减 5', 500);
  });

  test('of a rule that is broken, the way of the order that broke it is told', async () => {
    const { order_id: orderId } = await order(sku);
    const told = await evidenceOf({ sql, dir }, [{ rule: 'an order is never placed', rows: [{ orderId }] }]);
    expect(told[0]).toBe('BROKEN: an order is never placed');
    for (const table of ['order', 'timeline', 'saga']) expect(told.join('\n')).toContain(`\n    ${table}: {`);
  });

  test('and in the end all books agree', async () => {
    await advance('PT25H');
    expect(await until(async () => (await violations(sql)).length === 0, { within: 60_000, every: 200 })).toBe(true);
  });
});
