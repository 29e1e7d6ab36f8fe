import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linePolicy } from '../instance/policy.ts';
import { lines, type Place } from './lines.ts';

const noon = Date.parse('2026-03-02T12:00:00+08:00');
const { tellingAtOnceMax, meteringAtOnceMax, servingAtOnceMax, gapMs } = linePolicy;
const leaving = (place: Place) => {
  if ('again' in place) throw new Error('the line was full');
  return place.leave;
};
const againMs = (place: Place) => ('again' in place ? place.again.getTime() - noon : undefined);

test('a provider is told by no more calls at a time than the policy allows; who comes then is given moments one behind the other', () => {
  const line = lines(() => new Date(noon));
  const leaves = Array.from({ length: tellingAtOnceMax }, () => leaving(line.enter('prv_1', 'expire')));
  const moments = Array.from({ length: 3 }, () => againMs(line.enter('prv_1', 'destroy')));
  expect(moments).toEqual([gapMs.first, 2 * gapMs.first, 3 * gapMs.first]);
  leaves[0]!();
  expect(line.enter('prv_1', 'expire')).toHaveProperty('leave');
});

test('the slower the provider, the farther apart are the moments, within bounds', () => {
  let at = noon;
  const line = lines(() => new Date(at));
  const gapAfter = (callMs: number) => {
    for (let nth = 0; nth < 60; nth++) {
      const leave = leaving(line.enter('prv_1', 'expire'));
      // Somebody is always there, or the line would be forgotten with its pace.
      at += callMs;
      leave();
    }
    const rest = Array.from({ length: tellingAtOnceMax - 1 }, () => leaving(line.enter('prv_1', 'expire')));
    const first = againMs(line.enter('prv_1', 'expire'))!;
    const second = againMs(line.enter('prv_1', 'expire'))!;
    for (const leave of rest) leave();
    return second - first;
  };
  leaving(line.enter('prv_1', 'expire'));
  expect(Math.abs(gapAfter(400) - 400 / tellingAtOnceMax)).toBeLessThan(3);
  expect(gapAfter(86_400_000)).toBeLessThanOrEqual(gapMs.max + 1);
});

test('what is told does not take the place of what buyers wait for, nor one provider that of another', () => {
  const line = lines(() => new Date(noon));
  for (let nth = 0; nth < tellingAtOnceMax; nth++) line.enter('prv_1', 'expire');
  expect(line.enter('prv_1', 'create')).toHaveProperty('leave');
  expect(line.enter('prv_1', 'renew')).toHaveProperty('leave');
  expect(line.enter('prv_2', 'expire')).toHaveProperty('leave');
});

test('whoever comes and goes, in whatever order: never more in hand than allowed, and a place for each that left', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (comings) => {
      const line = lines(() => new Date(noon));
      const inHand: (() => void)[] = [];
      for (const comes of comings) {
        if (!comes) {
          const leave = inHand.shift();
          leave?.();
          // Leaving twice makes no second place.
          leave?.();
          continue;
        }
        const place = line.enter('prv_1', 'expire');
        expect('again' in place).toBe(inHand.length === tellingAtOnceMax);
        if ('leave' in place) inHand.push(place.leave);
      }
      expect(inHand.length).toBeLessThanOrEqual(tellingAtOnceMax);
    }),
  );
});

test('questions about usage take nobody’s place, however many buyers look', () => {
  const line = lines(() => new Date(noon));
  for (let nth = 0; nth < meteringAtOnceMax; nth++) leaving(line.enter('prv_1', 'query-usage'));
  expect(line.enter('prv_1', 'set-usage-reminder')).toHaveProperty('again');
  for (let nth = 0; nth < servingAtOnceMax; nth++) leaving(line.enter('prv_1', 'create'));
});
