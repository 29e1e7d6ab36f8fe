import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apiV3Key, open, openField, seal, sealField } from './seal.ts';

const key = apiV3Key('0123456789abcdef0123456789ABCDEF');
const nonce = fc.stringMatching(/^[0-9a-zA-Z]{12}$/);

describe('a sealed body', () => {
  test('opens to what was sealed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), nonce, fc.string(), (plaintext, nonce, aad) => {
        expect(open(seal(plaintext, key, nonce, aad), key)).toEqual({ ok: true, value: plaintext });
      }),
    );
  });

  test('stays shut when any byte of it is another', () => {
    const sealed = seal('{"trade_state":"SUCCESS"}', key, 'fdasflkja484', 'transaction');
    const bytes = Buffer.from(sealed.ciphertext, 'base64');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const tampered = Buffer.from(bytes);
        tampered[at]! ^= flip;
        expect(open({ ...sealed, ciphertext: tampered.toString('base64') }, key)).toEqual({ ok: false, error: 'cannot-open' });
      }),
    );
  });

  test.each([
    ['nonce', { nonce: 'fdasflkja485' }],
    ['shorter nonce', { nonce: 'fdas' }],
    ['associated data', { associated_data: 'refund' }],
    ['spelling of the base64', { ciphertext: ' ' }],
    ['tag, cut off', { ciphertext: Buffer.from('short').toString('base64') }],
  ])('stays shut with another %s', (_, change) => {
    const sealed = seal('{}', key, 'fdasflkja484', 'transaction');
    expect(open({ ...sealed, ...change }, key)).toEqual({ ok: false, error: 'cannot-open' });
  });

  test('stays shut to another key', () => {
    expect(open(seal('{}', key, 'fdasflkja484', ''), apiV3Key('x'.repeat(32)))).toEqual({ ok: false, error: 'cannot-open' });
  });

  test('needs a key of exactly 32 bytes, counted in UTF-8', () => {
    expect(() => apiV3Key('0123456789abcdef')).toThrow('32 bytes');
    expect(() => apiV3Key('云'.repeat(32))).toThrow('32 bytes');
  });
});

describe('a sealed field', () => {
  const [ours, theirs] = [generateKeyPairSync('rsa', { modulusLength: 2048 }), generateKeyPairSync('rsa', { modulusLength: 2048 })];

  test('opens with the private key of the named public key only', () => {
    const sealed = sealField('张三 6217 0000 1234', ours.publicKey);
    expect(openField(sealed, ours.privateKey)).toEqual({ ok: true, value: '张三 6217 0000 1234' });
    expect(openField(sealed, theirs.privateKey)).toEqual({ ok: false, error: 'cannot-open' });
  });

  test('stays shut when it was altered', () => {
    const bytes = Buffer.from(sealField('张三', ours.publicKey), 'base64');
    bytes[7]! ^= 1;
    expect(openField(bytes.toString('base64'), ours.privateKey)).toEqual({ ok: false, error: 'cannot-open' });
  });
});
