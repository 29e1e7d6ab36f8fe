import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '@yunshi/testing/until';
import { announced, openMarket } from '../../fixtures/market.ts';
import { goodMood } from '../../fixtures/neighbours.ts';
import { half, minus20, monthly, named, retired, seats, usable, yearly } from '../stories.ts';

const market = await openMarket();
afterAll(() => market.close());
beforeEach(() => void Object.assign(market.neighbours.mood, goodMood()));

const quote = (body: object) => market.post<Record<string, never>>('/v1/quotes', { body });
const year = { sku_id: yearly, duration: 1 };

describe('a quote', () => {
  test('counts the best coupon in, and lists the others with what they would save or why they cannot', async () => {
    market.neighbours.mood.coupons = [usable(half, 60_000), usable(minus20, 2_000)];
    const expired = named<typeof minus20>('ccl', '9');
    market.neighbours.mood.unusable = [{ claimId: expired, couponId: usable(half, 1).couponId, name: '过期券', reason: 'expired' }];
    expect(await quote(year)).toMatchObject({
      status: 200,
      body: {
        product: { name: '帆影智能客服', delivery_type: 'saas' },
        period: { count: 1, unit: 'year' },
        total: 120_000,
        deduction: 60_000,
        payable: 60_000,
        coupon: half,
        coupons: {
          usable: [
            { claim_id: half, selected: true, payable: 60_000 },
            { claim_id: minus20, selected: false, payable: 118_000 },
          ],
          unusable: [{ claim_id: expired, reason: 'expired' }],
        },
        agreements: [{ name: 'marketplace-service@2026-01' }, { name: 'third-party-goods@2026-01' }],
      },
    });
    expect((await quote({ ...year, coupon: minus20 })).body).toMatchObject({ payable: 118_000, coupon: minus20 });
    expect((await quote({ ...year, coupon: 'none' })).body).toMatchObject({ payable: 120_000, coupon: null });
    expect(await quote({ ...year, coupon: expired })).toMatchObject({
      status: 409,
      body: { code: 'coupon-not-usable', reason: 'expired' },
    });
  });

  test.each([
    [{ sku_id: named('sku', 'f') }, 422, 'sku-not-found', '/sku_id'],
    [{ sku_id: retired }, 409, 'sku-not-on-sale', '/sku_id'],
    [{ sku_id: monthly, duration: 2 }, 422, 'duration-not-offered', '/duration'],
    [{ sku_id: seats, duration: 1, quantity: 4 }, 422, 'quantity-not-offered', '/quantity'],
    [{ sku_id: seats, duration: 12, quantity: 99_999_999 }, 422, 'amount-too-large', '/quantity'],
  ])('of %j is refused as %i %s, naming the field', async (body, status, code, field) => {
    expect(await quote(body)).toMatchObject({ status, body: { code, errors: [{ in: 'body', field }] } });
  });

  test('takes no price from the client', async () => {
    expect(await quote({ ...year, payable: 1 })).toMatchObject({ status: 400, body: { code: 'request-not-valid' } });
  });
});

describe('what is known of a product', () => {
  test('is the newest version that the catalogue announced, in whatever order the news arrives', async () => {
    const news = [announced({ productVersion: 7, name: '第七版' }), announced({ productVersion: 6, name: '第六版', status: 'withdrawn' })];
    await market.neighbours.announce(named('ord', 'ca7a110'), ...news);
    const name = async () => (await quote({ ...year, coupon: 'none' })).body['product'];
    await until(async () => JSON.stringify(await name()).includes('第七版'));
    await market.neighbours.announce(named('ord', 'ca7a111'), announced({ productVersion: 8, status: 'withdrawn' }));
    await until(async () => (await quote(year)).status === 409);
    expect(await quote(year)).toMatchObject({ body: { code: 'product-withdrawn' } });
  });
});

test('what people deliver is sold only while somebody says that delivery cases are opened', async () => {
  const onSite = named<typeof yearly>('sku', '201');
  const skus = [{ skuId: onSite, name: '上门', price: { model: 'one_off' as const, price: 100 }, onSale: true }];
  const product = announced({ productId: named('prd', '2'), humanDelivery: true, skus });
  await market.neighbours.announce(named('ord', 'ca7a113'), product);
  const asked = async () => (await quote({ sku_id: onSite })).body;
  const refused = { code: 'delivery-not-offered', errors: [{ in: 'body', field: '/sku_id' }] };
  await until(async () => (await asked())['code'] === ('delivery-not-offered' as never));
  expect(await asked()).toMatchObject(refused);
  market.neighbours.mood.cases = false;
  expect(await asked()).toMatchObject(refused);
  market.neighbours.mood.cases = true;
  expect(await asked()).toMatchObject({ payable: 100 });
});

describe('without the coupon service', () => {
  test('there is no quote, because the buyer might pay too much', async () => {
    await market.neighbours.announce(named('ord', 'ca7a112'), announced({ productVersion: 9 }));
    await until(async () => (await quote(year)).status === 200);
    await market.neighbours.stop();
    expect(await quote(year)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });
});
