import { fileURLToPath } from 'node:url';
import { connect, neverWholeTables } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { addDays } from '@yunshi/kernel/calendar';
import type { AccountId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { copyRows } from '@yunshi/testing/copies';
import { testDatabase } from '@yunshi/testing/database';
import { explaining, planOf } from '@yunshi/testing/plans';
import { afterAll, expect, test } from 'vitest';
import { demoCategories, demoProviderRows } from '../demo/places.ts';
import { fanyingShelf } from '../demo/fanying.ts';
import { writeReview } from '../review/review.ts';
import { findReviews, reviewIdOf, reviews, type ReviewSearch } from '../review/reviews.ts';
import { saleCounts } from '../sale/sales.ts';
import { publish, type Product } from './product.ts';
import { categories, findOwnProducts, findProducts, findSku, products, providers, rowOf, type Search } from './products.ts';

const database = await testDatabase('catalog');
await migrate(database.url, [{ name: 'catalog', path: fileURLToPath(new URL('../../migrations', import.meta.url)) }]);
// Filling the shelf takes its time where others keep the machine busy.
const sql = connect({ url: database.url, name: 'plans', connectionsMax: 1, planning: { statement_timeout: '110000' } });
/** As the service itself asks. */
const service = connect({ url: database.url, name: 'plans', connectionsMax: 1, planning: neverWholeTables });
afterAll(() => Promise.all([sql.end(), service.end()]));
const explained = explaining(sql);

/**
 * 400 products of different words, each many times by other ids, prices, sales and times: 25,200 in all, 100,000 with `COPIES=249`. One in 100 is an API; a word of each
 * kind of frequency: 助手 in a quarter, 排班 in one of forty, 量子 in one product's copies only, 绝无 nowhere.
 */
const places = ['零售', '物流', '教育', '医疗', '餐饮', '制造', '酒店', '地产', '金融', '政务'];
const things = ['排班', '客服', '合同', '报表', '巡检', '培训', '质检', '采购', '仓储', '会员'].flatMap((thing) => [
  thing,
  `${thing}云`,
  `智能${thing}`,
  `${thing}管家`,
]);
const kinds = places.flatMap((place, p) =>
  things.map((thing, t) => ({ name: `${place}${thing}${t % 4 === 0 ? '助手' : '平台'}`, nth: p * things.length + t })),
);
const copies = Number(process.env['COPIES'] ?? 62);
const now = new Date('2026-03-02T04:00:00Z');
const template = fanyingShelf[0]!.draft;
const made = kinds.map(({ name, nth }): Product => {
  const productId = `prd_${String(nth).padStart(32, '0')}` as ProductId;
  const summary = `${nth === 7 ? '量子' : '稳定'}好用的${name}，开通即可使用，支持多门店多角色协作`;
  const draft = { ...template, productId, name, summary, categoryId: demoCategories[nth % 8]!.categoryId };
  const result = publish(draft, { isPublished: true, isMetering: false }, addDays(now, -30));
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
});
await categories.save(sql, demoCategories);
await providers.save(sql, demoProviderRows(now));
await products.save(
  sql,
  made.map((product) => rowOf(product, ['帆影软件', '办公'])),
);
await saleCounts.save(
  sql,
  made.map(({ productId }) => ({ productId, completed: 0 })),
);

/** A copy's id: its number in the middle of its original's. */
const copyId = (column: string) => `left(${column}, 4) || lpad(to_hex(nth), 8, '0') || right(${column}, 24)`;
const dice = (sides: number) => `abs(hashtext(product_id || nth::text)) % ${sides}`;
await sql.unsafe('drop index products_search, products_skus');
await copyRows(sql, 'products', {
  count: copies,
  changes: {
    product_id: copyId('product_id'),
    price_from: dice(1_000_000),
    published_at: `published_at + (${dice(2_000_000)}) * interval '1 second'`,
    changed_at: `changed_at + (${dice(2_000_000)}) * interval '1 second'`,
    provider_id: `left(provider_id, 35) || (1 + ${dice(6)})::text`,
    delivery_type: `case when ${dice(100)} = 0 then 'api' else 'saas' end`,
    skus: `jsonb_set(skus, '{0,skuId}', to_jsonb('sku_' || lpad(to_hex(nth), 8, '0') || right(product_id, 24)))`,
  },
});
await copyRows(sql, 'sale_counts', { count: copies, changes: { product_id: copyId('product_id'), completed: dice(50_000) } });
await sql.unsafe(`create index products_search on products using gin (string_to_array(search_grams, ' '))`);
await sql.unsafe('create index products_skus on products using gin (skus jsonb_path_ops)');
const author = (nth: number) => `acc_${String(nth).padStart(32, '0')}` as AccountId;
const review = writeReview(
  undefined,
  undefined,
  {
    reviewId: reviewIdOf({ accountId: author(0), productId: made[0]!.productId }),
    productId: made[0]!.productId,
    providerId: template.providerId,
    accountId: author(0),
    userId: 'usr_1' as never,
    stars: 4,
    text: '好用',
    hasBought: true,
  },
  now,
);
if (!review.ok) throw new Error(review.error);
await reviews.save(sql, [review.value.review]);
await copyRows(sql, 'reviews', {
  count: 10_000,
  changes: {
    review_id: copyId('review_id'),
    product_id: `'prd_' || lpad((nth % 50)::text, 32, '0')`,
    account_id: `'acc_' || lpad((nth % 20)::text, 32, '0')`,
    stars: '1 + nth % 5',
    written_at: `written_at + nth * interval '1 second'`,
  },
});
await sql`insert into ratings select product_id, 2, 7 from products`;
await sql.unsafe('analyze');

const shelf: Search = { sort: '-sales', take: 21 };
const last = (value: number | Date) => ({ value, productId: made[5]!.productId });

test('the shelf is as full as it is meant to be', async () => {
  const [counted] = await sql<{ n: number }[]>`select count(*)::int as n from products where status = 'published'`;
  expect(counted?.n).toBe(400 * (copies + 1));
});

test.each<[string, Search, string]>([
  ['the most sold', shelf, 'sale_counts_most'],
  ['the most sold, a later page', { ...shelf, after: last(20_000) }, 'sale_counts_most'],
  ['the cheapest', { ...shelf, sort: 'price' }, 'products_price'],
  ['the dearest, a later page', { ...shelf, sort: '-price', after: last(500_000) }, 'products_price'],
  ['the newest', { ...shelf, sort: '-published_at' }, 'products_newest'],
  ['the newest of a category', { ...shelf, sort: '-published_at', categoryId: 'office' }, 'products_newest'],
  ['a word that few products have', { ...shelf, query: '量子' }, 'products_search'],
  ['a word that none has', { ...shelf, query: '绝无' }, 'products_search'],
])('a page of %s comes out of an index', async (_, search, index) => {
  const plan = await planOf(findProducts(explained, search));
  expect(plan).toContain(`"Index Name":"${index}"`);
  expect(plan).not.toMatch(/"Node Type":"Seq Scan"[^}]*"Relation Name":"(products|sale_counts|ratings)"/);
});

