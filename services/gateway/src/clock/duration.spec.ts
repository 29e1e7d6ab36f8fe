import { expect, test } from 'vitest';
import { durationMs } from './duration.ts';

test('weeks, days, hours, minutes and seconds add up', () => {
  expect(durationMs('PT24H')).toBe(86_400_000);
  expect(durationMs('P30D')).toBe(30 * 86_400_000);
  expect(durationMs('P1W1DT1H1M1S')).toBe(8 * 86_400_000 + 3_661_000);
  expect(durationMs('PT0S')).toBe(0);
});

test('what is no duration, or one of unknown length, is none', () => {
  for (const text of ['', 'P', 'PT', 'P1DT', '24H', 'P1M', 'P1Y', '-P1D', 'P1.5D', 'PT1H30']) expect(durationMs(text)).toBeUndefined();
});
