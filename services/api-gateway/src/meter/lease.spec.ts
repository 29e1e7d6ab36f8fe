import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meterPolicy } from '../policy.ts';
import { granted, wanted } from './lease.ts';

test('a lease is as large as half a second needs, grows fourfold at most, and is never larger than the limit', () => {
  expect(wanted(undefined)).toBe(meterPolicy.leaseMin);
  expect(wanted({ size: 100, tookMs: 1_000 })).toBe(50);
  expect(wanted({ size: 100, tookMs: 1 })).toBe(400);
  expect(wanted({ size: 2_000, tookMs: 1 })).toBe(meterPolicy.leaseMax);
});

test('however many processes ask, however often, what they get is all that is left, and the last call is got', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1 }), (left, wants) => {
      let rest = left;
      for (let turn = 0; rest > 0; turn++) {
        const got = granted(wants[turn % wants.length]!, rest);
        expect(got).toBeGreaterThan(0);
        expect(got).toBeLessThanOrEqual(Math.max(1, rest / 4));
        rest -= got;
      }
      expect(rest).toBe(0);
      expect(granted(5, 0)).toBe(0);
    }),
  );
});
