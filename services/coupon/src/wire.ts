import { z } from 'zod';
import { chinaTime } from '@yunshi/kernel/calendar';
import { AccountId, ClaimId, CouponId, OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { shownStatus, type Claim } from './claim/claim.ts';
import { claimable, type Coupon, type Terms } from './coupon/coupon.ts';

// How coupons look over HTTP. Times are in China's offset, to the second.

const Time = z.iso.datetime({ offset: true });

const WireTerms = z.object({
  name: z.string(),
  provider: z.object({ provider_id: ProviderId, name: z.string() }),
  benefit: z.discriminatedUnion('type', [
    z.object({ type: z.literal('discount'), pay_percent: z.int().meta({ description: 'What the buyer pays: 10 is 1折', example: 85 }) }),
    z.object({ type: z.literal('amount'), threshold: Fen, off: Fen }),
  ]),
  scope: z.discriminatedUnion('type', [
    z.object({ type: z.literal('products'), product_ids: z.array(ProductId) }),
    z.object({ type: z.literal('shop') }).meta({ description: 'All SaaS, API and human services of the provider; not its images' }),
  ]),
  scenes: z.array(OrderKind),
});

export const WireCoupon = WireTerms.extend({
  coupon_id: CouponId,
  number: z.string(),
  status: z.enum(['claimable', 'not-open', 'closed', 'paused', 'sold-out']),
  stock: z.int(),
  left: z.int(),
  per_buyer: z.int(),
  claim_from: Time,
  claim_until: Time.meta({ description: 'Exclusive' }),
  validity: z.discriminatedUnion('type', [
    z.object({ type: z.literal('absolute'), from: Time, until: Time }),
    z.object({ type: z.literal('after_claim'), days: z.int() }),
  ]),
}).meta({ id: 'Coupon' });

export const ShownStatus = z.enum(['usable', 'reserved', 'used', 'expired']);

export const WireClaim = WireTerms.extend({
  claim_id: ClaimId,
  number: z.string(),
  coupon_id: CouponId,
  account_id: AccountId,
  status: ShownStatus,
  claimed_at: Time,
  valid_from: Time,
  valid_until: Time.meta({ description: 'Exclusive' }),
  order_id: OrderId.nullable().meta({ description: 'The order that holds or has used it' }),
  deduction: Fen.nullable(),
  used_at: Time.nullable(),
}).meta({ id: 'ClaimedCoupon' });

function termsShown({ name, providerId, providerName, benefit, scope, scenes }: Terms): z.input<typeof WireTerms> {
  return {
    name,
    provider: { provider_id: providerId, name: providerName },
    benefit: benefit.type === 'discount' ? { type: 'discount', pay_percent: benefit.payPercent } : benefit,
    scope: scope.type === 'products' ? { type: 'products', product_ids: scope.productIds } : scope,
    scenes,
  };
}

export function couponShown(coupon: Coupon, now: Date): z.input<typeof WireCoupon> {
  const open = claimable(coupon, now);
  const { validity } = coupon;
  return {
    ...termsShown(coupon),
    coupon_id: coupon.couponId,
    number: coupon.number,
    status: open.ok ? 'claimable' : open.error,
    stock: coupon.stock,
    left: coupon.stock - coupon.claimed,
    per_buyer: coupon.perBuyer,
    claim_from: chinaTime(coupon.claimFrom),
    claim_until: chinaTime(coupon.claimUntil),
    validity:
      validity.type === 'absolute' ? { type: 'absolute', from: chinaTime(validity.from), until: chinaTime(validity.until) } : validity,
  };
}

export function claimShown(claim: Claim, now: Date): z.input<typeof WireClaim> {
  return {
    ...termsShown(claim),
    claim_id: claim.claimId,
    number: claim.number,
    coupon_id: claim.couponId,
    account_id: claim.accountId,
    status: shownStatus(claim, now),
    claimed_at: chinaTime(claim.claimedAt),
    valid_from: chinaTime(claim.validFrom),
    valid_until: chinaTime(claim.validUntil),
    order_id: claim.orderId,
    deduction: claim.deduction,
    used_at: claim.usedAt && chinaTime(claim.usedAt),
  };
}
