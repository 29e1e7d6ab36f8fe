import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { ProductId, ReviewId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { Problem } from '../problems.ts';
import { findProduct } from '../product/products.ts';
import { reviewFlow, type Review } from './review.ts';
import { findReview, findReviews, hasBought, reviewIdOf, type ReviewSearch } from './reviews.ts';
import { NewAnswer, NewReview, reviewShown, WireReview } from './wire.ts';
import { answerOwnReview, moderateReview, reviewProduct } from './writes.ts';

type Parts = Pick<Core, 'sql' | 'write'>;

const Sort = z.enum(['-written_at', '-stars', 'stars']);
const query = {
  ...listQuery,
  stars: z.coerce.number().pipe(z.int().min(1).max(5)).optional(),
  sort: Sort.default('-written_at'),
};
const ListQuery = z.strictObject(query);
const Answered = z.enum(['true', 'false']).transform((flag) => flag === 'true');
const OwnQuery = z.strictObject({ ...query, product_id: ProductId.optional(), answered: Answered.optional() });
const AllQuery = z.strictObject({ ...query, product_id: ProductId.optional(), status: z.enum(reviewFlow.states).optional() });
const ProductParams = z.strictObject({ product_id: ProductId });
const Params = z.strictObject({ review_id: ReviewId });
const response = { 200: WireReview };
const pages = { 200: pageOf(WireReview) };

/** The cursor names the sort: one of another sort would land anywhere. */
const cursorOf = (sort: z.infer<typeof Sort>) => keyset(z.tuple([z.literal(sort), z.int(), z.iso.datetime(), ReviewId]));

async function listed(sql: Parts['sql'], { limit, cursor, stars, sort }: z.output<typeof ListQuery>, scope: Partial<ReviewSearch>) {
  const last = cursorOf(sort).after(cursor);
  const after = last && { stars: last[1], writtenAt: new Date(last[2]), reviewId: last[3] };
  const rows = await findReviews(sql, { ...scope, stars, sort, after, take: limit + 1 });
  const key = (review: Review) => [sort, review.stars, review.writtenAt.toISOString(), review.reviewId] as const;
  return cursorOf(sort).page(rows, limit, (review) => [...key(review)], reviewShown);
}

/** What everybody reads, and what a buyer writes. */
export const reviewRoutes =
  ({ sql, write }: Parts): Routes =>
  async (app) => {
    const tags = ['reviews'];

    app.get(
      '/v1/products/:product_id/reviews',
      {
        config: { access: 'public', problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags,
          summary: 'Reviews 评价 of a product, newest first',
          params: ProductParams,
          querystring: ListQuery,
          response: pages,
        },
      },
      (request) => listed(sql, request.query, { productId: request.params.product_id, status: 'shown' }),
    );

    app.get(
      '/v1/reviews/:review_id',
      {
        config: { access: 'public', problems: Problem.codes('not-found') },
        schema: { tags, summary: 'A review', params: Params, response },
      },
      async (request) => {
        const found = await findReview(sql, request.params.review_id);
        if (found?.status !== 'shown') throw new Problem('not-found');
        return reviewShown(found);
      },
    );

    app.post(
      '/v1/products/:product_id/reviews',
      {
        config: {
          access: ['buyer'],
          idempotency: 'required',
          problems: Problem.codes('not-found', 'product-not-bought', 'product-already-reviewed'),
        },
        schema: {
          tags,
          summary: 'Review a product',
          description: 'Once for each account and product, however often it was bought; also when what was bought has been refunded since.',
          params: ProductParams,
          body: NewReview,
          response: { 201: WireReview },
        },
      },
      async (request, reply) => {
        const { accountId, userId } = callerOf(request);
        const { product_id: productId } = request.params;
        const product = await findProduct(sql, productId);
        if (!product) throw new Problem('not-found');
        const pair = { accountId, productId };
        // Who has bought has bought for ever: nothing can change this between here and the write.
        const ask = { ...pair, reviewId: reviewIdOf(pair), providerId: product.providerId, userId, hasBought: await hasBought(sql, pair) };
        return answer(reply, await write(reviewProduct, { ...ask, ...request.body }, idempotencyOf(request)));
      },
    );

    app.get(
      '/v1/my/reviews',
      {
        config: { access: ['buyer'], problems: Problem.codes('cursor-not-valid') },
        schema: { tags, summary: 'My reviews, newest first', querystring: ListQuery, response: pages },
      },
      (request) => listed(sql, request.query, { accountId: callerOf(request).accountId }),
    );
  };

/** What a provider does about the reviews of its products. */
export const providerReviewRoutes =
  ({ sql, write }: Parts): Routes =>
  async (app) => {
    const tags = ['provider'];
    const access = ['provider'] as const;

    app.get(
      '/v1/provider/reviews',
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: { tags, summary: 'Reviews of my products, newest first', querystring: OwnQuery, response: pages },
      },
      (request) => {
        const { product_id: productId, answered: isAnswered } = request.query;
        return listed(sql, request.query, { providerId: providerOf(request), productId, isAnswered });
      },
    );

    app.put(
      '/v1/provider/reviews/:review_id/answer',
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: { tags, summary: 'Answer a review, or word the answer anew', params: Params, body: NewAnswer, response },
      },
      async (request, reply) => {
        const ask = { reviewId: request.params.review_id, providerId: providerOf(request), answer: request.body.text };
        return answer(reply, await write(answerOwnReview, ask));
      },
    );
  };

/** What operators do about reviews that must not be seen. */
export const operatorReviewRoutes =
  ({ sql, write }: Parts): Routes =>
  async (app) => {
    const tags = ['operations'];
    const access = ['operator'] as const;
    const reason = z.string().trim().min(1).max(500);

    app.get(
      '/v1/ops/reviews',
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: { tags, summary: 'Reviews of all products, hidden ones too, newest first', querystring: AllQuery, response: pages },
      },
      (request) => listed(sql, request.query, { productId: request.query.product_id, status: request.query.status }),
    );

    for (const { action, summary, body } of [
      { action: 'hide', summary: 'Hide a review from the public; it no longer counts', body: z.strictObject({ reason }) },
      { action: 'show', summary: 'Show a hidden review again', body: z.strictObject({ reason: reason.optional() }) },
    ] as const) {
      app.post(
        `/v1/ops/reviews/:review_id/${action}`,
        {
          config: { access, problems: Problem.codes('not-found', 'review-already-so') },
          schema: { tags, summary, params: Params, body, response },
        },
        async (request, reply) => {
          const { review_id: reviewId } = request.params;
          const found = await findReview(sql, reviewId);
          if (!found) throw new Problem('not-found');
          const how = action === 'hide' ? { action, reason: request.body.reason ?? '' } : { action };
          return answer(reply, await write(moderateReview, { reviewId, productId: found.productId, actor: callerOf(request).userId, how }));
        },
      );
    }
  };
