import { expect, test } from 'vitest';
import { highestRate } from './search.ts';

const search = { from: 50, factor: 2, halvings: 4, max: 1_000 };
const limit = (max: number) => (rate: number) => Promise.resolve(rate <= max);

test('the highest rate is found between the last that was kept and the first that was not', async () => {
  const { rate, tried } = await highestRate(search, limit(270));
  expect(rate).toBeGreaterThan(255);
  expect(rate).toBeLessThanOrEqual(270);
  expect(tried.slice(0, 4)).toEqual([
    { rate: 50, kept: true },
    { rate: 100, kept: true },
    { rate: 200, kept: true },
    { rate: 400, kept: false },
  ]);
});

test('what cannot even keep the first rate is looked for below it', async () => {
  expect((await highestRate(search, limit(30))).rate).toBeGreaterThan(20);
  expect((await highestRate(search, limit(0))).rate).toBe(0);
});

test('a search ends at its limit', async () => {
  expect(await highestRate(search, limit(10_000))).toMatchObject({ rate: 800 });
});
