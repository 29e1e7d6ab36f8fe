import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { productChanged } from '@yunshi/contracts/catalog';
import { demoCoupons, demoPersonas, demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { connect } from '@yunshi/db/connect';
import { newId, type AccountId, type ProductId, type ProviderId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { testIssuer, type Person } from '@yunshi/testing/issuer';
import { testNats } from '@yunshi/testing/nats';
import { neighbour } from '@yunshi/testing/neighbour';
import { until } from '@yunshi/testing/until';
import { start, type Running } from '../app.ts';
import { readConfig } from '../config.ts';
import { OfferStatus } from '../wire.ts';
import { claimable } from './coupon.ts';
import { findCoupon, findOffers } from './coupons.ts';

/** Two instances of the service, as in production: what one knows alone must not be what keeps the count right. */
const database = await testDatabase('coupon');
const nats = await testNats();
const issuer = await testIssuer();
const sql = connect({ url: database.url, name: 'test', connectionsMax: 2 });
const config = readConfig({
  ...issuer.env,
  DATABASE_URL: database.url,
  NATS_URL: nats.url,
  TEST_CLOCK: 'on',
  SEED: 'demo',
  LOG_LEVEL: 'error',
});
let apps: readonly Running[] = [];
beforeAll(async () => {
  apps = [await start(config), await start(config)];
  const catalogue = await neighbour(nats.url);
  await Promise.all([
    catalogue.tell(product('helpDesk', 'fanying')),
    catalogue.tell(product('stock', 'chenxi')),
    catalogue.tell(product('migration', 'direct', true)),
  ]);
  await until(async () => (await sql`select 1 from products`).length === 3);
});
afterAll(async () => {
  await Promise.all(apps.map((app) => app.stop()));
  await sql.end();
});

const product = (key: 'helpDesk' | 'stock' | 'migration', shop: keyof typeof demoProviders, selfOperated = false) =>
  productChanged({
    productId: demoProducts[key].productId as ProductId,
    productVersion: 1,
    providerId: demoProviders[shop].providerId as ProviderId,
    providerName: demoProviders[shop].name,
    selfOperated,
    name: demoProducts[key].name,
    deliveryType: 'saas',
    humanDelivery: false,
    status: 'published',
    skus: [],
  });

type Body = Record<string, unknown> & {
  coupon_id: string;
  claim_id: string;
  code?: string;
  items: { coupon_id: string; name: string }[];
  errors: { field: string }[];
};
async function ask(method: string, path: string, who: Person, body?: unknown, app = 0): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${apps[app]!.url}${path}`, {
    method,
    headers: {
      ...(await issuer.as(who)),
      'idempotency-key': randomUUID(),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

const { fanying, chenxi, operator } = demoPersonas;
const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
const minus30 = {
  name: '帆影周年满 100 减 30',
  benefit: { type: 'amount', threshold: 10_000, off: 3_000 },
  scope: { type: 'shop' },
  scenes: ['new_purchase'],
  stock: 100,
  per_buyer: 2,
  claim_from: inDays(-1),
  claim_until: inDays(10),
  validity: { type: 'after_claim', days: 30 },
};
const publish = (changes: object = {}, who: Person = fanying) => ask('POST', '/v1/provider/coupons', who, { ...minus30, ...changes });
let people = 0;
const buyer = (): Person => ({
  userId: newId('usr', new Date()),
  accountId: `acc_${String(++people).padStart(32, '0')}` as AccountId,
  roles: ['buyer'],
});
const claim = (couponId: string, who: Person, app = 0) => ask('POST', `/v1/coupons/${couponId}/claims`, who, undefined, app);

describe('publishing', () => {
  test('a provider publishes a coupon of its shop, under the name that the catalogue knows', async () => {
    const { status, body } = await publish();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      status: 'claimable',
      provider: { provider_id: demoProviders.fanying.providerId, name: '帆影软件' },
      left: 100,
      claimed: 0,
      listed: true,
    });
    expect((await ask('GET', '/v1/provider/coupons', fanying)).body.items[0]).toEqual(body);
    expect((await ask('GET', `/v1/coupons/${body.coupon_id}`, buyer())).body).toMatchObject({ name: minus30.name });
  });

  test('what breaks a rule is refused by naming the fields as they were sent', async () => {
    const refused = async (changes: object) => (await publish(changes)).body.errors.map(({ field }) => field);
    expect(await refused({ per_buyer: 101 })).toEqual(['/per_buyer']);
    expect(await refused({ benefit: { type: 'discount', pay_percent: 100 } })).toEqual(['/benefit/pay_percent']);
    expect(await refused({ claim_from: inDays(-3), claim_until: inDays(-1) })).toEqual(['/claim_until']);
    const scope = { type: 'products', product_ids: [demoProducts.helpDesk.productId, demoProducts.stock.productId] };
    expect(await refused({ scope })).toEqual(['/scope/product_ids/1']);
    expect((await publish({}, { ...fanying, providerId: newId('prv', new Date()) })).body.code).toBe('shop-without-products');
  });

  test('an operator publishes for 自营 shops only, and leaves a trace of it', async () => {
    const at = (shop: keyof typeof demoProviders) =>
      ask('POST', '/v1/ops/coupons', operator, { ...minus30, provider_id: demoProviders[shop].providerId });
    const published = await at('direct');
    expect(published).toMatchObject({ status: 201, body: { provider: { name: '云市自营' } } });
    expect(await at('fanying')).toMatchObject({ status: 409, body: { code: 'shop-not-self-operated' } });
    const trail = await sql`select action from audit where actor = ${operator.userId} and object = ${`coupon:${published.body.coupon_id}`}`;
    expect(trail).toEqual([{ action: 'coupon.publish' }]);
  });

  test('an unlisted coupon is in no list but its provider’s, and can be claimed by its link', async () => {
    const { coupon_id: id } = (await publish({ listed: false })).body;
    const ids = async (path: string, who: Person) => (await ask('GET', path, who)).body.items.map(({ coupon_id }) => coupon_id);
    expect(await ids('/v1/coupons?limit=100', buyer())).not.toContain(id);
    expect(await ids('/v1/provider/coupons', fanying)).toContain(id);
    expect((await claim(id, buyer())).status).toBe(201);
  });
});

describe('once published', () => {
  test('issuing is paused and resumed; what was claimed stays usable', async () => {
    const { coupon_id: id } = (await publish()).body;
    const who = buyer();
    const mine = (await claim(id, who)).body;
    expect((await ask('POST', `/v1/provider/coupons/${id}/pause`, fanying)).body).toMatchObject({ status: 'paused' });
    expect((await claim(id, buyer())).body.code).toBe('coupon-paused');
    expect((await ask('GET', `/v1/my/coupons/${mine.claim_id}`, who)).body).toMatchObject({ status: 'usable' });
    expect((await ask('POST', `/v1/provider/coupons/${id}/pause`, fanying)).body.code).toBe('coupon-already-so');
    expect((await ask('POST', `/v1/ops/coupons/${id}/resume`, operator, { reason: '误停' })).body).toMatchObject({ status: 'claimable' });
    expect((await claim(id, buyer())).status).toBe(201);
    expect((await ask('GET', `/v1/provider/coupons/${id}`, fanying)).body).toMatchObject({
      in_use: { usable: 2, reserved: 0, used: 0, expired: 0 },
    });
  });

  test('another provider can neither see nor pause it', async () => {
    const { coupon_id: id } = (await publish()).body;
    expect((await ask('GET', `/v1/provider/coupons/${id}`, chenxi)).status).toBe(404);
    expect((await ask('POST', `/v1/provider/coupons/${id}/pause`, chenxi)).status).toBe(404);
  });

  test('the database itself refuses to change what it says', async () => {
    const { coupon_id: id } = (await publish()).body;
    await expect(sql`update coupons set stock = 1000 where coupon_id = ${id}`).rejects.toThrow('is published');
    await expect(
      sql`update coupons set benefit = ${'{"type":"discount","payPercent":1}'}::text::jsonb where coupon_id = ${id}`,
    ).rejects.toThrow('is published');
    await expect(sql`update coupons set claimed = 101 where coupon_id = ${id}`).rejects.toThrow('coupons_never_more_than_the_stock');
  });

  test('the status that a list filters by is the one that the decision gives', async () => {
    const now = new Date();
    const all = await findOffers(sql, { now, take: 1_000 });
    expect(all.length).toBeGreaterThan(15);
    for (const status of OfferStatus.options) {
      const found = await findOffers(sql, { status, now, take: 1_000 });
      const decided = all.filter((coupon) => {
        const open = claimable(coupon, now);
        return (open.ok ? 'claimable' : open.error) === status;
      });
      expect(found).toEqual(decided);
    }
    const named = await findOffers(sql, { keyword: '满 2000', type: 'amount', now, take: 10 });
    expect(named.map(({ couponId }) => couponId)).toEqual([demoCoupons.fanyingMinus300.couponId]);
  });
});

describe('2,000 claims at once of 100 coupons, at two instances', () => {
  test('give exactly 100, and nobody more than the limit', async () => {
    const { coupon_id: id } = (await publish({ stock: 100, per_buyer: 2 })).body;
    // 1,400 buyers ask once, 120 of them who will not take no for an answer five times more.
    const buyers = Array.from({ length: 1_400 }, buyer);
    const asking = [...buyers.slice(0, 120).flatMap((who) => Array<Person>(5).fill(who)), ...buyers];
    const answers = await Promise.all(asking.map((who, nth) => claim(id, who, nth % 2)));
    expect(asking).toHaveLength(2_000);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
    const refusals = Map.groupBy(
      answers.filter(({ status }) => status !== 201),
      ({ status, body }) => `${status} ${body.code}`,
    );
    expect(new Set(refusals.keys())).toEqual(new Set(['409 coupon-sold-out', '409 coupon-limit-reached']));

    const coupon = await findCoupon(sql, id as never);
    const kept = await sql<
      { account_id: string; number: string }[]
    >`select account_id, number from claims where coupon_id = ${id} order by number`;
    expect(coupon?.claimed).toBe(100);
    expect(kept.map(({ number }) => Number(number.slice(-6)))).toEqual(Array.from({ length: 100 }, (_, nth) => nth + 1));
    const each = [...Map.groupBy(kept, ({ account_id }) => account_id)].map(
      ([account, claims]) => [`${id} ${account}`, claims.length] as const,
    );
    expect(Math.max(...each.map(([, count]) => count))).toBe(2);
    const tallies = await sql<
      { tally_id: string; claimed: number }[]
    >`select tally_id, claimed from tallies where tally_id like ${`${id} %`}`;
    expect(new Map(tallies.map(({ tally_id, claimed }) => [tally_id, claimed]))).toEqual(new Map(each));
  });
});
