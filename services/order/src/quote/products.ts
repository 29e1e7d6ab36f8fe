import type { CatalogueMark } from '@yunshi/contracts/catalog';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { ProductId, SkuId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';
import type { Product } from './quote.ts';

export const products: Rows<ProductId, Product> = rowsOf(tables.products, 'productId');
export const skus: Rows<SkuId, typeof tables.skus.$inferSelect> = rowsOf(tables.skus, 'skuId');

export async function findProductOfSku(sql: Sql, skuId: SkuId): Promise<Product | undefined> {
  const [found] = await sql<Product[]>`
    select ${sql.unsafe(selectListOf(tables.products, 'p'))} from skus s join products p on p.product_id = s.product_id where s.sku_id = ${skuId}`;
  return found;
}

/** How much of the catalogue this service knows. */
export async function knownProducts(sql: Sql): Promise<CatalogueMark> {
  const [mark] = await sql<
    CatalogueMark[]
  >`select count(*)::int as products, coalesce(sum(product_version), 0)::bigint as versions from products`;
  return mark!;
}
