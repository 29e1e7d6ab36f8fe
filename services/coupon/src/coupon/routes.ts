import { z } from 'zod';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { CouponId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { Problem } from '../problems.ts';
import { findProduct } from '../product/products.ts';
import { couponShown, WireCoupon } from '../wire.ts';
import { findClaimable, findCoupon } from './coupons.ts';

const pages = keyset(z.tuple([z.iso.datetime(), CouponId]));

export const couponRoutes =
  ({ sql, clock }: Pick<Core, 'sql' | 'clock'>): Routes =>
  async (app) => {
    app.get(
      '/v1/coupons',
      {
        config: { access: 'public', problems: Problem.codes('cursor-not-valid') },
        schema: {
          summary: 'Coupons that can be claimed now 领券中心',
          description: 'With `product_id`, those that can be used for the product. Unlisted coupons are found by their link only.',
          tags: ['coupons'],
          querystring: z.strictObject({ ...listQuery, product_id: ProductId.optional(), provider_id: ProviderId.optional() }),
          response: { 200: pageOf(WireCoupon) },
        },
      },
      async (request) => {
        const { product_id: productId, provider_id: providerId, limit, cursor } = request.query;
        const last = pages.after(cursor);
        const after = last && { claimUntil: new Date(last[0]), couponId: last[1] };
        const now = clock.now();
        const covering = productId && (await findProduct(sql, productId));
        // Of a product that nobody has told us about, or that is off the shelf, there is nothing to claim.
        const rows =
          productId && !covering?.published ? [] : await findClaimable(sql, { covering, providerId, now, after, take: limit + 1 });
        return pages.page(
          rows,
          limit,
          (coupon) => [coupon.claimUntil.toISOString(), coupon.couponId],
          (coupon) => couponShown(coupon, now),
        );
      },
    );

    app.get(
      '/v1/coupons/:coupon_id',
      {
        config: { access: 'public', problems: Problem.codes('not-found') },
        schema: {
          summary: 'A coupon by its link',
          tags: ['coupons'],
          params: z.object({ coupon_id: CouponId }),
          response: { 200: WireCoupon },
        },
      },
      async (request) => {
        const found = await findCoupon(sql, request.params.coupon_id);
        if (!found) throw new Problem('not-found');
        return couponShown(found, clock.now());
      },
    );
  };
