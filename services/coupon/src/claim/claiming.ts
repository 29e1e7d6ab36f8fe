import type { AccountId, ClaimId, CouponId, UserId } from '@yunshi/kernel/ids';
import { httpWrite, write } from '@yunshi/messaging/handle';
import { coupons, tallies, tallyId } from '../coupon/coupons.ts';
import { Problem, refusedClaim } from '../problems.ts';
import { claimShown } from '../wire.ts';
import { claim } from './claim.ts';
import { claims } from './claims.ts';

export type ClaimAsk = {
  readonly couponId: CouponId;
  readonly accountId: AccountId;
  readonly userId: UserId;
  /** The id that the claimed coupon will have. */
  readonly claimId: ClaimId;
};

/** A buyer claims 领取 one coupon. The offer's row is locked, and with it the count of what this buyer has. */
export const claimCoupon = httpWrite('claim coupon', {
  of: coupons,
  key: (ask: ClaimAsk) => ask.couponId,
  beside: { of: tallies, key: tallyId },
  decide: (ask, coupon, { now, beside: tally }) => {
    if (!coupon) return { response: Problem.response('not-found', { detail: `There is no coupon ${ask.couponId}.` }) };
    const claimed = tally?.claimed ?? 0;
    const taken = claim(coupon, claimed, { ...ask, now });
    if (!taken.ok) return { response: refusedClaim(taken.error) };
    return {
      save: taken.value.coupon,
      writes: [write(claims, taken.value.claim), write(tallies, { tallyId: tallyId(ask), claimed: claimed + 1 })],
      response: { status: 201, body: claimShown(taken.value.claim, now) },
    };
  },
});
