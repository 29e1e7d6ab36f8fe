import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoClaims, demoCoupons, demoPersonas, demoProducts } from '@yunshi/contracts/demo-world';
import { routeOf } from '@yunshi/gateway/routing/table';
import { startSystem, type System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

/*
 * Who may call what, and who may see what, on the whole running system: generated from its own API description, so that a route
 * added tomorrow is asked the same questions.
 */

type Operation = {
  operationId: string;
  security: object[];
  'x-roles'?: string[];
  parameters?: { name: string; in: string }[];
  tags: string[];
};
type Description = { paths: Record<string, Record<string, Operation>>; 'x-unavailable'?: string[] };
type Route = { readonly method: string; readonly path: string; readonly roles: readonly string[] | 'public' | 'signed-in' };

let dir: string;
let system: System;
let gateway = '';
let description: Description;
let routes: readonly Route[] = [];
const tokens = new Map<string, string>();

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-edge-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false });
  gateway = system.urls['gateway']!;
  for (const persona of ['lin', 'he', 'zhao', 'fanying', 'chenxi', 'operator']) {
    const { body } = await ask('POST', '/v1/dev/token', { body: { persona } });
    tokens.set(persona, String((body as { access_token: string }).access_token));
  }
  description = (await ask('GET', '/openapi.json')).body as Description;
  routes = Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      roles: operation['x-roles'] ?? (operation.security.length > 0 ? ('signed-in' as const) : ('public' as const)),
    })),
  );
});
afterAll(async () => {
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

type Ask = { readonly as?: string; readonly body?: unknown };
type Answer = { readonly status: number; readonly body: unknown; readonly text: string };

async function ask(method: string, path: string, { as, body }: Ask = {}): Promise<Answer> {
  const response = await fetch(gateway + path, {
    method,
    signal: AbortSignal.timeout(20_000),
    headers: {
      'idempotency-key': randomUUID(),
      ...(as !== undefined && { authorization: `Bearer ${tokens.get(as)}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (isStream) await response.body?.cancel();
  const text = isStream ? '' : await response.text();
  return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : undefined };
}

/** `/v1/orders/{order_id}` with real ids, or with ones that look real and belong to nobody. */
const nobodys = '0198c000000070008000ffffffffffff';
const prefixes: Readonly<Record<string, string>> = {
  order_id: 'ord',
  payment_id: 'pay',
  instance_id: 'ins',
  claim_id: 'ccl',
  coupon_id: 'cpn',
  product_id: 'prd',
  provider_id: 'prv',
  saga_id: 'sag',
  withdrawal_id: 'wdr',
  sku_id: 'sku',
  review_id: 'rvw',
  check_id: 'chk',
};
/** What is named by people has no prefix. */
const named: Readonly<Record<string, string>> = { category_id: 'office' };
const fill = (path: string, ids: Readonly<Record<string, string>> = {}): string =>
  path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => ids[name] ?? named[name] ?? (name in prefixes ? `${prefixes[name]}_${nobodys}` : randomUUID()),
  );

/** Places an order as a client does: quote, accept the agreements, order. */
async function order(as: string, sku_id: string, duration: number): Promise<string> {
  const quote = await ask('POST', '/v1/quotes', { as, body: { sku_id, duration } });
  if (quote.status !== 200) throw new Error(quote.text);
  const accepted_agreements = (quote.body as { agreements: { name: string }[] }).agreements.map(({ name }) => name);
  const placed = await ask('POST', '/v1/orders', { as, body: { sku_id, duration, coupon: 'none', accepted_agreements } });
  if (placed.status !== 201) throw new Error(placed.text);
  return (placed.body as { order_id: string }).order_id;
}

const people = [
  { as: 'lin', roles: ['buyer'] },
  { as: 'he', roles: ['buyer', 'approver'] },
  { as: 'fanying', roles: ['provider'] },
  { as: 'operator', roles: ['operator'] },
] as const;

describe('the description of the whole system', () => {
  it('is complete and valid', async () => {
    expect(description['x-unavailable']).toBeUndefined();
    expect(await new Validator().validate(structuredClone(description))).toEqual({ valid: true });
    expect(routes.length).toBeGreaterThan(25);
  });

  it('leaves out no route of any service, and each says who may call it', async () => {
    for (const [service, url] of Object.entries(system.urls)) {
      if (service === 'gateway' || service === 'sandbox') continue;
      const own = (await (await fetch(`${url}/openapi.json`)).json()) as Description;
      for (const [path, item] of Object.entries(own.paths)) {
        for (const method of Object.keys(item)) {
          expect(routeOf(method.toUpperCase(), path), `${method} ${path}`).toMatchObject({ to: service });
          expect(Object.keys(description.paths[path] ?? {}), `${method} ${path}`).toContain(method);
        }
      }
    }
  });

  it('asks for a token exactly where the gateway does', () => {
    for (const { method, path, roles } of routes) {
      const routed = routeOf(method, fill(path));
      if (!routed) continue; // the gateway's own
      expect(routed.needsToken, `${method} ${path}`).toBe(roles !== 'public');
    }
  });
});

test('every route opens for its roles and nobody else: 401 without a token, 403 with another role', async () => {
  const wrong: string[] = [];
  let asked = 0;
  for (const { method, path, roles } of routes) {
    const body = method === 'GET' ? undefined : {};
    const say = (who: string, status: number, wanted: string) => wrong.push(`${who} ${method} ${path}: ${status}, not ${wanted}`);
    const anonymous = (await ask(method, fill(path), { body })).status;
    asked++;
    if (roles === 'public' ? anonymous === 401 || anonymous >= 500 : anonymous !== 401) say('nobody', anonymous, String(roles));
    for (const { as, roles: own } of people) {
      const { status } = await ask(method, fill(path), { as, body });
      asked++;
      const may = typeof roles === 'string' || own.some((role) => roles.includes(role));
      if (may ? status === 401 || status === 403 || status >= 500 : status !== 403) say(as, status, String(roles));
    }
  }
  expect(wrong).toEqual([]);
  expect(asked).toBe(routes.length * (1 + people.length));
});

describe('what belongs to one account', () => {
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    const free = await order('lin', demoProducts.survey.skus.free, 1);
    const paid = await order('lin', demoProducts.helpDesk.skus.basic, 3);
    ids['order_id'] = free;
    ids['claim_id'] = demoClaims.linMinus20;
    const payment = await until(async () => {
      const answer = await ask('POST', '/v1/payments', { as: 'lin', body: { order_id: paid, channel: 'wechat_native' } });
      // The saga needs a moment to come to the payment.
      if (answer.status !== 201) throw new Error(answer.text);
      return answer.body as { payment_id: string };
    });
    ids['payment_id'] = payment.payment_id;
    const instance = await until(async () => {
      const { body } = await ask('GET', '/v1/instances', { as: 'lin' });
      return (body as { items: { instance_id: string; order_id: string }[] }).items.find(({ order_id }) => order_id === free);
    });
    ids['instance_id'] = instance.instance_id;
    const quoted = await ask('POST', '/v1/quotes', { as: 'lin', body: { sku_id: demoProducts.survey.skus.free, duration: 1 } });
    const accepted_agreements = (quoted.body as { agreements: { name: string }[] }).agreements.map(({ name }) => name);
    await until(async () => {
      const answer = await ask('PUT', `/v1/auto-renewals/${instance.instance_id}`, {
        as: 'lin',
        body: { duration: 1, accepted_agreements },
      });
      if (answer.status !== 200) throw new Error(answer.text);
      return true;
    });
    const call = await until(async () => {
      const { body } = await ask('GET', '/v1/provider/calls', { as: 'chenxi' });
      return (body as { items: { call_id: string }[] }).items[0];
    });
    ids['call_id'] = call.call_id;
    const withdrawal = await ask('POST', '/v1/wallet/withdrawals', { as: 'lin', body: { source: 'offline', amount: 1 } });
    const check = await ask('POST', `/v1/provider/products/${demoProducts.survey.productId}/endpoint/check`, { as: 'chenxi' });
    ids['check_id'] = (check.body as { check_id: string }).check_id;
    ids['withdrawal_id'] = (withdrawal.body as { withdrawal_id: string }).withdrawal_id;
    ids['product_id'] = demoProducts.survey.productId;
    const review = await until(async () => {
      const path = `/v1/products/${demoProducts.survey.productId}/reviews`;
      const answer = await ask('POST', path, { as: 'lin', body: { stars: 4, text: '够用' } });
      // The sale is recorded a moment after the order was placed.
      if (answer.status !== 201) throw new Error(answer.text);
      return answer.body as { review_id: string };
    });
    ids['review_id'] = review.review_id;
    ids['sku_id'] = demoProducts.survey.skus.free;
    ids['coupon_id'] = demoCoupons.chenxiTenth.couponId;
  }, 60_000);

  /** Routes about one thing that somebody owns. A month is nobody's: every provider has its own of the same name. */
  const owned = (role: string): readonly Route[] =>
    routes.filter(({ path, roles }) => Array.isArray(roles) && roles.includes(role) && /\{(?!month\})\w+\}/.test(path));

  /** Lin has bought no API here, and chenxi sells none: renewal.journey.spec.ts reads these of an API instance. */
  const isOfApis = (path: string): boolean => /\/instances\/\{instance_id\}\/(calls|keys\/)|\/upstream$/.test(path);

  it('is found by its owner', async () => {
    for (const { method, path } of owned('buyer').filter((route) => route.method === 'GET' && !isOfApis(route.path))) {
      const { status, text } = await ask(method, fill(path, ids), { as: 'lin' });
      expect([200, 204], `${method} ${path}: ${text}`).toContain(status);
    }
    // A provider withdraws what completed orders have brought it, of which there are none here: story.journey.spec.ts looks at such a withdrawal.
    const had = owned('provider').filter(
      ({ method, path }) => method === 'GET' && !path.startsWith('/v1/provider/withdrawals/') && !isOfApis(path),
    );
    for (const { path } of had) {
      const { status, text } = await ask('GET', fill(path, ids), { as: 'chenxi' });
      expect(status, `GET ${path}: ${text}`).toBe(200);
    }
  });

  it('is not found by another account of the same role, read or written, and says nothing of its owner', async () => {
    const leaks: string[] = [];
    let asked = 0;
    for (const [role, other] of [
      ['buyer', 'zhao'],
      ['provider', 'fanying'],
    ] as const) {
      for (const { method, path } of owned(role)) {
        const body = method === 'GET' ? undefined : (wellFormed[`${method} ${path}`] ?? {});
        const { status, text } = await ask(method, fill(path, ids), { as: other, body });
        asked++;
        const shared = forEverybody.some((resource) => path.startsWith(resource));
        if (!shared && status !== 404) leaks.push(`${other} ${method} ${path}: ${status} ${text}`);
        if (text.includes(demoPersonas.lin.accountId)) leaks.push(`${other} ${method} ${path} names the owner`);
      }
    }
    expect(leaks).toEqual([]);
    expect(asked).toBeGreaterThan(9);
  });

  it('is in nobody else’s lists', async () => {
    const lists = routes.filter(({ method, path, roles }) => method === 'GET' && !path.includes('{') && Array.isArray(roles));
    for (const { path, roles } of lists) {
      for (const [role, other] of [
        ['buyer', 'zhao'],
        ['provider', 'fanying'],
      ] as const) {
        if (!roles.includes(role)) continue;
        const { text } = await ask('GET', path, { as: other });
        for (const name of ['order_id', 'claim_id', 'payment_id', 'instance_id', 'call_id', 'withdrawal_id']) {
          expect(text.includes(ids[name]!), `${name} of lin in ${path} of ${other}`).toBe(false);
        }
      }
    }
  });
});

/** Beside ids in their paths these have nothing that belongs to one account: claiming a coupon on offer, or reviewing a product, is no trespass. */
const forEverybody = ['/v1/coupons/', '/v1/products/'];

const texts = { category_id: 'office', name: '不是你的', summary: '别人的商品', description: '别人的商品', guide: '无' };
/** A body that would be good if the thing were one's own, for routes that look at it first. */
const wellFormed: Readonly<Record<string, object>> = {
  'PUT /v1/provider/products/{product_id}/endpoint': { url: 'https://provider.example/saas', token: 'not-your-product-0123456789' },
  'PUT /v1/provider/products/{product_id}/upstream': { url: 'https://provider.example/api', token: 'not-your-product-0123456789' },
  'PUT /v1/instances/{instance_id}/usage-reminder': { on: false },
  'POST /v1/provider/orders/{order_id}/price': { total: 1 },
  'PUT /v1/provider/products/{product_id}': {
    ...texts,
    skus: [{ name: '基础版', price: { model: 'one_off', price: 100 } }],
    product_version: 1,
  },
  'PUT /v1/auto-renewals/{instance_id}': { duration: 1, accepted_agreements: [] },
  'PUT /v1/provider/reviews/{review_id}/answer': { text: '不是我的商品' },
  'PUT /v1/provider/products/{product_id}/skus/{sku_id}/on-sale': { on_sale: false },
};

test('a body with a field that only the server may set is refused, and the field is named', async () => {
  const taken: string[] = [];
  for (const { method, path } of routes.filter((route) => route.method !== 'GET' && route.roles !== 'public')) {
    const operation = description.paths[path]?.[method.toLowerCase()] as Operation & { requestBody?: unknown };
    if (!operation.requestBody) continue;
    const as = people.find(({ roles }) => roles.some((role) => (operation['x-roles'] ?? ['buyer']).includes(role)))!.as;
    const ids = { coupon_id: demoCoupons.fanyingMinus20.couponId };
    const { status, text } = await ask(method, fill(path, ids), { as, body: { status: 'completed', price: 1, account_id: 'acc_x' } });
    const named = ['/status', '/price', '/account_id'].every((field) => text.includes(`"field":"${field}"`));
    if (status !== 400 || !named) taken.push(`${method} ${path}: ${status} ${text}`);
  }
  expect(taken).toEqual([]);
});

test('one order is told live through the gateway', async () => {
  const order_id = await order('zhao', demoProducts.survey.skus.free, 1);
  const response = await fetch(`${gateway}/v1/orders/${order_id}/events`, { headers: { authorization: `Bearer ${tokens.get('zhao')}` } });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes('"completed"')) break;
  }
  expect(text).toMatch(/^retry: \d+\n/);
  expect(text).toContain('id: ');
});
