import { randomBytes } from 'node:crypto';
import { productChanged } from '@yunshi/contracts/catalog';
import { deliveryClosed, deliveryCompleted, deliveryOpened } from '@yunshi/contracts/delivery';
import { fulfilOrder } from '@yunshi/contracts/fulfillment';
import { buyer, operator, otherBuyer, otherProvider, provider, testIssuer } from '@yunshi/http/testing';
import type { Caller } from '@yunshi/http/auth';
import { newId } from '@yunshi/kernel/ids';
import type { OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import type { DeliveryType, Line } from '@yunshi/kernel/marketplace';
import { messageOut } from '@yunshi/messaging/envelope';
import { moveClock } from '@yunshi/messaging/clock';
import { verify } from '@yunshi/protocols/saas/signature';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { start } from './app.ts';
import type { Running } from './app.ts';
import { testConfig } from './config.fixture.ts';

const database = await testDatabase('fulfillment');
const nats = await testNats();
const issuer = await testIssuer();
const token = 'routes-token-0001';
let service: Running;
let endpointUrl = '';
/** What the provider's endpoint says next, and what it was told. */
let say: (body: Record<string, unknown>) => { status: number; body: string };
const told: Record<string, unknown>[] = [];

const endpoint = fastify();
endpoint.get('/failing', (_request, reply) => reply.code(503).send('{}'));
endpoint.post('/deliver', async (request, reply) => {
  const body = request.body as Record<string, unknown>;
  if (verify(token, request.query as Record<string, unknown>, Date.now()) !== 'genuine') return reply.code(403).send('{}');
  told.push(body);
  const { status, body: text } = say(body);
  return reply.code(status).header('content-type', 'application/json').send(text);
});
const delivers = (body: Record<string, unknown>) => ({
  status: 200,
  body: JSON.stringify(
    body['action'] === 'verifyInterface'
      ? { echoback: body['echoback'] }
      : {
          signId: 's-1',
          success: 'true',
          appInfo: { website: 'https://app.example/', authUrl: 'https://app.example/sso?t=1' },
          additionalInfo: [{ name: '账号', value: 'demo' }],
        },
  ),
});

beforeAll(async () => {
  const address = await endpoint.listen({ host: '127.0.0.1', port: 0 });
  endpointUrl = `${address}/deliver`;
  service = await start(testConfig({ databaseUrl: database.url, natsUrl: nats.url, issuer, sandboxUrl: address }), { auth: issuer.auth });
});
afterAll(async () => {
  await service.stop();
  await endpoint.close();
});
beforeEach(() => {
  say = delivers;
  told.length = 0;
});

async function call(caller: Caller | undefined, method: 'GET' | 'PUT' | 'POST', path: string, body?: object) {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      ...(method === 'POST' && { 'idempotency-key': randomBytes(8).toString('hex') }),
      ...(caller !== undefined && { authorization: `Bearer ${await issuer.token(caller)}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const get = (caller: Caller | undefined, path: string) => call(caller, 'GET', path);
const itemsOf = (answer: { body: Record<string, unknown> }) => answer.body['items'] as Record<string, unknown>[];

type Bought = { orderId: OrderId; productId: ProductId; instanceId: string };

async function publish(message: Parameters<typeof messageOut>[0], saga?: Parameters<typeof messageOut>[1]): Promise<void> {
  const { subject, body } = messageOut(message, saga, service.core.clock.now(), undefined);
  service.core.nc.publish(subject, body);
  await service.core.nc.flush();
}

/** The catalogue tells of a product of the provider, who then sets its endpoint. */
async function product(deliveryType: DeliveryType = 'saas', by: Caller = provider): Promise<ProductId> {
  const now = service.core.clock.now();
  const productId = newId('prd', now);
  await publish(
    productChanged({
      productId,
      productVersion: 1,
      providerId: by.providerId as ProviderId,
      providerName: '云上软件',
      name: '云表单',
      deliveryType,
      humanDelivery: false,
      status: 'published',
      skus: [{ skuId: newId('sku', now), name: '专业版', price: { model: 'one_off', price: 100 }, onSale: true }],
    }),
  );
  await until(async () => (await service.core.sql`select 1 from products where product_id = ${productId}`).length === 1, {
    what: 'the product is known',
  });
  return productId;
}
async function calledProduct(): Promise<ProductId> {
  const productId = await product();
  const path = `/v1/provider/products/${productId}/endpoint`;
  expect(await call(provider, 'PUT', path, { url: endpointUrl, token })).toMatchObject({ status: 200 });
  expect(await checked(productId)).toMatchObject({ state: 'passed' });
  expect(await call(provider, 'POST', `${path}/publish`)).toMatchObject({ status: 200, body: { delivery: { url: endpointUrl } } });
  told.length = 0;
  return productId;
}
/** Runs an online check, and answers it when it has ended. */
async function checked(productId: ProductId): Promise<Record<string, unknown>> {
  const path = `/v1/provider/products/${productId}/endpoint`;
  const begun = await call(provider, 'POST', `${path}/check`);
  expect(begun).toMatchObject({ status: 202 });
  return until(async () => {
    const { body } = await get(provider, `${path}/checks/${String(begun.body['check_id'])}`);
    return body['state'] === 'running' ? undefined : body;
  });
}

async function buy(by: Caller, changes: Partial<Line> & { productName?: string } = {}): Promise<Bought> {
  const now = service.core.clock.now();
  const { productName = '云表单', ...lineChanges } = changes;
  const line: Line = {
    skuId: newId('sku', now),
    productId: newId('prd', now),
    providerId: provider.providerId as ProviderId,
    deliveryType: 'human_service',
    quantity: 1,
    unitPrice: 100,
    amount: 100,
    ...lineChanges,
  };
  const orderId = newId('ord', now);
  const bought = { orderId, productId: line.productId, instanceId: `ins_${orderId.slice(4)}` };
  const { accountId, userId } = by;
  const order = {
    orderId,
    orderNumber: `N${randomBytes(6).toString('hex')}`,
    accountId,
    userId,
    kind: 'new_purchase' as const,
    productName,
    skuName: '标准',
    isTrial: false,
    line,
  };
  await publish(fulfilOrder(order), { sagaId: newId('sag', now), step: 'fulfil', direction: 'do', replyTo: 'test' });
  await until(async () => (await get(by, `/v1/instances/${bought.instanceId}`)).status === 200, { what: 'the instance is there' });
  return bought;
}
const shipped = (by: Caller, { instanceId }: Bought) =>
  until(async () => {
    const answer = await get(by, `/v1/instances/${instanceId}`);
    return answer.body['status'] === 'shipped' ? answer.body : undefined;
  });
const callsOf = async (by: Caller, { instanceId }: Bought) => itemsOf(await get(by, `/v1/provider/calls?instance_id=${instanceId}`));

describe('an instance', () => {
  test('shows its application to the account that bought it', async () => {
    const bought = await buy(buyer, { deliveryType: 'saas', productId: await calledProduct(), period: { count: 1, unit: 'year' } });
    expect(await shipped(buyer, bought)).toMatchObject({
      delivery_type: 'saas',
      product_name: '云表单',
      provider_name: '云上软件',
      failure: null,
      operations: ['manage', 'renew', 'review', 'contact'],
      orders: [{ order_id: bought.orderId, kind: 'new_purchase', state: 'done' }],
      // There is no catalogue here to be asked.
      contact: null,
      case: null,
      app: { website: 'https://app.example/', auth_url: 'https://app.example/sso?t=1', fields: [{ name: '账号', value: 'demo' }] },
    });
  });

  test('is not found by anybody else, and needs a buyer’s token', async () => {
    const { instanceId } = await buy(buyer);
    expect(await get(otherBuyer, `/v1/instances/${instanceId}`)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(itemsOf(await get(otherBuyer, '/v1/instances')).some((item) => item['instance_id'] === instanceId)).toBe(false);
    for (const other of [provider, operator]) expect((await get(other, `/v1/instances/${instanceId}`)).status).toBe(403);
    expect((await get(undefined, `/v1/instances/${instanceId}`)).status).toBe(401);
  });
});

describe('the list of instances', () => {
  const lister: Caller = { ...otherBuyer, accountId: newId('acc', new Date()), userId: newId('usr', new Date()) };
  const bought: Bought[] = [];
  beforeAll(async () => {
    for (const [index, months] of [3, 1, undefined, 2].entries()) {
      const period = months === undefined ? {} : { period: { count: months, unit: 'month' as const } };
      bought.push(await buy(lister, { productName: `表单 100%_${index}`, deliveryType: index === 2 ? 'human_service' : 'api', ...period }));
      await moveClock(service.core.nc, 1_000);
    }
    for (const [index, one] of bought.entries()) if (index !== 2) await shipped(lister, one);
  });
  const indexes = (items: Record<string, unknown>[]) =>
    items.map((item) => bought.findIndex(({ instanceId }) => instanceId === item['instance_id']));
  const list = async (query: string) => indexes(itemsOf(await get(lister, `/v1/instances${query}`)));

  test.each([
    ['', [3, 2, 1, 0]],
    ['?sort=created_at', [0, 1, 2, 3]],
    ['?sort=expires_at', [1, 3, 0, 2]],
    ['?sort=-expires_at', [2, 0, 3, 1]],
    ['?delivery_type=human_service', [2]],
    ['?status=shipping', [2]],
    ['?status=shipped&delivery_type=api&sort=created_at', [0, 1, 3]],
    [`?q=${encodeURIComponent('100%_1')}`, [1]],
    [`?q=${encodeURIComponent('100__1')}`, []],
    ['?status=closed', []],
  ])('%s → %j', async (query, expected) => {
    expect(await list(query)).toEqual(expected);
  });

  test('finds an instance by its id', async () => {
    expect(await list(`?q=${bought[1]?.instanceId}`)).toEqual([1]);
  });

  test.each(['-created_at', 'created_at', 'expires_at', '-expires_at'])('by %s pages without a gap or a repetition', async (sort) => {
    const seen: number[] = [];
    let cursor: unknown = null;
    do {
      const answer = await get(lister, `/v1/instances?limit=1&sort=${sort}${typeof cursor === 'string' ? `&cursor=${cursor}` : ''}`);
      seen.push(...indexes(itemsOf(answer)));
      cursor = answer.body['next_cursor'];
    } while (cursor !== null);
    expect(seen).toEqual(await list(`?sort=${sort}`));
  });

  test('refuses a cursor of another sort, an unknown filter and a made-up cursor', async () => {
    const { body } = await get(lister, '/v1/instances?limit=1');
    expect(await get(lister, `/v1/instances?sort=created_at&cursor=${String(body['next_cursor'])}`)).toMatchObject({
      status: 400,
      body: { code: 'cursor-not-valid' },
    });
    expect((await get(lister, '/v1/instances?colour=red')).status).toBe(400);
    expect((await get(lister, '/v1/instances?cursor=xyz')).status).toBe(400);
  });
});

describe('what people deliver', () => {
  const wanted: Record<string, unknown>[] = [];
  const replied: Record<string, unknown>[] = [];
  beforeAll(() => {
    const hear = (subject: string, into: Record<string, unknown>[], data: (envelope: { data: unknown; reply?: string }) => object) =>
      service.core.nc.subscribe(subject, {
        callback: (_error, message) => void into.push({ ...data(message.json<{ data: unknown; reply?: string }>()) }),
      });
    hear('evt.fulfillment.delivery-requested.v1', wanted, ({ data }) => data as object);
    hear('rpl.test', replied, (envelope) => envelope);
  });
  const caseOf = ({ instanceId, orderId }: Bought) => ({
    deliveryId: newId('dlv', service.core.clock.now()),
    instanceId: instanceId as `ins_${string}`,
    orderId,
    accountId: buyer.accountId,
    providerId: provider.providerId as ProviderId,
  });
  const at = () => service.core.clock.now().toISOString();
  const requestsFor = ({ instanceId }: Bought) => wanted.filter((one) => one['instanceId'] === instanceId).length;

  test('is asked for until its case is opened, and is 已发货 when that is completed', async () => {
    const bought = await buy(buyer, { deliveryType: 'human_service' });
    await until(() => requestsFor(bought) === 1);
    await moveClock(service.core.nc, 3_600_000);
    await until(() => requestsFor(bought) === 2);
    const about = caseOf(bought);
    await publish(deliveryOpened({ ...about, openedAt: at() }));
    await until(async () => (await get(buyer, `/v1/instances/${bought.instanceId}`)).body['case'] !== null);
    expect((await get(buyer, `/v1/instances/${bought.instanceId}`)).body).toMatchObject({ case: { delivery_id: about.deliveryId } });
    expect(await service.core.sql`select 1 from deadlines where key = ${bought.instanceId}`).toEqual([]);
    await publish(deliveryCompleted({ ...about, completedAt: at() }));
    expect(await shipped(buyer, bought)).toMatchObject({ status: 'shipped', app: null });
    await until(() => replied.some((one) => one['reply'] === 'fulfilled'));
  });

  test('and comes to nothing is answered so, and shown as failed', async () => {
    const bought = await buy(buyer, { deliveryType: 'human_service' });
    await publish(deliveryClosed({ ...caseOf(bought), closedAt: at() }));
    const failed = await until(async () => {
      const { body } = await get(buyer, `/v1/instances/${bought.instanceId}`);
      return body['status'] === 'failed' ? body : undefined;
    });
    expect(failed).toMatchObject({ failure: 'delivery-closed' });
    await until(() =>
      replied.some((one) => one['reply'] === 'refused' && (one['data'] as { reason: string }).reason === 'delivery-closed'),
    );
  });
});

describe('the delivery log', () => {
  test('is the provider’s own; an operator sees all; a buyer none', async () => {
    const bought = await buy(buyer, { deliveryType: 'saas', productId: await calledProduct() });
    await shipped(buyer, bought);
    expect(await callsOf(provider, bought)).toMatchObject([{ action: 'create', state: 'succeeded', attempt: 1, http_status: 200 }]);
    expect(await callsOf(operator, bought)).toHaveLength(1);
    expect(await callsOf(otherProvider, bought)).toEqual([]);
    const [{ call_id: callId } = {}] = await callsOf(provider, bought);
    expect((await get(provider, `/v1/provider/calls/${String(callId)}`)).status).toBe(200);
    expect((await get(otherProvider, `/v1/provider/calls/${String(callId)}`)).status).toBe(404);
    expect((await call(otherProvider, 'POST', `/v1/provider/calls/${String(callId)}/resend`)).status).toBe(404);
    expect((await get(buyer, '/v1/provider/calls')).status).toBe(403);
  });

  test('filters by state and action, and pages', async () => {
    const productId = await calledProduct();
    say = (body) => (body['action'] === 'createInstance' ? { status: 200, body: '{"signId":"0"}' } : delivers(body));
    const bought = await buy(buyer, { deliveryType: 'saas', productId });
    await until(async () => (await callsOf(provider, bought)).some(({ state }) => state === 'pending'));
    const path = `/v1/provider/calls?product_id=${productId}`;
    expect(itemsOf(await get(provider, `${path}&state=waiting&action=create`))).toHaveLength(1);
    expect(itemsOf(await get(provider, `${path}&given_up=true`))).toEqual([]);
    const first = await get(provider, `${path}&limit=1`);
    const second = await get(provider, `${path}&limit=1&cursor=${String(first.body['next_cursor'])}`);
    expect(new Set([...itemsOf(first), ...itemsOf(second)].map((item) => item['call_id'])).size).toBe(2);
  });

  test('lets the provider re-send at once what waits, and nothing that is done', async () => {
    const productId = await calledProduct();
    say = (body) => (body['action'] === 'createInstance' ? { status: 500, body: 'down' } : delivers(body));
    const bought = await buy(buyer, { deliveryType: 'saas', productId });
    const failed = await until(async () => (await callsOf(provider, bought)).find(({ state }) => state === 'failed'));
    say = delivers;
    const resent = await call(provider, 'POST', `/v1/provider/calls/${String(failed['call_id'])}/resend`);
    expect(resent.status).toBe(202);
    await shipped(buyer, bought);
    const made = await until(async () => {
      const { body } = await get(provider, `/v1/provider/calls/${String(resent.body['call_id'])}`);
      return body['state'] === 'succeeded' ? body : undefined;
    });
    expect(made['call_id']).not.toBe(failed['call_id']);
    expect(await call(provider, 'POST', `/v1/provider/calls/${String(failed['call_id'])}/resend`)).toMatchObject({
      status: 409,
      body: { code: 'call-not-resendable' },
    });
  });
});

describe('calls that were given up', () => {
  const givenUp = async (by: Caller, productId: ProductId) =>
    itemsOf(await get(by, `/v1/provider/calls?given_up=true&product_id=${productId}`));

  /** Orders whose provider never delivers, nor takes back what it may have made. */
  async function abandoned(count: number): Promise<ProductId> {
    const productId = await calledProduct();
    say = () => ({ status: 500, body: 'down' });
    for (let nth = 0; nth < count; nth++) await buy(buyer, { deliveryType: 'saas', productId });
    await until(
      async () => {
        if ((await givenUp(provider, productId)).length === count) return true;
        await moveClock(service.core.nc, 3 * 3_600_000);
        return false;
      },
      { within: 40_000, every: 50, what: 'the calls are given up' },
    );
    say = delivers;
    return productId;
  }

  test('are re-driven by their provider, one or all, which the audit keeps; and leave the list', async () => {
    const productId = await abandoned(3);
    const [one] = await givenUp(provider, productId);
    expect(one).toMatchObject({ action: 'destroy', state: 'failed', redriven_by: null });
    const path = '/v1/provider/calls/redrive';
    const others = await call(otherProvider, 'POST', path, { call_ids: [one?.['call_id']] });
    expect(others.body).toMatchObject({ redriven: [], refused: [{ call_id: one?.['call_id'], code: 'not-found' }] });

    const single = await call(provider, 'POST', path, { call_ids: [one?.['call_id']], reason: '接口已修复', product_id: productId });
    expect(single).toMatchObject({ status: 202, body: { redriven: [{ call_id: one?.['call_id'] }], refused: [], left: 2 } });
    const all = await call(operator, 'POST', path, { product_id: productId, action: 'destroy', reason: '批量重发' });
    expect(all.body).toMatchObject({ refused: [], left: 0 });
    expect(all.body['redriven']).toHaveLength(2);

    const made = String((single.body['redriven'] as { by: string }[])[0]?.by);
    await until(async () => (await get(provider, `/v1/provider/calls/${made}`)).body['state'] === 'succeeded', {
      what: 'it was made again',
    });
    expect((await get(provider, `/v1/provider/calls/${String(one?.['call_id'])}`)).body).toMatchObject({
      given_up: false,
      redriven_by: made,
    });
    expect(await givenUp(operator, productId)).toEqual([]);
    const audit = itemsOf(await get(operator, `/v1/ops/fulfillment/audit?object=provider-call:${String(one?.['call_id'])}`));
    expect(audit).toMatchObject([{ actor: provider.userId, action: 'provider-call.resend', reason: '接口已修复' }]);
  });
});

describe('the endpoint of a product', () => {
  const path = (productId: string) => `/v1/provider/products/${productId}/endpoint`;

  test('is kept once it has passed verifyInterface, and its token is never shown', async () => {
    const productId = await product();
    const set = await call(provider, 'PUT', path(productId), { url: endpointUrl, token });
    expect(set).toMatchObject({
      status: 200,
      body: { product_id: productId, debug: { url: endpointUrl, dialect: 'tencent-saas', is_checked: false } },
    });
    expect(told.map(({ action }) => action)).toContain('verifyInterface');
    expect(JSON.stringify((await get(provider, path(productId))).body)).not.toContain(token);
    const [row] = await service.core.sql<{ token: string }[]>`select debug_token as token from endpoints where product_id = ${productId}`;
    expect(row?.token).toMatch(/^v\d\./);
    expect(row?.token).not.toContain(token);
  });

  test('keeps the number by which the provider knows the product', async () => {
    const productId = await calledProduct();
    const { body } = await get(provider, path(productId));
    await call(provider, 'PUT', path(productId), { url: endpointUrl, token });
    expect((await get(provider, path(productId))).body['product_number']).toBe(body['product_number']);
  });

  test.each([
    ['another token', () => ({ url: endpointUrl, token: 'wrong-token' }), 'endpoint-not-verified'],
    ['a query of its own', () => ({ url: `${endpointUrl}?a=1`, token }), 'endpoint-url-not-valid'],
    ['an address of this machine', () => ({ url: 'http://127.0.0.1:1/deliver', token }), 'endpoint-not-verified'],
    ['the metadata service', () => ({ url: 'http://169.254.169.254/latest', token }), 'endpoint-not-verified'],
    ['a dialect that nobody speaks', () => ({ url: endpointUrl, token, dialect: 'klingon' }), 'endpoint-not-verified'],
  ])('is refused with %s', async (_what, body, code) => {
    const productId = await product();
    expect(await call(provider, 'PUT', path(productId), body())).toMatchObject({ status: 422, body: { code } });
    expect(await service.core.sql`select 1 from endpoints where product_id = ${productId}`).toEqual([]);
  });

  test('belongs to the product’s provider, and only SaaS has one', async () => {
    const productId = await product();
    expect((await call(otherProvider, 'PUT', path(productId), { url: endpointUrl, token })).status).toBe(404);
    expect((await get(otherProvider, path(productId))).status).toBe(404);
    expect(await get(provider, path(await product('api')))).toMatchObject({ status: 409, body: { code: 'product-not-called' } });
    expect((await get(buyer, path(productId))).status).toBe(403);
  });

  test('passes an online check of a whole purchase, is published, and only then called for deliveries', async () => {
    const productId = await product();
    await call(provider, 'PUT', path(productId), { url: endpointUrl, token });
    expect(await call(provider, 'POST', `${path(productId)}/publish`)).toMatchObject({
      status: 409,
      body: { code: 'endpoint-not-checked' },
    });
    told.length = 0;
    const check = await checked(productId);
    expect(check).toMatchObject({ state: 'passed', steps: ['verify', 'create', 'create-again', 'renew', 'expire', 'destroy'] });
    const resourceId = `market-${String(check['check_id']).slice(4)}`;
    expect(told.filter((body) => body['resourceId'] === resourceId).map(({ action }) => action)).toEqual([
      'createInstance',
      'createInstance',
      'renewInstance',
      'expireInstance',
      'destroyInstance',
    ]);
    expect(JSON.stringify(check)).not.toMatch(/signature=[0-9a-f]|sso\?t=1/);
    expect(await call(provider, 'POST', `${path(productId)}/publish`)).toMatchObject({
      status: 200,
      body: { delivery: { url: endpointUrl, is_played: false }, debug: { is_checked: true } },
    });
    const listed = await get(provider, `${path(productId)}/checks?limit=1`);
    expect(itemsOf(listed)).toMatchObject([{ check_id: check['check_id'] }]);
  });

  test('that fails a step of its check is not published, and what was made is destroyed', async () => {
    const productId = await product();
    await call(provider, 'PUT', path(productId), { url: endpointUrl, token });
    say = (body) => (body['action'] === 'renewInstance' ? { status: 200, body: '{"success":"false"}' } : delivers(body));
    const check = await checked(productId);
    expect(check).toMatchObject({ state: 'failed' });
    const results = check['results'] as { step: string; passed: boolean; note: string | null }[];
    expect(results.map(({ step, passed }) => `${step} ${passed}`).slice(2)).toEqual(['create-again true', 'renew false', 'destroy true']);
    expect(results.find(({ step }) => step === 'renew')?.note).toBe('it declined');
    expect(await call(provider, 'POST', `${path(productId)}/publish`)).toMatchObject({
      status: 409,
      body: { code: 'endpoint-not-checked' },
    });
  });

  test('is checked by its provider only', async () => {
    const productId = await calledProduct();
    for (const [method, below] of [
      ['POST', '/check'],
      ['POST', '/publish'],
      ['GET', '/checks'],
    ] as const) {
      expect((await call(otherProvider, method, path(productId) + below)).status).toBe(404);
    }
  });

  test('is probed twice a day; while it fails, its provider and the operator see it', async () => {
    const productId = await calledProduct();
    const failing = async (by: Caller) =>
      itemsOf(await get(by, '/v1/provider/endpoints?failing=true&limit=100')).map((one) => one['product_id']);
    say = () => ({ status: 503, body: '{}' });
    await moveClock(service.core.nc, 12 * 3_600_000 + 1);
    await until(async () => (await failing(provider)).includes(productId), { what: 'the provider sees it' });
    expect(await failing(operator)).toContain(productId);
    expect(await failing(otherProvider)).not.toContain(productId);
    expect((await get(provider, path(productId))).body).toMatchObject({ health: { note: 'it answered 503 with other words' } });
    say = delivers;
    await moveClock(service.core.nc, 12 * 3_600_000 + 1);
    await until(async () => !(await failing(operator)).includes(productId), { what: 'it is well again' });
  });
});

describe('the keys of an API instance', () => {
  const pack = { deliveryType: 'api' as const, pack: { calls: 100, validDays: 30 } };
  const keysOf = async ({ instanceId }: Bought, by = buyer) => itemsOf(await get(by, `/v1/instances/${instanceId}/keys`));
  const secretOf = (path: string, by = buyer) => get(by, `${path}/secret`);

  test('are issued with the delivery, rotated, disabled and enabled by their owner, who alone sees the secret', async () => {
    const news: { instanceVersion: number; keys: { status: string }[] }[] = [];
    const told = service.core.nc.subscribe('evt.fulfillment.api-access-changed.>', {
      callback: (_error, message) => void news.push(message.json<{ data: (typeof news)[number] }>().data),
    });
    const bought = await buy(buyer, pack);
    await shipped(buyer, bought);
    const [first] = await keysOf(bought);
    expect(first).toMatchObject({ status: 'active', valid_until: null });
    const path = `/v1/instances/${bought.instanceId}/keys/${String(first!['secret_id'])}`;
    expect(await secretOf(path)).toMatchObject({ status: 200, body: { secret_key: expect.stringMatching(/^[0-9a-f]{48}$/) } });
    expect((await secretOf(path, otherBuyer)).status).toBe(404);
    expect((await call(otherBuyer, 'POST', `${path}/disable`)).status).toBe(404);
    expect(await get(otherBuyer, `/v1/instances/${bought.instanceId}/keys`)).toMatchObject({ status: 404 });

    const rotated = await call(buyer, 'POST', `${path}/rotate`);
    expect(rotated).toMatchObject({ status: 201, body: { secret_id: expect.stringMatching(/^YSID/) } });
    expect(await keysOf(bought)).toMatchObject([{ status: 'retiring' }, { status: 'active' }]);
    expect(await call(buyer, 'POST', `${path}/rotate`)).toMatchObject({ status: 409, body: { code: 'api-key-retired' } });
    expect(await call(buyer, 'POST', `${path}/disable`)).toMatchObject({ status: 200 });
    expect(await keysOf(bought)).toMatchObject([{ status: 'disabled' }, { status: 'active' }]);
    expect(await call(buyer, 'POST', `${path}/enable`)).toMatchObject({ status: 200 });

    const versions = await until(() => {
      const mine = news.filter((one) => JSON.stringify(one).includes(bought.instanceId));
      return mine.length >= 4 ? mine.map(({ instanceVersion }) => instanceVersion) : undefined;
    });
    expect(new Set(versions).size).toBe(versions.length);
    told.unsubscribe();
    const audit = itemsOf(await get(operator, `/v1/ops/fulfillment/audit?object=api-key:${String(first!['secret_id'])}`));
    expect(audit.map(({ action }) => action)).toEqual(['api-key.enable', 'api-key.disable', 'api-key.reveal']);
  });

  test('are no more than ten', async () => {
    const bought = await buy(buyer, pack);
    await shipped(buyer, bought);
    for (let count = 1; count < 10; count++)
      expect((await call(buyer, 'POST', `/v1/instances/${bought.instanceId}/keys`)).status).toBe(201);
    expect(await call(buyer, 'POST', `/v1/instances/${bought.instanceId}/keys`)).toMatchObject({ body: { code: 'api-keys-too-many' } });
  });
});

describe('the upstream of an API product', () => {
  const path = (productId: string) => `/v1/provider/products/${productId}/upstream`;
  const origin = () => new URL(endpointUrl).origin;

  test('is kept once it has answered, and told to the gateway with its token sealed', async () => {
    const news: Record<string, unknown>[] = [];
    const told = service.core.nc.subscribe('evt.fulfillment.upstream-changed.>', {
      callback: (_error, message) => void news.push(message.json<{ data: Record<string, unknown> }>().data),
    });
    const productId = await product('api');
    const set = await call(provider, 'PUT', path(productId), { url: `${origin()}/api/`, token: 'upstream-token-01' });
    expect(set).toMatchObject({ status: 200, body: { url: `${origin()}/api`, version: 1 } });
    expect(await get(otherProvider, path(productId))).toMatchObject({ status: 404 });
    expect(await until(() => news[0])).toMatchObject({ productId, upstreamVersion: 1, token: expect.stringMatching(/^v2\./) });
    told.unsubscribe();
  });

  test.each([
    ['with a query', () => `${origin()}/?a=1`, 'endpoint-url-not-valid'],
    ['at the metadata service', () => 'http://169.254.169.254/latest', 'endpoint-url-not-valid'],
    ['at an address of this network', () => 'https://10.0.0.1/', 'endpoint-url-not-valid'],
    ['that fails', () => `${origin()}/failing`, 'upstream-not-well'],
  ])('is refused %s', async (_what, url, code) => {
    const productId = await product('api');
    const answer = await call(provider, 'PUT', path(productId), { url: url(), token: 'upstream-token-01' });
    expect(answer).toMatchObject({ status: 422, body: { code } });
    expect((await get(provider, path(productId))).body).toMatchObject({ url: null, version: 0 });
  });

  test('is of API products alone', async () => {
    expect(await get(provider, path(await product()))).toMatchObject({ status: 409, body: { code: 'product-not-forwarded' } });
  });
});

test('the service says that it lives, that it is ready, and what its routes are', async () => {
  expect((await get(undefined, '/livez')).status).toBe(200);
  expect(await get(undefined, '/readyz')).toMatchObject({ status: 200, body: { checks: { database: 'ok', nats: 'ok' } } });
  const { paths } = (await get(undefined, '/openapi.json')).body as { paths: Record<string, unknown> };
  // The operators' routes are the same for every service, and have tests of their own.
  const own = Object.keys(paths).filter((path) => !path.startsWith('/v1/ops/'));
  expect(own.sort()).toEqual([
    '/v1/instances',
    '/v1/instances/{instance_id}',
    '/v1/instances/{instance_id}/keys',
    '/v1/instances/{instance_id}/keys/{secret_id}/disable',
    '/v1/instances/{instance_id}/keys/{secret_id}/enable',
    '/v1/instances/{instance_id}/keys/{secret_id}/rotate',
    '/v1/instances/{instance_id}/keys/{secret_id}/secret',
    '/v1/instances/{instance_id}/server/reinstall',
    '/v1/instances/{instance_id}/server/start',
    '/v1/instances/{instance_id}/server/stop',
    '/v1/instances/{instance_id}/usage',
    '/v1/instances/{instance_id}/usage-reminder',
    '/v1/notifications',
    '/v1/notifications/read',
    '/v1/provider/calls',
    '/v1/provider/calls/redrive',
    '/v1/provider/calls/{call_id}',
    '/v1/provider/calls/{call_id}/resend',
    '/v1/provider/cloud-keys',
    '/v1/provider/cloud-keys/{secret_id}/disable',
    '/v1/provider/cloud-keys/{secret_id}/rotate',
    '/v1/provider/endpoints',
    '/v1/provider/products/{product_id}/endpoint',
    '/v1/provider/products/{product_id}/endpoint/check',
    '/v1/provider/products/{product_id}/endpoint/checks',
    '/v1/provider/products/{product_id}/endpoint/checks/{check_id}',
    '/v1/provider/products/{product_id}/endpoint/publish',
    '/v1/provider/products/{product_id}/upstream',
    '/v1/server-offers',
  ]);
});
