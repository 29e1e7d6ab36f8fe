import { createHash, randomBytes } from 'node:crypto';
import { productChanged } from '@yunshi/contracts/catalog';
import { fulfilOrder, renewInstance } from '@yunshi/contracts/fulfillment';
import { paymentRevoked } from '@yunshi/contracts/payment';
import type { Caller } from '@yunshi/http/auth';
import { buyer, operator, otherBuyer, otherProvider, provider, testIssuer } from '@yunshi/http/testing';
import { newId } from '@yunshi/kernel/ids';
import type { InstanceId, OrderId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import type { Flow, Line } from '@yunshi/kernel/marketplace';
import { moveClock } from '@yunshi/messaging/clock';
import { messageOut } from '@yunshi/messaging/envelope';
import { verify } from '@yunshi/protocols/saas/signature';
import { signTc3 } from '@yunshi/protocols/tencent-cloud/tc3';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import fastify from 'fastify';
import { CommonClient } from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/common_client.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { start } from '../app.ts';
import type { Running } from '../app.ts';
import { testConfig } from '../config.fixture.ts';
import { linePolicy } from '../instance/policy.ts';
import { usagePolicy } from './policy.ts';

/* Usage of metered SaaS 计量类, over HTTP on both sides: a buyer asks us, we ask the provider, and the provider tells us of its own accord. */

const database = await testDatabase('fulfillment');
const nats = await testNats();
const issuer = await testIssuer();
const token = 'usage-token-0001';
let service: Running;
let address = '';
type Body = Record<string, unknown>;
/** What the provider counts, and what it was told; `say` may answer in its stead. */
const meter = { total: '2000', used: '0' };
const told: Body[] = [];
let say: (body: Body) => { status: number; body: unknown } | undefined;
/** A question about usage is answered after this. */
let held: () => Promise<void>;

const endpoint = fastify();
endpoint.post('/deliver', async (request, reply) => {
  const body = request.body as Body;
  if (verify(token, request.query as Body, Date.now()) !== 'genuine') return reply.code(403).send('{}');
  told.push(body);
  if (body['action'] === 'flowQuery') await held();
  const said = say(body);
  return said === undefined ? reply.send(obeyed(body)) : reply.code(said.status).send(said.body);
});
function obeyed(body: Body): unknown {
  switch (body['action']) {
    case 'verifyInterface':
      return { echoback: body['echoback'] };
    case 'createInstance':
      return { signId: 's-1' };
    case 'flowQuery':
      return { success: true, totalFlow: meter.total, costFlow: meter.used, flowUnit: 'Mb' };
    default:
      return { success: 'true' };
  }
}

beforeAll(async () => {
  address = await endpoint.listen({ host: '127.0.0.1', port: 0 });
  service = await start(testConfig({ databaseUrl: database.url, natsUrl: nats.url, issuer, sandboxUrl: address }), { auth: issuer.auth });
});
afterAll(async () => {
  await service.stop();
  await endpoint.close();
});
beforeEach(() => {
  say = () => undefined;
  held = () => Promise.resolve();
  told.length = 0;
  meter.used = '0';
});

async function call(caller: Caller, method: 'GET' | 'PUT' | 'POST', path: string, body?: object) {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await issuer.token(caller)}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
}
const itemsOf = ({ body }: { body: Body }) => body['items'] as Body[];
const toldOf = (action: string) => told.filter((body) => body['action'] === action);
const advance = (ms: number) => moveClock(service.core.nc, ms);

async function publish(message: Parameters<typeof messageOut>[0], saga?: Parameters<typeof messageOut>[1]): Promise<void> {
  const { subject, body } = messageOut(message, saga, service.core.clock.now(), undefined);
  service.core.nc.publish(subject, body);
  await service.core.nc.flush();
}

