import { expect, test } from 'vitest';
import { until } from './until.ts';

test('a condition that becomes true is returned with its value', async () => {
  let looks = 0;
  expect(await until(() => (++looks === 3 ? 'there' : undefined), { every: 1 })).toBe('there');
  expect(looks).toBe(3);
});

test('an error while looking only means "not yet"', async () => {
  let looks = 0;
  const look = () => {
    if (++looks < 3) throw new Error('connection refused');
    return true;
  };
  expect(await until(look, { every: 1 })).toBe(true);
});

test('giving up says what was awaited, for how long, and what was seen last', async () => {
  const stuck = until(() => ({ paid: 1 }).paid === 2, { within: 30, every: 5, what: 'the order is paid twice' });
  await expect(stuck).rejects.toThrow('not so after 30 ms: the order is paid twice\nat the last look it was false');
});

test('giving up keeps the last error as the cause', async () => {
  const refused = new Error('connection refused');
  const stuck = until(() => Promise.reject(refused), { within: 30, every: 5 });
  await expect(stuck).rejects.toMatchObject({ cause: refused });
});
