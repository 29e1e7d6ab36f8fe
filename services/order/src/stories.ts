import type { AccountId, ClaimId, CouponId, InstanceId, OrderId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import type { Line } from '@yunshi/kernel/marketplace';
import { place, type Facts, type Order, type Request } from './order/order.ts';
import { agreementName, orderPolicy } from './policy.ts';
import { noRules } from './purchasing/purchasing.ts';
import { noCoupons, type Product, type UsableCoupon } from './quote/quote.ts';
import type { Purchase } from './sagas/steps.ts';

/*
 * The people and things of the tests: 林晓 of a chain of shops buys a year of 帆影 help desk for ¥1,200.00.
 */

/** A readable id: `named<OrderId>('ord', 'a1')` is `ord_` with its digits filled up by zeros. */
export const named = <T extends string>(prefix: string, digits: string): T => `${prefix}_${digits.padStart(32, '0')}` as T;

export const shops = named<AccountId>('acc', '1');
export const lin = named<UserId>('usr', '1');
export const stranger = named<AccountId>('acc', '9');
export const fanying = named<ProviderId>('prv', '1');
export const helpDesk = named<ProductId>('prd', '1');
export const trialWeek = named<SkuId>('sku', '101');
export const monthly = named<SkuId>('sku', '102');
export const seats = named<SkuId>('sku', '103');
export const yearly = named<SkuId>('sku', '104');
export const calls = named<SkuId>('sku', '105');
export const retired = named<SkuId>('sku', '106');
export const limited = named<SkuId>('sku', '107');
export const minus20 = named<ClaimId>('ccl', '1');
export const half = named<ClaimId>('ccl', '2');
export const order = named<OrderId>('ord', 'a1');
export const instance = named<InstanceId>('ins', 'b1');

export const noon = new Date('2026-03-02T12:00:00+08:00');
export const nextNoon = '2026-03-03T12:00:00+08:00';

export const helpDeskYear: Line = {
  skuId: yearly,
  productId: helpDesk,
  providerId: fanying,
  deliveryType: 'saas',
  quantity: 1,
  period: { count: 1, unit: 'year' },
  unitPrice: 120_000,
  amount: 120_000,
};

export const linBuys: Purchase = {
  orderId: order,
  orderNumber: '202603024320000012345678',
  accountId: shops,
  userId: lin,
  kind: 'new_purchase',
  line: helpDeskYear,
  serverAmount: 0,
  productName: '帆影智能客服',
  skuName: '团队版',
  isTrial: false,
  humanDelivery: false,
  payable: 120_000,
  payBy: nextNoon,
  refunded: 0,
};
export const linBuysWithCoupon: Purchase = { ...linBuys, claimId: minus20, payable: 118_000 };

/** The help desk as the catalogue tells it: a 7-day trial, a monthly and a yearly SKU, seats, and one off the shelf. */
export const helpDeskProduct: Product = {
  productId: helpDesk,
  productVersion: 3,
  providerId: fanying,
  providerName: '帆影软件',
  name: '帆影智能客服',
  deliveryType: 'saas',
  humanDelivery: false,
  published: true,
  skus: [
    { skuId: trialWeek, name: '七天体验版', price: { model: 'one_off', price: 0, validDays: 7 }, trialOf: yearly, onSale: true },
    { skuId: monthly, name: '基础版', price: { model: 'per_period', price: 9_900, unit: 'month', durations: [1, 3, 6, 12] }, onSale: true },
    { skuId: yearly, name: '团队版', price: { model: 'per_period', price: 120_000, unit: 'year', durations: [1, 2, 3] }, onSale: true },
    {
      skuId: seats,
      name: '坐席版',
      price: { model: 'per_quantity', price: 3_900, minimum: 5, maximum: 99_999_999, unit: 'month', durations: [1, 12] },
      onSale: true,
    },
    { skuId: calls, name: '消息包', price: { model: 'per_package', price: 5_000, calls: 10_000, validDays: 365 }, onSale: true },
    { skuId: retired, name: '旧版', price: { model: 'one_off', price: 100 }, onSale: false },
    { skuId: limited, name: '限购版', price: { model: 'one_off', price: 9_900 }, onSale: true, perAccountMax: 3 },
  ],
};

export const usable = (claimId: ClaimId, deduction: number): UsableCoupon => ({
  claimId,
  couponId: named<CouponId>('cpn', '1'),
  name: `减 ${deduction} 分`,
  deduction,
  expiresAt: '2026-04-01T00:00:00+08:00',
});

export const linAsks: Request = {
  orderId: order,
  accountId: shops,
  userId: lin,
  wish: { skuId: yearly, quantity: 1, duration: 1 },
  coupon: 'best',
  acceptedAgreements: orderPolicy.agreements.map(agreementName),
};
export const facts: Facts = {
  product: helpDeskProduct,
  coupons: { usable: [usable(minus20, 2_000)], unusable: [] },
  trialTaken: false,
  bought: 0,
  casesOpened: false,
  server: undefined,
  rules: noRules,
};

/** An order as it is placed, or a test that does not deserve the name. */
export function placed(changes: Partial<Request> = {}, known: Partial<Facts> = {}, now = noon): Order {
  const changed = place({ ...linAsks, ...changes }, { ...facts, ...known }, orderPolicy, now);
  if (!changed.ok) throw new Error(`the story cannot order: ${changed.error.code}`);
  return changed.value.order;
}

/** An order with nothing to pay, because it is a trial. */
export const trialOrder = (): Order => placed({ wish: { skuId: trialWeek, quantity: 1 } }, { coupons: noCoupons });
