import { couponsForOrder } from '@yunshi/contracts/coupon';
import type { AccountId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import type { Facts } from '../order/order.ts';
import { noRules } from '../purchasing/purchasing.ts';
import { findPurchasing } from '../purchasing/purchasings.ts';
import { isTrialTaken } from '../order/trials.ts';
import { findProductOfSku } from './products.ts';
import { isTrial, noCoupons, price, type Coupons, type Priced, type Wish } from './quote.ts';

const couponsMsMax = 2_000;

type Asking = { readonly accountId: AccountId; readonly wish: Wish; readonly withCoupons: boolean };

/** What must be known to price a wish for a buyer: the product, whether the trial is still to be had, and the buyer's coupons. */
export async function factsFor(core: Core, { accountId, wish, withCoupons }: Asking): Promise<Facts> {
  const product = await findProductOfSku(core.sql, wish.skuId);
  const priced = price(product, wish);
  if (!priced.ok) return { product, coupons: noCoupons, trialTaken: false, rules: noRules };
  const { line, sku } = priced.value;
  const [trialTaken, coupons, rules] = await Promise.all([
    isTrial(sku) && isTrialTaken(core.sql, { accountId, productId: line.productId }),
    withCoupons && line.amount > 0 ? couponsOf(core, accountId, priced.value) : noCoupons,
    findPurchasing(core.sql, accountId),
  ]);
  return { product, coupons, trialTaken, rules: rules ?? noRules };
}

const couponsOf = (core: Core, accountId: AccountId, { line }: Priced): Promise<Coupons> =>
  core.ask(couponsForOrder, { accountId, kind: 'new_purchase', lines: [line] }, couponsMsMax);
