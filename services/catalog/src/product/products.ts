import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { ProductId, ProviderId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';
import * as tables from '../tables.ts';
import { priceFrom, type Product } from './product.ts';
import { containing, gramsOf, gramsToFind, normalised, wordsOf } from './search.ts';

export type ProductRow = typeof tables.products.$inferSelect;
export type Provider = typeof tables.providers.$inferSelect;
export type Category = typeof tables.categories.$inferSelect;

export const products: Rows<ProductId, ProductRow> = rowsOf(tables.products, 'productId');
export const providers: Rows<ProviderId, Provider> = rowsOf(tables.providers, 'providerId');
export const categories: Rows<string, Category> = rowsOf(tables.categories, 'categoryId');

/** The row of a product, with what searching and sorting need. `names` are those of its provider and category, which searches find too. */
export function rowOf(product: Product, names: readonly string[]): ProductRow {
  const searchText = normalised([product.name, product.nameEn, product.summary, product.summaryEn, ...names].filter(Boolean).join(' '));
  return { ...product, priceFrom: priceFrom(product), searchText, searchGrams: gramsOf(searchText).join(' ') };
}

/** A product as a list shows it. */
export type Listed = Pick<
  ProductRow,
  | 'productId'
  | 'providerId'
  | 'categoryId'
  | 'name'
  | 'nameEn'
  | 'summary'
  | 'summaryEn'
  | 'deliveryType'
  | 'humanDelivery'
  | 'skus'
  | 'priceFrom'
  | 'publishedAt'
> & { readonly providerName: string; readonly completedSales: number };

export type Sort = '-sales' | 'price' | '-price' | '-published_at';

/** Where the last page ended: the value sorted by, and the id that breaks ties. */
export type After = { readonly value: number | Date; readonly productId: ProductId };

export type Search = {
  readonly categoryId?: string | undefined;
  readonly deliveryType?: DeliveryType | undefined;
  readonly providerId?: ProviderId | undefined;
  readonly query?: string | undefined;
  readonly sort: Sort;
  readonly after?: After | undefined;
  readonly take: number;
};

/** One page of the published products. */
export async function findProducts(
  sql: Sql,
  { categoryId, deliveryType, providerId, query, sort, after, take }: Search,
): Promise<Listed[]> {
  const words = wordsOf(query ?? '');
  const found = words.length
    ? sql`and string_to_array(p.search_grams, ' ') @> ${gramsToFind(words)}::text[] and p.search_text like all(${words.map(containing)}::text[])`
    : sql``;
  const [column, descending] = sortings[sort];
  const by = sql.unsafe(column);
  const page = after
    ? descending
      ? sql`and (${by}, p.product_id) < (${after.value}, ${after.productId})`
      : sql`and (${by}, p.product_id) > (${after.value}, ${after.productId})`
    : sql``;
  const direction = sql.unsafe(descending ? 'desc' : 'asc');
  return sql<Listed[]>`
    select ${sql.unsafe(listed)} from products p
      join sale_counts s on s.product_id = p.product_id join providers v on v.provider_id = p.provider_id
    where p.status = 'published' ${found} ${page}
      ${categoryId ? sql`and p.category_id = ${categoryId}` : sql``}
      ${deliveryType ? sql`and p.delivery_type = ${deliveryType}` : sql``}
      ${providerId ? sql`and p.provider_id = ${providerId}` : sql``}
    order by ${by} ${direction}, p.product_id ${direction} limit ${take}`;
}

const sortings: Readonly<Record<Sort, readonly [column: string, descending: boolean]>> = {
  '-sales': ['s.completed', true],
  price: ['p.price_from', false],
  '-price': ['p.price_from', true],
  '-published_at': ['p.published_at', true],
};

/** The value of a listed product that the list is sorted by. */
export function sortedBy(sort: Sort, product: Listed): number | Date {
  if (sort === '-sales') return product.completedSales;
  return sort === '-published_at' ? product.publishedAt : product.priceFrom;
}

const listed = `p.product_id as "productId", p.provider_id as "providerId", v.name as "providerName", p.category_id as "categoryId",
  p.name, p.name_en as "nameEn", p.summary, p.summary_en as "summaryEn", p.delivery_type as "deliveryType", p.human_delivery as "humanDelivery",
  p.skus, p.price_from as "priceFrom", p.published_at as "publishedAt", s.completed as "completedSales"`;

export type Found = ProductRow & { readonly completedSales: number; readonly provider: Provider; readonly category: Category };

/** A product with its provider and category; withdrawn ones too, because those who bought them still look at them. */
export async function findProduct(sql: Sql, productId: ProductId): Promise<Found | undefined> {
  const [row] = await sql<(ProductRow & { completedSales: number })[]>`
    select ${sql.unsafe(selectListOf(tables.products, 'p'))}, s.completed as "completedSales"
    from products p join sale_counts s on s.product_id = p.product_id where p.product_id = ${productId}`;
  if (!row) return undefined;
  const [provider, category] = await Promise.all([findProvider(sql, row.providerId), findCategory(sql, row.categoryId)]);
  if (!provider || !category) throw new Error(`product ${productId} has no provider or no category`);
  return { ...row, provider, category };
}

export async function findProvider(sql: Sql, providerId: ProviderId): Promise<Provider | undefined> {
  const [row] = await sql<
    Provider[]
  >`select ${sql.unsafe(selectListOf(tables.providers))} from providers where provider_id = ${providerId}`;
  return row;
}

async function findCategory(sql: Sql, categoryId: string): Promise<Category | undefined> {
  const [row] = await sql<
    Category[]
  >`select ${sql.unsafe(selectListOf(tables.categories))} from categories where category_id = ${categoryId}`;
  return row;
}

/** All categories in their order, with the number of products that each shows. */
export async function findCategories(sql: Sql): Promise<(Category & { readonly products: number })[]> {
  return sql<(Category & { products: number })[]>`
    select ${sql.unsafe(selectListOf(tables.categories, 'c'))}, count(p.product_id)::int as products
    from categories c left join products p on p.category_id = c.category_id and p.status = 'published'
    group by c.category_id order by c.position`;
}
