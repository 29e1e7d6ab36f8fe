import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { productChanged } from '@yunshi/contracts/catalog';
import { couponsForOrder, releaseCoupon, reserveCoupon, useCoupon } from '@yunshi/contracts/coupon';
import { demoClaims, demoCoupons, demoPersonas, demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { connect } from '@yunshi/db/connect';
import { newId, type AccountId, type CouponId, type OrderId, type ProductId, type ProviderId } from '@yunshi/kernel/ids';
import type { DeliveryType, Line } from '@yunshi/kernel/marketplace';
import { moveClock } from '@yunshi/messaging/clock';
import { connectBus } from '@yunshi/messaging/bus';
import { testDatabase } from '@yunshi/testing/database';
import { testIssuer, type Person } from '@yunshi/testing/issuer';
import { testNats } from '@yunshi/testing/nats';
import { neighbour } from '@yunshi/testing/neighbour';
import { until } from '@yunshi/testing/until';
import { start, type Running } from './app.ts';
import { readConfig } from './config.ts';
import { claimable } from './coupon/coupon.ts';
import { coupons, findCoupon } from './coupon/coupons.ts';
import { covers } from './coupon/deduction.ts';
import { published } from './story.fixture.ts';

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
let app: Running;
let order: Awaited<ReturnType<typeof neighbour>>;
beforeAll(async () => {
  app = await start(config);
  order = await neighbour(nats.url);
  await Promise.all(shelf.map((product) => tell(product)));
});
afterAll(async () => {
  await app.stop();
  await sql.end();
});

const newOrder = (): OrderId => newId('ord', new Date());
let people = 0;
const buyer = (): Person => ({
  userId: newId('usr', new Date()),
  accountId: `acc_${String(++people).padStart(32, '0')}` as AccountId,
  roles: ['buyer'],
});

/** What the catalogue tells of: SaaS, an image with a coupon of its own, a service, an image without, an API. */
const product = (key: keyof typeof demoProducts, shop: keyof typeof demoProviders, deliveryType: DeliveryType) => ({
  productId: demoProducts[key].productId as ProductId,
  providerId: demoProviders[shop].providerId as ProviderId,
  deliveryType,
});
const shelf = [
  product('helpDesk', 'fanying', 'saas'),
  product('hardenedLinux', 'lidun', 'image'),
  product('penetrationTest', 'lidun', 'human_service'),
  product('lnmp', 'muzuo', 'image'),
  product('invoiceReading', 'wenlan', 'api'),
];

/** Tells of a product as the catalogue does. */
const told = (of: ReturnType<typeof product>, changes: { status?: 'withdrawn'; productVersion?: number } = {}) =>
  productChanged({
    ...of,
    productVersion: 1,
    providerName: '某店',
    name: '某商品',
    humanDelivery: false,
    status: 'published',
    skus: [],
    ...changes,
  });

/** Tells of a product and waits until it is known. */
async function tell(of: ReturnType<typeof product>, changes: Parameters<typeof told>[1] = {}): Promise<void> {
  await order.tell(told(of, changes));
  const version = changes.productVersion ?? 1;
  await until(
    async () => (await sql`select 1 from products where product_id = ${of.productId} and product_version >= ${version}`).length === 1,
  );
}

type Shown = { coupon_id: CouponId; claim_id: string; name: string; account_id: string; claim_until: string; valid_until: string };
/** An answer of any route: a list, one thing, or a problem. */
type Body = { items: Shown[]; next_cursor: string | null; status: string };

async function get(path: string, who?: Person): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${app.url}${path}`, { headers: who ? await issuer.as(who) : {} });
  return { status: response.status, body: (await response.json()) as Body };
}

async function claim(couponId: CouponId, who: Person, key: string = newOrder()) {
  const response = await fetch(`${app.url}/v1/coupons/${couponId}/claims`, {
    method: 'POST',
    headers: { ...(await issuer.as(who)), 'idempotency-key': key },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

/** Puts an offer into the database as publishing will. */
async function offer(changes: Parameters<typeof published>[0]): Promise<CouponId> {
  const couponId = newId('cpn', new Date());
  const open = { claimFrom: new Date(Date.now() - 1_000), claimUntil: new Date(Date.now() + 86_400_000) };
  const validity = { type: 'after_claim', days: 30 } as const;
  await coupons.save(sql, [{ ...published({ ...open, validity, ...changes }), couponId, number: couponId.slice(-12) }]);
  return couponId;
}

const helpDeskLine = (amount = 19_900): Line => ({
  skuId: demoProducts.helpDesk.skus.basic,
  productId: demoProducts.helpDesk.productId,
  providerId: demoProviders.fanying.providerId,
  deliveryType: 'saas',
  quantity: 1,
  unitPrice: amount,
  amount,
});
const { lin, zhao, su } = demoPersonas;

describe('what can be claimed', () => {
  test('anybody sees the listed coupons that can be claimed, those that close first in front', async () => {
    const { status, body } = await get('/v1/coupons?limit=100');
    expect(status).toBe(200);
    const names = body.items.map((coupon) => coupon.name);
    expect(names).toContain(demoCoupons.fanying85.name);
    for (const hidden of ['directUnlisted', 'muzuoPaused', 'wenlanGone', 'chenxiExpired'] as const)
      expect(names).not.toContain(demoCoupons[hidden].name);
    const ends = body.items.map((coupon) => coupon.claim_until);
    expect(ends).toEqual(ends.toSorted());
  });

  test('a product page shows exactly the coupons that the decision about the order would accept', async () => {
    const offers = await Promise.all(Object.values(demoCoupons).map(({ couponId }) => findCoupon(sql, couponId)));
    const pages = await Promise.all(
      shelf.map(async (product) => {
        const covering = offers.filter((coupon) => coupon?.listed && claimable(coupon, new Date()).ok && covers(coupon, product));
        const { body } = await get(`/v1/coupons?limit=100&product_id=${product.productId}`);
        expect(new Set(body.items.map(({ coupon_id }) => coupon_id))).toEqual(new Set(covering.map((coupon) => coupon?.couponId)));
        return covering.length;
      }),
    );
    expect(pages).toEqual([7, 1, 1, 0, 1]);
    expect((await get(`/v1/coupons?product_id=${demoProducts.crm.productId}`)).body.items).toEqual([]); // nobody has told us of it
  });

  test('a withdrawn product has no coupons to claim, and an older version heard late does not bring it back', async () => {
    const fax = product('fax', 'fanying', 'saas');
    await tell(fax, { productVersion: 2, status: 'withdrawn' });
    const late = await order.tell(told(fax));
    await until(async () => (await sql`select 1 from inbox where id = ${late}`).length === 1);
    expect((await get(`/v1/coupons?product_id=${fax.productId}`)).body.items).toEqual([]);
  });

  test('pages go on where the last one ended, without repeating or skipping', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await get(`/v1/coupons?limit=4${cursor}`);
      seen.push(...body.items.map(({ coupon_id }) => coupon_id));
      cursor = body.next_cursor ? `&cursor=${body.next_cursor}` : '';
    } while (cursor);
    const all = (await get('/v1/coupons?limit=100')).body.items.map(({ coupon_id }) => coupon_id);
    expect(seen).toEqual(all);
  });

  test('an unlisted coupon is found by its link', async () => {
    expect((await get(`/v1/coupons/${demoCoupons.directUnlisted.couponId}`)).body).toMatchObject({ status: 'claimable', left: 29 });
  });
});

describe('claiming', () => {
  test('a claimed coupon is among my coupons', async () => {
    const who = buyer();
    const claimed = await claim(demoCoupons.fanying85.couponId, who);
    expect(claimed).toMatchObject({
      status: 201,
      body: { status: 'usable', benefit: { type: 'discount', pay_percent: 85 }, account_id: who.accountId },
    });
    expect((await get('/v1/my/coupons', who)).body.items).toEqual([claimed.body]);
    expect((await get(`/v1/my/coupons/${String(claimed.body['claim_id'])}`, who)).body).toEqual(claimed.body);
  });

  test('40 claims at once by one buyer give the limit, and never more', async () => {
    const couponId = await offer({ stock: 100, perBuyer: 3 });
    const who = buyer();
    const answers = await Promise.all(Array.from({ length: 40 }, () => claim(couponId, who)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    expect(new Set(answers.filter(({ status }) => status === 409).map(({ body }) => body['code']))).toEqual(
      new Set(['coupon-limit-reached']),
    );
  });

  test('the same Idempotency-Key claims once and answers the same', async () => {
    const who = buyer();
    const [first, again] = [
      await claim(demoCoupons.fanyingMinus20.couponId, who, 'k1'),
      await claim(demoCoupons.fanyingMinus20.couponId, who, 'k1'),
    ];
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await claim(demoCoupons.fanying85.couponId, who, 'k1')).body).toMatchObject({ code: 'idempotency-key-reused' });
    expect((await get('/v1/my/coupons', who)).body.items).toHaveLength(1);
  });

  test.each([
    ['muzuoPaused', 'coupon-paused'],
    ['chenxiExpired', 'coupon-closed'],
    ['wenlanGone', 'coupon-sold-out'],
  ] as const)('%s is refused as %s', async (which, code) => {
    expect(await claim(demoCoupons[which].couponId, buyer())).toMatchObject({ status: 409, body: { code, status: 409 } });
  });

  test('there is no claiming what does not exist, without a token, or as an operator', async () => {
    const nothing = newId('cpn', new Date());
    expect(await claim(nothing, buyer())).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await claim(nothing, { ...buyer(), roles: ['operator'] })).toMatchObject({ status: 403 });
    expect((await fetch(`${app.url}/v1/coupons/${nothing}/claims`, { method: 'POST' })).status).toBe(401);
  });
});

describe('my coupons', () => {
  test('lists are of my own only', async () => {
    const { body } = await get('/v1/my/coupons?limit=100', zhao);
    expect(new Set(body.items.map((claimed) => claimed.account_id))).toEqual(new Set([zhao.accountId]));
    expect((await get(`/v1/my/coupons/${demoClaims.linHalf}`, zhao)).status).toBe(404);
  });

  test('filters by status, type, scene and provider', async () => {
    const ids = async (query: string) => (await get(`/v1/my/coupons?limit=100&${query}`, lin)).body.items.map(({ claim_id }) => claim_id);
    expect(await ids('status=expired')).toEqual([demoClaims.linExpired]);
    expect(await ids('scene=trial_conversion&type=amount&provider_id=' + demoProviders.fanying.providerId)).toEqual([
      demoClaims.linConversion,
    ]);
    expect(await ids('status=usable')).not.toContain(demoClaims.linExpired);
    expect(await ids('status=used')).toEqual([]);
  });

  test('sorts by the end of validity too, page by page', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await get(`/v1/my/coupons?sort=valid_until&limit=3${cursor}`, lin);
      seen.push(...body.items.map(({ valid_until }) => valid_until));
      cursor = body.next_cursor ? `&cursor=${body.next_cursor}` : '';
    } while (cursor);
    expect(seen).toHaveLength(9);
    expect(seen).toEqual(seen.toSorted());
  });

  test('a cursor of another sort, and a filter that does not exist, are refused', async () => {
    const { body } = await get('/v1/my/coupons?limit=3', lin);
    expect((await get(`/v1/my/coupons?sort=valid_until&cursor=${body.next_cursor}`, lin)).body).toMatchObject({ code: 'cursor-not-valid' });
    expect((await get('/v1/my/coupons?state=used', lin)).body).toMatchObject({ code: 'request-not-valid' });
  });
});

describe('the purchase', () => {
  const reserve = (orderId: OrderId, claimId: typeof demoClaims.lin85, amount?: number) =>
    reserveCoupon({ orderId, claimId, accountId: lin.accountId, kind: 'new_purchase', lines: [helpDeskLine(amount)] });
  const of = (orderId: OrderId, claimId: typeof demoClaims.lin85) => ({ orderId, claimId, accountId: lin.accountId });
  const status = async (claimId: string) => (await get(`/v1/my/coupons/${claimId}`, lin)).body.status;

  test('the checkout lists the usable coupons best first, and says why the others are not', async () => {
    const answer = await order.ask(couponsForOrder, { accountId: lin.accountId, kind: 'new_purchase', lines: [helpDeskLine()] });
    expect(answer.usable.map(({ claimId, deduction }) => [claimId, deduction])).toEqual([
      [demoClaims.linHalf, 9_950],
      [demoClaims.lin85, 2_985],
      [demoClaims.linMinus20, 2_000],
    ]);
    expect(answer.unusable).toContainEqual(expect.objectContaining({ claimId: demoClaims.linMinus300, reason: 'below-threshold' }));
    expect(answer.unusable.map(({ claimId }) => claimId)).not.toContain(demoClaims.linExpired);
  });

  test('a coupon is held, given back, held by another order and used', async () => {
    const [first, second] = [newOrder(), newOrder()];
    const step = order.step('reserve coupon');
    expect(await order.command(reserve(first, demoClaims.lin85), step)).toEqual({ reply: 'reserved', data: { deduction: 2_985 } });
    expect(await order.command(reserve(second, demoClaims.lin85), order.step('reserve coupon'))).toEqual({
      reply: 'refused',
      data: { reason: 'in-use' },
    });
    expect(await status(demoClaims.lin85)).toBe('reserved');
    await order.command(releaseCoupon(of(first, demoClaims.lin85)), order.step('reserve coupon', 'undo', step.sagaId));
    expect(await status(demoClaims.lin85)).toBe('usable');
    const again = order.step('reserve coupon');
    await order.command(reserve(second, demoClaims.lin85), again);
    expect(await order.command(useCoupon(of(second, demoClaims.lin85)), order.step('use coupon', 'do', again.sagaId))).toEqual({
      reply: 'used',
      data: {},
    });
    expect(await status(demoClaims.lin85)).toBe('used');
  });

  test('a release that overtakes its reserve leaves the coupon usable, and the late reserve holds nothing', async () => {
    const orderId = newOrder();
    const step = order.step('reserve coupon');
    await order.command(releaseCoupon(of(orderId, demoClaims.linMinus20)), order.step('reserve coupon', 'undo', step.sagaId));
    const late = await order.send(reserve(orderId, demoClaims.linMinus20), step);
    await until(async () => (await sql`select 1 from inbox where id = ${late}`).length === 1);
    expect(await status(demoClaims.linMinus20)).toBe('usable');
    // Even without the core's own barrier, the coupon remembers.
    expect(await order.command(reserve(orderId, demoClaims.linMinus20), order.step('reserve coupon'))).toEqual({
      reply: 'refused',
      data: { reason: 'in-use' },
    });
  });

  test('of ten orders that want one coupon at once, one gets it', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => order.command(reserve(newOrder(), demoClaims.linHalf), order.step('reserve coupon'))),
    );
    expect(answers.filter(({ reply }) => reply === 'reserved')).toHaveLength(1);
  });

  test('a repeated reserve gets its first answer again', async () => {
    const step = order.step('reserve coupon');
    const ask = reserve(newOrder(), demoClaims.linMinus300, 250_000);
    expect(await order.command(ask, step)).toEqual({ reply: 'reserved', data: { deduction: 30_000 } });
    expect(await order.command(ask, step)).toEqual({ reply: 'reserved', data: { deduction: 30_000 } });
  });

  test('someone else’s coupon is not found', async () => {
    const ask = reserve(newOrder(), demoClaims.zhao85);
    expect(await order.command(ask, order.step('reserve coupon'))).toEqual({
      reply: 'refused',
      data: { reason: 'not-found' },
    });
  });
});

describe('starting and time', () => {
  test('starting again keeps the data, and seeds nothing twice', async () => {
    const count = async () => (await sql<{ n: number }[]>`select count(*)::int as n from claims`)[0]!.n;
    const before = await count();
    await app.stop();
    app = await start(config);
    expect(await count()).toBe(before);
    await until(async () => (await get('/readyz')).body.status === 'ready', { what: 'it is ready again' });
  });

  test('business time alone makes a coupon expire', async () => {
    const usable = async () => (await get('/v1/my/coupons?status=usable&limit=100', su)).body.items.length;
    expect(await usable()).toBeGreaterThan(0);
    const nc = await connectBus(nats.url, 'clock');
    await moveClock(nc, 365 * 86_400_000);
    await nc.close();
    expect(await usable()).toBe(0);
    expect((await get('/v1/coupons')).body.items).toEqual([]);
  });
});
