import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMonths, chinaDay, chinaTime, startOfChinaDay } from './calendar.ts';
import { testClock } from './clock.ts';
import { flow, isTerminal, move, reachable } from './flow.ts';
import { newId, OrderId, uuidv7 } from './ids.ts';
import { allocate, partOf, yuan } from './money.ts';

const fen = fc.integer({ min: 0, max: 1_000_000_000_000 });

describe('money', () => {
  it('is split without losing a fen, each share within one fen of its exact part', () => {
    fc.assert(
      fc.property(fen, fc.array(fc.integer({ min: 0, max: 1_000_000_000 }), { minLength: 1, maxLength: 12 }), (amount, weights) => {
        const shares = allocate(amount, weights);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        if (total === 0) return shares.every((share) => share === 0);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(amount);
        return shares.every((share, index) => {
          const exact = (BigInt(amount) * BigInt(weights[index]!)) / BigInt(total);
          return BigInt(share) - exact >= 0n && BigInt(share) - exact <= 1n;
        });
      }),
    );
  });

  it('is rounded half up, and never by more than half a fen', () => {
    expect([partOf(5, 1, 2), partOf(4, 1, 2), partOf(1, 1, 3), partOf(2, 1, 3)]).toEqual([3, 2, 0, 1]);
    fc.assert(
      fc.property(fen, fc.integer({ min: 0, max: 100 }), (amount, percent) => {
        const part = partOf(amount, percent, 100);
        const twice = BigInt(part) * 200n - BigInt(amount) * BigInt(percent) * 2n;
        return twice > -100n && twice <= 100n;
      }),
    );
  });

  it('is shown in yuan with two decimals', () => {
    expect([yuan(0), yuan(5), yuan(19_900)]).toEqual(['¥0.00', '¥0.05', '¥199.00']);
  });
});

describe('ids', () => {
  it('say what they are of, and sort by the time of their making', () => {
    const early = newId('ord', new Date(1_700_000_000_000));
    const late = newId('ord', new Date(1_700_000_000_001));
    expect(OrderId.parse(early)).toBe(early);
    expect(early < late).toBe(true);
    expect(OrderId.safeParse(newId('pay', new Date())).success).toBe(false);
  });

  it('are UUIDs of version 7 (RFC 9562), all different', () => {
    const made = Array.from({ length: 2_000 }, () => uuidv7(1_700_000_000_000));
    for (const id of made) expect(id).toMatch(/^018bcfe5-6800-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(made).size).toBe(made.length);
  });
});

describe('the calendar', () => {
  const china = (text: string) => new Date(`${text}+08:00`);

  it('adds calendar months in China time, clamped to the end of a shorter month', () => {
    expect(chinaTime(addMonths(china('2026-02-01T00:30:00'), 1))).toBe('2026-03-01T00:30:00+08:00');
    expect(chinaTime(addMonths(china('2026-01-31T12:00:00'), 1))).toBe('2026-02-28T12:00:00+08:00');
    expect(chinaTime(addMonths(china('2028-02-29T12:00:00'), 12))).toBe('2029-02-28T12:00:00+08:00');
  });

  it('changes day at midnight in China', () => {
    expect(chinaDay(new Date('2026-11-22T15:59:59Z'))).toBe('20261122');
    expect(chinaDay(new Date('2026-11-22T16:00:00Z'))).toBe('20261123');
    expect(startOfChinaDay(new Date('2026-11-22T15:59:59Z'))).toEqual(china('2026-11-22T00:00:00'));
    expect(startOfChinaDay(new Date('2026-11-22T16:00:00Z'))).toEqual(china('2026-11-23T00:00:00'));
  });

  it('never moves a time back, and adding months one by one never passes adding them at once', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
        fc.integer({ min: 1, max: 36 }),
        (at, months) => {
          let stepwise = at;
          for (let month = 0; month < months; month++) stepwise = addMonths(stepwise, 1);
          const once = addMonths(at, months);
          return once > at && stepwise <= once;
        },
      ),
    );
  });
});

describe('the test clock', () => {
  it('only moves forward, and tells its listeners', () => {
    let moves = 0;
    const clock = testClock(0, { now: () => new Date(1_000) });
    const stop = clock.onMove(() => moves++);
    clock.moveTo(5_000);
    clock.moveTo(4_000);
    stop();
    clock.moveTo(6_000);
    expect([clock.now().getTime(), clock.offsetMs(), moves]).toEqual([7_000, 6_000, 1]);
  });
});

describe('a status table', () => {
  const door = flow('door (in a test)', {
    shut: { open: 'ajar', lock: 'locked' },
    ajar: { close: 'shut' },
    locked: { unlock: 'shut', weld: 'welded' },
    welded: {},
  });

  it('allows its moves and no other', () => {
    expect(move(door, 'shut', 'open')).toEqual({ ok: true, value: 'ajar' });
    expect(move(door, 'ajar', 'lock')).toEqual({
      ok: false,
      error: { code: 'illegal-move', flow: 'door (in a test)', from: 'ajar', action: 'lock' },
    });
  });

  it('knows what can be reached, and what is the end', () => {
    expect([...reachable(door, 'ajar')].sort()).toEqual(['ajar', 'locked', 'shut', 'welded']);
    expect([isTerminal(door, 'welded'), isTerminal(door, 'shut')]).toEqual([true, false]);
  });

  it('is refused by the compiler when a target is not one of its states', () => {
    // @ts-expect-error 'nowhere' is not a state
    flow('broken (in a test)', { shut: { open: 'nowhere' } });
    // @ts-expect-error no such action
    expect(move(door, 'shut', 'teleport').ok).toBe(false);
  });
});
