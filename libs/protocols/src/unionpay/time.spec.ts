import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readShortTime, readTime, wireTime } from './time.ts';

test('times are China’s, and only real ones are read', () => {
  expect(wireTime(new Date('2026-02-28T17:00:05Z'))).toBe('20260301010005');
  expect(readTime('20260301010005')).toEqual(new Date('2026-02-28T17:00:05Z'));
  for (const text of ['20260230000000', '20260301250000', '2026030101000', '2026-03-01T01:00']) expect(readTime(text)).toBeUndefined();
});

test('a time without its year is that of the order’s year, or of the next one', () => {
  const order = new Date('2026-12-30T04:00:00Z');
  expect(readShortTime('1231100000', order)).toEqual(new Date('2026-12-31T02:00:00Z'));
  expect(readShortTime('0103100000', order)).toEqual(new Date('2027-01-03T02:00:00Z'));
  // The bank's clock may be a little behind ours.
  expect(readShortTime('1230115900', order)).toEqual(new Date('2026-12-30T03:59:00Z'));
  expect(readShortTime('1332000000', order)).toBeUndefined();
});

test('what is written is read again', () => {
  const at = fc.date({ min: new Date('2015-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(at, (date) => {
      expect(readTime(wireTime(date))?.getTime()).toBe(Math.floor(date.getTime() / 1_000) * 1_000);
    }),
  );
});
