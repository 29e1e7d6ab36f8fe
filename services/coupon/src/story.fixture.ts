import type { Line } from '@yunshi/kernel/marketplace';
import type { AccountId, ClaimId, CouponId, OrderId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import { claim, type Claim } from './claim/claim.ts';
import { publish, type Coupon, type CouponDraft } from './coupon/coupon.ts';

/** People and things of the tests: a shop with a help desk (SaaS), a hardened image and a call package, and its buyers. */
const hex = (digit: string): string => digit.repeat(32);
export const shop = `prv_${hex('1')}` as ProviderId;
export const otherShop = `prv_${hex('2')}` as ProviderId;
export const helpDesk = `prd_${hex('1')}` as ProductId;
export const hardenedImage = `prd_${hex('2')}` as ProductId;
export const callPackage = `prd_${hex('3')}` as ProductId;
export const lin = `acc_${hex('1')}` as AccountId;
export const zhao = `acc_${hex('2')}` as AccountId;
export const linsUser = `usr_${hex('1')}` as UserId;
export const firstOrder = `ord_${hex('1')}` as OrderId;
export const secondOrder = `ord_${hex('2')}` as OrderId;

export const march = (day: number, hour = 12): Date => new Date(Date.UTC(2026, 2, day, hour - 8));

/** Published on 1 March 2026: 100 coupons of ¥20 off from ¥100, two a buyer, to be claimed in March and used until 10 April. */
export const draft: CouponDraft = {
  name: '新客满减券',
  providerId: shop,
  providerName: '云帆软件',
  benefit: { type: 'amount', threshold: 10_000, off: 2_000 },
  scope: { type: 'shop' },
  scenes: ['new_purchase'],
  stock: 100,
  perBuyer: 2,
  claimFrom: march(1, 0),
  claimUntil: march(32, 0),
  validity: { type: 'absolute', from: march(1, 0), until: march(41, 0) },
  listed: true,
};

export function published(changes: Partial<CouponDraft> = {}): Coupon {
  const coupon = publish({ ...draft, ...changes }, { couponId: `cpn_${hex('1')}` as CouponId, number: 'YHQ20260301001', at: march(1) });
  if (!coupon.ok) throw new Error(`the draft of the story is wrong: ${JSON.stringify(coupon.error)}`);
  return coupon.value;
}

export function claimed(changes: Partial<CouponDraft> = {}, at: Date = march(2)): Claim {
  const taken = claim(published(changes), 0, { claimId: `ccl_${hex('1')}` as ClaimId, accountId: lin, userId: linsUser, now: at });
  if (!taken.ok) throw new Error(`the story cannot claim: ${taken.error}`);
  return taken.value.claim;
}

export function line(amount: number, changes: Partial<Line> = {}): Line {
  return {
    skuId: `sku_${hex('1')}` as SkuId,
    productId: helpDesk,
    providerId: shop,
    deliveryType: 'saas',
    quantity: 1,
    unitPrice: amount,
    amount,
    ...changes,
  };
}
