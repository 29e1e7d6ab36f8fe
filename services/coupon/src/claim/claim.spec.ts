import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reachable } from '@yunshi/kernel/flow';
import type { ClaimId } from '@yunshi/kernel/ids';
import { callPackage, claimed, firstOrder, helpDesk, lin, line, linsUser, march, published, secondOrder, zhao } from '../story.fixture.ts';
import {
  bestFirst,
  claim,
  claimFlow,
  forOrder,
  reckon,
  release,
  reserve,
  shownStatus,
  use,
  type Claim,
  type Reservation,
} from './claim.ts';

const ask = (changes: Partial<Reservation> = {}): Reservation => ({
  orderId: firstOrder,
  accountId: lin,
  kind: 'new_purchase',
  lines: [line(15_000)],
  now: march(5),
  ...changes,
});
const first = { orderId: firstOrder, accountId: lin, now: march(6) };
const second = { orderId: secondOrder, accountId: lin, now: march(6) };

function reserved(held: Claim = claimed()): Claim {
  const result = reserve(held, ask());
  if (!result.ok) throw new Error(result.error);
  return result.value.claim;
}
const refusal = (held: Claim | undefined, changes: Partial<Reservation> = {}) => {
  const result = reserve(held, ask(changes));
  return result.ok ? 'reserved' : result.error;
};

describe('claiming', () => {
  const by = { claimId: claimed().claimId, accountId: lin, userId: linsUser, now: march(3) };

  test('a claim takes one from the stock and keeps its own copy of the terms', () => {
    const result = claim({ ...published(), claimed: 41 }, 0, by);
    expect(result).toMatchObject({
      ok: true,
      value: {
        coupon: { claimed: 42 },
        claim: { name: '新客满减券', number: 'YHQ20260301001-000042', status: 'usable', validUntil: march(41, 0) },
      },
    });
  });

  test('a buyer gets no more than the limit', () => {
    expect(claim(published({ perBuyer: 2 }), 1, by).ok).toBe(true);
    expect(claim(published({ perBuyer: 2 }), 2, by)).toEqual({ ok: false, error: 'limit-reached' });
  });

  test('nobody gets one once the stock is gone', () => {
    expect(claim({ ...published(), claimed: 100 }, 0, by)).toEqual({ ok: false, error: 'sold-out' });
  });
});

describe('reserving', () => {
  test('an order holds a usable coupon and is told the deduction', () => {
    expect(reserve(claimed(), ask())).toMatchObject({
      ok: true,
      value: { deduction: 2_000, claim: { status: 'reserved', orderId: firstOrder, deduction: 2_000, reservedAt: march(5) } },
    });
  });

  test('the order that holds it may ask again and gets the same answer, whatever has changed since', () => {
    const held = reserved();
    expect(reserve(held, ask({ now: march(60), lines: [line(1)] }))).toEqual({ ok: true, value: { claim: held, deduction: 2_000 } });
  });

  test.each<[string, string, Claim | undefined, Partial<Reservation>]>([
    ['not-found', 'there is no such coupon', undefined, {}],
    ['not-found', 'it belongs to somebody else', claimed(), { accountId: zhao }],
    ['in-use', 'another order holds it', reserved(), { orderId: secondOrder }],
    ['not-yet-valid', 'its time has not come', claimed({ validity: { type: 'absolute', from: march(20), until: march(40) } }), {}],
    ['expired', 'its time is over', claimed(), { now: march(41, 0) }],
    ['wrong-scene', 'it is for renewals', claimed({ scenes: ['renewal'] }), {}],
    ['below-threshold', 'the order is too small', claimed(), { lines: [line(9_999)] }],
    [
      'not-applicable',
      'it is for other products',
      claimed({ scope: { type: 'products', productIds: [helpDesk] } }),
      { lines: [line(15_000, { productId: callPackage })] },
    ],
  ])('refused as «%s» when %s', (reason, _, held, changes) => {
    expect(refusal(held, changes)).toBe(reason);
  });

  test('a used coupon is refused', () => {
    const used = use(reserved(), first);
    expect(refusal(used.ok ? used.value : undefined, { orderId: secondOrder })).toBe('used');
  });
});

describe('giving back', () => {
  test('a released coupon is usable by another order', () => {
    const back = release(reserved(), first);
    expect(back).toMatchObject({ status: 'usable', orderId: null, deduction: null, reservedAt: null });
    expect(refusal(back, { orderId: secondOrder })).toBe('reserved');
  });

  test('a release that overtakes its reserve makes the late reserve fail', () => {
    expect(refusal(release(claimed(), first))).toBe('in-use');
  });

  test('a reserve that comes again after the release does not take the coupon again', () => {
    expect(refusal(release(reserved(), first))).toBe('in-use');
  });

  test('releasing twice is releasing once', () => {
    const back = release(reserved(), first);
    expect(release(back, first)).toEqual(back);
  });

  test('a late release of one order leaves the coupon with the order that holds it now', () => {
    expect(release(reserved(), second)).toMatchObject({ status: 'reserved', orderId: firstOrder });
  });

  test('what an order has used stays used', () => {
    const used = use(reserved(), first);
    expect(used.ok && release(used.value, first)).toMatchObject({ status: 'used' });
  });

  test('nobody gives back what belongs to somebody else', () => {
    expect(release(reserved(), { ...first, accountId: zhao })).toMatchObject({ status: 'reserved', orderId: firstOrder, releasedBy: [] });
  });

  test('a coupon given back after its time shows as expired', () => {
    expect(shownStatus(release(reserved(), first), march(41, 0))).toBe('expired');
  });

  test('only the latest releases are remembered', () => {
    const orders = Array.from({ length: 40 }, (_, index) => `ord_${String(index).padStart(32, '0')}` as typeof firstOrder);
    const held = orders.reduce((now, orderId) => release(now, { orderId, accountId: lin }), claimed());
    expect(held.releasedBy).toEqual(orders.slice(-16));
  });
});

