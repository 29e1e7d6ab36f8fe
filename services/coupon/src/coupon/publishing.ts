import type { CouponId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite, type Decision } from '@yunshi/messaging/handle';
import { brokenRules, Problem } from '../problems.ts';
import { offerShown } from '../wire.ts';
import { couponNumber, issue, publish, type Coupon, type CouponDraft } from './coupon.ts';
import { coupons } from './coupons.ts';

/** The operator who acts in the provider's place, for the audit trail. */
export type Operator = { readonly actor: UserId; readonly reason: string | undefined };

type Publishing = { readonly couponId: CouponId; readonly draft: CouponDraft; readonly operator?: Operator };

/** Publishes a coupon. From now on nothing of it changes but whether it is issued, and how many are gone. */
export const publishCoupon = httpWrite('publish coupon', {
  of: coupons,
  key: ({ couponId }: Publishing) => couponId,
  decide: ({ couponId, draft, operator }, _, { now }): Decision<Coupon> => {
    const published = publish(draft, { couponId, number: couponNumber(couponId, now), at: now });
    if (!published.ok) return { response: brokenRules(published.error.issues) };
    return {
      save: published.value,
      writes: operator ? [audited({ ...operator, action: 'coupon.publish', object: `coupon:${couponId}` })] : [],
      response: { status: 201, body: offerShown(published.value, now) },
    };
  },
});

type Issuing = {
  readonly couponId: CouponId;
  readonly action: 'pause' | 'resume';
  /** Whose coupon it must be; absent where an operator acts, who may pause anybody's. */
  readonly providerId?: ProviderId;
  readonly operator?: Operator;
};

/** Pauses or resumes issuing 暂停发放. */
export const issueCoupon = httpWrite('pause or resume coupon', {
  of: coupons,
  key: ({ couponId }: Issuing) => couponId,
  decide: ({ couponId, action, providerId, operator }, coupon, { now }): Decision<Coupon> => {
    if (!coupon || (providerId !== undefined && coupon.providerId !== providerId)) return { response: Problem.response('not-found') };
    const issued = issue(coupon, action);
    if (!issued.ok) return { response: Problem.response('coupon-already-so', { detail: `It is ${coupon.status}.` }) };
    return {
      save: issued.value,
      writes: operator ? [audited({ ...operator, action: `coupon.${action}`, object: `coupon:${couponId}` })] : [],
      response: { status: 200, body: offerShown(issued.value, now) },
    };
  },
});
