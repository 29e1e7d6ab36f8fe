import { expect, test } from 'vitest';
import { simulate } from './run.ts';

/** Runs with many faults and with few, with crashes and with leaps of time. */
const seeds = [1, 7, 2297, 12_540];

test('one seed is one run, line by line, whatever ran before it', async () => {
  const first = [];
  for (const seed of seeds) first.push(await simulate({ seed, log: true }));
  for (const run of first.toReversed()) {
    const again = await simulate({ seed: run.seed, log: true });
    expect(again.lines).toEqual(run.lines);
    expect(again.digest).toBe(run.digest);
  }
  expect(new Set(first.map(({ digest }) => digest)).size).toBe(seeds.length);
});

test('keeping the timeline changes nothing', async () => {
  const [told, untold] = [await simulate({ seed: 7, log: true }), await simulate({ seed: 7 })];
  expect(told.lines.length).toBeGreaterThan(10);
  expect(untold.lines).toEqual([]);
  expect(untold.digest).toBe(told.digest);
});
