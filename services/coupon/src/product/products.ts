import { productChanged } from '@yunshi/contracts/catalog';
import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { ProductId } from '@yunshi/kernel/ids';
import { on, type Handler } from '@yunshi/messaging/handle';
import * as tables from '../tables.ts';

/** What coupons need to know of a product: whose it is, how it is delivered, what it is called. */
export type Product = typeof tables.products.$inferSelect;

export const products: Rows<ProductId, Product> = rowsOf(tables.products, 'productId');

export const productHandlers: readonly Handler[] = [
  on(productChanged, {
    of: products,
    key: (told) => told.productId,
    decide: ({ productId, productVersion, providerId, name, deliveryType, status }, known) => {
      // Events come in any order; the newest version stays.
      if (known && known.productVersion >= productVersion) return {};
      return { save: { productId, productVersion, providerId, name, deliveryType, published: status === 'published' } };
    },
  }),
];

export async function findProduct(sql: Sql, productId: ProductId): Promise<Product | undefined> {
  const [found] = await sql<Product[]>`select ${sql.unsafe(selectListOf(tables.products))} from products where product_id = ${productId}`;
  return found;
}

/** The names of products, for coupons that are for named ones. Products that nobody has told us of yet are missing. */
export async function namesOf(sql: Sql, productIds: readonly ProductId[]): Promise<ReadonlyMap<ProductId, string>> {
  if (productIds.length === 0) return new Map();
  const found = await sql<
    Pick<Product, 'productId' | 'name'>[]
  >`select product_id as "productId", name from products where product_id = any(${productIds as ProductId[]}::text[])`;
  return new Map(found.map(({ productId, name }) => [productId, name]));
}
