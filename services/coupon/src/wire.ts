import { z } from 'zod';
import { chinaTime } from '@yunshi/kernel/calendar';
import { AccountId, ClaimId, CouponId, OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { shownStatus, type Claim } from './claim/claim.ts';
import { claimable, type Coupon, type CouponDraft, type Terms } from './coupon/coupon.ts';
import type { Shop } from './product/products.ts';

// How coupons look over HTTP. Times are in China's offset, to the second.

const Time = z.iso.datetime({ offset: true });

const WireBenefit = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('discount'),
      pay_percent: z.int().meta({ description: 'What the buyer pays, 1 to 99: 10 is 1折', example: 85 }),
    }),
    z.strictObject({ type: z.literal('amount'), threshold: Fen, off: Fen.meta({ description: 'Below the threshold' }) }),
  ])
  .meta({ id: 'CouponBenefit', description: '折扣 or 满减' });

const WireScope = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('products'), product_ids: z.array(ProductId) }),
    z.strictObject({ type: z.literal('shop') }).meta({ description: 'All SaaS, API and human services of the provider; not its images' }),
  ])
  .meta({ id: 'CouponScope', description: '指定商品 or 店铺通用' });

const WireValidity = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('absolute'), from: Time, until: Time.meta({ description: 'Exclusive' }) }),
    z.strictObject({ type: z.literal('after_claim'), days: z.int() }),
  ])
  .meta({ id: 'CouponValidity' });

const WireTerms = z.object({
  name: z.string(),
  provider: z.object({ provider_id: ProviderId, name: z.string() }),
  benefit: WireBenefit,
  scope: WireScope,
  scenes: z.array(OrderKind),
});

/** Lengths and ranges are the rules' own: see coupon.ts. */
const newCoupon = {
  name: z.string().max(1_000).meta({ description: 'At most 50 characters', example: '新客满 100 减 20' }),
  benefit: WireBenefit,
  scope: WireScope,
  scenes: z.array(OrderKind).meta({ description: '新购, 续费, 试用转正式: the kinds of order that it is good for' }),
  stock: z.int().meta({ description: '发放数量' }),
  per_buyer: z.int().default(1).meta({ description: '每人限领' }),
  claim_from: Time,
  claim_until: Time.meta({ description: 'Exclusive' }),
  validity: WireValidity,
  listed: z.boolean().default(true).meta({ description: 'Unlisted, it is found by its link only' }),
};
export const NewCoupon = z.strictObject(newCoupon).meta({ id: 'NewCoupon' });
export const NewCouponOfShop = z.strictObject({ provider_id: ProviderId, ...newCoupon }).meta({ id: 'NewCouponOfShop' });

export const OfferStatus = z.enum(['claimable', 'not-open', 'closed', 'paused', 'sold-out']);
export type OfferStatus = z.infer<typeof OfferStatus>;

export const WireCoupon = WireTerms.extend({
  coupon_id: CouponId,
  number: z.string(),
  status: OfferStatus,
  stock: z.int(),
  left: z.int(),
  per_buyer: z.int(),
  claim_from: Time,
  claim_until: Time.meta({ description: 'Exclusive' }),
  validity: WireValidity,
}).meta({ id: 'Coupon' });

/** An offer as its provider and the operator see it. */
export const WireOffer = WireCoupon.extend({
  listed: z.boolean(),
  published_at: Time,
  claimed: z.int(),
}).meta({ id: 'CouponOffer' });

export const WireOfferInUse = WireOffer.extend({
  in_use: z
    .object({ usable: z.int(), reserved: z.int(), used: z.int(), expired: z.int() })
    .meta({ description: 'What became of the claimed ones' }),
}).meta({ id: 'CouponOfferInUse' });

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

export const offerShown = (coupon: Coupon, now: Date): z.input<typeof WireOffer> => ({
  ...couponShown(coupon, now),
  listed: coupon.listed,
  published_at: chinaTime(coupon.publishedAt),
  claimed: coupon.claimed,
});

export function draftRead(written: z.output<typeof NewCoupon>, { providerId, providerName }: Shop): CouponDraft {
  const { benefit, scope, validity } = written;
  return {
    name: written.name,
    providerId,
    providerName,
    benefit: benefit.type === 'discount' ? { type: 'discount', payPercent: benefit.pay_percent } : benefit,
    scope: scope.type === 'products' ? { type: 'products', productIds: scope.product_ids } : scope,
    scenes: written.scenes,
    stock: written.stock,
    perBuyer: written.per_buyer,
    claimFrom: new Date(written.claim_from),
    claimUntil: new Date(written.claim_until),
    validity:
      validity.type === 'absolute' ? { type: 'absolute', from: new Date(validity.from), until: new Date(validity.until) } : validity,
    listed: written.listed,
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
