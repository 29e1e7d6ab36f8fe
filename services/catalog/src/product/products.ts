import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { CatalogueMark, SkuSnapshot } from '@yunshi/contracts/catalog';
import type { ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';
import type { Category, Provider } from '../provider/provider.ts';
import * as tables from '../tables.ts';
import { hasTrial, priceFrom, type Product, type ProductStatus } from './product.ts';
import { containing, gramsOf, gramsToFind, normalised, wordsOf } from './search.ts';

export type ProductRow = typeof tables.products.$inferSelect;
export type { Category, Provider };

export const products: Rows<ProductId, ProductRow> = rowsOf(tables.products, 'productId');
export const providers: Rows<ProviderId, Provider> = rowsOf(tables.providers, 'providerId');
export const categories: Rows<string, Category> = rowsOf(tables.categories, 'categoryId');

/** The row of a product, with what searching and sorting need. `names` are those of its provider and category, which searches find too. */
export function rowOf(product: Product, names: readonly string[]): ProductRow {
  const searchText = normalised([product.name, product.nameEn, product.summary, product.summaryEn, ...names].filter(Boolean).join(' '));
  return { ...product, priceFrom: priceFrom(product), hasTrial: hasTrial(product), searchText, searchGrams: gramsOf(searchText).join(' ') };
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
  | 'hasTrial'
  | 'priceFrom'
  | 'publishedAt'
> & { readonly providerName: string; readonly selfOperated: boolean; readonly completedSales: number; readonly rating: Rated };

/** How many reviews a product shows, and the sum of their stars. */
export type Rated = { readonly reviews: number; readonly stars: number };
const rating = `jsonb_build_object('reviews', coalesce(r.reviews, 0), 'stars', coalesce(r.stars, 0)) as rating`;

export type Sort = '-sales' | 'price' | '-price' | '-published_at';

/** Where the last page ended: the value sorted by, and the id that breaks ties. */
export type After = { readonly value: number | Date; readonly productId: ProductId };

export type Search = {
  readonly categoryId?: string | undefined;
  readonly deliveryType?: DeliveryType | undefined;
  readonly providerId?: ProviderId | undefined;
  /** 自营 */
  readonly selfOperated?: boolean | undefined;
  readonly hasTrial?: boolean | undefined;
  /** Fen, both included, of the lowest unit price. */
  readonly priceMin?: number | undefined;
  readonly priceMax?: number | undefined;
  readonly query?: string | undefined;
  readonly sort: Sort;
  readonly after?: After | undefined;
  readonly take: number;
};

/** One page of the published products. */
export async function findProducts(sql: Sql, search: Search): Promise<Listed[]> {
  const { sort, after, take } = search;
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
      left join ratings r on r.product_id = p.product_id
    where p.status = 'published' ${matching(sql, search.query)} ${filtered(sql, search)} ${page}
    order by ${by} ${direction}, p.product_id ${direction} limit ${take}`;
}

/** The grams find the rows by their index; the words are then compared as a whole. */
function matching(sql: Sql, query: string | undefined) {
  const words = wordsOf(query ?? '');
  if (words.length === 0) return sql``;
  return sql`and string_to_array(p.search_grams, ' ') @> ${gramsToFind(words)}::text[] and p.search_text like all(${words.map(containing)}::text[])`;
}

function filtered(sql: Sql, { categoryId, deliveryType, providerId, selfOperated, hasTrial: trial, priceMin, priceMax }: Search) {
  return sql`${categoryId ? sql`and p.category_id = ${categoryId}` : sql``}
    ${deliveryType ? sql`and p.delivery_type = ${deliveryType}` : sql``}
    ${providerId ? sql`and p.provider_id = ${providerId}` : sql``}
    ${selfOperated === undefined ? sql`` : sql`and v.self_operated = ${selfOperated}`}
    ${trial === undefined ? sql`` : sql`and p.has_trial = ${trial}`}
    ${priceMin === undefined ? sql`` : sql`and p.price_from >= ${priceMin}`}
    ${priceMax === undefined ? sql`` : sql`and p.price_from <= ${priceMax}`}`;
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

const listed = `p.product_id as "productId", p.provider_id as "providerId", v.name as "providerName", v.self_operated as "selfOperated", p.category_id as "categoryId",
  p.name, p.name_en as "nameEn", p.summary, p.summary_en as "summaryEn", p.delivery_type as "deliveryType", p.human_delivery as "humanDelivery",
  p.has_trial as "hasTrial", p.price_from as "priceFrom", p.published_at as "publishedAt", s.completed as "completedSales", ${rating}`;

export type Found = ProductRow & {
  readonly completedSales: number;
  readonly rating: Rated;
  readonly provider: Provider;
  readonly category: Category;
};

/** A product with its provider and category; withdrawn ones too, because those who bought them still look at them. No drafts. */
export async function findProduct(sql: Sql, productId: ProductId): Promise<Found | undefined> {
  const [row] = await sql<(ProductRow & { completedSales: number; rating: Rated })[]>`
    select ${sql.unsafe(selectListOf(tables.products, 'p'))}, s.completed as "completedSales", ${sql.unsafe(rating)}
    from products p join sale_counts s on s.product_id = p.product_id left join ratings r on r.product_id = p.product_id
    where p.product_id = ${productId} and p.status <> 'draft'`;
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

export async function findCategory(sql: Sql, categoryId: string): Promise<Category | undefined> {
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

export type Offered = {
  readonly sku: SkuSnapshot;
  readonly productId: ProductId;
  readonly productName: string;
  readonly isPublished: boolean;
};

/** A SKU by its id, with the product that it is of. */
export async function findSku(sql: Sql, skuId: SkuId): Promise<Offered | undefined> {
  const [row] = await sql<Pick<ProductRow, 'productId' | 'name' | 'status' | 'skus'>[]>`
    select product_id as "productId", name, status, skus from products where skus @> ${JSON.stringify([{ skuId }])}::text::jsonb and status <> 'draft'`;
  const sku = row?.skus.find((one) => one.skuId === skuId);
  return row && sku && { sku, productId: row.productId, productName: row.name, isPublished: row.status === 'published' };
}

/** A product as its provider sees it in lists and alone. */
export type Own = ProductRow & { readonly completedSales: number };

export type OwnSearch = {
  readonly providerId: ProviderId;
  readonly status?: ProductStatus | undefined;
  readonly categoryId?: string | undefined;
  readonly deliveryType?: DeliveryType | undefined;
  readonly query?: string | undefined;
  readonly after?: { readonly changedAt: Date; readonly productId: ProductId } | undefined;
  readonly take: number;
};

/** One page of a provider's products, those that were changed last in front. */
export async function findOwnProducts(sql: Sql, search: OwnSearch): Promise<Own[]> {
  const { providerId, status, categoryId, deliveryType, query, after, take } = search;
  return sql<Own[]>`
    select ${sql.unsafe(selectListOf(tables.products, 'p'))}, s.completed as "completedSales"
    from products p join sale_counts s on s.product_id = p.product_id
    where p.provider_id = ${providerId} ${matching(sql, query)} ${status ? sql`and p.status = ${status}` : sql``}
      ${categoryId ? sql`and p.category_id = ${categoryId}` : sql``} ${deliveryType ? sql`and p.delivery_type = ${deliveryType}` : sql``}
      ${after ? sql`and (p.changed_at, p.product_id) < (${after.changedAt}, ${after.productId})` : sql``}
    order by p.changed_at desc, p.product_id desc limit ${take}`;
}

export async function findOwnProduct(
  sql: Sql,
  own: { readonly providerId: ProviderId; readonly productId: ProductId },
): Promise<Own | undefined> {
  const [row] = await sql<Own[]>`
    select ${sql.unsafe(selectListOf(tables.products, 'p'))}, s.completed as "completedSales"
    from products p join sale_counts s on s.product_id = p.product_id
    where p.product_id = ${own.productId} and p.provider_id = ${own.providerId}`;
  return row;
}

/** How much a replica must hold to be up to date. */
export async function markOfAll(sql: Sql): Promise<CatalogueMark> {
  const [mark] = await sql<
    CatalogueMark[]
  >`select count(*)::int as products, coalesce(sum(product_version), 0)::bigint as versions from products`;
  return mark!;
}

/** Products in the order of their ids, drafts and withdrawn ones too, each with its provider. */
export async function findAllAfter(
  sql: Sql,
  after: ProductId | undefined,
  take: number,
): Promise<(ProductRow & { readonly provider: ProviderNames })[]> {
  const rows = await sql<(ProductRow & { providerName: string; selfOperated: boolean })[]>`
    select ${sql.unsafe(selectListOf(tables.products, 'p'))}, v.name as "providerName", v.self_operated as "selfOperated"
    from products p join providers v on v.provider_id = p.provider_id
    where p.product_id > ${after ?? ''} order by p.product_id limit ${take}`;
  return rows.map(({ providerName: name, selfOperated, ...row }) => ({ ...row, provider: { name, selfOperated } }));
}
export type ProviderNames = Pick<Provider, 'name' | 'selfOperated'>;
