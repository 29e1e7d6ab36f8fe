import { z } from 'zod';
import { AccountId, ClaimId, CouponId, OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { DeliveryType, Line, OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { command, query } from './define.ts';

/** Why a coupon cannot be used for an order, in words that the console shows. */
export const CouponRefusal = z.enum([
  'not-found',
  'expired',
  'not-yet-valid',
  'in-use',
  'used',
  'not-applicable',
  'below-threshold',
  'wrong-scene',
]);
export type CouponRefusal = z.infer<typeof CouponRefusal>;

/** Holds one claimed coupon for one order. Undone by `releaseCoupon`. */
export const reserveCoupon = command('coupon.reserve', 1, {
  data: z.object({ orderId: OrderId, claimId: ClaimId, accountId: AccountId, kind: OrderKind, lines: z.array(Line).min(1) }),
  replies: {
    reserved: z.object({ deduction: Fen }),
    refused: z.object({ reason: CouponRefusal }),
  },
});

/** Gives the coupon back. Safe before, after or without `reserveCoupon`. */
export const releaseCoupon = command('coupon.release', 1, {
  data: z.object({ orderId: OrderId, claimId: ClaimId, accountId: AccountId }),
  replies: { released: z.object({}) },
});

/**
 * Notes what the held coupon takes off the price that the provider has changed. Of 0 the coupon is given back: it does not fit any more.
 * A coupon that the order does not hold any more is left alone.
 */
export const reckonCoupon = command('coupon.reckon', 1, {
  data: z.object({ orderId: OrderId, claimId: ClaimId, accountId: AccountId, deduction: Fen }),
  replies: { reckoned: z.object({}) },
});

/** Marks the held coupon 已使用. */
export const useCoupon = command('coupon.use', 1, {
  data: z.object({ orderId: OrderId, claimId: ClaimId, accountId: AccountId }),
  replies: { used: z.object({}) },
});

/** All claimed coupons of an account against one order's lines, for the checkout. The usable ones come first, largest deduction first; ties: the one that expires first. */
export const couponsForOrder = query('coupon.for-order', 1, {
  data: z.object({ accountId: AccountId, kind: OrderKind, lines: z.array(Line).min(1) }),
  answer: z.object({
    usable: z.array(
      z.object({ claimId: ClaimId, couponId: CouponId, name: z.string(), deduction: Fen, expiresAt: z.iso.datetime({ offset: true }) }),
    ),
    unusable: z.array(z.object({ claimId: ClaimId, couponId: CouponId, name: z.string(), reason: CouponRefusal })),
  }),
});

/** What a claimed coupon takes off other lines than those it was held for. Its validity is not asked: it was valid when the order took it. */
export const deductionOf = query('coupon.deduction', 1, {
  data: z.object({ claimId: ClaimId, accountId: AccountId, kind: OrderKind, lines: z.array(Line).min(1) }),
  answer: z.object({ deduction: Fen, refusal: CouponRefusal.nullable() }),
});

/** What a coupon takes off: 折扣, where 10 is 1折 (the buyer pays 10 %), or 满减, in fen. */
export const CouponBenefit = z.discriminatedUnion('type', [
  z.object({ type: z.literal('discount'), payPercent: z.int() }),
  z.object({ type: z.literal('amount'), threshold: Fen, off: Fen }),
]);

/** The listed coupons that can be claimed now and used for one product, for its page: those that close first in front. */
export const couponsForProduct = query('coupon.for-product', 1, {
  data: z.object({ productId: ProductId, providerId: ProviderId, deliveryType: DeliveryType, take: z.int().min(1).max(20) }),
  answer: z.object({
    coupons: z.array(
      z.object({
        couponId: CouponId,
        name: z.string(),
        benefit: CouponBenefit,
        scenes: z.array(OrderKind),
        left: z.int(),
        perBuyer: z.int(),
        claimUntil: z.iso.datetime({ offset: true }),
      }),
    ),
  }),
});