const flow: Flow = { amount: 2_000, unit: 'Mb' };
async function product(holds: Flow | null): Promise<{ productId: ProductId; skuId: SkuId }> {
  const now = service.core.clock.now();
  const [productId, skuId] = [newId('prd', now), newId('sku', now)];
  const sku = { skuId, name: '流量版', price: { model: 'one_off' as const, price: 100 }, onSale: true, ...(holds && { flow: holds }) };
  const providerId = provider.providerId as ProviderId;
  await publish(
    productChanged({
      productId,
      productVersion: 1,
      providerId,
      providerName: '云上软件',
      name: '云盘',
      deliveryType: 'saas',
      humanDelivery: false,
      status: 'published',
      skus: [sku],
    }),
  );
  await until(async () => (await service.core.sql`select 1 from products where product_id = ${productId}`).length === 1);
  return { productId, skuId };
}
async function checked(productId: ProductId): Promise<Body> {
  const path = `/v1/provider/products/${productId}/endpoint`;
  expect(await call(provider, 'PUT', path, { url: `${address}/deliver`, token })).toMatchObject({ status: 200 });
  const begun = await call(provider, 'POST', `${path}/check`);
  return until(async () => {
    const { body } = await call(provider, 'GET', `${path}/checks/${String(begun.body['check_id'])}`);
    return body['state'] === 'running' ? undefined : body;
  });
}
async function published(holds: Flow | null = flow) {
  const sold = await product(holds);
  expect(await checked(sold.productId)).toMatchObject({ state: 'passed' });
  expect(await call(provider, 'POST', `/v1/provider/products/${sold.productId}/endpoint/publish`)).toMatchObject({ status: 200 });
  told.length = 0;
  return sold;
}

type Bought = { orderId: OrderId; instanceId: InstanceId; line: Line; usage: string };
/** A metered instance of the buyer's, delivered. */
async function delivered(holds: Flow | null = flow): Promise<Bought> {
  const sold = await published(holds);
  const now = service.core.clock.now();
  const orderId = newId('ord', now);
  const line: Line = {
    ...sold,
    providerId: provider.providerId as ProviderId,
    deliveryType: 'saas',
    quantity: 1,
    period: { count: 1, unit: 'month' },
    unitPrice: 100,
    amount: 100,
    ...(holds && { flow: holds }),
  };
  const { accountId, userId } = buyer;
  const order = { orderId, orderNumber: `N${randomBytes(6).toString('hex')}`, accountId, userId, kind: 'new_purchase' as const, line };
  await publish(fulfilOrder({ ...order, productName: '云盘', skuName: '流量版', isTrial: false }), {
    sagaId: newId('sag', now),
    step: 'fulfil',
    direction: 'do',
    replyTo: 'test',
  });
  const instanceId = `ins_${orderId.slice(4)}` as InstanceId;
  await until(async () => (await call(buyer, 'GET', `/v1/instances/${instanceId}`)).body['status'] === 'shipped');
  return { orderId, instanceId, line, usage: `/v1/instances/${instanceId}/usage` };
}
const statusOf = async ({ instanceId }: Bought) => (await call(buyer, 'GET', `/v1/instances/${instanceId}`)).body['status'];
const day = 86_400_000;

