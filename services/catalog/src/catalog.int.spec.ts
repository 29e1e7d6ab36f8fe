import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordSale } from '@yunshi/contracts/catalog';
import { demoAccounts, demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { connect } from '@yunshi/db/connect';
import { newId, type OrderId, type ProductId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { neighbour } from '@yunshi/testing/neighbour';
import { until } from '@yunshi/testing/until';
import { start, type Running } from './app.ts';
import { readConfig } from './config.ts';
import { demoShelf } from './demo/seed.ts';

const database = await testDatabase('catalog');
const nats = await testNats();
const sql = connect({ url: database.url, name: 'test', connectionsMax: 2 });

const issuer = { AUTH_ISSUER: 'https://issuer.test', AUTH_JWKS_URL: 'https://issuer.test/jwks', AUTH_AUDIENCE: 'yunshi' };
const config = readConfig({
  ...issuer,
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
});
afterAll(async () => {
  await app.stop();
  await sql.end();
});

type Item = {
  product_id: ProductId;
  name: string;
  price_from: number;
  sales_count: number;
  published_at: string;
  delivery_type: string;
};
type List = { items: Item[]; next_cursor: string | null; code?: string };
const get = async <B = List>(path: string): Promise<{ status: number; body: B }> => {
  const response = await fetch(`${app.url}${path}`);
  return { status: response.status, body: (await response.json()) as B };
};
const names = async (query: string) => (await get(`/v1/products?limit=100&${query}`)).body.items.map(({ name }) => name);

async function pageByPage(query: string): Promise<Item[]> {
  const seen: Item[] = [];
  let cursor = '';
  do {
    const { body } = await get(`/v1/products?limit=5&${query}${cursor}`);
    seen.push(...body.items);
    cursor = body.next_cursor ? `&cursor=${body.next_cursor}` : '';
  } while (cursor);
  return seen;
}

describe('browsing', () => {
  test('the shelf shows what is published, the most sold in front', async () => {
    const { body } = await get('/v1/products?limit=100');
    expect(body.items).toHaveLength(demoShelf.filter(({ withdrawn }) => !withdrawn).length);
    expect(body.items[0]).toMatchObject({ name: demoProducts.lnmp.name, provider: { name: demoProviders.muzuo.name } });
    expect(body.items.map(({ name }) => name)).not.toContain(demoProducts.fax.name);
  });

  test.each<[string, (a: Item, b: Item) => boolean]>([
    ['-sales', (a, b) => a.sales_count >= b.sales_count],
    ['price', (a, b) => a.price_from <= b.price_from],
    ['-price', (a, b) => a.price_from >= b.price_from],
    ['-published_at', (a, b) => a.published_at >= b.published_at],
  ])('sorted by %s, pages go on where the last one ended', async (sort, inOrder) => {
    const items = await pageByPage(`sort=${sort}`);
    expect(items.every((item, index) => index === 0 || inOrder(items[index - 1]!, item))).toBe(true);
    expect(new Set(items.map(({ product_id }) => product_id)).size).toBe(27);
    expect(items).toHaveLength(27);
  });

  test('filters by category, delivery type and provider', async () => {
    expect(new Set(await names('category=customers'))).toEqual(
      new Set([demoProducts.helpDesk.name, demoProducts.crm.name, demoProducts.survey.name]),
    );
    expect(await names(`delivery_type=image&provider_id=${demoProviders.lidun.providerId}&sort=price`)).toEqual([
      demoProducts.hardenedLinux.name,
      demoProducts.bastion.name,
    ]);
  });

  const { helpDesk, crm, invoiceReading, survey, hardenedLinux, bastion, containers, lnmp } = demoProducts;
  test.each<[string, string, readonly { name: string }[]]>([
    ['two characters out of a name', '客服', [helpDesk]],
    ['one character', '票', [invoiceReading, survey]],
    ['words that stand apart', '识别 api', [invoiceReading]],
    ['English, in any case', 'HELP desk', [helpDesk]],
    ['full-width letters', 'ＣＲＭ', [crm]],
    ['the provider and a part of the name', '砺盾 镜像', [hardenedLinux, bastion]],
    ['the category', '运行环境 PHP', [lnmp]],
    ['what the summary says', '加速源', [containers]],
    ['nothing by wildcards', '%', []],
    ['nothing by pairs that do not stand in a row', '服客', []],
    ['nothing by words of which one is missing', 'LNMP 客服', []],
  ])('a search finds %s', async (_, words, expected) => {
    expect(new Set(await names(`q=${encodeURIComponent(words)}`))).toEqual(new Set(expected.map(({ name }) => name)));
  });

  test('a search is answered from its index', async () => {
    const plan = await sql.begin(async (tx) => {
      await tx`set local enable_seqscan = off`;
      return tx`explain select 1 from products where string_to_array(search_grams, ' ') @> ${['客服']}::text[]`;
    });
    expect(JSON.stringify(plan)).toContain('products_search');
  });

  test('categories come in their order with the number of products on the shelf', async () => {
    const { body } = await get<{ items: { category_id: string; products: number }[] }>('/v1/categories');
    expect(body.items.map(({ category_id }) => category_id).slice(0, 2)).toEqual(['customers', 'office']);
    expect(body.items.reduce((sum, { products }) => sum + products, 0)).toBe(27);
  });

  test('a cursor of another sort and a filter that does not exist are refused', async () => {
    const { body } = await get('/v1/products?limit=2&sort=price');
    expect((await get(`/v1/products?cursor=${body.next_cursor}`)).body.code).toBe('cursor-not-valid');
    expect((await get('/v1/products?colour=red')).body.code).toBe('request-not-valid');
  });
});

describe('a product', () => {
  test('shows its SKUs with prices and trial, its guide, category and provider', async () => {
    const { helpDesk } = demoProducts;
    const { body } = await get<Record<string, unknown>>(`/v1/products/${helpDesk.productId}`);
    expect(body).toMatchObject({
      name: helpDesk.name,
      status: 'published',
      delivery_type: 'saas',
      price_from: 8_900,
      has_trial: true,
      category: { name: '客户与营销' },
      provider: { name: demoProviders.fanying.name, self_operated: false },
    });
    expect(body['skus']).toContainEqual({
      sku_id: helpDesk.skus.trial,
      name: '七天体验版',
      price: { model: 'per_period', price: 0, unit: 'day', durations: [7] },
      trial_of: helpDesk.skus.basic,
      on_sale: true,
      flow: null,
      per_account_max: null,
    });
    expect(body['guide']).toContain('应用信息');
  });

  test('one that is off the shelf can still be looked at', async () => {
    expect((await get<Record<string, unknown>>(`/v1/products/${demoProducts.fax.productId}`)).body).toMatchObject({ status: 'withdrawn' });
  });

  test('a provider is shown with its contacts', async () => {
    expect((await get<Record<string, unknown>>(`/v1/providers/${demoProviders.direct.providerId}`)).body).toMatchObject({
      self_operated: true,
      contact: { email: 'direct@yunshi.example' },
    });
  });

  test('what does not exist is not found', async () => {
    expect(await get(`/v1/products/${newId('prd', new Date())}`)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await get(`/v1/providers/${newId('prv', new Date())}`)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
});

describe('sales', () => {
  const { lnmp, crm } = demoProducts;
  const sale = (productId: ProductId, orderId: OrderId = newId('ord', new Date())) =>
    recordSale({ orderId, productId, accountId: demoAccounts.qinghe.accountId, quantity: 7 });
  const sold = async (productId: ProductId) => (await get<Item>(`/v1/products/${productId}`)).body.sales_count;

  test('a completed order counts once, whatever its quantity and however often it is told', async () => {
    const before = await sold(crm.productId);
    const step = order.step('record sale');
    const told = sale(crm.productId);
    expect(await order.command(told, step)).toEqual({ reply: 'recorded', data: {} });
    await order.command(told, step);
    // Another saga with the same order gets past the barrier; the order itself is counted already.
    await order.command(told, order.step('record sale'));
    expect(await sold(crm.productId)).toBe(before + 1);
  });

  test('sales at once all count', async () => {
    const before = await sold(lnmp.productId);
    await Promise.all(Array.from({ length: 50 }, () => order.command(sale(lnmp.productId), order.step('record sale'))));
    expect(await sold(lnmp.productId)).toBe(before + 50);
  });
});

describe('the demo world', () => {
  test('reaches other services as events, withdrawn products too', async () => {
    const events = await sql<{ body: string }[]>`select body from sent where subject = 'evt.catalog.product-changed.v1'`;
    const told = events.map(({ body }) => (JSON.parse(body) as { data: { name: string; status: string } }).data);
    expect(told).toHaveLength(demoShelf.length);
    expect(told).toContainEqual(expect.objectContaining({ name: demoProducts.fax.name, status: 'withdrawn' }));
  });

  test('starting again keeps the data, seeds nothing twice and tells nothing again', async () => {
    const before = await get('/v1/products?limit=100');
    await app.stop();
    app = await start(config);
    expect(await get('/v1/products?limit=100')).toEqual(before);
    expect((await sql`select 1 from outbox`).length).toBe(0);
    await until(async () => (await get<Record<string, unknown>>('/readyz')).body['status'] === 'ready', { what: 'it is ready again' });
  });

  test('a second instance that starts at once writes the same', async () => {
    const other = await testDatabase('catalog');
    const both = await Promise.all(
      [1, 2].map(() => start(readConfig({ ...issuer, DATABASE_URL: other.url, NATS_URL: nats.url, SEED: 'demo', LOG_LEVEL: 'error' }))),
    );
    const response = await fetch(`${both[1]!.url}/v1/products?limit=100`);
    expect(((await response.json()) as List).items).toHaveLength(27);
    await Promise.all(both.map((one) => one.stop()));
  });
});
