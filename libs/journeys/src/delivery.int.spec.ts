import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { demoProviders } from '@yunshi/contracts/demo-world';
import { fulfilOrder, instanceShipped, renewInstance } from '@yunshi/contracts/fulfillment';
import { productChanged } from '@yunshi/contracts/catalog';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { start } from '@yunshi/fulfillment/app';
import type { Running } from '@yunshi/fulfillment/app';
import { readConfig } from '@yunshi/fulfillment/config';
import { boundTo } from '@yunshi/fulfillment/bound-to';
import { vault } from '@yunshi/service/vault';
import { InstanceId, newId } from '@yunshi/kernel/ids';
import type { AccountId, OrderId } from '@yunshi/kernel/ids';
import type { Line, OrderKind } from '@yunshi/kernel/marketplace';
import { moveClock } from '@yunshi/messaging/clock';
import type { Core } from '@yunshi/messaging/core';
import { messageOut } from '@yunshi/messaging/envelope';
import { playedProviderToken } from '@yunshi/protocols/saas/played';
import { providerSandbox } from '@yunshi/sandbox/provider/plugin';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** The delivery service against the sandbox's providers, over real HTTP, with real PostgreSQL and nats-server. */

const database = await testDatabase('fulfillment', 'sandbox');
const nats = await testNats();
const sandboxSql = connect({ url: database.urlOf('sandbox'), name: 'test-sandbox', connectionsMax: 4 });
const sandbox = fastify();
const secret = randomBytes(16).toString('hex');
const encryptionKey = randomBytes(32);
let sandboxUrl = '';
let delivery: Running;
let core: Core;
type Replied = { sagaId: string; reply: string; data: Record<string, unknown> };
const replies: Replied[] = [];
const events: { type: string; data: Record<string, unknown> }[] = [];

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

beforeAll(async () => {
  await migrate(database.urlOf('sandbox'), [
    { name: 'provider', path: fileURLToPath(new URL('../../../services/sandbox/migrations/provider', import.meta.url)) },
  ]);
  await sandbox.register(providerSandbox, {
    sql: sandboxSql,
    wallNow: () => new Date(),
    tokenOf: (providerId) => playedProviderToken(secret, providerId),
  });
  sandboxUrl = await sandbox.listen({ host: '127.0.0.1', port: 0 });
  await begin();
});
afterAll(async () => {
  await delivery.stop();
  await sandbox.close();
  await sandboxSql.end();
});

async function begin(): Promise<void> {
  delivery = await start(configuration());
  core = delivery.core;
  listen('rpl.test', (envelope) => replies.push({ sagaId: envelope.saga.sagaId, reply: envelope.reply, data: envelope.data }));
  listen('evt.fulfillment.>', (envelope) => events.push({ type: envelope.type, data: envelope.data }));
}

const configuration = () =>
  readConfig({
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    AUTH_ISSUER: 'test',
    AUTH_JWKS_URL: 'http://127.0.0.1/jwks',
    AUTH_AUDIENCE: 'test',
    TEST_CLOCK: 'on',
    NODE_ENV: 'test',
    LOG_LEVEL: 'error',
    ENCRYPTION_KEY: encryptionKey.toString('base64'),
    PROVIDER_SANDBOX_URL: sandboxUrl,
    SANDBOX_PROVIDER_SECRET: secret,
  });

type Wire = { type: string; saga: { sagaId: string }; reply: string; data: Record<string, unknown> };
function listen(subject: string, take: (envelope: Wire) => void): void {
  core.nc.subscribe(subject, { callback: (_error, message) => take(message.json<Wire>()) });
}

type Purchase = { sagaId: string; orderId: OrderId; line: Line; again: () => Promise<void> };