describe('a metered SKU', () => {
  test('tells the provider at its creation how much of what was bought, and others tell nothing of it', async () => {
    const { instanceId } = await delivered();
    expect(toldOf('createInstance')).toMatchObject([{ productInfo: { flowSpan: '2000', flowUnit: 'Mb' } }]);
    expect(await call(buyer, 'GET', `/v1/instances/${instanceId}`)).toMatchObject({
      body: { operations: ['manage', 'renew', 'view-usage', 'set-usage-reminder', 'review', 'contact'] },
    });
    told.length = 0;
    const plain = await delivered(null);
    expect(toldOf('createInstance')[0]?.['productInfo']).not.toHaveProperty('flowSpan');
    expect(await call(buyer, 'GET', plain.usage)).toMatchObject({ status: 409, body: { code: 'usage-not-metered' } });
    expect(toldOf('flowQuery')).toEqual([]);
  });

  test('has its interface checked for usage and reminder, and published only then', async () => {
    const sold = await product(flow);
    say = ({ action }) => (action === 'flowSetting' ? { status: 200, body: { success: 'false' } } : undefined);
    const failed = await checked(sold.productId);
    expect(failed['state']).toBe('failed');
    expect((failed['results'] as Body[]).map(({ step, passed }) => [step, passed])).toEqual([
      ['verify', true],
      ['create', true],
      ['create-again', true],
      ['query-usage', true],
      ['set-usage-reminder', false],
      ['destroy', true],
    ]);
    const publishing = `/v1/provider/products/${sold.productId}/endpoint/publish`;
    expect(await call(provider, 'POST', publishing)).toMatchObject({ status: 409, body: { code: 'endpoint-not-checked' } });
    say = ({ action }) =>
      action === 'flowQuery' ? { status: 200, body: { success: true, totalFlow: '33', costFlow: '0', flowUnit: 'h' } } : undefined;
    const counted = (await checked(sold.productId))['results'] as Body[];
    expect(counted[3]).toMatchObject({ step: 'query-usage', passed: false, note: 'it counts in h, and is sold in Mb' });
    say = () => undefined;
    expect(await checked(sold.productId)).toMatchObject({ state: 'passed' });
    expect(toldOf('flowSetting').at(-1)).toMatchObject({ warnSpan: '200', warnUnit: 'Mb', switch: 'ON' });
    expect(await call(provider, 'POST', publishing)).toMatchObject({
      status: 200,
      body: { debug: { is_checked: true, is_metering: true }, delivery: { is_metering: true } },
    });
  });
});

