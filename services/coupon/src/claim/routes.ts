import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { ClaimId, CouponId, newId, ProviderId } from '@yunshi/kernel/ids';
import { OrderKind } from '@yunshi/kernel/marketplace';
import type { Core } from '@yunshi/messaging/core';
import { claimProblems, Problem } from '../problems.ts';
import { claimShown, ShownStatus, WireClaim } from '../wire.ts';
import type { Claim } from './claim.ts';
import { claimCoupon } from './claiming.ts';
import { findClaim, findClaims } from './claims.ts';

const Sort = z.enum(['-claimed_at', 'valid_until']);
const Query = z.strictObject({
  ...listQuery,
  status: ShownStatus.optional(),
  type: z.enum(['discount', 'amount']).optional(),
  scene: OrderKind.optional(),
  provider_id: ProviderId.optional(),
  coupon_id: CouponId.optional(),
  keyword: z.string().trim().min(1).max(50).optional().meta({ description: 'A part of the name, or the beginning of the number' }),
  sort: Sort.default('-claimed_at'),
});

/** The cursor names the sort: one of another sort would land anywhere. */
const cursorOf = (sort: z.infer<typeof Sort>) => keyset(z.tuple([z.literal(sort), z.iso.datetime(), ClaimId]));

export const claimRoutes =
  ({ sql, clock, write }: Pick<Core, 'sql' | 'clock' | 'write'>): Routes =>
  async (app) => {
    app.post(
      '/v1/coupons/:coupon_id/claims',
      {
        config: { access: ['buyer'], idempotency: 'required', problems: claimProblems },
        schema: {
          summary: 'Claim a coupon 领取',
          tags: ['coupons'],
          params: z.object({ coupon_id: CouponId }),
          response: { 201: WireClaim },
        },
      },
      async (request, reply) => {
        const { accountId, userId } = callerOf(request);
        const ask = { couponId: request.params.coupon_id, accountId, userId, claimId: newId('ccl', clock.now()) };
        return answer(reply, await write(claimCoupon, ask, idempotencyOf(request)));
      },
    );

    app.get(
      '/v1/my/coupons',
      {
        config: { access: ['buyer'], problems: Problem.codes('cursor-not-valid') },
        schema: { summary: 'My coupons', tags: ['coupons'], querystring: Query, response: { 200: pageOf(WireClaim) } },
      },
      async (request) => {
        const { accountId } = callerOf(request);
        const { status, type, scene, provider_id: providerId, coupon_id: couponId, keyword, sort, limit, cursor } = request.query;
        const pages = cursorOf(sort);
        const last = pages.after(cursor);
        const after = last && { at: new Date(last[1]), claimId: last[2] };
        const now = clock.now();
        const search = { accountId, status, type, scene, providerId, couponId, keyword, sort, after, now, take: limit + 1 };
        const rows = await findClaims(sql, search);
        const sortedBy = (claim: Claim) => (sort === 'valid_until' ? claim.validUntil : claim.claimedAt).toISOString();
        return pages.page(
          rows,
          limit,
          (claim) => [sort, sortedBy(claim), claim.claimId],
          (claim) => claimShown(claim, now),
        );
      },
    );

    app.get(
      '/v1/my/coupons/:claim_id',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found') },
        schema: { summary: 'One of my coupons', tags: ['coupons'], params: z.object({ claim_id: ClaimId }), response: { 200: WireClaim } },
      },
      async (request) => {
        const found = await findClaim(sql, callerOf(request).accountId, request.params.claim_id);
        if (!found) throw new Problem('not-found');
        return claimShown(found, clock.now());
      },
    );
  };