/** Asks for the delivery of a paid order, as a saga would. Each purchase has a provider of its own, so that scripts do not meet. */
async function buy(changes: Partial<Line> & { kind?: OrderKind } = {}, { isTrial = false } = {}): Promise<Purchase> {
  const now = core.clock.now();
  const { kind = 'new_purchase', ...lineChanges } = changes;
  const line: Line = {
    skuId: newId('sku', now),
    productId: newId('prd', now),
    providerId: newId('prv', now),
    deliveryType: 'saas',
    quantity: 1,
    period: { count: 1, unit: 'month' },
    unitPrice: 9900,
    amount: 9900,
    ...lineChanges,
  };
  const purchase = { orderId: newId('ord', now), line };
  const order = {
    orderId: purchase.orderId,
    orderNumber: `2026${randomBytes(4).readUInt32BE()}`,
    accountId: newId('acc', now),
    userId: newId('usr', now),
    kind,
    productName: '云表单',
    skuName: '专业版',
    isTrial,
    line,
  };
  const sagaId = `sag_${randomBytes(8).toString('hex')}`;
  const send = async () => {
    const message = messageOut(
      fulfilOrder(order),
      { sagaId, step: 'fulfil', direction: 'do', replyTo: 'test' },
      core.clock.now(),
      undefined,
    );
    core.nc.publish(message.subject, message.body);
    await core.nc.flush();
  };
  return { ...purchase, sagaId, again: send };
}

async function script(purchase: Purchase, body: { behaviour: string; times?: number; action?: string }): Promise<void> {
  const response = await fetch(`${sandboxUrl}/sandbox/provider/${purchase.line.providerId}/script`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ action: 'createInstance', ...body }),
  });
  expect(response.status).toBe(204);
}

const answersTo = ({ sagaId }: Purchase) => replies.filter((reply) => reply.sagaId === sagaId);
const answer = (purchase: Purchase) => until(() => answersTo(purchase)[0], { what: 'the saga is answered' });

async function instanceOf({ orderId }: Purchase) {
  const [row] = await core.sql<Record<string, unknown>[]>`select * from instances where order_id = ${orderId}`;
  return row;
}
const callsOf = ({ orderId }: Purchase) =>
  core.sql<Record<string, unknown>[]>`select * from provider_calls where order_id = ${orderId} order by created_at, call_id`;
const providersInstances = ({ orderId }: Purchase) =>
  sandboxSql<{ sign_id: string; status: string }[]>`select sign_id, status from provider_instances where order_id = ${orderId}`;
const callsInState = (purchase: Purchase, state: string, count: number) =>
  until(async () => (await callsOf(purchase)).filter((call) => call['state'] === state).length >= count, {
    what: `${count} calls are ${state}`,
  });

