import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';

const key = Buffer.alloc(32, 7).toString('base64');
const least = {
  DATABASE_URL: 'postgres://localhost/yunshi',
  NATS_URL: 'nats://localhost',
  AUTH_ISSUER: 'https://id.example.com',
  AUTH_JWKS_URL: 'https://id.example.com/jwks',
  AUTH_AUDIENCE: 'yunshi',
  ENCRYPTION_KEY: key,
};

describe('the environment', () => {
  test('is enough with databases, bus, issuer and encryption key', () => {
    expect(readConfig(least)).toMatchObject({ port: 0, testClock: false, sandbox: undefined, encryptionKeys: [Buffer.alloc(32, 7)] });
  });

  test.each([
    ['no encryption key', { ENCRYPTION_KEY: undefined }, /ENCRYPTION_KEY/],
    ['an encryption key of the wrong size', { ENCRYPTION_KEY: 'c2hvcnQ=' }, /32 bytes/],
    ['a test clock in production', { NODE_ENV: 'production', TEST_CLOCK: 'on' }, /never on/],
    [
      'a sandbox in production',
      { NODE_ENV: 'production', PROVIDER_SANDBOX_URL: 'http://127.0.0.1:1', SANDBOX_PROVIDER_SECRET: 'long enough, surely' },
      /never plays/,
    ],
    ['a sandbox without its secret', { PROVIDER_SANDBOX_URL: 'http://127.0.0.1:1' }, /its secret/],
  ])('is refused with %s', (_what, change, complaint) => {
    expect(() => readConfig({ ...least, ...change })).toThrow(complaint);
  });

  test('may hold two encryption keys while one takes over', () => {
    const other = Buffer.alloc(32, 8);
    expect(readConfig({ ...least, ENCRYPTION_KEY: `${other.toString('base64')},${key}` }).encryptionKeys).toHaveLength(2);
  });
});
