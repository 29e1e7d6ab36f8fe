import { addDays, startOfChinaDay } from '@yunshi/kernel/calendar';
import type { Result } from '@yunshi/kernel/result';
import { httpWrite, write, type Decision } from '@yunshi/messaging/handle';
import { changeOf, publish, shelve, type Product } from '../product/product.ts';
import { categories, products, providers, rowOf, type ProductRow } from '../product/products.ts';
import { ratings, reviews } from '../review/reviews.ts';
import { saleCounts } from '../sale/sales.ts';
import { chenxiShelf } from './chenxi.ts';
import { directShelf } from './direct.ts';
import { fanyingShelf } from './fanying.ts';
import { lidunShelf } from './lidun.ts';
import { muzuoShelf } from './muzuo.ts';
import { demoCategories, demoProviderRows } from './places.ts';
import { demoReviews } from './reviews.ts';
import type { Exhibit } from './shelf.ts';
import { wenlanShelf } from './wenlan.ts';

export const demoShelf: readonly [Exhibit, ...Exhibit[]] = [
  ...(fanyingShelf as [Exhibit, ...Exhibit[]]),
  ...chenxiShelf,
  ...lidunShelf,
  ...wenlanShelf,
  ...muzuoShelf,
  ...directShelf,
];

/**
 * Fills an empty catalogue, all of it and its events in one transaction. A catalogue that has the first product has them all,
 * so later starts change nothing; two that start together write the same.
 */
export const seedDemoWorld = httpWrite('seed demo world', {
  of: products,
  key: () => demoShelf[0].draft.productId,
  decide: (_: undefined, first: ProductRow | undefined, { now }): Decision<ProductRow> => (first ? {} : demoWorld(now)),
});

function demoWorld(now: Date): Decision<ProductRow> {
  const today = startOfChinaDay(now);
  const providerRows = demoProviderRows(today);
  const stocked = demoShelf.map((exhibit) => {
    const provider = providerRows.find((row) => row.providerId === exhibit.draft.providerId);
    const category = demoCategories.find((row) => row.categoryId === exhibit.draft.categoryId);
    if (!provider || !category) throw new Error(`${exhibit.draft.name} names a provider or category that the demo world does not have`);
    const product = onTheShelf(exhibit, today);
    return {
      row: rowOf(product, [provider.name, provider.nameEn, category.name]),
      event: changeOf(product, provider),
      sold: exhibit.sold,
    };
  });
  const said = demoReviews(demoShelf, today);
  return {
    writes: [
      ...demoCategories.map((category) => write(categories, category)),
      ...providerRows.map((provider) => write(providers, provider)),
      ...stocked.map(({ row }) => write(products, row)),
      ...stocked.map(({ row, sold }) => write(saleCounts, { productId: row.productId, completed: sold })),
      ...said.reviews.map((review) => write(reviews, review)),
      ...said.ratings.map((rating) => write(ratings, rating)),
    ],
    events: stocked.map(({ event }) => event),
  };
}

/** The past of the demo world: what stands on its shelf was checked before the story begins. To be put there anew it is checked anew. */
const longSince = { isPublished: true, isMetering: true };

function onTheShelf({ draft, publishedDaysAgo, withdrawn }: Exhibit, today: Date): Product {
  const product = sure(draft.name, publish(draft, longSince, addDays(today, -publishedDaysAgo)));
  return withdrawn ? sure(draft.name, shelve(product, 'withdraw', longSince, today)) : product;
}

/** The demo world obeys the rules that providers obey; a slip in it must not start up. */
function sure<T>(name: string, result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(`the demo world's ${name} is refused: ${JSON.stringify(result.error)}`);
  return result.value;
}