describe('a paid SaaS order', () => {
  test('is delivered by the provider, and the saga hears it', async () => {
    const purchase = await buy();
    await purchase.again();
    expect(await answer(purchase)).toMatchObject({ reply: 'fulfilled', data: { instanceId: `ins_${purchase.orderId.slice(4)}` } });
    const instance = await instanceOf(purchase);
    expect(instance).toMatchObject({ status: 'shipped', awaited_by: null, task: null });
    expect(await providersInstances(purchase)).toEqual([{ sign_id: instance?.['sign_id'], status: 'active' }]);
    await until(() => events.some(({ type, data }) => type === instanceShipped.type && data['orderId'] === purchase.orderId));
  });

  test('brings credentials that are encrypted at rest, bound to their row, and nowhere else in the database', async () => {
    const purchase = await buy();
    await purchase.again();
    await answer(purchase);
    const instance = await instanceOf(purchase);
    const box = vault([encryptionKey]);
    const access = JSON.parse(box.open(String(instance?.['access']), boundTo.access(String(instance?.['instance_id'])))) as {
      authUrl: string;
      additional: { name: string; value: string }[];
    };
    expect((await fetch(access.authUrl)).status).toBe(200);
    expect(() => box.open(String(instance?.['access']), boundTo.access('ins_of_somebody_else'))).toThrow(/authenticate/);
    const password = access.additional.find(({ name }) => name === '初始密码')?.value ?? '';
    expect(password.length).toBeGreaterThan(8);
    const token = playedProviderToken(secret, purchase.line.providerId);
    for (const hidden of [password, token, new URL(access.authUrl).searchParams.get('ticket') ?? '']) {
      expect(await tablesContaining(hidden)).toEqual([]);
    }
  });

  test('asked for again by a saga that lost the answer, is answered again and not delivered again', async () => {
    const purchase = await buy();
    await purchase.again();
    await answer(purchase);
    await purchase.again();
    await until(() => answersTo(purchase).length === 2, { what: 'answered twice' });
    expect(answersTo(purchase)[1]).toMatchObject({ reply: 'fulfilled' });
    expect(await callsOf(purchase)).toHaveLength(1);
  });

  test('answered "0" for a while is 发货中 until the provider delivers', async () => {
    const purchase = await buy();
    await script(purchase, { behaviour: 'pending', times: 3 });
    await purchase.again();
    await callsInState(purchase, 'pending', 1);
    expect(await instanceOf(purchase)).toMatchObject({ status: 'shipping' });
    await untilAnswered(purchase, 10 * minute);
    expect(answersTo(purchase)[0]).toMatchObject({ reply: 'fulfilled' });
    expect((await callsOf(purchase)).map((call) => call['state'])).toEqual(['pending', 'pending', 'pending', 'succeeded']);
  });

  test('whose answer was lost on the way is asked for again and gets the same instance', async () => {
    const purchase = await buy();
    await script(purchase, { behaviour: 'lost-answer', times: 2 });
    await purchase.again();
    await untilAnswered(purchase, minute);
    expect(answersTo(purchase)[0]).toMatchObject({ reply: 'fulfilled' });
    expect(await providersInstances(purchase)).toHaveLength(1);
  });

  test.each(['error', 'status-500', 'garbage', 'redirect', 'huge', 'hang-up'])(
    'survives a provider that once answers «%s»',
    async (behaviour) => {
      const purchase = await buy();
      await script(purchase, { behaviour, times: 1 });
      await purchase.again();
      await untilAnswered(purchase, minute);
      expect(answersTo(purchase)[0]).toMatchObject({ reply: 'fulfilled' });
      expect((await callsOf(purchase)).map((call) => call['state'])).toEqual(['failed', 'succeeded']);
    },
  );

  test('that the provider never delivers is refused after three hours, and what may exist is taken back', async () => {
    const purchase = await buy();
    // It makes the instance and never says so: the worst case for «one instance or one refund».
    await script(purchase, { behaviour: 'lost-answer' });
    await purchase.again();
    await callsInState(purchase, 'failed', 1);
    await untilAnswered(purchase, 30 * minute);
    expect(answersTo(purchase)).toMatchObject([{ reply: 'refused', data: { reason: 'provider-failed' } }]);
    expect(await instanceOf(purchase)).toMatchObject({ status: 'failed', access: null });
    await until(async () => (await providersInstances(purchase))[0]?.status === 'reclaimed', {
      what: 'the provider took its instance back',
    });
    await callsInState(purchase, 'succeeded', 1);
  });

  test('answered "0" for seventy-two hours is refused', async () => {
    const purchase = await buy();
    await script(purchase, { behaviour: 'pending' });
    await purchase.again();
    await callsInState(purchase, 'pending', 1);
    await untilAnswered(purchase, 8 * hour);
    expect(answersTo(purchase)).toMatchObject([{ reply: 'refused', data: { reason: 'provider-never-delivered' } }]);
    expect(await providersInstances(purchase)).toEqual([]);
  });
});