describe('usage', () => {
  test('is asked of the provider once, however many look, and stands in the delivery log under a number of its own', async () => {
    const { usage, instanceId } = await delivered();
    meter.used = '1999.5';
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(buyer, 'GET', usage)));
    for (const answer of answers) {
      expect(answer).toMatchObject({
        status: 200,
        body: {
          bought: flow,
          usage: { total: '2000', used: '1999.5', left: '0.5', unit: 'Mb' },
          problem: null,
          is_being_asked: false,
          reminder: null,
          reminders: [],
        },
      });
    }
    expect(toldOf('flowQuery')).toMatchObject([{ signId: 's-1', resourceId: `market-${instanceId.slice(4)}` }]);
    const [line, ...more] = itemsOf(await call(provider, 'GET', `/v1/provider/calls?instance_id=${instanceId}&action=query-usage`));
    expect(more).toEqual([]);
    expect(line).toMatchObject({ call_id: `dlc_${instanceId.slice(4)}-u1`, state: 'succeeded', attempt: 1, given_up: false });
    expect(await call(provider, 'POST', `/v1/provider/calls/${String(line?.['call_id'])}/resend`)).toMatchObject({
      status: 409,
      body: { code: 'call-not-resendable' },
    });

    await advance(usagePolicy.askedEveryMs - 5_000);
    expect(await call(buyer, 'GET', usage)).toMatchObject({ body: { usage: { used: '1999.5' } } });
    expect(toldOf('flowQuery')).toHaveLength(1);
    meter.used = '2000.25';
    await advance(5_000);
    expect(await call(buyer, 'GET', usage)).toMatchObject({ body: { usage: { used: '2000.25', left: '0', age_s: 0 } } });
    expect(toldOf('flowQuery')).toHaveLength(2);
  });

  /** Holds questions at the provider until they are let go, from then on all. */
  function holding() {
    const waiting: (() => void)[] = [];
    const seen = { now: 0, most: 0 };
    held = async () => {
      seen.most = Math.max(seen.most, ++seen.now);
      await new Promise<void>((resolve) => void waiting.push(resolve));
      seen.now--;
    };
    /** Until `done`, as many at a time as there are. */
    const letGo = (done: () => boolean) =>
      until(
        () => {
          for (const go of waiting.splice(0)) go();
          return done();
        },
        { within: 10_000 },
      );
    const full = () => until(() => waiting.length === linePolicy.meteringAtOnceMax, { what: 'the line is full' });
    return { seen, letGo, full };
  }

  test('of many instances is asked for by a few calls at a time, and all are answered', async () => {
    const bought: Bought[] = [];
    for (let nth = 0; nth < linePolicy.meteringAtOnceMax + 3; nth++) bought.push(await delivered());
    const { seen, letGo, full } = holding();
    let over = false;
    const asked = Promise.all(bought.map(({ usage }) => call(buyer, 'GET', usage))).finally(() => (over = true));
    await full();
    await letGo(() => over);
    for (const answer of await asked) expect(answer).toMatchObject({ body: { usage: { total: '2000' } } });
    expect(seen.most).toBe(linePolicy.meteringAtOnceMax);
  });

  test('that was asked for so long ago that it was asked for again is not asked for the first time any more', async () => {
    const others: Bought[] = [];
    for (let nth = 0; nth < linePolicy.meteringAtOnceMax; nth++) others.push(await delivered());
    const { usage, instanceId } = await delivered();
    const { letGo, full } = holding();
    let over = 0;
    const look = (path: string) => call(buyer, 'GET', path).finally(() => over++);
    const asked = others.map((one) => look(one.usage));
    await full();
    asked.push(look(usage));
    const lines = async () => itemsOf(await call(provider, 'GET', `/v1/provider/calls?instance_id=${instanceId}&action=query-usage`));
    await until(async () => (await lines()).length === 1, { what: 'the question waits for a place in the line' });
    await advance(usagePolicy.silentMsMax);
    asked.push(look(usage));
    await until(async () => (await lines()).length === 2);
    await letGo(() => over === asked.length);
    expect((await Promise.all(asked)).at(-1)).toMatchObject({ body: { usage: { total: '2000' }, problem: null } });
    await until(async () => (await lines()).every(({ state }) => state !== 'waiting'));
    expect(await lines()).toMatchObject([
      { call_id: `dlc_${instanceId.slice(4)}-u2`, state: 'succeeded' },
      { call_id: `dlc_${instanceId.slice(4)}-u1`, state: 'failed', note: 'not sent: another call has taken its stead' },
    ]);
  });

  test('that cannot be had is told as it was last known, with its age and the problem', async () => {
    const { usage } = await delivered();
    say = ({ action }) => (action === 'flowQuery' ? { status: 500, body: 'down' } : undefined);
    expect(await call(buyer, 'GET', usage)).toMatchObject({ status: 200, body: { usage: null, problem: { kind: 'provider-failed' } } });
    say = () => undefined;
    await advance(usagePolicy.askedEveryMs);
    meter.used = '7';
    expect(await call(buyer, 'GET', usage)).toMatchObject({ body: { usage: { used: '7', left: '1993' }, problem: null } });
    say = ({ action }) => (action === 'flowQuery' ? { status: 200, body: { success: 'false' } } : undefined);
    await advance(2 * usagePolicy.askedEveryMs);
    const shown = await call(buyer, 'GET', usage);
    expect(shown).toMatchObject({ body: { usage: { used: '7' }, problem: { kind: 'provider-declined' } } });
    expect((shown.body['usage'] as { age_s: number }).age_s).toBeGreaterThanOrEqual((2 * usagePolicy.askedEveryMs) / 1_000);
  });

  test('is the owner’s alone', async () => {
    const { usage, instanceId } = await delivered();
    expect(await call(otherBuyer, 'GET', usage)).toMatchObject({ status: 404 });
    expect(await call(otherBuyer, 'PUT', `/v1/instances/${instanceId}/usage-reminder`, { on: false })).toMatchObject({ status: 404 });
    for (const caller of [provider, operator]) expect(await call(caller, 'GET', usage)).toMatchObject({ status: 403 });
    expect(toldOf('flowQuery')).toEqual([]);
  });

  test('does not take the stead of a renewal that waits', async () => {
    const { usage, instanceId, line } = await delivered();
    say = ({ action }) => (action === 'renewInstance' ? { status: 500, body: '' } : undefined);
    const now = service.core.clock.now();
    const order = { instanceId, orderId: newId('ord', now), accountId: buyer.accountId, kind: 'renewal' as const, skuName: '流量版', line };
    await publish(renewInstance(order), { sagaId: newId('sag', now), step: 'renew', direction: 'do', replyTo: 'test' });
    await until(() => toldOf('renewInstance').length > 0);
    expect(await call(buyer, 'GET', usage)).toMatchObject({ body: { usage: { used: '0' } } });
    say = () => undefined;
    const orders = () => call(buyer, 'GET', `/v1/instances/${instanceId}`).then(({ body }) => body['orders'] as Body[]);
    await until(
      async () => {
        await advance(5_000);
        return (await orders()).some(({ kind, state }) => kind === 'renewal' && state === 'done');
      },
      { what: 'the renewal is done' },
    );
    expect(toldOf('renewInstance').at(-1)).toMatchObject({ productInfo: { flowSpan: '2000', flowUnit: 'Mb' } });
  });

  test('of what is suspended or closed is what was last known: nobody is asked', async () => {
    const bought = await delivered();
    meter.used = '3';
    await call(buyer, 'GET', bought.usage);
    await advance(31 * day);
    await until(async () => (await statusOf(bought)) === 'expired');
    expect(await call(buyer, 'GET', bought.usage)).toMatchObject({ body: { usage: { used: '3', age_s: 0 } } });
    const reminder = `/v1/instances/${bought.instanceId}/usage-reminder`;
    expect(await call(buyer, 'PUT', reminder, { on: true, amount: '5', unit: 'Mb' })).toMatchObject({
      status: 409,
      body: { code: 'usage-reminder-not-settable' },
    });
    const { orderId } = bought;
    const revokedAt = service.core.clock.now().toISOString();
    const revoked = { orderId, accountId: buyer.accountId, paymentId: newId('pay', service.core.clock.now()), revokedAt };
    await publish(paymentRevoked({ ...revoked, channel: 'corporate_bank', amount: 100 }));
    await until(async () => (await call(buyer, 'GET', `/v1/instances/${bought.instanceId}`)).body['suspended_at'] !== null);
    await advance(usagePolicy.askedEveryMs);
    const asked = toldOf('flowQuery').length;
    expect(await call(buyer, 'GET', bought.usage)).toMatchObject({ body: { usage: { used: '3' }, ask_again_at: null } });
    await advance(8 * day);
    await until(async () => (await statusOf(bought)) === 'closed');
    expect(await call(buyer, 'GET', bought.usage)).toMatchObject({ status: 200, body: { usage: { used: '3' }, ask_again_at: null } });
    expect(toldOf('flowQuery')).toHaveLength(asked);
  });
});

