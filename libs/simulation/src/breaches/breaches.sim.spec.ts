import { describe, expect, test } from 'vitest';
import { simulate } from '../run.ts';
import { breaches } from './breaches.ts';

const seedsMaxDefault = 300;

describe('a part of the protocol that is left out is missed:', () => {
  test.each(breaches.map((breach) => [breach.what, breach] as const))('%s', async (_what, breach) => {
    const { by, mix, breaks, seedsMax = seedsMaxDefault } = breach;
    const broken = new Set<string>();
    for (let seed = 1; seed <= seedsMax && !broken.has(breaks); seed++) {
      for (const { rule } of (await simulate({ seed, mix, wrapping: by })).violations) broken.add(rule);
      // The faults alone break nothing.
      expect((await simulate({ seed, mix })).violations).toEqual([]);
    }
    expect([...broken]).toContain(breaks);
  });
});

test('there are at least twenty of them, each with a name of its own', () => {
  expect(new Set(breaches.map(({ what }) => what)).size).toBe(breaches.length);
  expect(breaches.length).toBeGreaterThanOrEqual(20);
});
