import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const good = {
  DATABASE_URL: 'postgres://127.0.0.1/yunshi',
  NATS_URL: 'nats://127.0.0.1:4222',
  AUTH_ISSUER: 'i',
  AUTH_JWKS_URL: 'http://127.0.0.1/jwks',
  AUTH_AUDIENCE: 'a',
  ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
};

test('the sandbox plays no upstream in production, and without a key nothing starts', () => {
  expect(readConfig({ ...good, UPSTREAM_SANDBOX_URL: 'http://127.0.0.1:1/' }).sandboxUrl).toBe('http://127.0.0.1:1');
  expect(() => readConfig({ ...good, NODE_ENV: 'production', UPSTREAM_SANDBOX_URL: 'http://127.0.0.1:1' })).toThrow('never plays');
  expect(() => readConfig({ ...good, ENCRYPTION_KEY: undefined })).toThrow('ENCRYPTION_KEY');
});
