import { expect, test } from 'vitest';
import { converted } from './meter.ts';

test.each([
  ['90', 'm', 'h', 1.5],
  ['2', 'h', 'm', 120],
  ['0.5', 'Gb', 'Mb', 512],
  ['7', 'Mb', 'Mb', 7],
  ['7', 'Mb', 'h', undefined],
  ['7', 'KB', 'Mb', undefined],
  ['many', 'Mb', 'Mb', undefined],
])('%s %s in %s is %s', (amount, from, to, wanted) => {
  expect(converted(amount, from, to)).toBe(wanted);
});
