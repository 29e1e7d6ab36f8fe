import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { providerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { newId, ProductId, SkuId, type ProviderId } from '@yunshi/kernel/ids';
import { DeliveryType } from '@yunshi/kernel/marketplace';
import type { Core } from '@yunshi/messaging/core';
import { Problem } from '../problems.ts';
import { draftRead, EditedProduct, editionRead, NewProduct, ownListedShown, WireOwn, WireOwnListed } from './own-wire.ts';
import { productFlow } from './product.ts';
import { findCategory, findOwnProduct, findOwnProducts, findProvider, type Own, type Provider } from './products.ts';
import { createProduct, editProduct, offerSku, shelveProduct, type Shop } from './writes.ts';

export type Parts = Pick<Core, 'sql' | 'clock' | 'write'>;

const tags = ['provider'];
const access = ['provider'] as const;
const Params = z.strictObject({ product_id: ProductId });
const SkuParams = Params.extend({ sku_id: SkuId });
const byChange = keyset(z.tuple([z.iso.datetime(), ProductId]));
const writing = Problem.codes(
  'product-not-valid',
  'category-not-found',
  'shop-not-open',
  'endpoint-not-published',
  'endpoint-not-metering',
);
const response = { 200: WireOwn };

const Query = z.strictObject({
  ...listQuery,
  status: z.enum(productFlow.states).optional(),
  category: z.string().max(40).optional(),
  delivery_type: DeliveryType.optional(),
  q: z.string().max(100).optional().meta({ description: 'Words, as in `/v1/products`' }),
});

async function shopOf(sql: Parts['sql'], providerId: ProviderId): Promise<Provider> {
  const provider = await findProvider(sql, providerId);
  if (!provider) throw new Problem('shop-not-open');
  return provider;
}

async function shelfIn(sql: Parts['sql'], providerId: ProviderId, categoryId: string): Promise<Shop> {
  const [provider, category] = await Promise.all([shopOf(sql, providerId), findCategory(sql, categoryId)]);
  if (!category) {
    const errors = [
      { in: 'body', field: '/category_id', detail: 'There is no such category.', remedy: 'Take one of /v1/categories.' } as const,
    ];
    throw new Problem('category-not-found', { errors });
  }
  return { provider, category };
}

async function ownProduct(sql: Parts['sql'], providerId: ProviderId, productId: ProductId): Promise<Own> {
  const own = await findOwnProduct(sql, { providerId, productId });
  if (!own) throw new Problem('not-found', { detail: 'There is no such product of yours.' });
  return own;
}

/** What a provider does with its own products. */
export const ownProductRoutes =
  (parts: Parts): Routes =>
  async (app) => {
    await app.register(readRoutes(parts));
    await app.register(writeRoutes(parts));
    await app.register(shelfRoutes(parts));
  };

const readRoutes =
  ({ sql }: Parts): Routes =>
  async (app) => {
    app.get(
      '/v1/provider/products',
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags,
          summary: 'My products, those that were changed last in front',
          querystring: Query,
          response: { 200: pageOf(WireOwnListed) },
        },
      },
      async (request) => {
        const { limit, cursor, status, category: categoryId, delivery_type: deliveryType, q: query } = request.query;
        const last = byChange.after(cursor);
        const after = last && { changedAt: new Date(last[0]), productId: last[1] };
        const search = { providerId: providerOf(request), status, categoryId, deliveryType, query, after, take: limit + 1 };
        const rows = await findOwnProducts(sql, search);
        return byChange.page(rows, limit, (product: Own) => [product.changedAt.toISOString(), product.productId], ownListedShown);
      },
    );

    app.get(
      '/v1/provider/products/:product_id',
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: { tags, summary: 'One of my products', params: Params, response: { 200: WireOwnListed } },
      },
      async (request) => ownListedShown(await ownProduct(sql, providerOf(request), request.params.product_id)),
    );
  };

const writeRoutes =
  ({ sql, clock, write }: Parts): Routes =>
  async (app) => {
    const newSkuId = () => newId('sku', clock.now());

    app.post(
      '/v1/provider/products',
      {
        config: { access, idempotency: 'required', problems: writing },
        schema: {
          tags,
          summary: 'Add a product, as a draft or on the shelf at once',
          description:
            'It obeys all rules from the start. A draft is known to its provider alone. Software has to be one first: its interface is set, checked and published before anybody can buy it.',
          body: NewProduct,
          response: { 201: WireOwn },
        },
      },
      async (request, reply) => {
        const shop = await shelfIn(sql, providerOf(request), request.body.category_id);
        const draft = draftRead(request.body, { productId: newId('prd', clock.now()), providerId: providerOf(request) }, newSkuId);
        return answer(reply, await write(createProduct, { draft, shop, publish: request.body.publish }, idempotencyOf(request)));
      },
    );

    app.put(
      '/v1/provider/products/:product_id',
      {
        config: { access, problems: [...writing, ...Problem.codes('not-found', 'product-changed-meanwhile')] },
        schema: {
          tags,
          summary: 'Edit a product',
          description:
            'The whole of it but for its delivery type. Orders that were made before keep what they say; others are told within a second.',
          params: Params,
          body: EditedProduct,
          response,
        },
      },
      async (request, reply) => {
        const { product_id: productId } = request.params;
        const { providerId } = await ownProduct(sql, providerOf(request), productId);
        const shop = await shelfIn(sql, providerOf(request), request.body.category_id);
        const { product_version: basedOn } = request.body;
        return answer(
          reply,
          await write(editProduct, { productId, providerId, edition: editionRead(request.body, newSkuId), basedOn, shop }),
        );
      },
    );
  };

const shelfRoutes =
  ({ sql, write }: Parts): Routes =>
  async (app) => {
    for (const [action, summary] of [
      ['publish', 'Put a product on the shelf 上架'],
      ['withdraw', 'Take a product off the shelf 下架'],
    ] as const) {
      app.post(
        `/v1/provider/products/:product_id/${action}`,
        {
          config: {
            access,
            problems: Problem.codes(
              'not-found',
              'product-already-there',
              'shop-not-open',
              'endpoint-not-published',
              'endpoint-not-metering',
            ),
          },
          schema: { tags, summary, params: Params, response },
        },
        async (request, reply) => {
          const { productId, providerId } = await ownProduct(sql, providerOf(request), request.params.product_id);
          return answer(reply, await write(shelveProduct, { productId, providerId, action, provider: await shopOf(sql, providerId) }));
        },
      );
    }

    app.put(
      '/v1/provider/products/:product_id/skus/:sku_id/on-sale',
      {
        config: { access, problems: [...writing, ...Problem.codes('not-found')] },
        schema: {
          tags,
          summary: 'Put one SKU on sale, or take it off',
          description: 'Those who have bought it keep it. The last SKU on sale that is no trial cannot go: withdraw the product instead.',
          params: SkuParams,
          body: z.strictObject({ on_sale: z.boolean() }),
          response,
        },
      },
      async (request, reply) => {
        const { product_id, sku_id: skuId } = request.params;
        const { productId, providerId, categoryId } = await ownProduct(sql, providerOf(request), product_id);
        const shop = await shelfIn(sql, providerOf(request), categoryId);
        return answer(reply, await write(offerSku, { productId, providerId, skuId, onSale: request.body.on_sale, shop }));
      },
    );
  };
