import { randomBytes } from 'node:crypto';
import { productChanged } from '@yunshi/contracts/catalog';
import type { Caller } from '@yunshi/http/auth';
import { buyer, otherBuyer, provider, testIssuer } from '@yunshi/http/testing';
import { newId } from '@yunshi/kernel/ids';
import type { ProductId, ProviderId } from '@yunshi/kernel/ids';
import { moveClock } from '@yunshi/messaging/clock';
import { messageOut } from '@yunshi/messaging/envelope';
import { verify } from '@yunshi/protocols/saas/signature';
import { vault } from '@yunshi/service/vault';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start } from '../app.ts';
import type { Running } from '../app.ts';
import { boundTo } from '../bound-to.ts';
import { testConfig } from '../config.fixture.ts';
import { linePolicy } from './policy.ts';

/*
 * Many instances expire on one day, one in ten of them at one provider who is to be told. `EXPIRING_INSTANCES=100000` makes it a
 * measurement: what it took is printed (docs/performance.md).
 */
const size = Number(process.env['EXPIRING_INSTANCES'] ?? 5_000);
const toTell = size / 10;
const within = 40_000 + size * 10;
const say = (line: string) => process.env['EXPIRING_INSTANCES'] && process.stderr.write(`${line}\n`);

const database = await testDatabase('fulfillment');
const nats = await testNats();
const issuer = await testIssuer();
const token = 'expiry-token-0001';
const encryptionKey = randomBytes(32);
const day = 86_400_000;
let service: Running;
let productId: ProductId;

/** What the provider was told of each instance, and how many calls it had in hand. */
const told = { expireInstance: new Map<string, number>(), destroyInstance: new Map<string, number>(), inHand: 0, inHandMax: 0 };
const endpoint = fastify();
endpoint.post('/deliver', async (request, reply) => {
  const { action, signId, echoback } = request.body as { action: string; signId: string; echoback?: string };
  if (verify(token, request.query as Record<string, unknown>, Date.now()) !== 'genuine') return reply.code(403).send('{}');
  if (action === 'verifyInterface') return { echoback };
  told.inHandMax = Math.max(told.inHandMax, ++told.inHand);
  // One turn of the loop, so that calls meet if they are made at once.
  await new Promise((resolve) => setImmediate(resolve));
  told.inHand--;
  const count = told[action as 'expireInstance'];
  count.set(signId, (count.get(signId) ?? 0) + 1);
  return { success: 'true' };
});

beforeAll(async () => {
  const address = await endpoint.listen({ host: '127.0.0.1', port: 0 });
  service = await start(testConfig({ databaseUrl: database.url, natsUrl: nats.url, issuer, sandboxUrl: address, encryptionKey }), {
    auth: issuer.auth,
  });
  productId = await calledProduct(address);
});
afterAll(async () => {
  await service.stop();
  await endpoint.close();
});

