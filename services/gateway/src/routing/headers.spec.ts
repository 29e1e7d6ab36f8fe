import { expect, test } from 'vitest';
import { requestHeaders, responseHeaders } from './headers.ts';

const hop = { address: '203.0.113.7', protocol: 'https', host: 'market.test', requestId: 'r-1', traceparent: undefined };

test('what belongs to one connection stays there, also what the client says belongs to it', () => {
  const headers = requestHeaders(
    {
      connection: 'keep-alive, X-Private',
      'keep-alive': 'timeout=5',
      te: 'trailers',
      upgrade: 'h2c',
      'x-private': '1',
      'idempotency-key': 'k',
      accept: '*/*',
    },
    hop,
  );
  expect(Object.keys(headers).sort()).toEqual([
    'accept',
    'idempotency-key',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-request-id',
  ]);
});

test('a client cannot speak for the gateway', () => {
  const headers = requestHeaders(
    {
      'x-forwarded-for': '127.0.0.1',
      forwarded: 'for=127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-request-id': 'mine',
      host: 'evil.test',
      traceparent: 'x',
    },
    hop,
  );
  expect(headers).toEqual({
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-host': 'market.test',
    'x-forwarded-proto': 'https',
    'x-request-id': 'r-1',
  });
  expect(requestHeaders({}, { ...hop, traceparent: '00-a-b-01' })['traceparent']).toBe('00-a-b-01');
});

test('an answer comes back without the inner connection’s headers', () => {
  expect(
    responseHeaders({
      connection: 'close, x-inner',
      'x-inner': '1',
      'transfer-encoding': 'chunked',
      'content-type': 'application/json',
      'set-cookie': ['a', 'b'],
    }),
  ).toEqual({ 'content-type': 'application/json', 'set-cookie': ['a', 'b'] });
});
