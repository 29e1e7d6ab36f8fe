import { demoClaims, demoCoupons, demoPersonas, demoProducts, demoProviders } from '@yunshi/contracts/demo-world';
import { addDays } from '@yunshi/kernel/calendar';
import type { ClaimId, CouponId } from '@yunshi/kernel/ids';
import type { Benefit, CouponDraft, Validity } from '../coupon/coupon.ts';

/** An offer of the demo world: the draft, and what became of it before the story begins. */
export type Offer = {
  readonly couponId: CouponId;
  readonly draft: CouponDraft;
  /** How many are gone already, claims of the demo's buyers not counted. */
  readonly gone?: number;
  readonly paused?: boolean;
  readonly publishedDaysAgo: number;
};

/** Who claimed what before the story begins. */
export type Claimed = {
  readonly claimId: ClaimId;
  readonly couponId: CouponId;
  readonly by: keyof typeof demoPersonas;
  readonly daysAgo: number;
};

type Shop = keyof typeof demoProviders;
type Parts = Omit<CouponDraft, 'name' | 'providerId' | 'providerName' | 'listed' | 'scope'> &
  Partial<Pick<CouponDraft, 'listed' | 'scope'>>;

const discount = (payPercent: number): Benefit => ({ type: 'discount', payPercent });
/** 满减 in whole yuan. */
const minus = (off: number, from: number): Benefit => ({ type: 'amount', threshold: from * 100, off: off * 100 });
const named = (...of: readonly (keyof typeof demoProducts)[]): CouponDraft['scope'] => ({
  type: 'products',
  productIds: of.map((key) => demoProducts[key].productId),
});
const daysAfterClaim = (days: number): Validity => ({ type: 'after_claim', days });

/** All offers, with windows around the day on which the demo world is made. */
export function demoOffers(today: Date): readonly Offer[] {
  const day = (days: number) => addDays(today, days);
  const between = (from: number, until: number): Validity => ({ type: 'absolute', from: day(from), until: day(until) });
  const open = (from: number, until: number) => ({ claimFrom: day(from), claimUntil: day(until) });
  const offer = (of: keyof typeof demoCoupons, shop: Shop, parts: Parts, past: Omit<Offer, 'couponId' | 'draft'>): Offer => {
    const { couponId, name } = demoCoupons[of];
    const { providerId, name: providerName } = demoProviders[shop];
    return { couponId, draft: { name, providerId, providerName, listed: true, scope: { type: 'shop' }, ...parts }, ...past };
  };
  const past = { publishedDaysAgo: 20 };
  return [
    // prettier-ignore
    offer('fanyingMinus20', 'fanying', { benefit: minus(20, 100), scenes: ['new_purchase'], stock: 5_000, perBuyer: 5, ...open(-20, 60), validity: between(-20, 90) }, { ...past, gone: 1_204 }),
    // prettier-ignore
    offer('fanying85', 'fanying', { benefit: discount(85), scenes: ['new_purchase', 'renewal'], stock: 2_000, perBuyer: 3, ...open(-20, 40), validity: daysAfterClaim(30) }, { ...past, gone: 377 }),
    // prettier-ignore
    offer('helpDeskHalf', 'fanying', { benefit: discount(50), scope: named('helpDesk'), scenes: ['new_purchase'], stock: 50, perBuyer: 2, ...open(-10, 20), validity: daysAfterClaim(15) }, { publishedDaysAgo: 10, gone: 46 }),
    // prettier-ignore
    offer('fanyingMinus300', 'fanying', { benefit: minus(300, 2_000), scenes: ['new_purchase', 'renewal'], stock: 300, perBuyer: 1, ...open(-20, 60), validity: between(-20, 90) }, { ...past, gone: 12 }),
    // prettier-ignore
    offer('fanyingRenewal', 'fanying', { benefit: discount(90), scenes: ['renewal'], stock: 10_000, perBuyer: 2, ...open(-20, 180), validity: daysAfterClaim(180) }, past),
    // prettier-ignore
    offer('helpDeskConversion', 'fanying', { benefit: minus(50, 150), scope: named('helpDesk'), scenes: ['trial_conversion'], stock: 1_000, perBuyer: 1, ...open(-20, 120), validity: daysAfterClaim(60) }, past),
    // prettier-ignore
    offer('lidunMinus150', 'lidun', { benefit: minus(150, 1_000), scenes: ['new_purchase', 'renewal', 'trial_conversion'], stock: 800, perBuyer: 2, ...open(-20, 45), validity: between(-20, 60) }, { ...past, gone: 65 }),
    // prettier-ignore
    offer('lidunImages', 'lidun', { benefit: discount(80), scope: named('hardenedLinux', 'bastion'), scenes: ['new_purchase'], stock: 500, perBuyer: 1, ...open(-20, 45), validity: between(-20, 60) }, { ...past, gone: 41 }),
    // prettier-ignore
    offer('wenlanMinus80', 'wenlan', { benefit: minus(80, 500), scenes: ['new_purchase'], stock: 1_000, perBuyer: 3, ...open(-20, 30), validity: daysAfterClaim(30) }, { ...past, gone: 230 }),
    // prettier-ignore
    offer('wenlanGone', 'wenlan', { benefit: minus(50, 200), scenes: ['new_purchase'], stock: 20, perBuyer: 1, ...open(-20, 30), validity: daysAfterClaim(30) }, { ...past, gone: 20 }),
    // prettier-ignore
    offer('muzuoPaused', 'muzuo', { benefit: discount(90), scope: named('lnmp', 'containers', 'database'), scenes: ['new_purchase'], stock: 600, perBuyer: 2, ...open(-20, 60), validity: daysAfterClaim(45) }, { ...past, gone: 88, paused: true }),
    // prettier-ignore
    offer('directUnlisted', 'direct', { benefit: minus(500, 3_000), scenes: ['new_purchase'], stock: 30, perBuyer: 1, ...open(-20, 90), validity: between(-20, 120), listed: false }, past),
    // prettier-ignore
    offer('chenxiTenth', 'chenxi', { benefit: discount(10), scope: named('shifts'), scenes: ['new_purchase'], stock: 5, perBuyer: 1, ...open(-5, 10), validity: daysAfterClaim(7) }, { publishedDaysAgo: 5, gone: 3 }),
    // prettier-ignore
    offer('chenxiExpired', 'chenxi', { benefit: minus(10, 50), scenes: ['new_purchase'], stock: 200, perBuyer: 1, ...open(-60, -30), validity: between(-60, -15) }, { publishedDaysAgo: 60, gone: 97 }),
    // prettier-ignore
    offer('fanyingLater', 'fanying', { benefit: discount(70), scenes: ['new_purchase'], stock: 400, perBuyer: 1, ...open(-3, 25), validity: between(10, 25) }, { publishedDaysAgo: 3, gone: 29 }),
  ];
}

