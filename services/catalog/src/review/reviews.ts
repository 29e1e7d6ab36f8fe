import { createHash } from 'node:crypto';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, ProductId, ProviderId, ReviewId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';
import type { Rating, Review, ReviewStatus } from './review.ts';

/** The lane locks `ratings` before `reviews`; a review that two requests write at once is refused to one by its primary key, which looks again. */
export const reviews: Rows<ReviewId, Review> = rowsOf(tables.reviews, 'reviewId');
export const ratings: Rows<ProductId, Rating> = rowsOf(tables.ratings, 'productId');

/** The id of the one review that an account has of a product: from both, so that there cannot be a second one. */
export function reviewIdOf({ accountId, productId }: { readonly accountId: AccountId; readonly productId: ProductId }): ReviewId {
  return `rvw_${createHash('sha256').update(`${accountId} ${productId}`).digest('hex').slice(0, 32)}` as ReviewId;
}

export async function hasBought(
  sql: Sql,
  { accountId, productId }: { readonly accountId: AccountId; readonly productId: ProductId },
): Promise<boolean> {
  return (await sql`select 1 from sales where account_id = ${accountId} and product_id = ${productId} limit 1`).length > 0;
}

export type ReviewSort = '-written_at' | '-stars' | 'stars';

export type ReviewSearch = {
  readonly productId?: ProductId | undefined;
  readonly providerId?: ProviderId | undefined;
  readonly accountId?: AccountId | undefined;
  readonly status?: ReviewStatus | undefined;
  readonly stars?: number | undefined;
  readonly isAnswered?: boolean | undefined;
  readonly sort: ReviewSort;
  readonly after?: { readonly stars: number; readonly writtenAt: Date; readonly reviewId: ReviewId } | undefined;
  readonly take: number;
};

/** One page of reviews. Of equally many stars the newest comes first, or last where the fewest stars come first. */
export async function findReviews(sql: Sql, search: ReviewSearch): Promise<Review[]> {
  const { productId, providerId, accountId, status, stars, isAnswered, sort, take } = search;
  const ascending = sort === 'stars';
  const by = sort === '-written_at' ? sql`` : ascending ? sql`stars,` : sql`stars desc,`;
  const order = ascending ? sql`written_at, review_id` : sql`written_at desc, review_id desc`;
  return sql<Review[]>`
    select ${sql.unsafe(selectListOf(tables.reviews))} from reviews
    where true ${productId ? sql`and product_id = ${productId}` : sql``} ${providerId ? sql`and provider_id = ${providerId}` : sql``}
      ${accountId ? sql`and account_id = ${accountId}` : sql``} ${status ? sql`and status = ${status}` : sql``}
      ${stars ? sql`and stars = ${stars}` : sql``}
      ${isAnswered === undefined ? sql`` : isAnswered ? sql`and answer is not null` : sql`and answer is null`} ${later(sql, search)}
    order by ${by} ${order} limit ${take}`;
}

function later(sql: Sql, { sort, after }: ReviewSearch) {
  if (!after) return sql``;
  const { stars, writtenAt, reviewId } = after;
  switch (sort) {
    case '-written_at':
      return sql`and (written_at, review_id) < (${writtenAt}, ${reviewId})`;
    case '-stars':
      return sql`and (stars, written_at, review_id) < (${stars}, ${writtenAt}, ${reviewId})`;
    case 'stars':
      return sql`and (stars, written_at, review_id) > (${stars}, ${writtenAt}, ${reviewId})`;
  }
}

export async function findReview(sql: Sql, reviewId: ReviewId): Promise<Review | undefined> {
  const [found] = await sql<Review[]>`select ${sql.unsafe(selectListOf(tables.reviews))} from reviews where review_id = ${reviewId}`;
  return found;
}
