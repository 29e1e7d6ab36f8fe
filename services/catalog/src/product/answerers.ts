import { contactOfProvider, productsAfter } from '@yunshi/contracts/catalog';
import type { Sql } from '@yunshi/db/connect';
import { answers, type Answerer } from '@yunshi/messaging/handle';
import { changeOf } from './product.ts';
import { findAllAfter, findProvider, markOfAll } from './products.ts';

/** A product with fifty SKUs is some 10 KB as JSON, and an answer over the bus at most 1 MB. */
const pageMax = 50;

/** Tells replicas again what they may have missed, and buyers' pages whom to call. */
export const productAnswerers = (sql: Sql): readonly Answerer[] => [
  answers(productsAfter, async ({ known, after }) => {
    const mark = known && (await markOfAll(sql));
    if (mark && mark.products === known.products && mark.versions === known.versions) return { products: [], next: null };
    const rows = await findAllAfter(sql, after, pageMax);
    const products = rows.map((row) => changeOf(row, row.provider).data);
    return { products, next: rows.length === pageMax ? (rows.at(-1)?.productId ?? null) : null };
  }),
  answers(contactOfProvider, async ({ providerId }) => {
    const provider = await findProvider(sql, providerId);
    if (!provider) return { contact: null };
    const { phone, email, serviceHours } = provider;
    return { contact: { phone, email, serviceHours } };
  }),
];
