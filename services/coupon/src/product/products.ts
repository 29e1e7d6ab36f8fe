import { productChanged, type CatalogueMark } from '@yunshi/contracts/catalog';
import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { ProductId, ProviderId } from '@yunshi/kernel/ids';
import { httpWrite, on, type Decision, type Handler } from '@yunshi/messaging/handle';
import type { ProductNews } from '@yunshi/service/catalogue';
import * as tables from '../tables.ts';

/** What coupons need to know of a product: whose it is, how it is delivered, what it is called. */
export type Product = typeof tables.products.$inferSelect;
export type Shop = Pick<Product, 'providerId' | 'providerName' | 'selfOperated'>;

export const products: Rows<ProductId, Product> = rowsOf(tables.products, 'productId');

const learning = {
  of: products,
  key: ({ productId }: ProductNews) => productId,
  decide: (news: ProductNews, known: Product | undefined): Decision<Product> => {
    // Events come in any order; the newest version stays.
    if (known && known.productVersion >= news.productVersion) return {};
    const { productId, productVersion, providerId, providerName, selfOperated, name, deliveryType, status } = news;
    const product = { productId, productVersion, providerId, providerName, selfOperated, name, deliveryType };
    return { save: { ...product, published: status === 'published' } };
  },
};

export const productHandlers: readonly Handler[] = [on(productChanged, learning)];
/** The same at start, from the catalogue's own pages. */
export const catchUpProduct = httpWrite('catch up with a product', learning);

/** How much of the catalogue this service knows. */
export async function knownProducts(sql: Sql): Promise<CatalogueMark> {
  const [mark] = await sql<
    CatalogueMark[]
  >`select count(*)::int as products, coalesce(sum(product_version), 0)::bigint as versions from products`;
  return mark!;
}

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