const by = (who: Claimed['by'], claimId: ClaimId, of: keyof typeof demoCoupons, daysAgo: number): Claimed => ({
  claimId,
  couponId: demoCoupons[of].couponId,
  by: who,
  daysAgo,
});

/** In the order in which they were claimed of each coupon. */
export const demoClaimed: readonly Claimed[] = [
  by('lin', demoClaims.linMinus20, 'fanyingMinus20', 6),
  by('lin', demoClaims.lin85, 'fanying85', 5),
  by('lin', demoClaims.linHalf, 'helpDeskHalf', 2),
  by('lin', demoClaims.linMinus300, 'fanyingMinus300', 6),
  by('lin', demoClaims.linRenewal, 'fanyingRenewal', 9),
  by('lin', demoClaims.linConversion, 'helpDeskConversion', 4),
  by('lin', demoClaims.linLidun, 'lidunMinus150', 3),
  by('lin', demoClaims.linExpired, 'chenxiExpired', 41),
  by('lin', demoClaims.linLater, 'fanyingLater', 1),
  by('zhao', demoClaims.zhaoMinus20, 'fanyingMinus20', 4),
  by('zhao', demoClaims.zhao85, 'fanying85', 2),
  by('zhao', demoClaims.zhaoLidunImages, 'lidunImages', 7),
  by('zhao', demoClaims.zhaoWenlan, 'wenlanMinus80', 3),
  by('zhao', demoClaims.zhaoDirect, 'directUnlisted', 8),
  by('su', demoClaims.su85, 'fanying85', 1),
  by('su', demoClaims.suPaused, 'muzuoPaused', 12),
  by('su', demoClaims.suTenth, 'chenxiTenth', 1),
  by('su', demoClaims.suExpired, 'chenxiExpired', 38),
];
