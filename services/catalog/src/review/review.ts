import { z } from 'zod';
import { flow, move, type IllegalMove, type StateOf } from '@yunshi/kernel/flow';
import type { AccountId, ProductId, ProviderId, ReviewId, UserId } from '@yunshi/kernel/ids';
import { no, ok, type Result } from '@yunshi/kernel/result';

/** A review is seen by everybody unless the operator hides it. */
export const reviewFlow = flow('review', {
  shown: { hide: 'hidden' },
  hidden: { show: 'shown' },
});
export type ReviewStatus = StateOf<typeof reviewFlow>;

export const Stars = z.int().min(1).max(5);
export const ReviewText = z.string().trim().min(1).max(1_000);

export type Review = {
  readonly reviewId: ReviewId;
  readonly productId: ProductId;
  readonly providerId: ProviderId;
  readonly accountId: AccountId;
  readonly userId: UserId;
  readonly stars: number;
  readonly text: string;
  readonly writtenAt: Date;
  readonly answer: string | null;
  readonly answeredAt: Date | null;
  readonly status: ReviewStatus;
  readonly hiddenReason: string | null;
};

/** What the shown reviews of a product come to: how many, and the sum of their stars. */
export type Rating = { readonly productId: ProductId; readonly reviews: number; readonly stars: number };

export type Rated = { readonly review: Review; readonly rating: Rating };

const none = (productId: ProductId): Rating => ({ productId, reviews: 0, stars: 0 });
const counted = (rating: Rating | undefined, { productId, stars }: Review, sign: 1 | -1): Rating => {
  const before = rating ?? none(productId);
  return { ...before, reviews: before.reviews + sign, stars: before.stars + sign * stars };
};

export type Written = Pick<Review, 'reviewId' | 'productId' | 'providerId' | 'accountId' | 'userId' | 'stars' | 'text'>;

/** One review for each buyer and product, however often it was bought; only who has bought may write it. */
export function writeReview(
  before: Review | undefined,
  rating: Rating | undefined,
  written: Written & { readonly hasBought: boolean },
  now: Date,
): Result<Rated, 'already-reviewed' | 'not-bought'> {
  if (before) return no('already-reviewed');
  if (!written.hasBought) return no('not-bought');
  const { reviewId, productId, providerId, accountId, userId, stars, text } = written;
  const author = { reviewId, productId, providerId, accountId, userId };
  const review: Review = { ...author, stars, text, writtenAt: now, answer: null, answeredAt: null, status: 'shown', hiddenReason: null };
  return ok({ review, rating: counted(rating, review, 1) });
}

/** The provider has one answer to each review, which it may word anew. */
export const answerReview = (review: Review, answer: string, now: Date): Review => ({ ...review, answer, answeredAt: now });

/** Hides a review, with the reason, or shows it again. What is hidden does not count. */
export function moderate(
  review: Review,
  rating: Rating | undefined,
  how: { readonly action: 'hide'; readonly reason: string } | { readonly action: 'show' },
): Result<Rated, IllegalMove> {
  const status = move(reviewFlow, review.status, how.action);
  if (!status.ok) return status;
  const hiddenReason = how.action === 'hide' ? how.reason : null;
  return ok({ review: { ...review, status: status.value, hiddenReason }, rating: counted(rating, review, how.action === 'hide' ? -1 : 1) });
}

/** The average to one decimal, for people; null where there is nothing to average. */
export const averageOf = ({ reviews, stars }: Pick<Rating, 'reviews' | 'stars'>): number | null =>
  reviews === 0 ? null : Math.round((stars * 10) / reviews) / 10;
