import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contactOfProvider, productsAfter, recordSale, type productChanged } from '@yunshi/contracts/catalog';
import { demoPersonas, demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { endpointPublished } from '@yunshi/contracts/fulfillment';
import { newId, type ProductId, type ProviderId, type SkuId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { testIssuer, type Person } from '@yunshi/testing/issuer';
import { testNats } from '@yunshi/testing/nats';
import { neighbour } from '@yunshi/testing/neighbour';
import { until } from '@yunshi/testing/until';
import { start, type Running } from '../app.ts';
import { readConfig } from '../config.ts';

const database = await testDatabase('catalog');
const nats = await testNats();
const issuer = await testIssuer();
let app: Running;
let told: readonly { readonly data: unknown }[];
let replica: Awaited<ReturnType<typeof neighbour>>;
beforeAll(async () => {
  app = await start(
    readConfig({ ...issuer.env, DATABASE_URL: database.url, NATS_URL: nats.url, TEST_CLOCK: 'on', SEED: 'demo', LOG_LEVEL: 'error' }),
  );
  replica = await neighbour(nats.url);
  told = replica.hear('evt.catalog.product-changed.v1');
});
afterAll(() => app.stop());

type Sku = { sku_id: SkuId; name: string; trial_of: SkuId | null; on_sale: boolean; price: { price: number } };
type Body = {
  product_id: string;
  product_version: number;
  status: string;
  code?: string;
  skus: Sku[];
  rating: object;
  items: { product_id: string; name: string; provider: object }[];
  errors: { field: string; detail: string }[];
};
const { fanying, chenxi, lin } = demoPersonas;

async function ask(method: string, path: string, who?: Person, body?: unknown): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${app.url}${path}`, {
    method,
    headers: {
      ...(who && (await issuer.as(who))),
      'idempotency-key': randomUUID(),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

const monthly = { model: 'per_period', price: 9_900, unit: 'month', durations: [1, 3, 12] };
const texts = {
  category_id: 'office',
  name: '帆影日程助手',
  summary: '把会议、待办和排期放在一张日历里',
  description: '团队日历。',
  guide: '登录后邀请同事。',
};
const calendar = {
  ...texts,
  delivery_type: 'saas',
  skus: [
    { name: '七天体验版', price: { model: 'per_period', price: 0, unit: 'day', durations: [7] }, trial_of: '团队版' },
    { name: '团队版', price: monthly, per_account_max: 3 },
    { name: '坐席版', price: { model: 'per_quantity', price: 3_900, minimum: 5, maximum: 99_999_999, unit: 'month', durations: [1, 12] } },
  ],
};
const added = async (changes: object = {}): Promise<Body> => {
  const answered = await ask('POST', '/v1/provider/products', fanying, { ...calendar, ...changes });
  expect(answered).toMatchObject({ status: 201 });
  return answered.body;
};
/** Its interface is checked and published, of which fulfillment tells; then the product is put on the shelf. */
const published = async (changes: object = {}, who: Person = fanying): Promise<Body> => {
  const { body: draft } = await ask('POST', '/v1/provider/products', who, { ...calendar, ...changes });
  const productId = draft.product_id as ProductId;
  await replica.tell(
    endpointPublished({ productId, providerId: who.providerId as ProviderId, endpointVersion: 1, publishedAt: new Date().toISOString() }),
  );
  return until(async () => {
    const { status, body } = await ask('POST', `/v1/provider/products/${productId}/publish`, who);
    return status === 200 ? body : undefined;
  });
};
const own = async (id: string, who: Person = fanying) => ask('GET', `/v1/provider/products/${id}`, who);
const heard = (id: string) =>
  told.map(({ data }) => data as ReturnType<typeof productChanged>['data']).filter(({ productId }) => productId === id);

describe('adding', () => {
  test('a draft is its provider’s alone, and others are told that it is not for sale', async () => {
    const draft = await added();
    expect(draft).toMatchObject({ status: 'draft', product_version: 1 });
    expect((await ask('GET', `/v1/products/${draft.product_id}`)).status).toBe(404);
    expect((await ask('GET', `/v1/skus/${draft.skus[0]!.sku_id}`)).status).toBe(404);
    expect((await own(draft.product_id)).body).toMatchObject({ status: 'draft', sales_count: 0 });
    expect((await own(draft.product_id, chenxi)).status).toBe(404);
    await until(() => heard(draft.product_id).length === 1);
    expect(heard(draft.product_id)[0]).toMatchObject({ status: 'withdrawn', selfOperated: false, providerName: '帆影软件' });
    expect(heard(draft.product_id)[0]!.skus.map(({ perAccountMax }) => perAccountMax)).toEqual([undefined, 3, undefined]);
    expect((await own(draft.product_id)).body.skus).toMatchObject([{ per_account_max: null }, { per_account_max: 3 }, {}]);
  });

  test('a published product is found at once, and its trial leads to the SKU that it was named after', async () => {
    const { product_id: id, skus } = await published({ name: '帆影排期看板' });
    expect(skus[0]!.trial_of).toBe(skus[1]!.sku_id);
    const found = await ask('GET', `/v1/products?q=${encodeURIComponent('排期看板')}&has_trial=true&price_max=3900`);
    expect(found.body.items.map(({ product_id }) => product_id)).toEqual([id]);
    expect((await ask('GET', `/v1/skus/${skus[2]!.sku_id}`)).body).toMatchObject({
      sku: { name: '坐席版', price: { minimum: 5 } },
      product: { product_id: id, status: 'published' },
    });
  });

  test('what breaks a rule is refused by naming the fields as they were sent', async () => {
    const wrong = {
      ...calendar,
      human_delivery: true,
      delivery_type: 'api',
      skus: [{ name: '包', price: { model: 'per_package', price: 1, calls: 0, valid_days: 30 }, trial_of: '没有这个' }],
    };
    const { status, body } = await ask('POST', '/v1/provider/products', fanying, wrong);
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'product-not-valid' });
    expect(body.errors.map(({ field }) => field)).toEqual(expect.arrayContaining(['/skus/0/price/calls', '/skus/0/trial_of']));
  });

  test('a category that does not exist is refused, and a shop that has not introduced itself', async () => {
    expect(await ask('POST', '/v1/provider/products', fanying, { ...calendar, category_id: 'nowhere' })).toMatchObject({
      status: 422,
      body: { code: 'category-not-found', errors: [{ field: '/category_id' }] },
    });
    const stranger: Person = { ...fanying, providerId: newId('prv', new Date()) };
    expect(await ask('POST', '/v1/provider/products', stranger, calendar)).toMatchObject({ status: 409, body: { code: 'shop-not-open' } });
    expect((await ask('POST', '/v1/provider/products', lin, calendar)).status).toBe(403);
  });
});

describe('editing', () => {
  const edition = ({ skus }: Body, changes: object = {}) => ({
    ...texts,
    skus: skus.map(({ sku_id, name, price, trial_of }) => ({ sku_id, name, price, trial_of })),
    ...changes,
  });

  test('texts, prices and new SKUs are taken over, and what is left out goes off sale', async () => {
    const before = await published();
    const [trial, team] = edition(before).skus;
    const skus = [trial, { ...team, price: { ...monthly, price: 12_900 } }, { name: '企业版', price: { model: 'one_off', price: 99_900 } }];
    const edited = await ask('PUT', `/v1/provider/products/${before.product_id}`, fanying, {
      ...edition(before, { skus, name: '帆影日程助手 Pro' }),
      product_version: 2,
    });
    expect(edited).toMatchObject({ status: 200, body: { product_version: 3, status: 'published', price_from: 12_900 } });
    expect(edited.body.skus.map(({ name, on_sale }) => [name, on_sale])).toEqual([
      ['七天体验版', true],
      ['团队版', true],
      ['企业版', true],
      ['坐席版', false],
    ]);
    expect(edited.body.skus[1]!.sku_id).toBe(before.skus[1]!.sku_id);
    expect((await ask('GET', `/v1/products?q=${encodeURIComponent('助手 pro')}`)).body.items).toHaveLength(1);
    await until(() => heard(before.product_id).some(({ productVersion, name }) => productVersion === 3 && name.endsWith('Pro')));
  });

  test('who has read an older version is refused, and told which one there is now', async () => {
    const before = await added();
    const change = () => ask('PUT', `/v1/provider/products/${before.product_id}`, fanying, { ...edition(before), product_version: 1 });
    expect((await change()).status).toBe(200);
    expect(await change()).toMatchObject({ status: 409, body: { code: 'product-changed-meanwhile', product_version: 2 } });
  });

  test('a SKU keeps its price model, and nobody takes over the SKU of another product', async () => {
    const before = await added();
    const put = (skus: object[]) =>
      ask('PUT', `/v1/provider/products/${before.product_id}`, fanying, { ...edition(before, { skus }), product_version: 1 });
    const [, team] = edition(before).skus;
    const oneOff = await put([{ ...team, price: { model: 'one_off', price: 1 } }]);
    expect(oneOff.body.errors).toMatchObject([{ field: '/skus/0/price', detail: expect.stringContaining('keep its model') }]);
    const foreign = await put([{ ...team, sku_id: demoProducts.stock.skus.monthly }]);
    expect(foreign.body.errors).toMatchObject([{ field: '/skus/0/sku_id' }]);
  });

  test('what belongs to another provider is not found', async () => {
    const { product_id: id, ...mine } = await added();
    const others: [string, string, object | undefined][] = [
      ['PUT', '', { ...edition({ product_id: id, ...mine }), product_version: 1 }],
      ['POST', '/publish', undefined],
      ['POST', '/withdraw', undefined],
      ['PUT', `/skus/${mine.skus[1]!.sku_id}/on-sale`, { on_sale: false }],
    ];
    for (const [method, path, body] of others)
      expect((await ask(method, `/v1/provider/products/${id}${path}`, chenxi, body)).status).toBe(404);
  });
});

describe('software whose interface is not published', () => {
  test('is refused on the shelf, with what is to be done, and may be a draft meanwhile', async () => {
    const refusal = { status: 409, body: { code: 'endpoint-not-published' } };
    expect(await ask('POST', '/v1/provider/products', fanying, { ...calendar, publish: true })).toMatchObject(refusal);
    const { product_id: id } = await added();
    expect(await ask('POST', `/v1/provider/products/${id}/publish`, fanying)).toMatchObject(refusal);
    expect((await own(id)).body).toMatchObject({ status: 'draft', product_version: 1 });
  });

  test('of the demo world was checked before the story began; to come back to the shelf it is checked anew', async () => {
    const path = `/v1/provider/products/${demoProducts.contracts.productId}`;
    expect((await ask('POST', `${path}/withdraw`, fanying)).body).toMatchObject({ status: 'withdrawn' });
    expect((await ask('POST', `${path}/publish`, fanying)).body.code).toBe('endpoint-not-published');
  });
});

describe('the shelf', () => {
  test('a product goes on and off it, and each time others are told', async () => {
    const { product_id: id } = await published();
    const move = (action: string) => ask('POST', `/v1/provider/products/${id}/${action}`, fanying);
    expect(await move('publish')).toMatchObject({ status: 409, body: { code: 'product-already-there' } });
    expect((await move('withdraw')).body).toMatchObject({ status: 'withdrawn', product_version: 3 });
    expect((await ask('GET', `/v1/products/${id}`)).body).toMatchObject({ status: 'withdrawn' });
    await until(() => heard(id).length === 3);
    expect(heard(id).map(({ status }) => status)).toEqual(['withdrawn', 'published', 'withdrawn']);
  });

  test('single SKUs go off sale and come back, but for the last one that is no trial', async () => {
    const { product_id: id, skus } = await published();
    const offer = (nth: number, on_sale: boolean) =>
      ask('PUT', `/v1/provider/products/${id}/skus/${skus[nth]!.sku_id}/on-sale`, fanying, { on_sale });
    expect((await offer(2, false)).body.skus.map(({ on_sale }) => on_sale)).toEqual([true, true, false]);
    expect(await offer(1, false)).toMatchObject({ status: 422, body: { code: 'product-not-valid', errors: [{ field: '/skus' }] } });
    expect((await offer(2, true)).body).toMatchObject({ product_version: 4, price_from: 3_900 });
  });

  test('the list shows what is mine, page by page, filtered and searched', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = (await ask('GET', `/v1/provider/products?limit=5${cursor}`, fanying)).body as Body & { next_cursor: string | null };
      seen.push(...page.items.map(({ product_id }) => product_id));
      cursor = page.next_cursor ? `&cursor=${page.next_cursor}` : '';
    } while (cursor);
    const all = (await ask('GET', '/v1/provider/products?limit=100', fanying)).body.items;
    expect(seen).toEqual(all.map(({ product_id }) => product_id));
    expect(seen).not.toContain(demoProducts.stock.productId);
    const fax = (await ask('GET', `/v1/provider/products?status=withdrawn&q=${encodeURIComponent('传真')}`, fanying)).body.items;
    expect(fax.map(({ name }) => name)).toEqual([demoProducts.fax.name]);
  });
});

test('自营 products are found by themselves', async () => {
  const { body } = await ask('GET', '/v1/products?self_operated=true&limit=100');
  const { providerId: provider_id, name } = demoProviders.direct;
  expect(body.items.map(({ provider }) => provider)).toEqual(Array(4).fill({ provider_id, name, self_operated: true }));
});

describe('a replica that has missed events', () => {
  test('gets every product page by page, drafts as not for sale, and nothing once it is up to date', async () => {
    for (let nth = 0; nth < 60; nth++) await added({ name: `帆影小工具 ${nth}` });
    const learnt = new Map<string, { productVersion: number; status: string; providerName: string }>();
    const mark = () => ({
      products: learnt.size,
      versions: [...learnt.values()].reduce((sum, { productVersion }) => sum + productVersion, 0),
    });
    let page = await replica.ask(productsAfter, { known: mark() });
    let pages = 1;
    for (;;) {
      for (const product of page.products) learnt.set(product.productId, product);
      if (page.next === null) break;
      page = await replica.ask(productsAfter, { after: page.next });
      pages++;
    }
    expect(pages).toBeGreaterThan(1);
    expect(learnt.get(demoProducts.fax.productId)).toMatchObject({ status: 'withdrawn', providerName: demoProviders.fanying.name });
    const onShelf = [...learnt.values()].filter(({ status }) => status === 'published').length;
    const shown = [];
    for (let cursor = ''; ;) {
      const { body } = await ask('GET', `/v1/products?limit=100${cursor}`);
      shown.push(...body.items);
      const { next_cursor: next } = body as Body & { next_cursor: string | null };
      if (next === null) break;
      cursor = `&cursor=${next}`;
    }
    expect(onShelf).toBe(shown.length);
    expect(await replica.ask(productsAfter, { known: mark() })).toEqual({ products: [], next: null });
    const { products, versions } = mark();
    expect((await replica.ask(productsAfter, { known: { products, versions: versions - 1 } })).products).toHaveLength(50);
  });
});

test('who has bought is told how the provider is reached, and nothing of a provider that is none', async () => {
  const { providerId } = demoProviders.fanying;
  expect((await replica.ask(contactOfProvider, { providerId })).contact).toMatchObject({ phone: expect.stringMatching(/\d/) as string });
  expect(await replica.ask(contactOfProvider, { providerId: newId('prv', new Date()) })).toEqual({ contact: null });
});

describe('reviews', () => {
  const { zhao, operator } = demoPersonas;
  const { office } = demoProducts;
  const path = `/v1/products/${office.productId}/reviews`;
  const buy = ({ accountId }: Person, productId = office.productId) =>
    replica.command(recordSale({ orderId: newId('ord', new Date()), productId, accountId, quantity: 1 }), replica.step('record sale'));
  const five = { stars: 5, text: '同事们第一天就会用' };
  const rating = async () => (await ask('GET', `/v1/products/${office.productId}`)).body.rating;

  test('are written by who has bought, once for each buyer and product', async () => {
    expect(await ask('POST', path, lin, five)).toMatchObject({ status: 409, body: { code: 'product-not-bought' } });
    await Promise.all([buy(lin), buy(lin), buy(zhao)]);
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('POST', path, lin, five)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, ...Array<number>(7).fill(409)]);
    expect((await ask('POST', path, lin, five)).body.code).toBe('product-already-reviewed');
    await ask('POST', path, zhao, { stars: 2, text: '导出太慢' });
    expect(await rating()).toEqual({ reviews: 2, average: 3.5 });
    expect((await ask('GET', `${path}?sort=stars`)).body.items).toMatchObject([{ stars: 2 }, { stars: 5 }]);
    expect((await ask('GET', '/v1/my/reviews', lin)).body.items[0]).toMatchObject({ product_id: office.productId, text: five.text });
  });

  test('are answered by the provider of the product, who may word the answer anew', async () => {
    const [open] = (await ask('GET', '/v1/provider/reviews?answered=false', fanying)).body.items as unknown as { review_id: string }[];
    const answer = (who: Person, text: string) => ask('PUT', `/v1/provider/reviews/${open?.review_id}/answer`, who, { text });
    expect((await answer(chenxi, '不是我的')).status).toBe(404);
    await answer(fanying, '导出已提速');
    expect((await answer(fanying, '导出已提速三倍')).body).toMatchObject({ stars: 2, answer: { text: '导出已提速三倍' } });
    expect((await ask('GET', `/v1/provider/reviews?product_id=${office.productId}`, chenxi)).body.items).toEqual([]);
  });

  test('are hidden by the operator, and then count no more', async () => {
    const [bad] = (await ask('GET', `${path}?stars=2`)).body.items as unknown as { review_id: string }[];
    const at = `/v1/ops/reviews/${bad?.review_id}`;
    expect((await ask('POST', `${at}/hide`, operator, {})).status).toBe(400);
    expect((await ask('POST', `${at}/hide`, operator, { reason: '与商品无关' })).body).toMatchObject({ status: 'hidden' });
    expect(await rating()).toEqual({ reviews: 1, average: 5 });
    expect((await ask('GET', `/v1/reviews/${bad?.review_id}`)).status).toBe(404);
    expect((await ask('GET', '/v1/my/reviews', zhao)).body.items[0]).toMatchObject({ status: 'hidden', hidden_reason: '与商品无关' });
    expect((await ask('POST', `${at}/hide`, operator, { reason: '与商品无关' })).body.code).toBe('review-already-so');
    await ask('POST', `${at}/show`, operator, {});
    expect(await rating()).toEqual({ reviews: 2, average: 3.5 });
  });
});

test('a new shop opens, is made 自营 by the operator, and sells in a category that the operator has added', async () => {
  const providerId = newId('prv', new Date());
  const who: Person = { ...fanying, providerId };
  const { operator } = demoPersonas;
  const contact = { phone: '400-000-0199', email: 'hi@qingzhu.example', service_hours: '每天' };
  const shop = { name: '青竹软件', name_en: 'Qingzhu Software', about: '排班', about_en: 'Shifts', contact };
  expect((await ask('GET', '/v1/provider/shop', who)).body.code).toBe('shop-not-open');
  expect((await ask('PUT', '/v1/provider/shop', who, shop)).body).toMatchObject({ provider_id: providerId, self_operated: false });
  expect((await ask('PUT', '/v1/provider/shop', who, { ...shop, name: '帆影软件' })).body.code).toBe('shop-name-fixed');
  const operate = () => ask('PUT', `/v1/ops/providers/${providerId}/self-operated`, operator, { self_operated: true });
  expect((await operate()).body).toMatchObject({ self_operated: true });
  const category = { name: '农业', name_en: 'Farming', position: 9 };
  expect((await ask('PUT', '/v1/ops/categories/farming', operator, category)).body).toEqual({ category_id: 'farming', ...category });
  expect((await ask('PUT', '/v1/ops/categories/farming', operator, { ...category, name: '畜牧' })).body.code).toBe('category-name-fixed');
  const { product_id: id } = await published({ name: '青竹农事历', category_id: 'farming' }, who);
  await until(() => heard(id).length === 2);
  expect(heard(id)[0]).toMatchObject({ selfOperated: true, providerName: '青竹软件' });
  expect((await ask('GET', `/v1/products?q=${encodeURIComponent('青竹 农业')}`)).body.items).toHaveLength(1);
  expect((await operate()).body.code).toBe('shop-has-products');
});
