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
