import { z } from 'zod';
import { AccountId, OrderId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { DeliveryType, Flow, PeriodUnit } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { command, event, query } from './define.ts';

/** How a SKU is priced 计价模型: per period 按周期, per quantity 按数量, per package 按次数包, one-off 一次性. `price` is fen for one unit. */
export const PriceModel = z.discriminatedUnion('model', [
  z.object({ model: z.literal('per_period'), price: Fen, unit: PeriodUnit, durations: z.array(z.int().min(1).max(120)).min(1) }),
  z.object({
    model: z.literal('per_quantity'),
    price: Fen,
    minimum: z.int().min(1),
    maximum: z.int().max(99_999_999),
    /** A seat is bought for a period where this is set; price is then per seat and unit. */
    unit: PeriodUnit.optional(),
    durations: z.array(z.int().min(1).max(120)).min(1).optional(),
  }),
  z.object({ model: z.literal('per_package'), price: Fen, calls: z.int().min(1), validDays: z.int().min(1) }),
  z.object({ model: z.literal('one_off'), price: Fen, validDays: z.int().min(1).optional() }),
]);
export type PriceModel = z.infer<typeof PriceModel>;

export const SkuSnapshot = z.object({
  skuId: SkuId,
  name: z.string(),
  price: PriceModel,
  /** Set on a trial 试用: the SKU that it converts to. */
  trialOf: SkuId.optional(),
  onSale: z.boolean(),
  /** Set on a metered SKU 计量类: what its provider counts, and how much of it one piece holds. */
  flow: Flow.optional(),
  /** 每账号限购: how often an account may buy it. What ended unpaid or was refunded in full does not count, nor do renewals. */
  perAccountMax: z.int().min(1).max(1_000).optional(),
});
export type SkuSnapshot = z.infer<typeof SkuSnapshot>;

/** The whole of a product as others may know it. Replicas keep the newest `productVersion` and ignore older ones. */
export const productChanged = event('catalog.product-changed', 1, {
  data: z.object({
    productId: ProductId,
    productVersion: z.int().min(1),
    providerId: ProviderId,
    providerName: z.string(),
    /** 自营: served by the operator's own staff. */
    selfOperated: z.boolean().default(false),
    name: z.string(),
    deliveryType: DeliveryType,
    /** A SaaS product that also needs human delivery. */
    humanDelivery: z.boolean(),
    status: z.enum(['published', 'withdrawn']),
    skus: z.array(SkuSnapshot),
  }),
});

/** How much of the catalogue somebody has: how many products, and the sum of their versions. */
export const CatalogueMark = z.object({ products: z.int().min(0), versions: z.int().min(0) });
export type CatalogueMark = z.infer<typeof CatalogueMark>;

/**
 * The products as `productChanged` told of them, page by page in the order of their ids: for a replica that was away for longer than the
 * stream keeps events. The first question says what is `known`. A replica never has more products or newer ones than the catalogue, so
 * where count and sum are equal the whole is, and nothing is sent. `next` is to be sent as `after` for the next page; null ends it.
 */
export const productsAfter = query('catalog.products-after', 1, {
  data: z.object({ known: CatalogueMark.optional(), after: ProductId.optional() }),
  answer: z.object({ products: z.array(productChanged.data), next: ProductId.nullable() }),
});

/** How a provider is reached 服务商联系方式: for those who have bought from it. Null where there is no such provider. */
export const contactOfProvider = query('catalog.contact-of-provider', 1, {
  data: z.object({ providerId: ProviderId }),
  answer: z.object({ contact: z.object({ phone: z.string(), email: z.string(), serviceHours: z.string() }).nullable() }),
});

/** Adds one to a product's completed sales 交易成功, once for an order however often it is asked. */
export const recordSale = command('catalog.record-sale', 1, {
  data: z.object({ orderId: OrderId, productId: ProductId, accountId: AccountId, quantity: z.int().min(1) }),
  replies: { recorded: z.object({}) },
});
