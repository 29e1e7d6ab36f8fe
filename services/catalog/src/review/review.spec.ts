import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reachable } from '@yunshi/kernel/flow';
import type { AccountId, ProductId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { answerReview, averageOf, moderate, reviewFlow, writeReview, type Rating, type Review } from './review.ts';
import { reviewIdOf } from './reviews.ts';

const hex = (digit: string): string => digit.repeat(32);
const productId = `prd_${hex('1')}` as ProductId;
const account = (nth: number) => `acc_${String(nth).padStart(32, '0')}` as AccountId;
const now = new Date('2026-03-02T04:00:00Z');

const written = (nth = 1, stars = 5) => ({
  reviewId: reviewIdOf({ accountId: account(nth), productId }),
  productId,
  providerId: `prv_${hex('1')}` as ProviderId,
  accountId: account(nth),
  userId: `usr_${hex('1')}` as UserId,
  stars,
  text: '上线当天就用起来了',
  hasBought: true,
});
function review(nth = 1, stars = 5): Review {
  const result = writeReview(undefined, undefined, written(nth, stars), now);
  if (!result.ok) throw new Error(result.error);
  return result.value.review;
}

describe('writing', () => {
  test('only who has bought may review', () => {
    expect(writeReview(undefined, undefined, { ...written(), hasBought: false }, now)).toEqual({ ok: false, error: 'not-bought' });
  });

  test('a buyer has one review of a product, and it has one id', () => {
    expect(writeReview(review(), undefined, written(), now)).toEqual({ ok: false, error: 'already-reviewed' });
    expect(written(1).reviewId).toBe(written(1).reviewId);
    expect(written(1).reviewId).not.toBe(written(2).reviewId);
    expect(written(1).reviewId).toMatch(/^rvw_[0-9a-f]{32}$/);
  });
});

test('an answer replaces the answer before it, and nothing else', () => {
  const first = answerReview(review(), '谢谢', now);
  const later = new Date(now.getTime() + 1);
  expect(answerReview(first, '谢谢您', later)).toEqual({ ...review(), answer: '谢谢您', answeredAt: later });
});

describe('moderating', () => {
  test('what is hidden keeps its reason, and can be hidden once', () => {
    const hidden = moderate(review(), undefined, { action: 'hide', reason: '广告' });
    expect(hidden).toMatchObject({ ok: true, value: { review: { status: 'hidden', hiddenReason: '广告' } } });
    expect(hidden.ok && moderate(hidden.value.review, undefined, { action: 'hide', reason: '广告' })).toMatchObject({ ok: false });
    expect(hidden.ok && moderate(hidden.value.review, hidden.value.rating, { action: 'show' })).toMatchObject({
      ok: true,
      value: { review: review() },
    });
  });

  test('every status of a review can be reached', () => {
    expect(reachable(reviewFlow, 'shown')).toEqual(new Set(reviewFlow.states));
  });
});

test('whatever is written, hidden and shown, the rating is what the shown reviews come to', () => {
  const step = fc.record({
    nth: fc.integer({ min: 0, max: 5 }),
    stars: fc.integer({ min: 1, max: 5 }),
    what: fc.constantFrom('write', 'hide', 'show'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const all = new Map<number, Review>();
      let rating: Rating | undefined;
      for (const { nth, stars, what } of steps) {
        const known = all.get(nth);
        const how = what === 'hide' ? ({ action: 'hide', reason: '广告' } as const) : ({ action: 'show' } as const);
        const rated = what === 'write' ? writeReview(known, rating, written(nth, stars), now) : known && moderate(known, rating, how);
        if (!rated?.ok) continue;
        all.set(nth, rated.value.review);
        rating = rated.value.rating;
      }
      const shown = [...all.values()].filter(({ status }) => status === 'shown');
      const sum = shown.reduce((total, { stars }) => total + stars, 0);
      expect({ reviews: rating?.reviews ?? 0, stars: rating?.stars ?? 0 }).toEqual({ reviews: shown.length, stars: sum });
    }),
  );
});

test('an average has one decimal, and nothing has none', () => {
  expect(averageOf({ reviews: 0, stars: 0 })).toBeNull();
  expect(averageOf({ reviews: 3, stars: 14 })).toBe(4.7);
});
