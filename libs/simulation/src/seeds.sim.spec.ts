import { describe, expect, test } from 'vitest';
import { failedSeeds } from './failed-seeds.ts';
import { simulateMany } from './pool.ts';
import { report } from './report.ts';
import { simulate } from './run.ts';
import { sometimes } from './sometimes.ts';

/** The same ones every time, so that a change is to blame for what it breaks. `npm run simulate -- --fresh` goes where nobody has been. */
const first = 1;
const count = 20_000;

describe(`${count} seeds`, () => {
  test('leave every invariant whole once the faults have stopped, and come to everything that must be come to', async () => {
    const { failed, seeds, orders, reached } = await simulateMany({ first, count });
    const [worst] = failed;
    if (worst) console.log(report(await simulate({ seed: worst.seed, log: true })));
    expect(failed).toEqual([]);
    expect(seeds).toBe(count);
    expect(orders).toBeGreaterThan(count);
    expect(sometimes.filter((what) => !reached.has(what))).toEqual([]);
  });
});

describe('a seed that failed once', () => {
  test.each(failedSeeds)('$seed does so no more: $found', async ({ seed }) => {
    expect((await simulate({ seed })).violations).toEqual([]);
  });
});
