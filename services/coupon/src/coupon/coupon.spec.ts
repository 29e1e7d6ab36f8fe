import { expect, test } from 'vitest';
import { addDays } from '@yunshi/kernel/calendar';
import { reachable } from '@yunshi/kernel/flow';
import { draft, march, published } from '../story.fixture.ts';
import { claimable, couponFlow, couponNumber, issue, publish, validWhenClaimed, type CouponDraft } from './coupon.ts';

const refusedFields = (changes: Partial<CouponDraft>) => {
  const result = publish({ ...draft, ...changes }, { couponId: published().couponId, number: 'YHQ1', at: march(1) });
  return result.ok ? [] : result.error.issues.map(({ field }) => field);
};

test('a coupon is published as it was drafted, with nothing claimed', () => {
  expect(published()).toMatchObject({ ...draft, status: 'issuing', claimed: 0 });
});

test.each<[string, Partial<CouponDraft>, string[]]>([
  ['a name of 51 characters', { name: '券'.repeat(51) }, ['name']],
  ['an amount that is not below its threshold', { benefit: { type: 'amount', threshold: 2_000, off: 2_000 } }, ['benefit.off']],
  ['a discount to 0 %', { benefit: { type: 'discount', payPercent: 0 } }, ['benefit.payPercent']],
  ['a discount to 100 %', { benefit: { type: 'discount', payPercent: 100 } }, ['benefit.payPercent']],
  ['more for one buyer than there are', { stock: 5, perBuyer: 6 }, ['perBuyer']],
  ['a claim window that ends before it begins', { claimFrom: march(9), claimUntil: march(8) }, ['claimUntil']],
  ['a claim window that is over', { claimFrom: march(0), claimUntil: march(1) }, ['claimUntil']],
  ['no scene', { scenes: [] }, ['scenes']],
  ['the same scene twice', { scenes: ['renewal', 'renewal'] }, ['scenes']],
  ['a validity that ends before it begins', { validity: { type: 'absolute', from: march(40), until: march(39) } }, ['validity']],
  ['claims of what has expired', { validity: { type: 'absolute', from: march(1), until: march(9) } }, ['claimUntil']],
  ['a scope without products', { scope: { type: 'products', productIds: [] } }, ['scope.productIds']],
])('a coupon with %s is not published', (_, changes, fields) => {
  expect(refusedFields(changes)).toEqual(fields);
});

test('a coupon can be claimed inside its window only, while issuing, and until none is left', () => {
  const coupon = published();
  expect(claimable(coupon, new Date(coupon.claimFrom.getTime() - 1))).toEqual({ ok: false, error: 'not-open' });
  expect(claimable(coupon, coupon.claimFrom).ok).toBe(true);
  expect(claimable(coupon, coupon.claimUntil)).toEqual({ ok: false, error: 'closed' });
  expect(claimable({ ...coupon, status: 'paused' }, march(5))).toEqual({ ok: false, error: 'paused' });
  expect(claimable({ ...coupon, claimed: coupon.stock }, march(5))).toEqual({ ok: false, error: 'sold-out' });
});

test('«N days after the claim» counts from the moment of the claim', () => {
  expect(validWhenClaimed({ type: 'after_claim', days: 7 }, march(3))).toEqual({ from: march(3), until: addDays(march(3), 7) });
});

test('pausing and resuming change nothing but the status', () => {
  const paused = issue(published(), 'pause');
  expect(paused).toEqual({ ok: true, value: { ...published(), status: 'paused' } });
  expect(paused.ok && issue(paused.value, 'resume')).toEqual({ ok: true, value: published() });
  expect(issue(published(), 'resume')).toMatchObject({ ok: false, error: { code: 'illegal-move' } });
});

test('the number of a coupon tells the day in China', () => {
  expect(couponNumber(published().couponId, new Date('2026-03-01T17:00:00Z'))).toMatch(/^YHQ20260302\d{8}$/);
});

test('every status of an offer can be reached', () => {
  expect(reachable(couponFlow, 'issuing')).toEqual(new Set(couponFlow.states));
});
