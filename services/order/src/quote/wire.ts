import { z } from 'zod';
import { CouponRefusal } from '@yunshi/contracts/coupon';
import { ClaimId, CouponId, InstanceId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { DeliveryType, Flow, OrderKind, PeriodUnit } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { agreementName, type OrderPolicy } from '../policy.ts';
import { isTrial, type Quote, type Wish } from './quote.ts';
import { kindOf, type Asked } from './renewal.ts';
import { configurationIn, ServerWish, ShownServerSale, shownServerSale } from './server-wire.ts';

const wishShape = {
  kind: OrderKind.default('new_purchase').meta({ description: 'new_purchase 新购, renewal 续费, trial_conversion 转正式版' }),
  sku_id: SkuId.optional().meta({ description: 'What is bought new; a renewal or conversion follows from its instance' }),
  instance_id: InstanceId.optional().meta({ description: 'The instance that is renewed or converted' }),
  quantity: z.int().min(1).max(99_999_999).optional().meta({ description: '1 if left out; a renewal is of what the instance has' }),
  duration: z
    .int()
    .min(1)
    .max(120)
    .optional()
    .meta({ description: "How many of the SKU's own periods, where it has any: 3 of a monthly SKU are 3 months" }),
  server: ServerWish.optional().meta({ description: 'Of an image that is bought new: the cloud server that is made of it' }),
  coupon: z
    .union([z.enum(['best', 'none']), ClaimId])
    .default('best')
    .meta({ description: 'The coupon that saves most, none, or a certain one by its claim id' }),
};

type Body = { kind: OrderKind; sku_id?: unknown; instance_id?: unknown; quantity?: unknown };

/** A new purchase names a SKU, the others an instance. */
function namesItsSubject({ kind, sku_id, instance_id, quantity }: Body, context: z.core.$RefinementCtx): void {
  const say = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  const isNew = kind === 'new_purchase';
  if (isNew && sku_id === undefined) say('sku_id', 'A new purchase needs a SKU');
  if (isNew && instance_id !== undefined) say('instance_id', 'A new purchase makes an instance of its own');
  if (!isNew && instance_id === undefined) say('instance_id', 'Name the instance that is to go on');
  if (!isNew && sku_id !== undefined) say('sku_id', 'The SKU follows from the instance');
  if (kind === 'renewal' && quantity !== undefined) say('quantity', 'A renewal is of what the instance has');
}

/** The body of a quote, and that of an order with what it needs beside. */
export const wishBody = <S extends z.ZodRawShape>(beside: S) =>
  z.strictObject({ ...wishShape, ...beside }).superRefine(namesItsSubject as never);
export const QuoteRequest = wishBody({});

type AskedOnWire = {
  kind: OrderKind;
  sku_id?: SkuId | undefined;
  instance_id?: InstanceId | undefined;
  quantity?: number | undefined;
  duration?: number | undefined;
  server?: z.output<typeof ServerWish> | undefined;
};

/** What the body asks for; its schema has seen to it that the subject is named. */
export function askedIn({ kind, sku_id: skuId, instance_id: instanceId, quantity, duration, server: wanted }: AskedOnWire): Asked {
  const server = wanted && configurationIn(wanted);
  return kind === 'new_purchase'
    ? { kind, skuId: skuId as SkuId, quantity: quantity ?? 1, duration, server }
    : { kind, instanceId: instanceId as InstanceId, quantity, duration, server };
}

export const ShownQuote = z
  .object({
    product: z.object({ product_id: ProductId, name: z.string(), delivery_type: DeliveryType }),
    sku: z.object({ sku_id: SkuId, name: z.string(), is_trial: z.boolean() }),
    provider: z.object({ provider_id: ProviderId, name: z.string() }),
    quantity: z.int(),
    kind: OrderKind,
    instance_id: InstanceId.nullable().meta({ description: 'The instance that goes on' }),
    period: z.object({ count: z.int(), unit: PeriodUnit }).nullable(),
    flow: Flow.nullable().meta({ description: 'Of a metered SKU 计量类: what each piece holds' }),
    unit_price: Fen,
    server: ShownServerSale,
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
  wish: Wish,
  { line, server, product, sku, total, deduction, payable, coupon, coupons }: Quote,
  policy: OrderPolicy,
): z.infer<typeof ShownQuote> {
  return {
    product: { product_id: product.productId, name: product.name, delivery_type: product.deliveryType },
    sku: { sku_id: sku.skuId, name: sku.name, is_trial: isTrial(sku) },
    provider: { provider_id: product.providerId, name: product.providerName },
    quantity: line.quantity,
    kind: kindOf(wish),
    instance_id: wish.renews?.instanceId ?? null,
    period: line.period ?? null,
    flow: line.flow ?? null,
    unit_price: line.unitPrice,
    server: shownServerSale(server),
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
