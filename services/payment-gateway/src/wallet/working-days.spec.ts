import { expect, test } from 'vitest';
import { addWorkingDays, isWorkingDay } from './working-days.ts';

const at = (time: string): Date => new Date(`${time}+08:00`);

test.each([
  ['an ordinary Monday', '2026-03-02T10:00:00', true],
  ['an ordinary Sunday', '2026-03-01T10:00:00', false],
  ['the National Day', '2026-10-01T10:00:00', false],
  ['a Saturday that makes up for it', '2026-10-10T10:00:00', true],
  ['the last second of a Friday in China', '2026-03-06T23:59:59', true],
  ['the first second of a Saturday in China', '2026-03-07T00:00:00', false],
  ['a weekday of a year whose holidays nobody has announced', '2049-10-01T10:00:00', true],
  ['a weekend of such a year', '2049-10-02T10:00:00', false],
])('%s', (_, day, works) => {
  expect(isWorkingDay(at(day))).toBe(works);
});

test('ten working days over the National Day end with the fifteenth of October', () => {
  expect(addWorkingDays(at('2026-09-25T09:00:00'), 10)).toEqual(at('2026-10-16T00:00:00'));
});
