import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerMessage } from '../wechat/answer-signature.ts';
import { sign } from '../wechat/rsa.ts';
import { authorize, parseParameters, signAnswer, verifyAnswer, verifyNotice, verifyRequest } from './signature.ts';
import { sortedJson } from './sorted-json.ts';

const platform = generateKeyPairSync('rsa', { modulusLength: 2048 });
const channel = generateKeyPairSync('rsa', { modulusLength: 2048 });
const us = { platformId: '1000001', serial: '5A01', privateKey: platform.privateKey };
const them = { serial: '5B01', privateKey: channel.privateKey };
const wallMs = Date.parse('2026-03-01T12:00:00+08:00');
const at = { wallMs, nonce: 'a1B2c3' };
const request = { method: 'POST', target: '/v3/mse-pay/payments/pc-pay', body: '{"memo":"云市 标准版"}' };
const ourKey = (serial: string) => (serial === us.serial ? platform.publicKey : undefined);
const theirKey = (serial: string) => (serial === them.serial ? channel.publicKey : undefined);

describe('a request', () => {
  test('is signed without a scheme word, and accepted as it was sent', () => {
    const header = authorize(request, us, at);
    expect(header).toMatch(/^platform_id="1000001",nonce="a1B2c3",timestamp="1772337600",platform_serial_number="5A01",signature="/);
    expect(verifyRequest(header, request, ourKey, wallMs)).toEqual({ ok: true, value: { platformId: '1000001', serial: '5A01' } });
  });
  test.each([
    ['another method', { ...request, method: 'PUT' }],
    ['another path', { ...request, target: '/v3/mse-pay/payments/h5-pay' }],
    ['another body', { ...request, body: '{"memo":"云市 旗舰版"}' }],
  ])('is refused with %s', (_, other) => {
    expect(verifyRequest(authorize(request, us, at), other, ourKey, wallMs)).toEqual({ ok: false, error: 'wrong-signature' });
  });
  test('is refused five minutes before and after its time, of an unknown key, and unsigned', () => {
    const header = authorize(request, us, at);
    for (const skew of [-300_000, 300_000])
      expect(verifyRequest(header, request, ourKey, wallMs + skew)).toEqual({ ok: false, error: 'clock-skewed' });
    expect(verifyRequest(header, request, () => undefined, wallMs)).toEqual({ ok: false, error: 'unknown-serial' });
    expect(verifyRequest(undefined, request, ourKey, wallMs)).toEqual({ ok: false, error: 'unsigned' });
  });
  test('is refused when any character of its header is another, unless it names only the platform', () => {
    const header = authorize(request, us, at);
    fc.assert(
      fc.property(fc.nat(header.length - 1), fc.constantFrom('0', 'A', '+', '"', ','), (where, other) => {
        fc.pre(header[where] !== other);
        const read = verifyRequest(header.slice(0, where) + other + header.slice(where + 1), request, ourKey, wallMs);
        expect(read.ok && read.value.platformId === us.platformId).toBe(false);
      }),
    );
  });
});

describe('parameters', () => {
  test('are read in any order, and not twice', () => {
    expect(parseParameters('b="2", a="1"')).toEqual({ a: '1', b: '2' });
    expect(parseParameters('a="1",a="2"')).toBeUndefined();
    expect(parseParameters('a=1')).toBeUndefined();
  });
});

describe('sorted JSON', () => {
  test('sorts keys at every level, keeps characters, escapes the slash, keeps the line feed', () => {
    expect(sortedJson('{ "b": {"d":1,"c":"云/市"}, "a": [ {"z":null,"y":true} ] }\n')).toBe(
      '{"a":[{"y":true,"z":null}],"b":{"c":"云\\/市","d":1}}\n',
    );
    expect(sortedJson('{')).toBeUndefined();
  });
  test('says the same as before, and sorting again changes nothing', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const once = sortedJson(text);
        expect(JSON.parse(once!)).toEqual(JSON.parse(text));
        expect(sortedJson(once!)).toBe(once);
      }),
    );
  });
});

describe('a notice', () => {
  const body = '{"event_id":"E1","event_content":{"pay_status":"SUCCEEDED","amount":"100"},"api_version":"v3"}';
  const signedOver = (text: string) => {
    const timestamp = String(wallMs / 1_000);
    const signature = sign(answerMessage(timestamp, 'n', text), channel.privateKey);
    return `nonce="n",timestamp="${timestamp}",tbep_serial_number="5B01",signature="${signature}",signature_algorithm="SHA256withRSA"`;
  };
  test('is accepted signed over its bytes, and over the sorted form of them', () => {
    expect(verifyNotice(signAnswer(body, them, at), Buffer.from(body), theirKey, wallMs)).toEqual({ ok: true, value: '5B01' });
    expect(verifyNotice(signedOver(sortedJson(body)!), Buffer.from(body), theirKey, wallMs)).toEqual({ ok: true, value: '5B01' });
  });
  test('is refused when its content is another, in either form; an answer is read by its bytes alone', () => {
    const other = Buffer.from(body.replace('"100"', '"1"'));
    for (const header of [signedOver(body), signedOver(sortedJson(body)!)])
      expect(verifyNotice(header, other, theirKey, wallMs)).toEqual({ ok: false, error: 'wrong-signature' });
    expect(verifyAnswer(signedOver(sortedJson(body)!), Buffer.from(body), theirKey, wallMs)).toEqual({
      ok: false,
      error: 'wrong-signature',
    });
  });
  test('is refused truncated, stale, of another serial, malformed, unsigned', () => {
    const header = signAnswer(body, them, at);
    const read = (signature: string | undefined, bytes: string, now = wallMs, keyOf = theirKey) =>
      verifyNotice(signature, Buffer.from(bytes), keyOf, now);
    expect(read(header, body.slice(0, -9))).toEqual({ ok: false, error: 'wrong-signature' });
    expect(read(header, body, wallMs + 300_000)).toEqual({ ok: false, error: 'clock-skewed' });
    expect(read(header.replace('5B01', '5B02'), body)).toEqual({ ok: false, error: 'unknown-serial' });
    expect(read(header.replace('SHA256withRSA', 'SHA1withRSA'), body)).toEqual({ ok: false, error: 'malformed' });
    expect(read(undefined, body)).toEqual({ ok: false, error: 'unsigned' });
  });
});
