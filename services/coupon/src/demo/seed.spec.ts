import { expect, test } from 'vitest';
import { demoClaims, demoCoupons, demoPersonas, demoProducts } from '@yunshi/contracts/demo-world';
import { addDays } from '@yunshi/kernel/calendar';
import { forOrder, shownStatus, type Claim } from '../claim/claim.ts';
import { claimable, type Coupon } from '../coupon/coupon.ts';
import { line } from '../story.fixture.ts';
import { seedDemoWorld } from './seed.ts';

const now = new Date('2026-03-02T04:00:00Z');
const seeded = () => seedDemoWorld.decide(undefined, undefined, { now, beside: undefined });
const rows = <R>(table: string) => (seeded().writes ?? []).filter(({ to }) => to.name === table).map(({ row }) => row as R);
const offers = rows<Coupon>('coupons');
const held = (by: keyof typeof demoPersonas) => rows<Claim>('claims').filter(({ accountId }) => accountId === demoPersonas[by].accountId);

test('every coupon and claim that the demo world names is there', () => {
  expect(new Set(offers.map(({ couponId }) => couponId))).toEqual(new Set(Object.values(demoCoupons).map(({ couponId }) => couponId)));
  expect(new Set(rows<Claim>('claims').map(({ claimId }) => claimId))).toEqual(new Set(Object.values(demoClaims)));
});

test('there are coupons of each kind', () => {
  const any = (is: (coupon: Coupon) => boolean) => offers.some(is);
  expect({
    discount: any(({ benefit }) => benefit.type === 'discount'),
    amount: any(({ benefit }) => benefit.type === 'amount'),
    shop: any(({ scope }) => scope.type === 'shop'),
    products: any(({ scope }) => scope.type === 'products'),
    newPurchase: any(({ scenes }) => scenes.includes('new_purchase')),
    renewal: any(({ scenes }) => scenes.includes('renewal')),
    conversion: any(({ scenes }) => scenes.includes('trial_conversion')),
    unlisted: any(({ listed }) => !listed),
    nearlyGone: any(({ stock, claimed }) => claimed < stock && claimed >= stock * 0.8),
  }).not.toContain(false);
  const refusals = offers.map((coupon) => claimable(coupon, now)).map((result) => (result.ok ? 'claimable' : result.error));
  expect(new Set(refusals)).toEqual(new Set(['claimable', 'closed', 'paused', 'sold-out']));
});

test('the checkout of the help desk shows Lin usable coupons, the half price first, and unusable ones with different reasons', () => {
  const { productId, skus } = demoProducts.helpDesk;
  const providerId = offers[0]!.providerId;
  const lines = [line(19_900, { productId, providerId, skuId: skus.basic })];
  const { usable, unusable } = forOrder(held('lin'), { kind: 'new_purchase', lines, now });
  expect(usable.map(({ claimId, deduction }) => [claimId, deduction])).toEqual([
    [demoClaims.linHalf, 9_950],
    [demoClaims.lin85, 2_985],
    [demoClaims.linMinus20, 2_000],
  ]);
  expect(new Set(unusable.map(({ reason }) => reason))).toEqual(
    new Set(['below-threshold', 'wrong-scene', 'not-applicable', 'expired', 'not-yet-valid']),
  );
});

test('each of the three buyers holds coupons, and some are expired', () => {
  expect(held('lin').length).toBeGreaterThan(0);
  expect(held('zhao').length).toBeGreaterThan(0);
  expect(held('su').map((claim) => shownStatus(claim, now))).toContain('expired');
});

test('the windows move with the day on which the demo world is made', () => {
  const later = seedDemoWorld.decide(undefined, undefined, {
    now: addDays(now, 400),
    beside: undefined,
  });
  const moved = (later.writes ?? []).filter(({ to }) => to.name === 'coupons').map(({ row }) => (row as Coupon).claimUntil);
  expect(moved).toEqual(offers.map(({ claimUntil }) => addDays(claimUntil, 400)));
});

test('a service that has been seeded is left alone', () => {
  expect(seedDemoWorld.decide(undefined, offers[0], { now, beside: undefined })).toEqual({});
});
