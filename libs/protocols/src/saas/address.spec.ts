import { describe, expect, test } from 'vitest';
import { checkDeliveryUrl, redactUrl, signedUrl } from './address.ts';

describe('a delivery URL', () => {
  test.each([
    ['https://saas.example.com/deliver', undefined],
    ['https://saas.example.com:443/deliver', undefined],
    ['https://saas.example.com', undefined],
    ['http://saas.example.com/deliver', 'not-https'],
    ['https://saas.example.com:8443/deliver', 'port'],
    ['https://saas.example.com/deliver?tenant=1', 'query'],
    ['https://saas.example.com/deliver?', 'query'],
    ['https://saas.example.com/deliver#top', 'fragment'],
    ['https://user:secret@saas.example.com/deliver', 'credentials'],
    ['ftp://saas.example.com/deliver', 'not-https'],
    ['saas.example.com/deliver', 'not-a-url'],
    ['', 'not-a-url'],
  ])('%s → %s', (url, refusal) => {
    expect(checkDeliveryUrl(url, { development: false })).toBe(refusal);
  });

  test('may be plain http on any port in development, but never carries a query', () => {
    expect(checkDeliveryUrl('http://127.0.0.1:8081/sandbox/provider/p/deliver', { development: true })).toBeUndefined();
    expect(checkDeliveryUrl('http://127.0.0.1:8081/deliver?x=1', { development: true })).toBe('query');
    expect(checkDeliveryUrl('ftp://127.0.0.1/deliver', { development: true })).toBe('not-https');
  });
});

describe('a signed URL', () => {
  const signed = signedUrl('https://saas.example.com/deliver', 'demo-token-0001', { timestamp: 1_700_000_000, eventId: 1234567890 });

  test('carries signature, timestamp and eventId in this order', () => {
    expect(signed).toBe(
      'https://saas.example.com/deliver?signature=72363503fe6955667f20615290e26502041e257cb706762111a4411d30327d47&timestamp=1700000000&eventId=1234567890',
    );
  });

  test('loses its signature before it is logged', () => {
    expect(redactUrl(signed)).toBe('https://saas.example.com/deliver?signature=***&timestamp=1700000000&eventId=1234567890');
  });
});
