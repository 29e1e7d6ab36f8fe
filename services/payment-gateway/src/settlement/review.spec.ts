import { describe, expect, test } from 'vitest';
import { reviewEnds } from './review.ts';

const at = (time: string): Date => new Date(`${time}+08:00`);

describe('the review period', () => {
  test.each([
    ['in the morning', '2026-03-02T09:00:00', '2026-03-07T00:00:00'],
    ['a second before midnight', '2026-03-02T23:59:59', '2026-03-07T00:00:00'],
    ['a second later', '2026-03-03T00:00:00', '2026-03-08T00:00:00'],
  ])('of SaaS bought %s ends with the fifth day in China, the day of purchase being the first', (_, paid, ends) => {
    expect(reviewEnds('saas', { paidAt: at(paid), completedAt: at(paid) })).toEqual(at(ends));
  });
  test('is no reason to release what is not completed yet', () => {
    const [paidAt, completedAt] = [at('2026-03-02T09:00:00'), at('2026-03-20T09:00:00')];
    expect(reviewEnds('saas', { paidAt, completedAt })).toEqual(completedAt);
  });
  test.each(['human_service', 'image', 'api'] as const)(
    'of %s ends with the completion, but no channel shares before a minute has gone',
    (type) => {
      const paidAt = at('2026-03-02T09:00:00');
      expect(reviewEnds(type, { paidAt, completedAt: at('2026-03-09T09:00:00') })).toEqual(at('2026-03-09T09:00:00'));
      expect(reviewEnds(type, { paidAt, completedAt: at('2026-03-02T09:00:10') })).toEqual(at('2026-03-02T09:01:00'));
    },
  );
});