describe('using', () => {
  test('the order that holds the coupon uses it, even after its time', () => {
    expect(use(reserved(), { ...first, now: march(60) })).toMatchObject({
      ok: true,
      value: { status: 'used', usedAt: march(60), orderId: firstOrder },
    });
  });

  test('using twice is using once', () => {
    const used = use(reserved(), first);
    expect(used.ok && use(used.value, { ...first, now: march(9) })).toEqual(used);
  });

  test.each([
    ['nothing', undefined],
    ['a coupon that no order holds', claimed()],
    ['a coupon of another order', reserved()],
  ])('an order cannot use %s', (_, held) => {
    expect(use(held, held?.status === 'reserved' ? second : first)).toEqual({ ok: false, error: 'not-held' });
  });
});

describe('reckoned anew', () => {
  test('the order that holds the coupon takes off less', () => {
    expect(reckon(reserved(), { ...first, deduction: 1_500 })).toEqual({ ...reserved(), deduction: 1_500 });
  });

  test('of nothing it is given back, and the order does not get it again', () => {
    const back = reckon(reserved(), { ...first, deduction: 0 });
    expect(back).toMatchObject({ status: 'usable', orderId: null, deduction: null });
    expect(reserve(back, ask())).toEqual({ ok: false, error: 'in-use' });
  });

  test('an order that does not hold it changes nothing', () => {
    for (const held of [claimed(), reserved()]) expect(reckon(held, { ...second, deduction: 0 })).toBe(held);
  });
});

describe('any sequence of messages, in any order, however often', () => {
  type Step = readonly ['reserve' | 'release' | 'use' | 'reckon' | 'let go', typeof first];
  const anyStep = fc.tuple(
    fc.constantFrom('reserve', 'release', 'use', 'reckon', 'let go'),
    fc.constantFrom(first, second),
  ) as fc.Arbitrary<Step>;
  const after = (held: Claim, [what, order]: Step): Claim => {
    if (what === 'release') return release(held, order);
    if (what === 'reckon' || what === 'let go') return reckon(held, { ...order, deduction: what === 'reckon' ? 1_000 : 0 });
    const result = what === 'use' ? use(held, order) : reserve(held, ask(order));
    if (!result.ok) return held;
    return 'claim' in result.value ? result.value.claim : result.value;
  };

  test('one order at most holds or uses the coupon, and a used one never changes', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        let held = claimed();
        for (const step of steps) {
          const next = after(held, step);
          expect(next.orderId === null).toBe(next.status === 'usable');
          expect(held.status !== 'used' || (next.status === 'used' && next.orderId === held.orderId)).toBe(true);
          held = next;
        }
      }),
    );
  });

  test('an order that has released never holds the coupon again', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 30 }), (steps) => {
        let held = claimed();
        const gone = new Set<string>();
        for (const step of steps) {
          held = after(held, step);
          if (step[0] === 'release' && held.status !== 'used') gone.add(step[1].orderId);
          expect(held.status === 'reserved' && gone.has(held.orderId ?? '')).toBe(false);
        }
      }),
    );
  });

  test('repeating a message changes nothing', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), anyStep, (steps, last) => {
        const once = after(steps.reduce(after, claimed()), last);
        expect(after(once, last)).toEqual(once);
      }),
    );
  });
});

describe('the best coupon', () => {
  const deals = fc.array(
    fc.record({
      claimId: fc.uuid().map((id) => `ccl_${id.replaceAll('-', '')}` as ClaimId),
      deduction: fc.integer({ min: 1, max: 5 }),
      validUntil: fc.integer({ min: 1, max: 5 }).map((day) => march(day)),
    }),
  );

  test('takes off most; of equal ones it expires first', () => {
    fc.assert(
      fc.property(deals, (coupons) => {
        const [best] = bestFirst(coupons);
        for (const other of coupons) {
          const better = best!.deduction > other.deduction;
          const tie = best!.deduction === other.deduction;
          expect(better || (tie && best!.validUntil <= other.validUntil)).toBe(true);
        }
      }),
    );
  });

  test('is the same however the coupons are listed', () => {
    fc.assert(
      fc.property(deals, (coupons) => {
        expect(bestFirst(coupons.toReversed())).toEqual(bestFirst(coupons));
      }),
    );
  });

  test('a checkout lists the usable ones best first and says why the others are not', () => {
    const twentyOff = claimed();
    const half = { ...claimed({ benefit: { type: 'discount', payPercent: 50 } }), claimId: `ccl_${'2'.repeat(32)}` as ClaimId };
    const renewal = claimed({ scenes: ['renewal'] });
    const checkout = forOrder([twentyOff, renewal, half, reserved()], ask());
    expect(checkout.usable.map(({ deduction }) => deduction)).toEqual([7_500, 2_000]);
    expect(checkout.unusable.map(({ reason }) => reason)).toEqual(['wrong-scene', 'in-use']);
  });
});

test('every status of a claimed coupon can be reached', () => {
  expect(reachable(claimFlow, 'usable')).toEqual(new Set(claimFlow.states));
});
