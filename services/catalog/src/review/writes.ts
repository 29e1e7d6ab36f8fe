import type { ProductId, ProviderId, ReviewId, UserId } from '@yunshi/kernel/ids';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite, write, type Decision } from '@yunshi/messaging/handle';
import { Problem } from '../problems.ts';
import { answerReview, moderate, writeReview, type Review, type Written } from './review.ts';
import { ratings, reviews } from './reviews.ts';
import { reviewShown } from './wire.ts';

export const reviewProduct = httpWrite('write review', {
  of: reviews,
  key: (ask: Written & { readonly hasBought: boolean }) => ask.reviewId,
  beside: { of: ratings, key: ({ productId }) => productId },
  decide: (ask, before, { now, beside: rating }): Decision<Review> => {
    const written = writeReview(before, rating, ask, now);
    if (!written.ok)
      return { response: Problem.response(written.error === 'not-bought' ? 'product-not-bought' : 'product-already-reviewed') };
    const { review, rating: counted } = written.value;
    return { save: review, writes: [write(ratings, counted)], response: { status: 201, body: reviewShown(review) } };
  },
});

/** The provider answers a review of its own product. */
export const answerOwnReview = httpWrite('answer review', {
  of: reviews,
  key: (ask: { readonly reviewId: ReviewId; readonly providerId: ProviderId; readonly answer: string }) => ask.reviewId,
  decide: ({ providerId, answer }, review, { now }): Decision<Review> => {
    if (review?.providerId !== providerId)
      return { response: Problem.response('not-found', { detail: 'There is no such review of your products.' }) };
    const answered = answerReview(review, answer, now);
    return { save: answered, response: { status: 200, body: reviewShown(answered) } };
  },
});

type Moderating = {
  readonly reviewId: ReviewId;
  readonly productId: ProductId;
  readonly actor: UserId;
  readonly how: Parameters<typeof moderate>[2];
};

export const moderateReview = httpWrite('moderate review', {
  of: reviews,
  key: ({ reviewId }: Moderating) => reviewId,
  beside: { of: ratings, key: ({ productId }) => productId },
  decide: ({ actor, how }, review, { beside: rating }): Decision<Review> => {
    if (!review) return { response: Problem.response('not-found') };
    const moderated = moderate(review, rating, how);
    if (!moderated.ok) return { response: Problem.response('review-already-so', { detail: `It is ${review.status}.` }) };
    const reason = how.action === 'hide' ? how.reason : undefined;
    return {
      save: moderated.value.review,
      writes: [
        write(ratings, moderated.value.rating),
        audited({ actor, reason, action: `review.${how.action}`, object: `review:${review.reviewId}` }),
      ],
      response: { status: 200, body: reviewShown(moderated.value.review) },
    };
  },
});