test('any search answers within the time of a page, whatever it finds', async () => {
  const searches: Search[] = ['助手', '零售 排班', '量子', '绝无', '智能客服', '票'].flatMap((query) =>
    (['-sales', 'price', '-published_at'] as const).map((sort) => ({ ...shelf, query, sort })),
  );
  searches.push({ ...shelf, deliveryType: 'api' }, { ...shelf, priceMax: 10 }, { ...shelf, categoryId: 'office', query: '合同' });
  const slow: string[] = [];
  for (const search of searches) {
    await findProducts(service, search);
    const from = performance.now();
    const found = await findProducts(service, search);
    const ms = performance.now() - from;
    if (process.env['SHOW_TIMES'])
      console.log(`${ms.toFixed(1).padStart(8)} ms ${String(found.length).padStart(3)} ${JSON.stringify(search)}`);
    if (ms > 2_000) slow.push(`${ms.toFixed(0)} ms ${JSON.stringify(search)}`);
  }
  expect(slow).toEqual([]);
});

test('a provider’s list and a SKU are found without reading other products', async () => {
  const own = await planOf(findOwnProducts(explained, { providerId: `prv_${'0198c0000000700080000000000000'}03` as ProviderId, take: 21 }));
  expect(own).toContain('"Index Name":"products_provider"');
  expect(own).not.toContain('"Sort"');
  const sku = `sku_00000007${made[3]!.productId.slice(-24)}` as SkuId;
  expect(await findSku(service, sku)).toMatchObject({ sku: { skuId: sku } });
});

test.each<[string, Partial<ReviewSearch>, string]>([
  ['of a product, newest first', { productId: made[7]!.productId, sort: '-written_at' }, 'reviews_of_product'],
  ['of a product, fewest stars first', { productId: made[7]!.productId, sort: 'stars' }, 'reviews_by_stars'],
  ['of one buyer', { accountId: author(7), sort: '-written_at' }, 'reviews_by_author'],
  ['of all', { sort: '-written_at' }, 'reviews_newest'],
])('reviews %s come sorted out of an index', async (_, search, index) => {
  const plan = await planOf(findReviews(explained, { sort: '-written_at', take: 21, ...search }));
  expect(plan).toContain(`"Index Name":"${index}"`);
  expect(plan).not.toContain('"Sort"');
});
