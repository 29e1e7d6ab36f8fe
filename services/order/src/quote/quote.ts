import type { PriceModel, SkuSnapshot } from '@yunshi/contracts/catalog';
import type { CouponRefusal } from '@yunshi/contracts/coupon';
import type { ClaimId, CouponId, InstanceId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { monthsOf, type DeliveryType, type Line, type OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import { serverAmountOf, type ServerSale } from './server.ts';

/** What this service knows of a product of the catalogue: the newest version that it was told. */
export type Product = {
  readonly productId: ProductId;
  readonly productVersion: number;
  readonly providerId: ProviderId;
  readonly providerName: string;
  readonly name: string;
  readonly deliveryType: DeliveryType;
  /** A SaaS product that also needs human delivery. */
  readonly humanDelivery: boolean;
  readonly published: boolean;
  readonly skus: readonly SkuSnapshot[];
};

/** What a buyer picks. `duration` counts the SKU's own periods: 3 of a monthly SKU are 3 months. */
export type Wish = {
  readonly skuId: SkuId;
  readonly quantity: number;
  readonly duration?: number | undefined;
  /** Of an image that is bought new: the cloud server that is to be made of it. */
  readonly server?: ServerConfiguration | undefined;
  /** The instance that is to go on, instead of a new one. */
  readonly renews?: { readonly kind: Exclude<OrderKind, 'new_purchase'>; readonly instanceId: InstanceId } | undefined;
};

export type WishRefusal =
  | { readonly code: 'sku-not-found'; readonly field: 'sku_id' }
  | { readonly code: 'product-withdrawn'; readonly field: 'sku_id' }
  | { readonly code: 'sku-not-on-sale'; readonly field: 'sku_id' }
  | { readonly code: 'delivery-not-offered'; readonly field: 'sku_id' }
  | { readonly code: 'duration-not-offered'; readonly field: 'duration'; readonly offered: readonly number[] }
  | { readonly code: 'quantity-not-offered'; readonly field: 'quantity'; readonly minimum: number; readonly maximum: number }
  | { readonly code: 'amount-too-large'; readonly field: 'quantity'; readonly maximum: Fen };

/** Nobody shall pay for what cannot be delivered, only to be refunded: servers are rented by whole months. */
const isDeliverable = ({ deliveryType }: Pick<Product, 'deliveryType'>, terms: ReturnType<typeof periodsOf>): boolean =>
  deliveryType !== 'image' || (terms !== undefined && monthsOf({ count: 1, unit: terms.unit }) !== undefined);

/** Whether people deliver it 人工交付, in a delivery case. */
export const needsPeople = ({ deliveryType, humanDelivery }: Pick<Product, 'deliveryType' | 'humanDelivery'>): boolean =>
  deliveryType === 'human_service' || humanDelivery;

/** One line with the server's price, and what the buyer knows it by. */
export type Priced = { readonly line: Line; readonly product: Product; readonly sku: SkuSnapshot };

/** Prices a wish from what is known of the product. The client's own idea of a price never comes in. */
export function price(product: Product | undefined, wish: Wish): Result<Priced, WishRefusal> {
  const sku = product?.skus.find(({ skuId }) => skuId === wish.skuId);
  if (!product || !sku) return no({ code: 'sku-not-found', field: 'sku_id' });
  if (!product.published) return no({ code: 'product-withdrawn', field: 'sku_id' });
  if (!sku.onSale) return no({ code: 'sku-not-on-sale', field: 'sku_id' });
  const { minimum, maximum } = quantitiesOf(sku.price);
  if (wish.quantity < minimum || wish.quantity > maximum) return no({ code: 'quantity-not-offered', field: 'quantity', minimum, maximum });
  const terms = periodsOf(sku.price);
  if (!isDeliverable(product, terms)) return no({ code: 'delivery-not-offered', field: 'sku_id' });
  const isOffered = terms ? wish.duration !== undefined && terms.durations.includes(wish.duration) : wish.duration === undefined;
  if (!isOffered) return no({ code: 'duration-not-offered', field: 'duration', offered: terms?.durations ?? [] });
  const periods = wish.duration ?? 1;
  // Two factors of at most 10^8 and 120 beside a price of at most 10^12 may leave the integers that a number holds exactly.
  const amount = BigInt(sku.price.price) * BigInt(wish.quantity) * BigInt(periods);
  if (amount > BigInt(amountMax)) return no({ code: 'amount-too-large', field: 'quantity', maximum: amountMax });
  const line: Line = {
    skuId: sku.skuId,
    productId: product.productId,
    providerId: product.providerId,
    deliveryType: product.deliveryType,
    quantity: wish.quantity,
    ...(terms && { period: { count: periods, unit: terms.unit } }),
    ...(sku.flow && { flow: sku.flow }),
    ...(sku.price.model === 'per_package' && { pack: { calls: sku.price.calls, validDays: sku.price.validDays } }),
    unitPrice: sku.price.price,
    amount: Number(amount),
  };
  return ok({ line, product, sku });
}

const amountMax: Fen = Fen.maxValue ?? Number.MAX_SAFE_INTEGER;

/** How many can be bought at once. Only what is priced by quantity is sold in more than one piece. */
const quantitiesOf = (model: PriceModel): { minimum: number; maximum: number } =>
  model.model === 'per_quantity' ? { minimum: model.minimum, maximum: model.maximum } : { minimum: 1, maximum: 1 };

export function periodsOf(model: PriceModel) {
  if (model.model === 'per_period') return { unit: model.unit, durations: model.durations };
  if (model.model !== 'per_quantity' || model.unit === undefined || model.durations === undefined) return undefined;
  return { unit: model.unit, durations: model.durations };
}

export const isTrial = ({ trialOf }: SkuSnapshot): boolean => trialOf !== undefined;

export type UsableCoupon = {
  readonly claimId: ClaimId;
  readonly couponId: CouponId;
  readonly name: string;
  readonly deduction: Fen;
  readonly expiresAt: string;
};
export type UnusableCoupon = {
  readonly claimId: ClaimId;
  readonly couponId: CouponId;
  readonly name: string;
  readonly reason: CouponRefusal;
};
/** All coupons that a buyer holds, as they stand to one order. */
export type Coupons = { readonly usable: readonly UsableCoupon[]; readonly unusable: readonly UnusableCoupon[] };
export const noCoupons: Coupons = { usable: [], unusable: [] };

/** Which coupon the buyer wants: the one that saves most, none, or a certain one. Coupons never stack. */
export type CouponChoice = 'best' | 'none' | ClaimId;
export type CouponNotUsable = { readonly code: 'coupon-not-usable'; readonly field: 'coupon'; readonly reason: CouponRefusal };

/** What an order costs: 商品总计 − 优惠券抵扣 = 实付金额. */
export type Quote = Priced & {
  readonly server: ServerSale | null;
  /** The line and the server. */
  readonly total: Fen;
  readonly coupon: UsableCoupon | undefined;
  readonly deduction: Fen;
  readonly payable: Fen;
  readonly coupons: Coupons;
};

/** Puts the price, the server's and the chosen coupon together. Coupons are the provider's, and take off its own part alone. */
export function quote(
  priced: Priced,
  server: ServerSale | null,
  coupons: Coupons,
  choice: CouponChoice,
): Result<Quote, CouponNotUsable | WishRefusal> {
  const chosen = choose(coupons, choice);
  if (!chosen.ok) return chosen;
  const total = priced.line.amount + serverAmountOf(server);
  if (total > amountMax) return no({ code: 'amount-too-large', field: 'quantity', maximum: amountMax });
  const deduction = chosen.value?.deduction ?? 0;
  // Not a buyer's mistake: the coupon service would have taken off more than there is.
  const { amount } = priced.line;
  if (deduction > amount) throw new Error(`coupon ${chosen.value?.claimId} takes ${deduction} fen off a total of ${amount}`);
  return ok({ ...priced, server, total, coupon: chosen.value, deduction, payable: total - deduction, coupons });
}

function choose({ usable, unusable }: Coupons, choice: CouponChoice): Result<UsableCoupon | undefined, CouponNotUsable> {
  if (choice === 'none') return ok(undefined);
  if (choice === 'best') return ok(best(usable));
  const chosen = usable.find(({ claimId }) => claimId === choice);
  if (chosen) return ok(chosen);
  const reason = unusable.find(({ claimId }) => claimId === choice)?.reason ?? 'not-found';
  return no({ code: 'coupon-not-usable', field: 'coupon', reason });
}

/** The largest deduction; of equal ones the first, which expires soonest. */
const best = (usable: readonly UsableCoupon[]): UsableCoupon | undefined =>
  usable.reduce<UsableCoupon | undefined>((found, coupon) => (found && found.deduction >= coupon.deduction ? found : coupon), undefined);
