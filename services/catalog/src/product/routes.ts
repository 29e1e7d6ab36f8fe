import { z } from 'zod';
import type { Sql } from '@yunshi/db/connect';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import { Problem } from '@yunshi/http/problem';
import type { Routes } from '@yunshi/http/server';
import { ProductId, ProviderId } from '@yunshi/kernel/ids';
import { DeliveryType } from '@yunshi/kernel/marketplace';
import { categoryShown, listedShown, productShown, providerShown, WireCategory, WireListed, WireProduct, WireProvider } from '../wire.ts';
import { findCategories, findProduct, findProducts, findProvider, sortedBy, type Listed } from './products.ts';

const Sort = z.enum(['-sales', 'price', '-price', '-published_at']);
const Query = z.strictObject({
  ...listQuery,
  category: z.string().max(40).optional(),
  delivery_type: DeliveryType.optional(),
  provider_id: ProviderId.optional(),
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

export const productRoutes =
  ({ sql }: { readonly sql: Sql }): Routes =>
  async (app) => {
    const tags = ['products'];
    app.get(
      '/v1/products',
      {
        config: { access: 'public', problems: Problem.codes('cursor-not-valid') },
        schema: { summary: 'Products on the shelf', tags, querystring: Query, response: { 200: pageOf(WireListed) } },
      },
      async (request) => {
        const { category: categoryId, delivery_type: deliveryType, provider_id: providerId, q: query, sort, limit, cursor } = request.query;
        const pages = cursorOf(sort);
        const last = pages.after(cursor);
        const after = last && { value: sort === '-published_at' ? new Date(last[1]) : Number(last[1]), productId: last[2] };
        const rows = await findProducts(sql, { categoryId, deliveryType, providerId, query, sort, after, take: limit + 1 });
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
        return productShown(found);
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
