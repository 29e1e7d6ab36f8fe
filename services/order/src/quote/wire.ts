import { z } from 'zod';
import { CouponRefusal } from '@yunshi/contracts/coupon';
import { ClaimId, CouponId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { DeliveryType, PeriodUnit } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { agreementName, type OrderPolicy } from '../policy.ts';
import { isTrial, type Quote } from './quote.ts';

export const QuoteRequest = z.strictObject({
  sku_id: SkuId,
  quantity: z.int().min(1).max(99_999_999).default(1),
  duration: z
    .int()
    .min(1)
    .max(120)
    .optional()
    .meta({ description: "How many of the SKU's own periods, where it has any: 3 of a monthly SKU are 3 months" }),
  coupon: z
    .union([z.enum(['best', 'none']), ClaimId])
    .default('best')
    .meta({ description: 'The coupon that saves most, none, or a certain one by its claim id' }),
});

export const ShownQuote = z
  .object({
    product: z.object({ product_id: ProductId, name: z.string(), delivery_type: DeliveryType }),
    sku: z.object({ sku_id: SkuId, name: z.string(), is_trial: z.boolean() }),
    provider: z.object({ provider_id: ProviderId, name: z.string() }),
    quantity: z.int(),
    period: z.object({ count: z.int(), unit: PeriodUnit }).nullable(),
    unit_price: Fen,
    total: Fen.meta({ description: '商品总计' }),
    deduction: Fen.meta({ description: '优惠券抵扣' }),
    payable: Fen.meta({ description: '实付金额 = 商品总计 − 优惠券抵扣' }),
    coupon: ClaimId.nullable().meta({ description: 'The coupon that is counted in' }),
    coupons: z.object({
      usable: z.array(
        z.object({
          claim_id: ClaimId,
          coupon_id: CouponId,
          name: z.string(),
          deduction: Fen,
          payable: Fen,
          expires_at: z.iso.datetime({ offset: true }),
          selected: z.boolean(),
        }),
      ),
      unusable: z.array(z.object({ claim_id: ClaimId, coupon_id: CouponId, name: z.string(), reason: CouponRefusal })),
    }),
    agreements: z.array(z.object({ name: z.string(), title: z.string(), title_en: z.string() })),
    pay_within_ms: z.int(),
  })
  .meta({ id: 'Quote' });

export function shownQuote(
  { line, product, sku, total, deduction, payable, coupon, coupons }: Quote,
  policy: OrderPolicy,
): z.infer<typeof ShownQuote> {
  return {
    product: { product_id: product.productId, name: product.name, delivery_type: product.deliveryType },
    sku: { sku_id: sku.skuId, name: sku.name, is_trial: isTrial(sku) },
    provider: { provider_id: product.providerId, name: product.providerName },
    quantity: line.quantity,
    period: line.period ?? null,
    unit_price: line.unitPrice,
    total,
    deduction,
    payable,
    coupon: coupon?.claimId ?? null,
    coupons: {
      usable: coupons.usable.map(({ claimId, couponId, name, deduction: saves, expiresAt }) => ({
        claim_id: claimId,
        coupon_id: couponId,
        name,
        deduction: saves,
        payable: total - saves,
        expires_at: expiresAt,
        selected: claimId === coupon?.claimId,
      })),
      unusable: coupons.unusable.map(({ claimId, couponId, name, reason }) => ({ claim_id: claimId, coupon_id: couponId, name, reason })),
    },
    agreements: policy.agreements.map((agreement) => ({
      name: agreementName(agreement),
      title: agreement.title,
      title_en: agreement.titleEn,
    })),
    pay_within_ms: policy.payWithinMs,
  };
}
