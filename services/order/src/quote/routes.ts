import { callerOf } from '@yunshi/http/caller';
import type { Routes } from '@yunshi/http/server';
import type { Core } from '@yunshi/messaging/core';
import { quoteFor } from '../order/order.ts';
import { orderPolicy } from '../policy.ts';
import { Problem, refusing } from '../problems.ts';
import { factsFor, wishFor } from './facts.ts';
import { askedIn, QuoteRequest, ShownQuote, shownQuote } from './wire.ts';

/** Codes that a wish can be refused with, by a quote and by an order alike. */
export const wishProblems = Problem.codes(
  'sku-not-found',
  'product-withdrawn',
  'sku-not-on-sale',
  'delivery-not-offered',
  'duration-not-offered',
  'quantity-not-offered',
  'amount-too-large',
  'trial-already-taken',
  'purchase-limit-reached',
  'coupon-not-usable',
  'instance-not-found',
  'instance-not-renewable',
  'server-not-configured',
  'server-not-wanted',
  'servers-not-offered',
  'server-choice-not-offered',
);

export const quoteRoutes =
  (core: Core): Routes =>
  async (app) => {
    app.post(
      '/v1/quotes',
      {
        config: { access: ['buyer'], problems: wishProblems },
        schema: {
          tags: ['orders'],
          summary: 'What a SKU, a renewal 续费 or a conversion 转正式版 would cost this buyer',
          description:
            'Nothing is kept or held. The coupon that saves most is counted in unless another, or none, is chosen; all others are listed.',
          body: QuoteRequest,
          response: { 200: ShownQuote },
        },
      },
      async (request) => {
        const { accountId } = callerOf(request);
        const asked = await wishFor(core, accountId, askedIn(request.body));
        if (!asked.ok) throw refusing(asked.error);
        const wish = asked.value;
        const { coupon } = request.body;
        const facts = await factsFor(core, { accountId, wish, withCoupons: true });
        const quoted = quoteFor(wish, coupon, facts);
        if (!quoted.ok) throw refusing(quoted.error);
        return shownQuote(wish, quoted.value, orderPolicy);
      },
    );
  };