describe('a provider’s endpoint', () => {
  /** As if the provider had set it: a name that was public when it was verified may lead elsewhere by now. */
  async function moveEndpoint({ line }: Purchase, url: string): Promise<void> {
    const sealed = vault([encryptionKey]).seal('some-token', boundTo.token(line.productId));
    await core.sql`
      insert into endpoints (product_id, version, provider_id, debug_seq, dialect, url, token, published_at)
      values (${line.productId}, 1, ${line.providerId}, 1, 'tencent-saas', ${url}, ${sealed}, now())`;
  }

  test.each([
    ['nobody answers at', 'http://127.0.0.1:1/deliver'],
    ['is the metadata service', 'http://169.254.169.254/latest/meta-data'],
    ['is this machine', 'https://localhost/deliver'],
  ])('that %s is never reached: the order is refused, and there is nothing to take back', async (_what, url) => {
    const purchase = await buy();
    await moveEndpoint(purchase, url);
    await purchase.again();
    await callsInState(purchase, 'failed', 1);
    await untilAnswered(purchase, hour);
    expect(answersTo(purchase)).toMatchObject([{ reply: 'refused', data: { reason: 'provider-failed' } }]);
    expect(await instanceOf(purchase)).toMatchObject({ status: 'failed', may_exist: false, task: null });
    const calls = await callsOf(purchase);
    expect(calls.every((call) => call['action'] === 'create' && String(call['note']).startsWith('not sent'))).toBe(true);
  });

  test('is told of a trial by a string, with neither spec nor duration', async () => {
    const purchase = await buy({ period: { count: 7, unit: 'day' } }, { isTrial: true });
    await purchase.again();
    await answer(purchase);
    const [call] = await callsOf(purchase);
    expect(JSON.parse(String(call?.['request']))).toMatchObject({
      productInfo: { isTrial: 'true', spec: '', timeSpan: '', timeUnit: '', cycleNum: 1 },
    });
    const { created_at: createdAt, expires_at: expiresAt } = (await instanceOf(purchase)) as Record<string, Date>;
    expect(expiresAt!.getTime() - createdAt!.getTime()).toBeGreaterThanOrEqual(7 * day);
  });
});

describe('a provider that speaks Alibaba’s SPI', () => {
  const spi = { providerId: demoProviders.lidun.providerId };
  const accessOf = async (purchase: Purchase) => {
    const instance = await instanceOf(purchase);
    const opened = vault([encryptionKey]).open(String(instance?.['access']), boundTo.access(String(instance?.['instance_id'])));
    return JSON.parse(opened) as { authUrl: string; dialect: string; additional: { name: string; value: string }[] };
  };

  test('delivers by GET with a token, under the number that the marketplace gave the instance', async () => {
    const purchase = await buy(spi);
    await purchase.again();
    expect(await answer(purchase)).toMatchObject({ reply: 'fulfilled' });
    const instance = await instanceOf(purchase);
    expect(await providersInstances(purchase)).toEqual([{ sign_id: instance?.['instance_id'], status: 'active' }]);
    const [call] = await callsOf(purchase);
    expect(String(call?.['url'])).toMatch(/\/spi$/);
    expect(Object.fromEntries(new URLSearchParams(String(call?.['request'])))).toMatchObject({
      action: 'createInstance',
      orderId: purchase.orderId,
      skuId: purchase.line.skuId,
      trial: 'false',
      Count: '1',
      expiredOn: expect.stringMatching(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/),
    });
  });

  test('brings credentials that stand nowhere in clear, and a sign-on address that is good only when signed', async () => {
    const purchase = await buy(spi);
    await purchase.again();
    await answer(purchase);
    const access = await accessOf(purchase);
    expect(access.dialect).toBe('alibaba-spi');
    expect((await fetch(access.authUrl)).status).toBe(403);
    for (const name of ['初始密码', 'licenseKey']) {
      const value = access.additional.find((field) => field.name === name)?.value ?? '';
      expect(value.length).toBeGreaterThan(8);
      expect(await tablesContaining(value)).toEqual([]);
    }
    expect(await tablesContaining(playedProviderToken(secret, spi.providerId))).toEqual([]);
  });

  test('is asked again while it answers "0", fails or loses its answer, and makes one instance', async () => {
    const purchase = await buy(spi);
    for (const behaviour of ['pending', 'garbage', 'lost-answer']) await script(purchase, { behaviour, times: 1 });
    await purchase.again();
    await untilAnswered(purchase, minute);
    expect(answersTo(purchase)[0]).toMatchObject({ reply: 'fulfilled' });
    expect((await callsOf(purchase)).map((call) => call['state'])).toEqual(['pending', 'failed', 'failed', 'succeeded']);
    expect(await providersInstances(purchase)).toHaveLength(1);
  });

  test('that never says what it made is told to take it back by the marketplace’s own number', async () => {
    const purchase = await buy(spi);
    await script(purchase, { behaviour: 'lost-answer', times: 60 });
    await purchase.again();
    await untilAnswered(purchase, 30 * minute);
    expect(answersTo(purchase)).toMatchObject([{ reply: 'refused', data: { reason: 'provider-failed' } }]);
    await until(async () => (await providersInstances(purchase))[0]?.status === 'reclaimed', { what: 'taken back' });
    await fetch(`${sandboxUrl}/sandbox/provider/${spi.providerId}/script/clear`, { method: 'POST' });
  });

  test('upgrades and prolongs when a trial becomes formal, as one task; and freezes and releases at the end', async () => {
    const purchase = await buy({ ...spi, period: { count: 7, unit: 'day' } }, { isTrial: true });
    await purchase.again();
    await answer(purchase);
    const converted = await convert(purchase);
    expect(await until(() => replies.find(({ sagaId }) => sagaId === converted), { what: 'converted' })).toMatchObject({
      reply: 'renewed',
    });
    const requests = await sandboxSql<{ action: string }[]>`
      select action from provider_requests where provider_id = ${spi.providerId} and body like ${`%${`ins_${purchase.orderId.slice(4)}`}%`} order by id`;
    expect(requests.map(({ action }) => action)).toEqual(['createInstance', 'upgradeInstance', 'renewInstance']);
    await moveClock(core.nc, 32 * day);
    await until(async () => (await providersInstances(purchase))[0]?.status === 'isolated', { what: 'frozen' });
    await moveClock(core.nc, 8 * day);
    await until(async () => (await providersInstances(purchase))[0]?.status === 'reclaimed', { what: 'released' });
  });
});

