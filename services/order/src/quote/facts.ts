import { couponsForOrder } from '@yunshi/contracts/coupon';
import { acceptsDeliveries } from '@yunshi/contracts/delivery';
import { priceServer } from '@yunshi/contracts/fulfillment';
import type { AccountId } from '@yunshi/kernel/ids';
import { monthsOf, type OrderKind } from '@yunshi/kernel/marketplace';
import type { Result } from '@yunshi/kernel/result';
import type { Core } from '@yunshi/messaging/core';
import type { Facts } from '../order/order.ts';
import { noRules } from '../purchasing/purchasing.ts';
import { findPurchasing } from '../purchasing/purchasings.ts';
import { findInstance } from '../instance/instances.ts';
import { countBought } from '../order/allowances.ts';
import { isTrialTaken } from '../order/trials.ts';
import { findProductOfSku } from './products.ts';
import { kindOf, limitOf, wishOf, type Asked, type RenewalRefusal } from './renewal.ts';
import { needsServer, type ServerPrice } from './server.ts';
import { isTrial, needsPeople, noCoupons, price, type Coupons, type Priced, type Wish } from './quote.ts';

const couponsMsMax = 2_000;
const casesMsMax = 1_000;
/** It may have to ask the cloud three times, one after the other. */
const serverMsMax = 10_000;

type Asks = Pick<Core, 'ask'>;
type Asking = { readonly accountId: AccountId; readonly wish: Wish; readonly withCoupons: boolean };

/** What must be known to price a wish for a buyer: the product, whether the trial is still to be had, and the buyer's coupons. */
export async function factsFor(core: Pick<Core, 'sql' | 'ask'>, { accountId, wish, withCoupons }: Asking): Promise<Facts> {
  const product = await findProductOfSku(core.sql, wish.skuId);
  const priced = price(product, wish);
  if (!priced.ok)
    return { product, coupons: noCoupons, trialTaken: false, bought: 0, casesOpened: false, server: undefined, rules: noRules };
  const { line, sku, product: sold } = priced.value;
  const isLimited = limitOf(wish, sku) !== undefined;
  const [trialTaken, bought, casesOpened, server, coupons, rules] = await Promise.all([
    isTrial(sku) && isTrialTaken(core.sql, { accountId, productId: line.productId }),
    isLimited ? countBought(core.sql, { accountId, skuId: sku.skuId }) : 0,
    needsPeople(sold) && areCasesOpened(core),
    needsServer(line, wish) ? serverPriceOf(core, { accountId, wish }, priced.value) : undefined,
    withCoupons && line.amount > 0 ? couponsOf(core, { accountId, kind: kindOf(wish) }, priced.value) : noCoupons,
    findPurchasing(core.sql, accountId),
  ]);
  return { product, coupons, trialTaken, bought, casesOpened, server, rules: rules ?? noRules };
}

/** Where nobody opens delivery cases, nobody answers, and what needs people is not sold: its buyer would wait in vain. */
const areCasesOpened = (core: Asks): Promise<boolean> =>
  core.ask(acceptsDeliveries, {}, casesMsMax).then(
    ({ accepts }) => accepts,
    () => false,
  );

/** A new server as it is wished, or one more period of the instance's. */
async function serverPriceOf(
  core: Asks,
  { accountId, wish: { server, renews } }: Pick<Asking, 'accountId' | 'wish'>,
  { line: { productId, period } }: Priced,
): Promise<ServerPrice | undefined> {
  const months = monthsOf(period);
  if (months === undefined) return undefined;
  if (renews !== undefined) {
    const { instanceId } = renews;
    return core.ask(priceServer, { months, of: { what: 'renewal', instanceId, accountId } }, serverMsMax);
  }
  return server && core.ask(priceServer, { months, of: { what: 'new', productId, server } }, serverMsMax);
}

type Buyer = { readonly accountId: AccountId; readonly kind: OrderKind };
const couponsOf = (core: Asks, { accountId, kind }: Buyer, { line }: Priced): Promise<Coupons> =>
  core.ask(couponsForOrder, { accountId, kind, lines: [line] }, couponsMsMax);

/** What is asked for, as something that can be priced; a renewal is looked up, and somebody else's instance is not found. */
export async function wishFor({ sql }: Pick<Core, 'sql'>, accountId: AccountId, asked: Asked): Promise<Result<Wish, RenewalRefusal>> {
  if (asked.kind === 'new_purchase') return wishOf(asked, undefined, undefined);
  const instance = await findInstance(sql, { accountId, instanceId: asked.instanceId });
  return wishOf(asked, instance, instance && (await findProductOfSku(sql, instance.skuId)));
}