describe('a usage reminder', () => {
  const put = ({ instanceId }: Bought, body: object) => call(buyer, 'PUT', `/v1/instances/${instanceId}/usage-reminder`, body);

  test('is set at the provider, and shown as it has agreed', async () => {
    const bought = await delivered();
    const set = await put(bought, { on: true, amount: '200.5', unit: 'Mb' });
    expect(set).toMatchObject({ status: 200, body: { reminder: { on: true, amount: '200.5', unit: 'Mb' }, reminder_change: null } });
    expect(toldOf('flowSetting')).toMatchObject([{ signId: 's-1', warnSpan: '200.5', warnUnit: 'Mb', switch: 'ON' }]);
    expect(await put(bought, { on: false })).toMatchObject({ status: 200, body: { reminder: { on: false, amount: '200.5' } } });
    expect(toldOf('flowSetting').at(-1)).toMatchObject({ warnSpan: '200.5', warnUnit: 'Mb', switch: 'OFF' });
    const lines = itemsOf(await call(provider, 'GET', `/v1/provider/calls?instance_id=${bought.instanceId}&action=set-usage-reminder`));
    expect(lines.map(({ call_id: id, state }) => [id, state])).toEqual([
      [`dlc_${bought.instanceId.slice(4)}-u2`, 'succeeded'],
      [`dlc_${bought.instanceId.slice(4)}-u1`, 'succeeded'],
    ]);
  });

  test('that the provider declines, or does not answer, leaves the one before', async () => {
    const bought = await delivered();
    await put(bought, { on: true, amount: '100', unit: 'Mb' });
    say = ({ action }) => (action === 'flowSetting' ? { status: 200, body: { success: 'false', info: 'too much' } } : undefined);
    expect(await put(bought, { on: true, amount: '5', unit: 'Gb' })).toMatchObject({
      status: 409,
      body: { code: 'usage-reminder-declined', detail: 'The provider says: too much' },
    });
    expect(await call(buyer, 'GET', bought.usage)).toMatchObject({
      body: { reminder: { amount: '100', unit: 'Mb' }, reminder_change: { amount: '5', unit: 'Gb', state: 'declined', info: 'too much' } },
    });
    say = ({ action }) => (action === 'flowSetting' ? { status: 502, body: '' } : undefined);
    expect(await put(bought, { on: true, amount: '6', unit: 'Mb' })).toMatchObject({ status: 503, body: { code: 'provider-not-reached' } });
    say = () => undefined;
    expect(await put(bought, { on: true, amount: '6', unit: 'Mb' })).toMatchObject({ status: 200, body: { reminder_change: null } });
  });

  test('is an amount in a unit that the product counts in', async () => {
    const bought = await delivered();
    expect(await put(bought, { on: true, amount: '5', unit: 'h' })).toMatchObject({
      status: 422,
      body: { code: 'usage-unit-not-fitting' },
    });
    for (const amount of ['0', '0.0', '-1', 'all', '1e3']) {
      expect(await put(bought, { on: true, amount, unit: 'Mb' })).toMatchObject({ status: 400, body: { errors: [{ field: '/amount' }] } });
    }
    expect(await put(bought, { on: true })).toMatchObject({ status: 400 });
    expect(told.filter(({ action }) => action === 'flowSetting')).toEqual([]);
  });
});