async function call(caller: Caller, method: 'GET' | 'POST', path: string, body?: object) {
  const response = await fetch(`${service.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${await issuer.token(caller)}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function calledProduct(address: string): Promise<ProductId> {
  const id = newId('prd', service.core.clock.now());
  const { providerId } = provider as { providerId: ProviderId };
  const news = { productId: id, productVersion: 1, providerId, providerName: '云上软件', name: '云表单', humanDelivery: false };
  const { subject, body } = messageOut(
    productChanged({ ...news, deliveryType: 'saas', status: 'published', skus: [] }),
    undefined,
    service.core.clock.now(),
    undefined,
  );
  service.core.nc.publish(subject, body);
  await until(async () => (await service.core.sql`select 1 from products`).length === 1, { what: 'the product is known' });
  const sealed = vault([encryptionKey]).seal(token, boundTo.token(id));
  // As an interface stands that has passed its online check.
  await service.core.sql`
    insert into endpoints (product_id, version, provider_id, debug_seq, dialect, url, token, published_at)
    values (${id}, 1, ${providerId}, 0, 'tencent-saas', ${`${address}/deliver`}, ${sealed}, now())`;
  return id;
}

/** Delivered instances of one provider with one expiry, and the deadlines that their delivery has set. */
async function delivered(count: number, expiresAt: Date): Promise<void> {
  const { sql } = service.core;
  const { accountId, userId } = buyer;
  await sql`
    insert into instances (instance_id, version, account_id, user_id, provider_id, product_id, sku_id, order_id, order_number, delivery_type,
      product_name, sku_name, is_trial, quantity, period_count, period_unit, status, created_at, shipped_at, expires_at, tries, call_seq, may_exist, sign_id)
    select 'ins_' || lpad(to_hex(n), 32, '0'), 2, ${accountId}, ${userId}, ${provider.providerId!}, ${productId}, ${newId('sku', expiresAt)},
      'ord_' || lpad(to_hex(n), 32, '0'), 'N' || n, case when n <= ${toTell} then 'saas' else 'api' end, '云表单', '专业版', false, 1, 1, 'year', 'shipped', ${service.core.clock.now()},
      ${service.core.clock.now()}, ${expiresAt}, 0, 1, true, case when n <= ${toTell} then 's' || n end
    from generate_series(1, ${count}) n`;
  await sql`
    insert into deadlines (id, kind, key, due_at, attempts)
    select kind || ' ' || instance_id, kind, instance_id, expires_at - days * interval '1 day', 0
    from instances, (values ('instance.expire', 0), ('instance.remind-30', 30), ('instance.remind-7', 7), ('instance.remind-1', 1)) as d(kind, days)`;
  await sql`analyze instances, deadlines`;
}

const countOf = async (status: string) =>
  (await service.core.sql<{ count: number }[]>`select count(*)::int from instances where status = ${status}`)[0]!.count;
const openCalls = async () => (await service.core.sql<{ count: number }[]>`select count(*)::int from calls where open`)[0]!.count;

/** Lets business time go on until nothing is left to be told, and says how long that took. */
async function settles(what: string, status: string): Promise<void> {
  const startedMs = performance.now();
  await until(async () => (await countOf(status)) === size, { within, what: `all are ${status}` });
  say(`${size} ${status} after ${Math.round(performance.now() - startedMs)} ms`);
  await until(async () => (await openCalls()) === 0, { within, what: 'the provider knows' });
  say(`${toTell} ${what} after ${Math.round(performance.now() - startedMs)} ms, at most ${told.inHandMax} calls in hand`);
}

describe(`${size} instances that expire on one day`, () => {
  beforeAll(() => delivered(size, new Date(service.core.clock.now().getTime() + 2 * 365 * day)));

  test('are reminded of, isolated and released, each once, when business time leaps over years', { timeout: 4 * within }, async () => {
    await moveClock(service.core.nc, 2 * 365 * day);
    await settles('told to be isolated', 'expired');
    await moveClock(service.core.nc, 7 * day);
    await settles('told to be released', 'closed');

    expect(told.expireInstance.size).toBe(toTell);
    expect(told.destroyInstance.size).toBe(toTell);
    expect(new Set([...told.expireInstance.values(), ...told.destroyInstance.values()])).toEqual(new Set([1]));
    // The provider was not run over, and was kept busy.
    expect(told.inHandMax).toBeLessThanOrEqual(linePolicy.tellingAtOnceMax);
    expect(told.inHandMax).toBeGreaterThan(1);
    expect(await service.core.sql`select kind, days_ahead as days, count(*)::int from notifications group by 1, 2 order by 1, 2`).toEqual([
      { kind: 'instance-closed', days: null, count: size },
      { kind: 'instance-expired', days: null, count: size },
      { kind: 'instance-expiring', days: 1, count: size },
      { kind: 'instance-expiring', days: 7, count: size },
      { kind: 'instance-expiring', days: 30, count: size },
    ]);
    expect(await service.core.sql`select 1 from deadlines`).toEqual([]);
    expect(await service.core.sql`select 1 from provider_calls where state <> 'succeeded'`).toEqual([]);
  });

  test('are told to the buyer, page by page, until they are read; others neither see nor mark them', async () => {
    const list = (by: Caller, query = '') => call(by, 'GET', `/v1/notifications${query}`);
    const itemsOf = ({ body }: { body: Record<string, unknown> }) => body['items'] as { notification_id: string; read_at: string | null }[];
    const first = await list(buyer, '?limit=2&unread=true');
    const next = await list(buyer, `?limit=2&unread=true&cursor=${String(first.body['next_cursor'])}`);
    const ids = [...itemsOf(first), ...itemsOf(next)].map(({ notification_id }) => notification_id);
    expect(new Set(ids).size).toBe(4);
    expect(itemsOf(await list(otherBuyer))).toEqual([]);
    const mark = (by: Caller) => call(by, 'POST', '/v1/notifications/read', { notification_ids: ids });
    expect(await mark(otherBuyer)).toMatchObject({ status: 200, body: { marked: 0 } });
    expect(await mark(buyer)).toMatchObject({ status: 200, body: { marked: 4 } });
    expect(await mark(buyer)).toMatchObject({ body: { marked: 0 } });
    expect(itemsOf(await list(buyer, '?unread=false')).map(({ notification_id }) => notification_id)).toEqual(ids);
    const unread = itemsOf(await list(buyer, '?limit=100&unread=true'));
    expect(unread.some(({ notification_id }) => ids.includes(notification_id))).toBe(false);
    const instanceId = `ins_${'1'.padStart(32, '0')}`;
    expect((await list(buyer, `?instance_id=${instanceId}`)).body['items']).toMatchObject([
      { kind: 'instance-closed' },
      { kind: 'instance-expired' },
      ...Array.from({ length: 3 }, () => ({ kind: 'instance-expiring', product_name: '云表单' })),
    ]);
    expect((await call(buyer, 'POST', '/v1/notifications/read', { notification_ids: [] })).status).toBe(400);
    expect((await call(provider, 'GET', '/v1/notifications')).status).toBe(403);
  });
});
