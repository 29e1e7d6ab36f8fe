import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerHeaders, answerMessage, probeSignature, verifyAnswer } from './answer-signature.ts';

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const [certificate, replaced, publicKeyMode] = [pair(), pair(), pair()];
const serials = {
  '5157F09EFDC096DE15EBE81A47057A7232F1B8E1': certificate,
  '7132D72A03E93CDDF8C03BBD1F37EEDF': replaced,
  PUB_KEY_ID_0119000000012026: publicKeyMode,
};
const known = new Map(Object.entries(serials).map(([serial, { publicKey }]) => [serial, publicKey]));
const keyOf = (serial: string) => known.get(serial);
const wallMs = Date.parse('2026-03-01T12:00:00+08:00');
const body = '{"code_url":"weixin://wxpay/bizpayurl?pr=q1W2e3R"}';
const headersBy = (serial: keyof typeof serials, text: string | Uint8Array = body, at = wallMs) =>
  answerHeaders(text, { serial, privateKey: serials[serial].privateKey }, { wallMs: at, nonce: 'fdasflkja484w' });

test('the message is three lines, the last one too when the body is empty', () => {
  expect(answerMessage('1554209980', 'c5ac7061', '').toString()).toBe('1554209980\nc5ac7061\n\n');
});

describe('an answer', () => {
  test.each(Object.keys(serials) as (keyof typeof serials)[])('signed by %s is accepted beside the others', (serial) => {
    expect(verifyAnswer(headersBy(serial), body, keyOf, wallMs)).toEqual({ ok: true, value: serial });
  });

  test('is accepted by a key that was learned after the first answers came', () => {
    const late = new Map<string, typeof certificate.publicKey>();
    const headers = headersBy('PUB_KEY_ID_0119000000012026');
    expect(verifyAnswer(headers, body, (serial) => late.get(serial), wallMs)).toEqual({ ok: false, error: 'unknown-serial' });
    late.set('PUB_KEY_ID_0119000000012026', publicKeyMode.publicKey);
    expect(verifyAnswer(headers, body, (serial) => late.get(serial), wallMs).ok).toBe(true);
  });

  test('is refused under the serial of another key', () => {
    const headers = { ...headersBy('5157F09EFDC096DE15EBE81A47057A7232F1B8E1'), 'wechatpay-serial': '7132D72A03E93CDDF8C03BBD1F37EEDF' };
    expect(verifyAnswer(headers, body, keyOf, wallMs)).toEqual({ ok: false, error: 'wrong-signature' });
  });

  test('may be empty and is signed all the same', () => {
    expect(verifyAnswer(headersBy('PUB_KEY_ID_0119000000012026', ''), new Uint8Array(0), keyOf, wallMs).ok).toBe(true);
  });

  test('is refused when any byte of its body is another', () => {
    const bytes = Buffer.from(body);
    const headers = headersBy('PUB_KEY_ID_0119000000012026');
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const tampered = Buffer.from(bytes);
        tampered[at]! ^= flip;
        expect(verifyAnswer(headers, tampered, keyOf, wallMs)).toEqual({ ok: false, error: 'wrong-signature' });
      }),
    );
  });

  test('is refused when it was parsed and written anew', () => {
    const spaced = '{ "code_url": "weixin:\\/\\/wxpay" }';
    const headers = headersBy('PUB_KEY_ID_0119000000012026', spaced);
    expect(verifyAnswer(headers, JSON.stringify(JSON.parse(spaced)), keyOf, wallMs)).toEqual({ ok: false, error: 'wrong-signature' });
  });

  test('is refused five minutes before and after its time', () => {
    for (const offsetMs of [-300_000, 300_000]) {
      const headers = headersBy('PUB_KEY_ID_0119000000012026', body, wallMs + offsetMs);
      expect(verifyAnswer(headers, body, keyOf, wallMs)).toEqual({ ok: false, error: 'clock-skewed' });
    }
  });

  test.each(['timestamp', 'nonce', 'signature', 'serial'])('is refused without its %s', (name) => {
    const headers = { ...headersBy('PUB_KEY_ID_0119000000012026'), [`wechatpay-${name}`]: undefined };
    expect(verifyAnswer(headers, body, keyOf, wallMs)).toEqual({ ok: false, error: 'unsigned' });
  });

  test('is refused when it is a probe, whatever follows the mark', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 256 }), (random) => {
        const headers = { ...headersBy('PUB_KEY_ID_0119000000012026'), 'wechatpay-signature': probeSignature(random) };
        expect(verifyAnswer(headers, body, keyOf, wallMs)).toEqual({ ok: false, error: 'signature-probe' });
      }),
    );
  });
});
