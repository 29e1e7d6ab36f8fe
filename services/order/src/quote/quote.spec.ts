import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PriceModel } from '@yunshi/contracts/catalog';
import { Line } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { calls, half, helpDeskProduct, minus20, monthly, retired, seats, trialWeek, usable, yearly } from '../stories.ts';
import { price, quote, type Coupons, type Wish } from './quote.ts';

const priced = (wish: Wish, product = helpDeskProduct) => price(product, wish);
const amountOf = (wish: Wish) => {
  const result = priced(wish);
  return result.ok ? result.value.line.amount : result.error.code;
};

describe('the price of a line', () => {
  test.each([
    ['three months', { skuId: monthly, quantity: 1, duration: 3 }, 29_700],
    ['two years', { skuId: yearly, quantity: 1, duration: 2 }, 240_000],
    ['ten seats for a year', { skuId: seats, quantity: 10, duration: 12 }, 468_000],
    ['a package of calls', { skuId: calls, quantity: 1 }, 5_000],
    ['a free week', { skuId: trialWeek, quantity: 1 }, 0],
  ])('%s costs price × quantity × periods', (_, wish, amount) => {
    expect(amountOf(wish)).toBe(amount);
  });

  test('what was bought is frozen in the line', () => {
    expect(priced({ skuId: seats, quantity: 10, duration: 12 })).toMatchObject({
      ok: true,
      value: {
        line: {
          quantity: 10,
          unitPrice: 3_900,
          amount: 468_000,
          period: { count: 12, unit: 'month' },
          providerId: helpDeskProduct.providerId,
        },
      },
    });
  });

  test.each([
    [
      { skuId: monthly, quantity: 1, duration: 2 },
      { code: 'duration-not-offered', field: 'duration', offered: [1, 3, 6, 12] },
    ],
    [
      { skuId: monthly, quantity: 1 },
      { code: 'duration-not-offered', field: 'duration', offered: [1, 3, 6, 12] },
    ],
    [
      { skuId: calls, quantity: 1, duration: 1 },
      { code: 'duration-not-offered', field: 'duration', offered: [] },
    ],
    [
      { skuId: monthly, quantity: 2, duration: 1 },
      { code: 'quantity-not-offered', field: 'quantity', minimum: 1, maximum: 1 },
    ],
    [
      { skuId: seats, quantity: 4, duration: 1 },
      { code: 'quantity-not-offered', field: 'quantity', minimum: 5, maximum: 99_999_999 },
    ],
    [
      { skuId: seats, quantity: 99_999_999, duration: 12 },
      { code: 'amount-too-large', field: 'quantity', maximum: 1_000_000_000_000 },
    ],
    [
      { skuId: retired, quantity: 1 },
      { code: 'sku-not-on-sale', field: 'sku_id' },
    ],
  ])('%j is refused, naming the field and what is offered', (wish, error) => {
    expect(priced(wish)).toEqual({ ok: false, error });
  });

  test('an unknown SKU and a withdrawn product cannot be bought', () => {
    expect(price(undefined, { skuId: yearly, quantity: 1 })).toEqual({ ok: false, error: { code: 'sku-not-found', field: 'sku_id' } });
    const withdrawn = { ...helpDeskProduct, published: false };
    expect(priced({ skuId: yearly, quantity: 1, duration: 1 }, withdrawn)).toEqual({
      ok: false,
      error: { code: 'product-withdrawn', field: 'sku_id' },
    });
  });

  test('nobody pays for an image by the day or for ever: servers are rented by whole months', () => {
    const image = { ...helpDeskProduct, deliveryType: 'image' as const };
    const byDays = { model: 'per_period' as const, price: 900, unit: 'day' as const, durations: [7] };
    const unfit = { ...image, skus: [{ skuId: monthly, name: '周版', price: byDays, onSale: true }] };
    const refused = { ok: false, error: { code: 'delivery-not-offered', field: 'sku_id' } };
    expect(priced({ skuId: monthly, quantity: 1, duration: 7 }, unfit)).toEqual(refused);
    expect(priced({ skuId: calls, quantity: 1 }, image)).toEqual(refused);
    expect(priced({ skuId: yearly, quantity: 1, duration: 1 }, image).ok).toBe(true);
  });
});

const year = { skuId: yearly, quantity: 1, duration: 1 };
const quoted = (coupons: Coupons, choice: Parameters<typeof quote>[3]) => {
  const line = priced(year);
  if (!line.ok) throw new Error(line.error.code);
  return quote(line.value, null, coupons, choice);
};

