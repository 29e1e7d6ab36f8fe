import { productChanged } from '@yunshi/contracts/catalog';
import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { ProductId, ProviderId } from '@yunshi/kernel/ids';
import { on, type Handler } from '@yunshi/messaging/handle';
import * as tables from '../tables.ts';

/** What coupons need to know of a product: whose it is, how it is delivered, what it is called. */
export type Product = typeof tables.products.$inferSelect;
export type Shop = Pick<Product, 'providerId' | 'providerName' | 'selfOperated'>;

export const products: Rows<ProductId, Product> = rowsOf(tables.products, 'productId');

export const productHandlers: readonly Handler[] = [
  on(productChanged, {
    of: products,
    key: (told) => told.productId,
    decide: ({ productId, productVersion, providerId, providerName, selfOperated, name, deliveryType, status }, known) => {
      // Events come in any order; the newest version stays.
      if (known && known.productVersion >= productVersion) return {};
      const product = { productId, productVersion, providerId, providerName, selfOperated, name, deliveryType };
      return { save: { ...product, published: status === 'published' } };
    },
  }),
];

export async function findProduct(sql: Sql, productId: ProductId): Promise<Product | undefined> {
  const [found] = await sql<Product[]>`select ${sql.unsafe(selectListOf(tables.products))} from products where product_id = ${productId}`;
  return found;
}

/** Those of the products that are the provider's own, on the shelf or not. */
export async function findOwn(sql: Sql, providerId: ProviderId, productIds: readonly ProductId[]): Promise<ProductId[]> {
  const found = await sql<Pick<Product, 'productId'>[]>`
    select product_id as "productId" from products where provider_id = ${providerId} and product_id = any(${productIds as ProductId[]}::text[])`;
  return found.map(({ productId }) => productId);
}

/** The shop as its products tell of it; nobody has told of a shop without products. The newest product knows best whether it is 自营. */
export async function findShop(sql: Sql, providerId: ProviderId): Promise<Shop | undefined> {
  const [found] = await sql<Shop[]>`
    select provider_id as "providerId", provider_name as "providerName", self_operated as "selfOperated" from products
    where provider_id = ${providerId} order by product_id desc limit 1`;
  return found;
}
