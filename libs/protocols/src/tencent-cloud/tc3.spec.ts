import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { secretIdOf, signTc3, verifyTc3, type Tc3Call } from './tc3.ts';

/** The call that the API's documentation signs as its example. */
const secretId = 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE';
const secret = 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE';
const timestamp = '1551113065';
const documented: Tc3Call = {
  method: 'POST',
  path: '/',
  query: '',
  headers: { 'content-type': 'application/json; charset=utf-8', host: 'cvm.tencentcloudapi.com' },
  body: String.raw`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`,
};
const scope = { secret, date: '2019-02-25', service: 'cvm', names: ['content-type', 'host'], timestamp };
const signature = '72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168';
const nowMs = Number(timestamp) * 1000;

const authorization = (service: string, sig: string, date = '2019-02-25') =>
  `TC3-HMAC-SHA256 Credential=${secretId}/${date}/${service}/tc3_request, SignedHeaders=content-type;host, Signature=${sig}`;
const signed = (call: Tc3Call, over: Partial<typeof scope> = {}): Tc3Call => {
  const used = { ...scope, ...over };
  return {
    ...call,
    headers: {
      ...call.headers,
      'x-tc-timestamp': used.timestamp,
      authorization: authorization(used.service, signTc3(call, used), used.date),
    },
  };
};
const judge = (call: Tc3Call, now = nowMs) => verifyTc3(call, (id) => (id === secretId ? secret : undefined), now);

describe('the signature of API 3.0', () => {
  test('is that of the documentation', () => {
    expect(signTc3(documented, scope)).toBe(signature);
    expect(judge(signed(documented))).toEqual({ ok: true, secretId, service: 'cvm', signature });
    expect(secretIdOf(authorization('cvm', signature))).toBe(secretId);
    expect(secretIdOf('Bearer x')).toBeUndefined();
  });

  test('is checked with the service that the credential names, whatever host is called', () => {
    const call = { ...documented, headers: { ...documented.headers, host: '127.0.0.1' } };
    for (const service of ['127', 'localhost:18555']) expect(judge(signed(call, { service }))).toMatchObject({ ok: true, service });
  });

  test('covers the host with or without its port', () => {
    const plain = signed({ ...documented, headers: { ...documented.headers, host: 'localhost' } });
    expect(judge({ ...plain, headers: { ...plain.headers, host: 'localhost:18555' } })).toMatchObject({ ok: true });
    expect(judge(signed({ ...documented, headers: { ...documented.headers, host: 'localhost:18555' } }))).toMatchObject({ ok: true });
  });

  test.each([
    ['another body', (call: Tc3Call) => ({ ...call, body: `${String(call.body)} ` }), 'AuthFailure.SignatureFailure'],
    ['another path', (call: Tc3Call) => ({ ...call, path: '/other' }), 'AuthFailure.SignatureFailure'],
    ['another host', (call: Tc3Call) => ({ ...call, headers: { ...call.headers, host: 'other' } }), 'AuthFailure.SignatureFailure'],
    [
      'another service',
      (call: Tc3Call) => ({ ...call, headers: { ...call.headers, authorization: authorization('vpc', signature) } }),
      'AuthFailure.SignatureFailure',
    ],
    [
      'a time that was not signed',
      (call: Tc3Call) => ({ ...call, headers: { ...call.headers, 'x-tc-timestamp': '1551113066' } }),
      'AuthFailure.SignatureFailure',
    ],
    [
      'another day than that of its time',
      (call: Tc3Call) => ({ ...call, headers: { ...call.headers, authorization: authorization('cvm', signature, '2019-02-26') } }),
      'AuthFailure.SignatureExpire',
    ],
    [
      'a stranger',
      (call: Tc3Call) => ({
        ...call,
        headers: { ...call.headers, authorization: authorization('cvm', signature).replace(secretId, 'AKIDstranger') },
      }),
      'AuthFailure.SecretIdNotFound',
    ],
    [
      'no signature',
      (call: Tc3Call) => ({ ...call, headers: { ...call.headers, authorization: undefined } }),
      'AuthFailure.InvalidAuthorization',
    ],
    [
      'a host that is not signed',
      (call: Tc3Call) => ({
        ...call,
        headers: { ...call.headers, authorization: authorization('cvm', signature).replace(';host', '') },
      }),
      'AuthFailure.InvalidAuthorization',
    ],
  ])('refuses %s', (_what, change, refusal) => {
    expect(judge(change(signed(documented)))).toEqual({ ok: false, refusal });
  });

  test('is good for five minutes to either side', () => {
    expect(judge(signed(documented), nowMs + 300_000)).toMatchObject({ ok: true });
    for (const off of [-301_000, 301_000])
      expect(judge(signed(documented), nowMs + off)).toMatchObject({ refusal: 'AuthFailure.SignatureExpire' });
  });

  test('whatever is sent, only what was signed is genuine', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (body, other) => {
        const call = signed({ ...documented, body });
        expect(judge(call).ok).toBe(true);
        expect(judge({ ...call, body: other }).ok).toBe(body === other);
      }),
    );
  });
});
