import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const env = {
  DATABASE_URL: 'postgres://svc_order@localhost/yunshi',
  NATS_URL: 'nats://localhost:4222',
  AUTH_ISSUER: 'http://localhost:8080',
  AUTH_JWKS_URL: 'http://localhost:8080/v1/dev/jwks',
  AUTH_AUDIENCE: 'yunshi',
};

test('the environment is read, with defaults for what is no secret', () => {
  expect(readConfig(env)).toMatchObject({ port: 0, host: '127.0.0.1', testClock: false, auth: { audience: 'yunshi' } });
});

test.each(Object.keys(env))('without %s it does not start', (name) => {
  expect(() => readConfig({ ...env, [name]: undefined })).toThrow(name);
});

test('business time cannot be moved in production', () => {
  expect(() => readConfig({ ...env, NODE_ENV: 'production', TEST_CLOCK: 'on' })).toThrow('the test clock is never on in production');
});
