import { createHash, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  authorize,
  formatAuthorization,
  parseAuthorization,
  requestMessage,
  verifyRequest,
  type WireRequest,
} from './request-signature.ts';
import { sign } from './rsa.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const merchant = { mchid: '1900000001', serialNo: '5157F09EFDC096DE15EBE81A47057A7232F1B8E1', privateKey };
const keyOf = (serial: string) => (serial === merchant.serialNo ? publicKey : undefined);
const wallMs = Date.parse('2026-03-01T12:00:00+08:00');
const order: WireRequest = { method: 'POST', target: '/v3/combine-transactions/native', body: '{"description":"云市 标准版"}' };
const signed = (request = order, at = wallMs) => authorize(request, merchant, { wallMs: at, nonce: 'a1B2c3' });

describe('the message of a request', () => {
  test('is five lines, each ended by a line feed', () => {
    const get = { method: 'GET', target: '/v3/certificates?algorithm_type=RSA', body: '' };
    expect(requestMessage(get, '1554208460', '593BEC0C930BF1AFEB40B4A08C8FB242').toString()).toBe(
      'GET\n/v3/certificates?algorithm_type=RSA\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n',
    );
  });

  test('holds the bytes of the body, even those that are not text', () => {
    const message = requestMessage({ ...order, body: Uint8Array.of(0xff, 0x00, 0x0a) }, '1554208460', 'n');
    expect([...message.subarray(-4)]).toEqual([0xff, 0x00, 0x0a, 0x0a]);
  });

  test('counts a text body in UTF-8', () => {
    const [text, bytes] = [order.body, Buffer.from(order.body)].map((body) => requestMessage({ ...order, body }, '1554208460', 'n'));
    expect(createHash('sha256').update(text!).digest('hex')).toBe(createHash('sha256').update(bytes!).digest('hex'));
  });
});

describe('the Authorization header', () => {
  test('is read by name, in any order and with spaces after the commas', () => {
    const shuffled = 'WECHATPAY2-SHA256-RSA2048 signature="c2ln", timestamp="1554208460",serial_no="AB", mchid="1900000001",nonce_str="n"';
    expect(parseAuthorization(shuffled)).toEqual({
      ok: true,
      value: { mchid: '1900000001', serialNo: 'AB', nonce: 'n', timestamp: '1554208460', signature: 'c2ln' },
    });
  });

  test.each([
    ['absent', undefined],
    ['of another scheme', 'Bearer mchid="1"'],
    ['without a serial', 'WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="n",signature="s",timestamp="1554208460"'],
    [
      'with a parameter twice',
      'WECHATPAY2-SHA256-RSA2048 mchid="1",mchid="2",nonce_str="n",signature="s",timestamp="1554208460",serial_no="A"',
    ],
    [
      'with an unknown parameter',
      'WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="n",signature="s",timestamp="1554208460",serial_no="A",x="y"',
    ],
    ['with milliseconds', 'WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="n",signature="s",timestamp="1554208460123",serial_no="A"'],
    [
      'with a nonce of 33',
      `WECHATPAY2-SHA256-RSA2048 mchid="1",nonce_str="${'n'.repeat(33)}",signature="s",timestamp="1554208460",serial_no="A"`,
    ],
  ])('is refused when it is %s', (_, header) => {
    expect(parseAuthorization(header)).toEqual({ ok: false, error: 'malformed' });
  });

  test('survives writing and reading', () => {
    const word = fc.stringMatching(/^[0-9A-Za-z+/=_|*-]{1,32}$/);
    const timestamp = fc.integer({ min: 1_000_000_000, max: 9_999_999_999 }).map(String);
    fc.assert(
      fc.property(word, word, word, word, timestamp, (mchid, serialNo, nonce, signature, timestamp) => {
        const authorization = { mchid, serialNo, nonce, timestamp, signature };
        expect(parseAuthorization(formatAuthorization(authorization))).toEqual({ ok: true, value: authorization });
      }),
    );
  });
});

describe('a signed request', () => {
  test('is accepted as it was sent', () => {
    expect(verifyRequest(signed(), order, keyOf, wallMs)).toMatchObject({ ok: true, value: { mchid: '1900000001' } });
  });

  test('is accepted whatever its body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom('GET', 'POST'), (body, method) => {
        const request = { method, target: '/v3/x?y=%E4%BA%91', body };
        expect(verifyRequest(signed(request), request, keyOf, wallMs).ok).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test('is refused when any byte of its body is another', () => {
    const body = Buffer.from(order.body);
    const header = signed();
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const tampered = Buffer.from(body);
        tampered[at]! ^= flip;
        expect(verifyRequest(header, { ...order, body: tampered }, keyOf, wallMs)).toEqual({ ok: false, error: 'wrong-signature' });
      }),
    );
  });

  test('is refused when any character of its header is another', () => {
    const header = signed();
    fc.assert(
      fc.property(fc.nat(header.length - 1), fc.constantFrom('0', 'A', 'a', '/', '+', '=', '"'), (at, other) => {
        fc.pre(header[at] !== other);
        const tampered = header.slice(0, at) + other + header.slice(at + 1);
        const verdict = verifyRequest(tampered, order, keyOf, wallMs);
        // The merchant number is not part of the signed message: WeChat Pay binds it through the serial, as the sandbox does.
        expect(verdict.ok && verdict.value.mchid === merchant.mchid).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    ['method', { ...order, method: 'PUT' }],
    ['path', { ...order, target: '/v3/combine-transactions/native/' }],
    ['query', { ...order, target: '/v3/combine-transactions/native?x=1' }],
  ])('is refused with another %s', (_, request) => {
    expect(verifyRequest(signed(), request, keyOf, wallMs)).toEqual({ ok: false, error: 'wrong-signature' });
  });

  test('is refused five minutes before and after its time, and accepted up to then', () => {
    const verdict = (offsetMs: number) => verifyRequest(signed(order, wallMs + offsetMs), order, keyOf, wallMs);
    for (const offsetMs of [-299_000, 0, 299_000]) expect(verdict(offsetMs).ok).toBe(true);
    for (const offsetMs of [-300_000, 300_000]) expect(verdict(offsetMs)).toEqual({ ok: false, error: 'clock-skewed' });
  });

  test('is refused when nobody knows its serial', () => {
    const stranger = authorize(order, { ...merchant, serialNo: 'FF' }, { wallMs, nonce: 'n' });
    expect(verifyRequest(stranger, order, keyOf, wallMs)).toEqual({ ok: false, error: 'unknown-serial' });
  });

  test('is refused when its signature is spelled another way', () => {
    const timestamp = String(wallMs / 1000);
    const signature = sign(requestMessage(order, timestamp, 'n'), privateKey);
    const header = (text: string) => formatAuthorization({ ...merchant, nonce: 'n', timestamp, signature: text });
    expect(verifyRequest(header(signature), order, keyOf, wallMs).ok).toBe(true);
    for (const spelling of [`${signature}=`, `-${signature}`, signature.replace(/=+$/, '')]) {
      expect(verifyRequest(header(spelling), order, keyOf, wallMs).ok).toBe(false);
    }
  });
});
