import { z } from 'zod';
import type { PriceModel, SkuSnapshot } from '@yunshi/contracts/catalog';
import type { couponsForProduct } from '@yunshi/contracts/coupon';
import { chinaTime } from '@yunshi/kernel/calendar';
import { CouponId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { DeliveryType, Flow, OrderKind, PeriodUnit } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import type { Category, Found, Listed, Provider } from './product/products.ts';
import { averageOf } from './review/review.ts';

// How the catalogue looks over HTTP. Times are in China's offset, to the second.

const Time = z.iso.datetime({ offset: true });

const perPeriod = { price: Fen, unit: PeriodUnit, durations: z.array(z.int()).min(1) };
const perQuantity = {
  price: Fen,
  minimum: z.int(),
  maximum: z.int(),
  unit: PeriodUnit.optional(),
  durations: z.array(z.int()).min(1).optional(),
};

export const WirePrice = z
  .discriminatedUnion('model', [
    z.strictObject({ model: z.literal('per_period'), ...perPeriod }),
    z.strictObject({ model: z.literal('per_quantity'), ...perQuantity }),
    z.strictObject({ model: z.literal('per_package'), price: Fen, calls: z.int(), valid_days: z.int() }),
    z.strictObject({ model: z.literal('one_off'), price: Fen, valid_days: z.int().optional() }),
  ])
  .meta({
    id: 'Price',
    description: '计价模型. `price` is for one unit: a seat, a period, a package; `durations` are what can be chosen.',
  });

export const WireSku = z
  .object({
    sku_id: SkuId,
    name: z.string(),
    price: WirePrice,
    trial_of: SkuId.nullable().meta({ description: 'Set on a trial 试用: the SKU that it converts to' }),
    on_sale: z.boolean(),
    flow: Flow.nullable().meta({ description: 'Set on a metered SKU 计量类: what is counted, and how much of it one piece holds' }),
    per_account_max: z.int().nullable().meta({ description: '每账号限购: how often an account may buy it' }),
  })
  .meta({ id: 'Sku' });

export const WireCategory = z
  .object({
    category_id: z.string(),
    name: z.string(),
    name_en: z.string(),
    products: z.int().meta({ description: 'Products on the shelf' }),
  })
  .meta({ id: 'Category' });

export const WireProvider = z
  .object({
    provider_id: ProviderId,
    name: z.string(),
    name_en: z.string(),
    about: z.string(),
    about_en: z.string(),
    self_operated: z.boolean().meta({ description: '自营' }),
    contact: z.object({ phone: z.string(), email: z.string(), service_hours: z.string() }),
    joined_at: Time,
  })
  .meta({ id: 'Provider' });

const shared = {
  product_id: ProductId,
  name: z.string(),
  name_en: z.string().nullable(),
  summary: z.string(),
  summary_en: z.string().nullable(),
  delivery_type: DeliveryType,
  human_delivery: z.boolean().meta({ description: 'A SaaS product that also needs human delivery' }),
  price_from: Fen.meta({ description: 'Lowest unit price on sale, trials left out' }),
  has_trial: z.boolean(),
  sales_count: z.int().meta({ description: '交易成功' }),
  rating: z.object({ reviews: z.int(), average: z.number().nullable().meta({ description: 'Of 1 to 5 stars' }) }),
  published_at: Time,
};

export const WireListed = z
  .object({
    ...shared,
    category_id: z.string(),
    provider: z.object({ provider_id: ProviderId, name: z.string(), self_operated: z.boolean() }),
  })
  .meta({ id: 'ListedProduct' });

const WirePageCoupon = z
  .object({
    coupon_id: CouponId,
    name: z.string(),
    benefit: z.discriminatedUnion('type', [
      z.object({ type: z.literal('discount'), pay_percent: z.int().meta({ description: 'What the buyer pays: 10 is 1折' }) }),
      z.object({ type: z.literal('amount'), threshold: Fen, off: Fen }),
    ]),
    scenes: z.array(OrderKind),
    left: z.int(),
    per_buyer: z.int(),
    claim_until: Time,
  })
  .meta({ id: 'CouponToClaim' });
export type PageCoupons = z.output<typeof couponsForProduct.answer>['coupons'];

export const WireProduct = z
  .object({
    ...shared,
    status: z.enum(['published', 'withdrawn']).meta({ description: 'Only what is published can be ordered' }),
    description: z.string().meta({ description: 'Markdown' }),
    guide: z.string().meta({ description: '使用指南, Markdown' }),
    skus: z.array(WireSku),
    coupons: z.array(WirePageCoupon).nullable().meta({
      description:
        'Coupons to claim, those that close first in front; null when they are not known at the moment. All: `/v1/coupons?product_id=…`',
    }),
    category: z.object({ category_id: z.string(), name: z.string(), name_en: z.string() }),
    provider: WireProvider,
  })
  .meta({ id: 'Product' });

function priceShown(price: PriceModel): z.input<typeof WirePrice> {
  switch (price.model) {
    case 'per_period':
    case 'per_quantity':
      return price;
    case 'per_package':
      return { model: price.model, price: price.price, calls: price.calls, valid_days: price.validDays };
    case 'one_off':
      return { model: price.model, price: price.price, ...(price.validDays !== undefined && { valid_days: price.validDays }) };
  }
}

/** The price as the rules know it. What only rules can tell (ranges, which model fits) is checked by them. */
export function priceRead(price: z.output<typeof WirePrice>): PriceModel {
  switch (price.model) {
    case 'per_period':
      return price;
    case 'per_quantity': {
      const { unit, durations, ...rest } = price;
      return { ...rest, ...(unit !== undefined && { unit }), ...(durations !== undefined && { durations }) };
    }
    case 'per_package':
      return { model: price.model, price: price.price, calls: price.calls, validDays: price.valid_days };
    case 'one_off':
      return { model: price.model, price: price.price, ...(price.valid_days !== undefined && { validDays: price.valid_days }) };
  }
}

export const skuShown = ({ skuId, name, price, trialOf, onSale, flow, perAccountMax }: SkuSnapshot): z.input<typeof WireSku> => ({
  sku_id: skuId,
  name,
  price: priceShown(price),
  trial_of: trialOf ?? null,
  on_sale: onSale,
  flow: flow ?? null,
  per_account_max: perAccountMax ?? null,
});

const sharedShown = (product: Listed | Found) => ({
  product_id: product.productId,
  name: product.name,
  name_en: product.nameEn,
  summary: product.summary,
  summary_en: product.summaryEn,
  delivery_type: product.deliveryType,
  human_delivery: product.humanDelivery,
  price_from: product.priceFrom,
  has_trial: product.hasTrial,
  sales_count: product.completedSales,
  rating: { reviews: product.rating.reviews, average: averageOf(product.rating) },
  published_at: chinaTime(product.publishedAt),
});

export const listedShown = (product: Listed): z.input<typeof WireListed> => ({
  ...sharedShown(product),
  category_id: product.categoryId,
  provider: { provider_id: product.providerId, name: product.providerName, self_operated: product.selfOperated },
});

const couponShown = ({
  couponId,
  name,
  benefit,
  scenes,
  left,
  perBuyer,
  claimUntil,
}: PageCoupons[number]): z.input<typeof WirePageCoupon> => ({
  coupon_id: couponId,
  name,
  benefit: benefit.type === 'discount' ? { type: benefit.type, pay_percent: benefit.payPercent } : benefit,
  scenes,
  left,
  per_buyer: perBuyer,
  claim_until: chinaTime(new Date(claimUntil)),
});

export const productShown = (product: Found, coupons: PageCoupons | undefined): z.input<typeof WireProduct> => ({
  ...sharedShown(product),
  status: product.status === 'published' ? 'published' : 'withdrawn',
  description: product.description,
  guide: product.guide,
  skus: product.skus.map(skuShown),
  coupons: coupons?.map(couponShown) ?? null,
  category: { category_id: product.category.categoryId, name: product.category.name, name_en: product.category.nameEn },
  provider: providerShown(product.provider),
});

export const categoryShown = ({ categoryId, name, nameEn, products }: Category & { products: number }): z.input<typeof WireCategory> => ({
  category_id: categoryId,
  name,
  name_en: nameEn,
  products,
});

export const providerShown = (provider: Provider): z.input<typeof WireProvider> => ({
  provider_id: provider.providerId,
  name: provider.name,
  name_en: provider.nameEn,
  about: provider.about,
  about_en: provider.aboutEn,
  self_operated: provider.selfOperated,
  contact: { phone: provider.phone, email: provider.email, service_hours: provider.serviceHours },
  joined_at: chinaTime(provider.joinedAt),
});
