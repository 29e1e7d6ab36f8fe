import { expect, test } from 'vitest';
import type { Auth, Verified } from './auth.ts';
import { remembering } from './remember.ts';
import { buyer } from './testing.ts';

const minute = 60_000;

/** Somebody who verifies, and counts how often. */
function asked(lifeMs: number) {
  const wall = { ms: 0 };
  const tokens: string[] = [];
  const auth: Auth = {
    verify: (token): Promise<Verified> => {
      tokens.push(token);
      return token.startsWith('good') ? Promise.resolve({ caller: buyer, expiresAtMs: lifeMs }) : Promise.reject(new Error('not good'));
    },
  };
  return { wall, tokens, verify: remembering(auth, () => wall.ms).verify };
}

test('a good token is verified once in five minutes', async () => {
  const { wall, tokens, verify } = asked(60 * minute);
  expect((await verify('good')).caller).toEqual(buyer);
  wall.ms = 4.9 * minute;
  expect((await verify('good')).caller).toEqual(buyer);
  expect(tokens).toHaveLength(1);
  wall.ms = 5 * minute;
  await verify('good');
  expect(tokens).toHaveLength(2);
});

test('nobody is remembered past the end of the token', async () => {
  const { wall, tokens, verify } = asked(minute);
  await verify('good');
  wall.ms = minute;
  await verify('good');
  expect(tokens).toHaveLength(2);
});

test('what was refused is asked again each time', async () => {
  const { tokens, verify } = asked(minute);
  await expect(verify('bad')).rejects.toThrow('not good');
  await expect(verify('bad')).rejects.toThrow('not good');
  expect(tokens).toHaveLength(2);
});

test('of more callers than can be remembered, those are forgotten that have not been seen for longest', async () => {
  const { tokens, verify } = asked(minute);
  for (let nth = 0; nth < 10_000; nth++) await verify(`good ${nth}`);
  await verify('good 0');
  await verify('good more');
  tokens.length = 0;
  await verify('good 0');
  expect(tokens).toEqual([]);
  await verify('good 1');
  expect(tokens).toEqual(['good 1']);
});