describe('the coupon of a quote', () => {
  const both: Coupons = { usable: [usable(minus20, 2_000), usable(half, 60_000)], unusable: [] };

  test('the largest deduction is chosen unless the buyer says otherwise', () => {
    expect(quoted(both, 'best')).toMatchObject({
      ok: true,
      value: { coupon: { claimId: half }, total: 120_000, deduction: 60_000, payable: 60_000 },
    });
    expect(quoted(both, minus20)).toMatchObject({ ok: true, value: { coupon: { claimId: minus20 }, payable: 118_000 } });
  });

  test('of two equal deductions the coupon that expires first is used up first', () => {
    const equal = { usable: [usable(half, 2_000), usable(minus20, 2_000)], unusable: [] };
    expect(quoted(equal, 'best')).toMatchObject({ ok: true, value: { coupon: { claimId: half } } });
  });

  test('none is a choice', () => {
    const result = quoted(both, 'none');
    expect(result).toMatchObject({ ok: true, value: { deduction: 0, payable: 120_000 } });
    expect(result.ok && result.value.coupon).toBeUndefined();
  });

  test('a coupon that cannot be used is refused with its reason, an unknown one as not found', () => {
    const expired: Coupons = { usable: [], unusable: [{ ...usable(minus20, 0), reason: 'expired' }] };
    expect(quoted(expired, minus20)).toEqual({ ok: false, error: { code: 'coupon-not-usable', field: 'coupon', reason: 'expired' } });
    expect(quoted(expired, half)).toEqual({ ok: false, error: { code: 'coupon-not-usable', field: 'coupon', reason: 'not-found' } });
  });

  test('a coupon that would take off more than there is, is a fault and no gift', () => {
    expect(() => quoted({ usable: [usable(half, 120_001)], unusable: [] }, 'best')).toThrow('120001 fen off a total of 120000');
  });
});

describe('for any product and any coupons', () => {
  const durations = fc.uniqueArray(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 5 });
  const unit = fc.constantFrom('month', 'year', 'day');
  const cost = fc.integer({ min: 0, max: 1_000_000_000_000 });
  const model: fc.Arbitrary<PriceModel> = fc.oneof(
    fc.record({ model: fc.constant('per_period' as const), price: cost, unit, durations }),
    fc
      .record({
        price: cost,
        minimum: fc.integer({ min: 1, max: 100 }),
        more: fc.nat(99_999_899),
        unit,
        durations,
        forPeriods: fc.boolean(),
      })
      .map(({ price: seat, minimum, more, forPeriods, ...terms }) => ({
        model: 'per_quantity' as const,
        price: seat,
        minimum,
        maximum: minimum + more,
        ...(forPeriods && terms),
      })),
    fc.record({
      model: fc.constant('per_package' as const),
      price: cost,
      calls: fc.integer({ min: 1 }),
      validDays: fc.integer({ min: 1 }),
    }),
    fc.record({ model: fc.constant('one_off' as const), price: cost }),
  );
  const sold = (terms: PriceModel) => ({ ...helpDeskProduct, skus: [{ skuId: yearly, name: '版', price: terms, onSale: true }] });

  /** What can be wished of a SKU: something that it offers, most of the time. */
  const wished = (terms: PriceModel) => {
    const offered = 'durations' in terms && terms.durations ? terms.durations : [undefined];
    const [minimum, maximum] = terms.model === 'per_quantity' ? [terms.minimum, terms.maximum] : [1, 1];
    return fc.record({
      terms: fc.constant(terms),
      duration: fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...offered) }, fc.constantFrom(undefined, -1, 0, 121)),
      quantity: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: minimum, max: maximum }) }, fc.constantFrom(minimum - 1, maximum + 1)),
    });
  };
  const times = { priced: 0, refused: 0 };

  test('a line is a valid line and costs exactly its parts, or is refused by naming a field', () => {
    fc.assert(
      fc.property(model.chain(wished), ({ terms, ...wish }) => {
        const result = price(sold(terms), { skuId: yearly, ...wish });
        times[result.ok ? 'priced' : 'refused']++;
        if (!result.ok) return result.error.field === 'duration' || result.error.field === 'quantity';
        const line = Line.parse(result.value.line);
        const parts = BigInt(line.unitPrice) * BigInt(line.quantity) * BigInt(line.period?.count ?? 1);
        return BigInt(line.amount) === parts && Fen.safeParse(line.amount).success;
      }),
      { numRuns: 500 },
    );
    expect(times.priced).toBeGreaterThan(50);
    expect(times.refused).toBeGreaterThan(50);
  });

  test('total less deduction is payable, never below zero, and nothing better was left aside', () => {
    const deductions = fc.array(fc.integer({ min: 1, max: 120_000 }), { maxLength: 6 });
    fc.assert(
      fc.property(deductions, (all) => {
        const coupons = { usable: all.map((deduction) => usable(minus20, deduction)), unusable: [] };
        const result = quoted(coupons, 'best');
        if (!result.ok) throw new Error(result.error.code);
        const { total, deduction, payable, line } = result.value;
        expect(total).toBe(line.amount);
        expect(payable).toBe(total - deduction);
        expect(payable).toBeGreaterThanOrEqual(0);
        expect(deduction).toBe(Math.max(0, ...all));
      }),
    );
  });
});
