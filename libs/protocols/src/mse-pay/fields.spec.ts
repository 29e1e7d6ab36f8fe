import { createCipheriv, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encryptHeader, fieldKeyOf, openField, sealField } from './fields.ts';
import { PaymentRequest } from './payment.ts';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const to = { serial: '5B01', publicKey: pair.publicKey };
const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
const key = { key: Buffer.alloc(16, 7), iv: Buffer.alloc(16, 9) };

test('SM4 is that of GB/T 32907: the standard’s own example', () => {
  const example = Buffer.from('0123456789abcdeffedcba9876543210', 'hex');
  const cipher = createCipheriv('sm4-ecb', example, null).setAutoPadding(false);
  expect(Buffer.concat([cipher.update(example), cipher.final()]).toString('hex')).toBe('681edf34d206965e86b3e94f536e4246');
});

describe('an encrypted field', () => {
  test('is opened by whoever has the key that the header carries', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), bytes, bytes, (text, k, iv) => {
        const read = fieldKeyOf(encryptHeader({ key: k, iv }, to), (serial) => (serial === to.serial ? pair.privateKey : undefined));
        expect(read.ok && openField(sealField(text, { key: k, iv }), read.value)).toEqual({ ok: true, value: text });
      }),
      { numRuns: 20 },
    );
  });
  test('is refused cut short, spelled otherwise, or under another key', () => {
    const sealed = sealField('帆影软件', key);
    for (const text of [sealed.slice(0, -4), `${sealed}=`, '', 'AAAA'])
      expect(openField(text, key)).toEqual({ ok: false, error: 'cannot-open' });
    expect(openField(sealed, { ...key, key: Buffer.alloc(16, 8) })).not.toEqual({ ok: true, value: '帆影软件' });
  });
  test('comes with a header that names its key', () => {
    const header = encryptHeader(key, to);
    expect(fieldKeyOf(header, () => undefined)).toEqual({ ok: false, error: 'unknown-serial' });
    expect(fieldKeyOf(undefined, () => pair.privateKey)).toEqual({ ok: false, error: 'malformed' });
    expect(fieldKeyOf(header.replace('RSA_OAEP', 'RSA_PKCS1'), () => pair.privateKey)).toEqual({ ok: false, error: 'malformed' });
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    expect(fieldKeyOf(header, () => stranger)).toEqual({ ok: false, error: 'cannot-open' });
  });
});

test('numbers may be written as text, as the official SDK does', () => {
  const ask = {
    out_payment_id: 'C1',
    amount: '100000',
    currency: 'CNY',
    expire_time: '2026-03-02T12:00:00+08:00',
    payee: { ent_id: '3000000101', ent_name: 'AAAA' },
    notify_url: { server_notify_url: 'https://pay.example.com/v1/notify/mse-pay' },
  };
  expect(PaymentRequest.parse(ask).amount).toBe(100_000);
  expect(PaymentRequest.parse({ ...ask, amount: 100_000 }).amount).toBe(100_000);
  expect(PaymentRequest.safeParse({ ...ask, amount: '1e5' }).success).toBe(false);
});
