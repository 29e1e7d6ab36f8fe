import type { AccountId, ClaimId, InstanceId, OrderId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import type { Line } from '@yunshi/kernel/marketplace';
import type { Purchase } from './sagas/purchase.saga.ts';

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
export const yearly = named<SkuId>('sku', '104');
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
  productName: '帆影智能客服',
  skuName: '团队版',
  isTrial: false,
  total: 120_000,
  payable: 120_000,
  payBy: nextNoon,
  refunded: 0,
};
export const linBuysWithCoupon: Purchase = { ...linBuys, claimId: minus20, payable: 118_000 };
