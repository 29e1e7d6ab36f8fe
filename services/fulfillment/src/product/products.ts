import { contactOfProvider, productChanged, type CatalogueMark } from '@yunshi/contracts/catalog';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import type { ProductId, ProviderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { httpWrite, on } from '@yunshi/messaging/handle';
import type { Decision, Handler } from '@yunshi/messaging/handle';
import type { ProductNews } from '@yunshi/service/catalogue';
import { products } from '../tables.ts';
import { newest } from './product.ts';

type ProductRow = typeof products.$inferSelect;
export const productRows = rowsOf(products, 'productId');

const learning = {
  of: productRows,
  key: ({ productId }: ProductNews) => productId,
  decide: (news: ProductNews, known: ProductRow | undefined): Decision<ProductRow> => {
    const { productId, productVersion, providerId, providerName, name, deliveryType, humanDelivery, skus } = news;
    const told = newest(known, { productId, productVersion, providerId, providerName, name, deliveryType, humanDelivery, skus });
    return told === undefined ? {} : { save: { ...told, skus: told.skus } };
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

export const findProduct = async (sql: Sql, productId: ProductId) => (await productRows.find(sql, [productId]))[0];

/** Who stands behind each product, as far as the catalogue has told. */
export async function providerNames(sql: Sql, productIds: readonly ProductId[]): Promise<ReadonlyMap<string, string>> {
  const rows = await productRows.find(sql, [...new Set(productIds)]);
  return new Map(rows.map(({ productId, providerName }) => [productId, providerName]));
}

const contactMsMax = 1_000;

/** How its provider is reached, as the catalogue says now; an instance is shown without it while that does not answer. */
export const contactFrom = (core: Pick<Core, 'ask'>, providerId: ProviderId) =>
  core.ask(contactOfProvider, { providerId }, contactMsMax).then(
    ({ contact }) => contact,
    () => null,
  );
