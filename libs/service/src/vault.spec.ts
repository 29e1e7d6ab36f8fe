import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { vault } from './vault.ts';

const oldKey = randomBytes(32);
const newKey = randomBytes(32);
const [here, otherRow, otherColumn] = ['instances.access ins_1', 'instances.access ins_2', 'endpoints.token ins_1'];

describe('what is sealed', () => {
  const sealed = vault([oldKey]).seal('初始密码 hunter2', here);

  test('opens with the key and the row it was sealed for', () => {
    expect(vault([oldKey]).open(sealed, here)).toBe('初始密码 hunter2');
  });

  test('does not show what is in it, and looks different each time', () => {
    expect(sealed).not.toContain('hunter2');
    expect(vault([oldKey]).seal('初始密码 hunter2', here)).not.toBe(sealed);
  });

  test('does not open in another row or column', () => {
    expect(() => vault([oldKey]).open(sealed, otherRow)).toThrow(/authenticate/);
    expect(() => vault([oldKey]).open(sealed, otherColumn)).toThrow(/authenticate/);
  });

  test('opens while its key stands behind a newer one, which seals from then on', () => {
    const both = vault([newKey, oldKey]);
    expect(both.open(sealed, here)).toBe('初始密码 hunter2');
    expect(() => vault([oldKey]).open(both.seal('x', 'row'), 'row')).toThrow('not configured');
  });

  test('is put under a newer key without being opened, and then no longer needs the old one', () => {
    const rewrapped = vault([newKey, oldKey]).rewrap(sealed, here)!;
    expect(vault([newKey]).open(rewrapped, here)).toBe('初始密码 hunter2');
    expect(rewrapped.split('.')[3]).toBe(sealed.split('.')[3]);
    expect(vault([newKey]).rewrap(rewrapped, here)).toBeUndefined();
    expect(() => vault([newKey, oldKey]).rewrap(sealed, otherRow)).toThrow(/authenticate/);
  });

  test.each([
    ['a bit is changed', (text: string) => `${text.slice(0, -2)}${text.at(-2) === 'A' ? 'B' : 'A'}${text.slice(-1)}`],
    ['its end is cut off', (text: string) => text.slice(0, 30)],
    ['its end is cut off further on', (text: string) => text.slice(0, -20)],
    ['it is not sealed at all', () => 'hunter2'],
  ])('does not open when %s', (_what, change) => {
    expect(() => vault([oldKey]).open(change(sealed), here)).toThrow(/authenticate|not a sealed value/);
  });
});

test('there is no vault without a key', () => {
  expect(() => vault([])).toThrow('no key');
});