type Key = { secret_id: string; secret_key: string; provider_uin: string };
const keysPath = '/v1/provider/cloud-keys';
async function newKey(by: Caller = provider): Promise<Key> {
  for (const { secret_id: id, status } of itemsOf(await call(by, 'GET', keysPath))) {
    if (status === 'active') await call(by, 'POST', `${keysPath}/${String(id)}/disable`);
  }
  const issued = await call(by, 'POST', keysPath);
  expect(issued.status).toBe(201);
  return issued.body as Key;
}

describe('keys of the cloud API', () => {
  test('are shown once, kept sealed, two at most, replaced and disabled', async () => {
    const first = await newKey();
    const second = await call(provider, 'POST', keysPath);
    expect(second).toMatchObject({ status: 201, body: { provider_uin: provider.providerId } });
    expect(await call(provider, 'POST', keysPath)).toMatchObject({ status: 409, body: { code: 'cloud-keys-full' } });
    const rotated = await call(provider, 'POST', `${keysPath}/${first.secret_id}/rotate`);
    expect(rotated.status).toBe(201);
    expect(await call(provider, 'POST', `${keysPath}/${first.secret_id}/rotate`)).toMatchObject({ body: { code: 'cloud-key-disabled' } });
    const listed = itemsOf(await call(provider, 'GET', `${keysPath}?limit=3`));
    expect(listed.map(({ secret_id: id, status }) => [id, status])).toEqual([
      [rotated.body['secret_id'], 'active'],
      [second.body['secret_id'], 'active'],
      [first.secret_id, 'disabled'],
    ]);
    expect(JSON.stringify(listed)).not.toContain('secret_key');
    const stored = await service.core.sql`select secret_key from cloud_keys where secret_id = ${String(rotated.body['secret_id'])}`;
    expect(JSON.stringify(stored)).not.toContain(rotated.body['secret_key']);
    expect(await call(otherProvider, 'POST', `${keysPath}/${String(second.body['secret_id'])}/disable`)).toMatchObject({ status: 404 });
    expect(await call(otherProvider, 'POST', `${keysPath}/${String(second.body['secret_id'])}/rotate`)).toMatchObject({ status: 404 });
    expect(await call(buyer, 'GET', keysPath)).toMatchObject({ status: 403 });
    expect(await call(provider, 'POST', `${keysPath}/${String(second.body['secret_id'])}/disable`)).toMatchObject({ status: 204 });
  });
});

