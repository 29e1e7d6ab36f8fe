import { expect, test } from 'vitest';
import { described, errorClassOf } from './dead-letters.ts';

test('an error is described with its causes, and without stack traces', () => {
  const error = new Error('the seat cannot be held', { cause: new TypeError('row is undefined', { cause: { code: 7 } }) });
  expect(described(error)).toBe('Error: the seat cannot be held ← TypeError: row is undefined ← {"code":7}');
});

test('what differs from case to case is no part of the class of an error', () => {
  const classes = [
    new Error('order ord_0198c000000070008000ffffffffffff is not "open" since 2026-03-01T12:00:00.123Z (attempt 3)'),
    new Error('order ord_0198c111111170008000eeeeeeeeeeee is not "paid" since 2026-04-02T01:02:03.004Z (attempt 12)'),
  ].map(errorClassOf);
  expect(classes[0]).toBe(classes[1]);
  expect(classes[0]).toBe('Error: order … is not … since …Z (attempt …)');
  expect(errorClassOf(new TypeError('order … is not …'))).not.toBe(errorClassOf(new Error('order … is not …')));
});

test('the class of an error stays short, whatever the error says', () => {
  expect(errorClassOf(new Error(`no ${'such '.repeat(1_000)}thing`)).length).toBeLessThanOrEqual(200);
});
