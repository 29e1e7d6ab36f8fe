import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const env = {
  AUTH_ISSUER: 'http://127.0.0.1:8080',
  AUTH_JWKS_URL: 'http://127.0.0.1:8080/.well-known/jwks.json',
  AUTH_AUDIENCE: 'yunshi',
  CATALOG_URL: 'http://127.0.0.1:1',
  COUPON_URL: 'http://127.0.0.1:2',
  ORDER_URL: 'http://127.0.0.1:3',
  PAYMENT_GATEWAY_URL: 'http://127.0.0.1:4',
  FULFILLMENT_URL: 'http://127.0.0.1:5',
  API_GATEWAY_URL: 'http://127.0.0.1:6',
};

test('the environment names every service and nothing that is only for development', () => {
  const config = readConfig(env);
  expect(config.upstreams['payment-gateway']).toBe('http://127.0.0.1:4');
  expect(config).toMatchObject({
    devIssuerKeyFile: undefined,
    testClockNats: undefined,
    limits: { account: { requests: 6000, seconds: 60 } },
  });
});

test('neither the development issuer nor the test clock runs in production', () => {
  const production = { ...env, NODE_ENV: 'production' };
  expect(() => readConfig({ ...production, DEV_ISSUER: 'on', DEV_ISSUER_KEY_FILE: 'key.json' })).toThrow('never on in production');
  expect(() => readConfig({ ...production, TEST_CLOCK: 'on', NATS_URL: 'nats://127.0.0.1' })).toThrow('never on in production');
});

test('what is missing or misspelled is named', () => {
  expect(() => readConfig({ ...env, ORDER_URL: undefined })).toThrow('ORDER_URL');
  expect(() => readConfig({ ...env, RATE_LIMIT_ACCOUNT: '100' })).toThrow('requests/seconds');
  expect(() => readConfig({ ...env, DEV_ISSUER: 'on' })).toThrow('DEV_ISSUER_KEY_FILE');
  expect(() => readConfig({ ...env, TEST_CLOCK: 'on' })).toThrow('NATS_URL');
});