describe('the delivery log', () => {
  test('keeps intent and outcome of each try, freshly signed, without token, signature or credentials', async () => {
    const purchase = await buy();
    await script(purchase, { behaviour: 'status-500', times: 1 });
    await purchase.again();
    await untilAnswered(purchase, minute);
    const [first, second] = await callsOf(purchase);
    expect(first).toMatchObject({ action: 'create', attempt: 1, state: 'failed', http_status: 500, given_up: false });
    expect(second).toMatchObject({ action: 'create', attempt: 2, state: 'succeeded', http_status: 200 });
    expect(String(second?.['url'])).toContain('signature=***');
    expect(JSON.parse(String(second?.['request']))).toMatchObject({
      action: 'createInstance',
      orderId: purchase.orderId,
      productInfo: { isTrial: 'false' },
    });
    expect(String(second?.['answer'])).toContain('"value":"***"');
    const ids = [first, second].map((call) => (JSON.parse(String(call?.['request'])) as { requestId: string }).requestId);
    expect(new Set(ids).size).toBe(2);
  });
});

describe('the end of an instance', () => {
  test('comes by itself: the provider isolates it at expiry and reclaims it seven days later', async () => {
    const purchase = await buy();
    await purchase.again();
    await answer(purchase);
    await moveClock(core.nc, 32 * day);
    await until(async () => (await providersInstances(purchase))[0]?.status === 'isolated', { what: 'isolated' });
    expect(await instanceOf(purchase)).toMatchObject({ status: 'expired' });
    await moveClock(core.nc, 7 * day);
    await until(async () => (await providersInstances(purchase))[0]?.status === 'reclaimed', { what: 'reclaimed' });
    expect(await instanceOf(purchase)).toMatchObject({ status: 'closed', access: null });
    await until(() => events.some(({ type, data }) => type === 'fulfillment.instance-closed' && data['orderId'] === purchase.orderId));
  });
});

describe('other kinds of delivery', () => {
  test('an API order gets a key pair at once, with the calls of its package', async () => {
    const purchase = await buy({ deliveryType: 'api', quantity: 2 });
    await tellProduct(purchase);
    await purchase.again();
    expect(await answer(purchase)).toMatchObject({ reply: 'fulfilled' });
    const instance = await instanceOf(purchase);
    const { calls, keys } = instance!['api'] as { calls: number; keys: { secretId: string; secretKey: string; status: string }[] };
    const [key] = keys;
    expect({ calls, status: key?.status }).toEqual({ calls: 20_000, status: 'active' });
    expect(key?.secretId).toMatch(/^YSID[0-9a-f]{32}$/);
    const secretKey = vault([encryptionKey]).open(key!.secretKey, boundTo.secretKey(key!.secretId));
    expect(await tablesContaining(secretKey)).toEqual([]);
  });

  test('a human service is 发货中 and its saga waits for the delivery case', async () => {
    const purchase = await buy({ deliveryType: 'human_service' });
    await purchase.again();
    await until(() => instanceOf(purchase), { what: 'the instance is there' });
    expect(await instanceOf(purchase)).toMatchObject({ status: 'shipping', task: null });
    expect(answersTo(purchase)).toEqual([]);
  });

  test.each([[{ deliveryType: 'image' as const }], [{ kind: 'renewal' as const }]])(
    'an order for %j is refused, not left waiting',
    async (what) => {
      const purchase = await buy(what);
      await purchase.again();
      expect(await answer(purchase)).toMatchObject({ reply: 'refused', data: { reason: 'not-deliverable' } });
      expect(await instanceOf(purchase)).toBeUndefined();
    },
  );
});

