import { describe, expect, it } from 'vitest';
import { randomFrom } from './random.ts';
import { periods, type Period } from './schedule.ts';

const kinds = ['kill', 'pause', 'wipe', 'cut', 'full', 'jump'];
const first = (count: number, seed: string): Period[] => {
  const going = periods(kinds, randomFrom(seed));
  return Array.from({ length: count }, () => going.next().value);
};

describe('the schedule of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(first(50, 'a')).toEqual(first(50, 'a'));
    expect(first(50, 'a')).not.toEqual(first(50, 'b'));
  });

  it('leaves about a quarter of the periods in peace', () => {
    const quiet = first(1_000, 'quiet').filter(({ faults }) => faults.length === 0).length;
    expect(quiet).toBeGreaterThan(200);
    expect(quiet).toBeLessThan(300);
  });

  it('gives every kind a turn before any has a third', () => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      const struck = first(40, seed).flatMap(({ faults }) => faults.map(({ kind }) => kind));
      const third = struck.findIndex((kind, index) => struck.slice(0, index).filter((earlier) => earlier === kind).length === 2);
      expect(new Set(struck.slice(0, third)).size).toBe(kinds.length);
    }
  });

  it('mixes the kinds: they come alone and together', () => {
    const sizes = new Set(first(200, 'sizes').map(({ faults }) => faults.length));
    expect(sizes).toEqual(new Set([0, 1, 2, 3, 4]));
  });
});
