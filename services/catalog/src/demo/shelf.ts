import type { PriceModel, SkuSnapshot } from '@yunshi/contracts/catalog';
import type { ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';
import type { ProductDraft } from '../product/product.ts';

/** A product of the demo world: the draft, and what its past looks like. */
export type Exhibit = {
  readonly draft: ProductDraft;
  /** Completed sales before the story begins. */
  readonly sold: number;
  readonly publishedDaysAgo: number;
  readonly withdrawn?: boolean;
};

type Texts = Pick<ProductDraft, 'nameEn' | 'summary' | 'summaryEn' | 'description' | 'guide'>;

/** Puts a product on the shelf of the demo world. */
export function exhibit(
  of: { readonly productId: ProductId; readonly name: string },
  by: { readonly providerId: ProviderId },
  kind: { readonly categoryId: string; readonly deliveryType: DeliveryType; readonly humanDelivery?: boolean },
  texts: Texts,
  skus: SkuSnapshot[],
  past: Omit<Exhibit, 'draft'>,
): Exhibit {
  return {
    draft: { productId: of.productId, providerId: by.providerId, name: of.name, humanDelivery: false, ...kind, ...texts, skus },
    ...past,
  };
}

const yuan = (amount: number): number => Math.round(amount * 100);
export const sku = (skuId: SkuId, name: string, price: PriceModel): SkuSnapshot => ({ skuId, name, price, onSale: true });

/** 七天体验版 of a formal SKU. */
export const trial = (skuId: SkuId, trialOf: SkuId): SkuSnapshot => ({
  skuId,
  name: '七天体验版',
  price: { model: 'per_period', price: 0, unit: 'day', durations: [7] },
  trialOf,
  onSale: true,
});

/** Prices in yuan, as the price lists of providers have them. */
export const byMonth = (price: number): PriceModel => ({
  model: 'per_period',
  price: yuan(price),
  unit: 'month',
  durations: [1, 2, 3, 6, 12],
});
export const byYear = (price: number): PriceModel => ({ model: 'per_period', price: yuan(price), unit: 'year', durations: [1, 2, 3] });
export const seatsByMonth = (price: number, minimum: number): PriceModel => ({
  model: 'per_quantity',
  price: yuan(price),
  minimum,
  maximum: 99_999_999,
  unit: 'month',
  durations: [1, 3, 6, 12],
});
export const seatsByYear = (price: number, minimum: number): PriceModel => ({
  model: 'per_quantity',
  price: yuan(price),
  minimum,
  maximum: 99_999_999,
  unit: 'year',
  durations: [1, 2, 3],
});
export const calls = (count: number, price: number, validDays = 365): PriceModel => ({
  model: 'per_package',
  price: yuan(price),
  calls: count,
  validDays,
});
export const once = (price: number): PriceModel => ({ model: 'one_off', price: yuan(price) });
export const each = (price: number, minimum: number, maximum: number): PriceModel => ({
  model: 'per_quantity',
  price: yuan(price),
  minimum,
  maximum,
});