test('a service that dies in the middle of a delivery finishes it after its restart', async () => {
  const purchase = await buy();
  await script(purchase, { behaviour: 'pending', times: 1 });
  await purchase.again();
  await callsInState(purchase, 'pending', 1);
  await delivery.stop();
  await begin();
  await untilAnswered(purchase, minute);
  expect(answersTo(purchase)[0]).toMatchObject({ reply: 'fulfilled' });
});

/** Moves business time forward step by step until the saga has its answer. */
async function untilAnswered(purchase: Purchase, stepMs: number): Promise<void> {
  await until(
    async () => {
      if (answersTo(purchase).length > 0) return true;
      const waiting = (await callsOf(purchase)).filter((call) => call['state'] === 'waiting');
      // The next call is in the future: bring the future here. Otherwise it is under way.
      if (waiting.length > 0 && waiting.every((call) => (call['due_at'] as Date) > core.clock.now())) await moveClock(core.nc, stepMs);
      return false;
    },
    { within: 50_000, what: 'the saga is answered' },
  );
}

async function tellProduct({ line }: Purchase): Promise<void> {
  const message = messageOut(
    productChanged({
      productId: line.productId,
      productVersion: 1,
      providerId: line.providerId,
      providerName: '接口工坊',
      name: '短信接口',
      deliveryType: line.deliveryType,
      humanDelivery: false,
      status: 'published',
      skus: [
        { skuId: line.skuId, name: '一万次', price: { model: 'per_package', price: 100, calls: 10_000, validDays: 365 }, onSale: true },
      ],
    } as Parameters<typeof productChanged>[0]),
    undefined,
    core.clock.now(),
    undefined,
  );
  core.nc.publish(message.subject, message.body);
  await core.nc.flush();
  await until(async () => (await core.sql`select 1 from products where product_id = ${line.productId}`).length === 1, {
    what: 'the product is known',
  });
}

/** Asks for the formal SKU in place of a trial, as the saga does when it is paid; answers the saga's name. */
async function convert({ orderId, line }: Purchase): Promise<string> {
  const instance = (
    await core.sql<{ accountId: AccountId }[]>`select account_id as "accountId" from instances where order_id = ${orderId}`
  )[0];
  const now = core.clock.now();
  const sagaId = `sag_${randomBytes(8).toString('hex')}`;
  const ask = renewInstance({
    instanceId: InstanceId.parse(`ins_${orderId.slice(4)}`),
    orderId: newId('ord', now),
    accountId: instance!.accountId,
    kind: 'trial_conversion',
    skuName: '专业版',
    line: { ...line, skuId: newId('sku', now), period: { count: 1, unit: 'month' } },
  });
  const message = messageOut(ask, { sagaId, step: 'renew', direction: 'do', replyTo: 'test' }, now, undefined);
  core.nc.publish(message.subject, message.body);
  await core.nc.flush();
  return sagaId;
}

/** Names of the service's tables in which the text stands anywhere in clear. */
async function tablesContaining(text: string): Promise<string[]> {
  const tables = await core.sql<
    { name: string }[]
  >`select table_name as name from information_schema.tables where table_schema = current_schema()`;
  const hits = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await core.sql`select 1 from ${core.sql(name)} t where position(${text} in t::text) > 0 limit 1`;
      return rows.length > 0 ? [name] : [];
    }),
  );
  return hits.flat();
}
