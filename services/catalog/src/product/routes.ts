import { z } from 'zod';
import { couponsForProduct } from '@yunshi/contracts/coupon';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { DeliveryType } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import type { Core } from '@yunshi/messaging/core';
import { Unavailable } from '@yunshi/messaging/faults';
import { Problem } from '../problems.ts';
import {
  categoryShown,
  listedShown,
  productShown,
  providerShown,
  skuShown,
  WireCategory,
  WireListed,
  WireProduct,
  WireProvider,
  WireSku,
  type PageCoupons,
} from '../wire.ts';
import { findCategories, findProduct, findProducts, findProvider, findSku, sortedBy, type Found, type Listed } from './products.ts';

const Sort = z.enum(['-sales', 'price', '-price', '-published_at']);
/** In a query everything is text. */
const Flag = z.enum(['true', 'false']);
const Query = z.strictObject({
  ...listQuery,
  category: z.string().max(40).optional(),
  delivery_type: DeliveryType.optional(),
  provider_id: ProviderId.optional(),
  self_operated: Flag.optional().meta({ description: '自营' }),
  has_trial: Flag.optional(),
  price_min: z.coerce.number().pipe(Fen).optional().meta({ description: 'Of `price_from`, in fen' }),
  price_max: z.coerce.number().pipe(Fen).optional().meta({ description: 'Of `price_from`, in fen' }),
  q: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'Words that name, summary, provider or category contain, separated by spaces', example: '客服' }),
  sort: Sort.default('-sales'),
});

/** The cursor names the sort: one of another sort would land anywhere. */
const cursorOf = (sort: z.infer<typeof Sort>) => keyset(z.tuple([z.literal(sort), z.union([z.int(), z.iso.datetime()]), ProductId]));
const plain = (value: number | Date) => (value instanceof Date ? value.toISOString() : value);

const flagOf = (flag: z.infer<typeof Flag> | undefined): boolean | undefined => (flag === undefined ? undefined : flag === 'true');
const searchOf = (query: z.output<typeof Query>) => ({
  categoryId: query.category,
  deliveryType: query.delivery_type,
  providerId: query.provider_id,
  selfOperated: flagOf(query.self_operated),
  hasTrial: flagOf(query.has_trial),
  priceMin: query.price_min,
  priceMax: query.price_max,
  query: query.q,
});

const WireOffered = z
  .object({ sku: WireSku, product: z.object({ product_id: ProductId, name: z.string(), status: z.enum(['published', 'withdrawn']) }) })
  .meta({ id: 'OfferedSku' });

/** A page without coupons is better than none, so the coupon service has little time. */
const couponsMsMax = 500;
const couponsOnPageMax = 10;

async function couponsOf({ productId, providerId, deliveryType, status }: Found, ask: Core['ask']): Promise<PageCoupons | undefined> {
  if (status !== 'published') return [];
  try {
    return (await ask(couponsForProduct, { productId, providerId, deliveryType, take: couponsOnPageMax }, couponsMsMax)).coupons;
  } catch (error) {
    if (error instanceof Unavailable) return undefined;
    throw error;
  }
}

export const productRoutes =
  ({ sql, ask }: Pick<Core, 'sql' | 'ask'>): Routes =>
  async (app) => {
    const tags = ['products'];
    app.get(
      '/v1/products',
      {
        config: { access: 'public', problems: Problem.codes('cursor-not-valid') },
        schema: { summary: 'Products on the shelf', tags, querystring: Query, response: { 200: pageOf(WireListed) } },
      },
      async (request) => {
        const { sort, limit, cursor } = request.query;
        const pages = cursorOf(sort);
        const last = pages.after(cursor);
        const after = last && { value: sort === '-published_at' ? new Date(last[1]) : Number(last[1]), productId: last[2] };
        const rows = await findProducts(sql, { ...searchOf(request.query), sort, after, take: limit + 1 });
        return pages.page(rows, limit, (product: Listed) => [sort, plain(sortedBy(sort, product)), product.productId], listedShown);
      },
    );

    app.get(
      '/v1/products/:product_id',
      {
        config: { access: 'public', problems: Problem.codes('not-found') },
        schema: {
          summary: 'A product with its SKUs and guide',
          description: 'Also of a product that is no longer on the shelf, for those who have bought it.',
          tags,
          params: z.object({ product_id: ProductId }),
          response: { 200: WireProduct },
        },
      },
      async (request) => {
        const found = await findProduct(sql, request.params.product_id);
        if (!found) throw new Problem('not-found');
        return productShown(found, await couponsOf(found, ask));
      },
    );

    app.get(
      '/v1/skus/:sku_id',
      {
        config: { access: 'public', problems: Problem.codes('not-found') },
        schema: {
          summary: 'A SKU with the product that it is of',
          description: 'Also of what is no longer sold, for those who have bought it.',
          tags,
          params: z.object({ sku_id: SkuId }),
          response: { 200: WireOffered },
        },
      },
      async (request) => {
        const found = await findSku(sql, request.params.sku_id);
        if (!found) throw new Problem('not-found');
        const status = found.isPublished ? ('published' as const) : ('withdrawn' as const);
        return { sku: skuShown(found.sku), product: { product_id: found.productId, name: found.productName, status } };
      },
    );

    app.get(
      '/v1/categories',
      { config: { access: 'public' }, schema: { summary: 'All categories in their order', tags, response: { 200: pageOf(WireCategory) } } },
      async () => ({ items: (await findCategories(sql)).map(categoryShown), next_cursor: null }),
    );

    app.get(
      '/v1/providers/:provider_id',
      {
        config: { access: 'public', problems: Problem.codes('not-found') },
        schema: { summary: 'A provider 服务商', tags, params: z.object({ provider_id: ProviderId }), response: { 200: WireProvider } },
      },
      async (request) => {
        const found = await findProvider(sql, request.params.provider_id);
        if (!found) throw new Problem('not-found');
        return providerShown(found);
      },
    );
  };
