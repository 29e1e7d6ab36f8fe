import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Line } from '@yunshi/kernel/marketplace';
import { allocate } from '@yunshi/kernel/money';
import { callPackage, hardenedImage, helpDesk, line, otherShop, published } from '../story.fixture.ts';
import { covers, deductionFor } from './deduction.ts';

const pay = (payPercent: number) => published({ benefit: { type: 'discount', payPercent } });
const off = (threshold: number, amount: number) => published({ benefit: { type: 'amount', threshold, off: amount } });

describe('amounts', () => {
  test('1折 means that the buyer pays 10 %', () => {
    expect(deductionFor(pay(10), 'new_purchase', [line(19_900)])).toEqual({ ok: true, value: 17_910 });
  });

  test('the price that is left is rounded half up to whole fen', () => {
    expect(deductionFor(pay(85), 'new_purchase', [line(1_990)])).toEqual({ ok: true, value: 298 }); // 1,691.5 is left: 1,692
  });

  test('满减 takes off its amount from the threshold on, and nothing below', () => {
    expect(deductionFor(off(10_000, 2_000), 'new_purchase', [line(10_000)])).toEqual({ ok: true, value: 2_000 });
    expect(deductionFor(off(10_000, 2_000), 'new_purchase', [line(9_999)])).toEqual({ ok: false, error: 'below-threshold' });
  });

  test('only covered lines count, for the threshold too', () => {
    const image = line(50_000, { productId: hardenedImage, deliveryType: 'image' });
    expect(deductionFor(off(10_000, 2_000), 'new_purchase', [line(9_999), image])).toEqual({ ok: false, error: 'below-threshold' });
    expect(deductionFor(pay(50), 'new_purchase', [line(1_000), image])).toEqual({ ok: true, value: 500 });
  });

  test('a coupon that would take off nothing is not spent', () => {
    expect(deductionFor(pay(50), 'new_purchase', [line(0)])).toEqual({ ok: false, error: 'not-applicable' });
    expect(deductionFor(pay(99), 'new_purchase', [line(1)])).toEqual({ ok: false, error: 'not-applicable' });
  });
});

describe('scope', () => {
  test('a shop coupon covers the SaaS, APIs and human services of its provider, not the images, and nothing of others', () => {
    const types = ['saas', 'api', 'human_service', 'image'] as const;
    expect(types.filter((deliveryType) => covers(published(), line(1, { deliveryType })))).toEqual(['saas', 'api', 'human_service']);
    expect(covers(published(), line(1, { providerId: otherShop }))).toBe(false);
  });

  test('a coupon for named products covers these, images too', () => {
    const terms = published({ scope: { type: 'products', productIds: [helpDesk, hardenedImage] } });
    expect(covers(terms, line(1, { productId: hardenedImage, deliveryType: 'image' }))).toBe(true);
    expect(covers(terms, line(1, { productId: callPackage }))).toBe(false);
  });

  test('a coupon for renewals is no good for a new purchase', () => {
    expect(deductionFor(published({ scenes: ['renewal'] }), 'new_purchase', [line(20_000)])).toEqual({ ok: false, error: 'wrong-scene' });
  });
});

describe('for any order', () => {
  const anyLine = fc
    .record({
      amount: fc.integer({ min: 0, max: 1_000_000_000_000 }),
      providerId: fc.constantFrom(published().providerId, otherShop),
      productId: fc.constantFrom(helpDesk, hardenedImage, callPackage),
      deliveryType: fc.constantFrom('image', 'human_service', 'saas', 'api' as const),
    })
    .map(({ amount, ...rest }): Line => line(amount, rest as Partial<Line>));
  const lines = fc.array(anyLine, { minLength: 1, maxLength: 8 });
  const benefit = fc.oneof(
    fc.record({ type: fc.constant('discount' as const), payPercent: fc.integer({ min: 1, max: 99 }) }),
    fc
      .tuple(fc.integer({ min: 2, max: 1_000_000_000_000 }), fc.integer({ min: 1, max: 1_000_000_000_000 }))
      .map(([threshold, cut]) => ({ type: 'amount' as const, threshold, off: 1 + (cut % (threshold - 1)) })),
  );
  const scope = fc.oneof(
    fc.constant({ type: 'shop' as const }),
    fc.record({
      type: fc.constant('products' as const),
      productIds: fc.uniqueArray(fc.constantFrom(helpDesk, hardenedImage, callPackage), { minLength: 1 }),
    }),
  );
  const coveredSum = (terms: ReturnType<typeof published>, of: Line[]) =>
    of.filter((one) => covers(terms, one)).reduce((sum, one) => sum + one.amount, 0);

  test('a deduction is a whole number of fen, above nothing and at most what the covered lines cost', () => {
    fc.assert(
      fc.property(benefit, scope, lines, (given, within, of) => {
        const terms = published({ benefit: given, scope: within });
        const result = deductionFor(terms, 'new_purchase', of);
        if (!result.ok) return;
        expect(Number.isSafeInteger(result.value)).toBe(true);
        expect(result.value).toBeGreaterThan(0);
        expect(result.value).toBeLessThanOrEqual(coveredSum(terms, of));
      }),
    );
  });

  test('over the covered lines it is spread without losing a fen, and no line gets more than it costs', () => {
    const times = { spread: 0 };
    fc.assert(
      fc.property(benefit, scope, lines, (given, within, of) => {
        const terms = published({ benefit: given, scope: within });
        const result = deductionFor(terms, 'new_purchase', of);
        if (!result.ok) return;
        times.spread++;
        const weights = of.map((one) => (covers(terms, one) ? one.amount : 0));
        const shares = allocate(result.value, weights);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(result.value);
        shares.forEach((share, nth) => expect(share).toBeLessThanOrEqual(weights[nth]!));
      }),
    );
    expect(times.spread).toBeGreaterThan(10);
  });

  test('a coupon that takes off more of the same is never worse than one that takes off less', () => {
    const percent = fc.integer({ min: 1, max: 98 });
    fc.assert(
      fc.property(percent, lines, (low, of) => {
        const [more, less] = [pay(low), pay(low + 1)].map((terms) => deductionFor(terms, 'new_purchase', of));
        const value = (result: typeof more) => (result?.ok ? result.value : 0);
        expect(value(more)).toBeGreaterThanOrEqual(value(less));
      }),
    );
  });

  test('how lines are ordered or split changes nothing', () => {
    fc.assert(
      fc.property(benefit, scope, lines, (given, within, of) => {
        const terms = published({ benefit: given, scope: within });
        const split = of.flatMap((one) => [
          { ...one, amount: Math.floor(one.amount / 3) },
          { ...one, amount: one.amount - Math.floor(one.amount / 3) },
        ]);
        expect(deductionFor(terms, 'new_purchase', split.toReversed())).toEqual(deductionFor(terms, 'new_purchase', of));
      }),
    );
  });

  test('what is left of a discounted price is within half a fen of the promised part', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 1_000_000_000_000 }), (percent, amount) => {
        const result = deductionFor(pay(percent), 'new_purchase', [line(amount)]);
        const left = BigInt(amount - (result.ok ? result.value : 0));
        const error = left * 100n - BigInt(amount) * BigInt(percent);
        expect(error >= -50n && error <= 50n).toBe(true);
      }),
    );
  });
});