describe('FlowProductRemind', () => {
  /** The cloud's own SDK, pointed at us. */
  const sdk = ({ secret_id: secretId, secret_key: secretKey }: Key) =>
    new CommonClient('market.tencentcloudapi.com', '2019-10-10', {
      credential: { secretId, secretKey },
      region: '',
      profile: { httpProfile: { endpoint: new URL(service.url).host, protocol: 'http://', reqTimeout: 10 } },
    });
  const reminder = ({ instanceId }: Bought, { provider_uin: ProviderUin }: Key, change: object = {}) => ({
    ProviderUin,
    SignId: 's-1',
    ResourceId: `market-${instanceId.slice(4)}`,
    TotalFlow: '2000',
    LeftFlow: '150.5',
    FlowUnit: 'Mb',
    ...change,
  });
  const remind = (key: Key, parameters: object, action = 'FlowProductRemind'): Promise<Body> =>
    sdk(key).request(action, parameters) as Promise<Body>;
  const refusalOf = (asked: Promise<unknown>): Promise<string> =>
    asked.then(
      () => 'answered',
      (error: { code?: string }) => error.code ?? 'no answer',
    );
  const remindersOf = async ({ usage }: Bought) => (await call(buyer, 'GET', usage)).body['reminders'] as Body[];
  const notified = async ({ instanceId }: Bought) => itemsOf(await call(buyer, 'GET', `/v1/notifications?instance_id=${instanceId}`));

  test('of the cloud’s own SDK is taken, shown on the instance, and told to the buyer once for the same figures', async () => {
    const [bought, key] = [await delivered(), await newKey()];
    const answer = await remind(key, reminder(bought, key));
    expect(answer).toMatchObject({ Success: 'true', FlowId: expect.stringMatching(/^[0-9a-f]{32}$/) as string, Info: '' });
    expect(answer).toHaveProperty('RequestId');
    expect(await remindersOf(bought)).toMatchObject([{ flow_id: answer['FlowId'], total: '2000', left: '150.5', unit: 'Mb' }]);
    const low = { kind: 'usage-low', product_name: '云盘', usage: { total: '2000', left: '150.5', unit: 'Mb' }, expires_at: null };
    expect(await notified(bought)).toMatchObject([low]);
    await remind(key, reminder(bought, key, { LeftFlow: '0' }));
    await until(async () => (await notified(bought)).length === 2);
    expect(await notified(bought)).toMatchObject([{ ...low, usage: { left: '0' } }, low]);
  });

  test('is refused in the cloud’s words', async () => {
    const [bought, key] = [await delivered(), await newKey()];
    const asked = (change: object, with_: Key = key, action?: string) => refusalOf(remind(with_, reminder(bought, key, change), action));
    expect(await asked({}, { ...key, secret_key: 'guessed' })).toBe('AuthFailure.SignatureFailure');
    expect(await asked({}, { ...key, secret_id: `YSPK${'0'.repeat(32)}` })).toBe('AuthFailure.SecretIdNotFound');
    expect(await asked({}, key, 'GetEverything')).toBe('InvalidAction');
    expect(await asked({}, key, 'constructor')).toBe('InvalidAction');
    expect(await asked({ ProviderUin: 'prv_other' })).toBe('UnauthorizedOperation');
    expect(await asked({ SignId: 's-2' })).toBe('ResourceNotFound');
    expect(await asked({ ResourceId: 'market-1' })).toBe('ResourceNotFound');
    expect(await asked({ LeftFlow: undefined })).toBe('MissingParameter');
    expect(await asked({ LeftFlow: 'little' })).toBe('InvalidParameterValue');
    expect(await asked({ FlowUnit: 'KB' })).toBe('InvalidParameterValue');
    const others = await newKey(otherProvider);
    expect(await refusalOf(remind(others, reminder(bought, others)))).toBe('ResourceNotFound');
    await call(provider, 'POST', `${keysPath}/${key.secret_id}/disable`);
    expect(await asked({})).toBe('AuthFailure.SecretIdNotFound');
    expect(await remindersOf(bought)).toEqual([]);
    const plain = await delivered(null);
    const next = await newKey();
    expect(await refusalOf(remind(next, reminder(plain, next)))).toBe('UnsupportedOperation');
  });

  /** A call as it goes over the wire, so that it can be sent again. */
  function signed(key: Key, parameters: object, atMs: number): RequestInit {
    const body = JSON.stringify(parameters);
    const timestamp = String(Math.floor(atMs / 1_000));
    const headers = { 'content-type': 'application/json', host: new URL(service.url).host };
    const date = new Date(atMs).toISOString().slice(0, 10);
    const scope = { secret: key.secret_key, date, service: 'market', names: ['content-type', 'host'], timestamp };
    const signature = signTc3({ method: 'POST', path: '/', query: '', headers, body }, scope);
    return {
      method: 'POST',
      body,
      headers: {
        'content-type': 'application/json',
        'x-tc-action': 'FlowProductRemind',
        'x-tc-version': '2019-10-10',
        'x-tc-timestamp': timestamp,
        authorization: `TC3-HMAC-SHA256 Credential=${key.secret_id}/${date}/market/tc3_request, SignedHeaders=content-type;host, Signature=${signature}`,
      },
    };
  }
  const send = async (init: RequestInit) => ((await (await fetch(`${service.url}/`, init)).json()) as { Response: Body }).Response;
  const codeOf = (response: Body) => (response['Error'] as { Code?: string } | undefined)?.Code;

  test('that is stale, or was heard before, is not taken', async () => {
    const [bought, key] = [await delivered(), await newKey()];
    const fresh = signed(key, reminder(bought, key), Date.now());
    expect(await send(fresh)).toMatchObject({ Success: 'true' });
    expect(codeOf(await send(fresh))).toBe('AuthFailure.SignatureExpire');
    for (const offMs of [-301_000, 301_000]) {
      expect(codeOf(await send(signed(key, reminder(bought, key), Date.now() + offMs)))).toBe('AuthFailure.SignatureExpire');
    }
    const other = { ...fresh, headers: { ...(fresh.headers as Record<string, string>), 'x-tc-version': '2017-03-12' } };
    expect(codeOf(await send(other))).toBe('NoSuchVersion');
    expect(await remindersOf(bought)).toHaveLength(1);
    expect(await notified(bought)).toHaveLength(1);
    // What stands on the instance tells nobody a signature.
    const used = /Signature=(\w+)/.exec((fresh.headers as Record<string, string>)['authorization']!)![1]!;
    expect(await remindersOf(bought)).toMatchObject([{ flow_id: createHash('sha256').update(used).digest('hex').slice(0, 32) }]);
  });
});
