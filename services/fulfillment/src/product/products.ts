import { productChanged } from '@yunshi/contracts/catalog';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import type { ProductId } from '@yunshi/kernel/ids';
import { on } from '@yunshi/messaging/handle';
import type { Handler } from '@yunshi/messaging/handle';
import { products } from '../tables.ts';
import { newest } from './product.ts';

export const productRows = rowsOf(products, 'productId');

export const productHandlers: readonly Handler[] = [
  on(productChanged, {
    of: productRows,
    key: ({ productId }) => productId,
    decide: ({ productId, productVersion, providerId, providerName, name, deliveryType, humanDelivery, skus }, known) => {
      const told = newest(known, { productId, productVersion, providerId, providerName, name, deliveryType, humanDelivery, skus });
      return told === undefined ? {} : { save: { ...told, skus: told.skus } };
    },
  }),
];

export const findProduct = async (sql: Sql, productId: ProductId) => (await productRows.find(sql, [productId]))[0];

/** Who stands behind each product, as far as the catalogue has told. */
export async function providerNames(sql: Sql, productIds: readonly ProductId[]): Promise<ReadonlyMap<string, string>> {
  const rows = await productRows.find(sql, [...new Set(productIds)]);
  return new Map(rows.map(({ productId, providerName }) => [productId, providerName]));
}
