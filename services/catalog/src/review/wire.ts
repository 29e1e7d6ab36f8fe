import { z } from 'zod';
import { chinaTime } from '@yunshi/kernel/calendar';
import { ProductId, ProviderId, ReviewId } from '@yunshi/kernel/ids';
import { reviewFlow, ReviewText, Stars, type Review } from './review.ts';

const Time = z.iso.datetime({ offset: true });

export const NewReview = z.strictObject({ stars: Stars, text: ReviewText }).meta({ id: 'NewReview' });
export const NewAnswer = z.strictObject({ text: ReviewText }).meta({ id: 'NewAnswer' });

/** A review says nothing of who wrote it but that they have bought the product. */
export const WireReview = z
  .object({
    review_id: ReviewId,
    product_id: ProductId,
    provider_id: ProviderId,
    stars: Stars,
    text: z.string(),
    written_at: Time,
    answer: z.object({ text: z.string(), answered_at: Time }).nullable().meta({ description: 'Of the provider' }),
    status: z.enum(reviewFlow.states),
    hidden_reason: z.string().nullable(),
  })
  .meta({ id: 'Review' });

export const reviewShown = (review: Review): z.input<typeof WireReview> => ({
  review_id: review.reviewId,
  product_id: review.productId,
  provider_id: review.providerId,
  stars: review.stars,
  text: review.text,
  written_at: chinaTime(review.writtenAt),
  answer: review.answer !== null && review.answeredAt ? { text: review.answer, answered_at: chinaTime(review.answeredAt) } : null,
  status: review.status,
  hidden_reason: review.hiddenReason,
});
