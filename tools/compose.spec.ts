import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environment, services } from '@yunshi/local/services';
import { expect, test } from 'vitest';
import { root, trackedFiles } from './tracked.ts';

const text = (path: string) => readFileSync(join(root, path), 'utf8');
const compose = text('docker-compose.yml');
const given = `${compose}\n${text('deploy/compose/setup.ts')}\n${text('Dockerfile')}`;

const place = {
  dir: '/data',
  urls: Object.fromEntries(services.map(({ name, port }) => [name, `http://127.0.0.1:${port}`])),
  natsUrl: 'nats://127.0.0.1:4222',
  databaseUrl: 'postgres://127.0.0.1/yunshi',
  seed: 'demo' as const,
  testClock: true,
  secrets: { postgres: 'p', roles: {}, encryptionKey: 'e', paymentEncryptionKey: 'p', playedProviders: 's', treasury: '', cloud: '' },
  wechat: { keysFolder: '/keys', merchant: {} },
  bank: { keysFolder: '/bank-keys', platform: {} },
  unionpay: { keysFolder: '/unionpay-keys', merchant: {} },
};

test.each(services)('compose starts $name, with every variable that npm start gives it', (service) => {
  expect(compose).toContain(`command: [${service.program}]`);
  const names = Object.keys(environment(service, place)).filter((name) => name !== 'GATEWAY_URL');
  expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(given))).toEqual([]);
});

test('no secret stands in the compose file', () => {
  const secret = /^\s*\w*(?:PASSWORD|SECRET|TOKEN|PRIVATE_KEY|ENCRYPTION_KEY)\w*:\s*\S/m;
  expect(compose.replace(/POSTGRES_PASSWORD_FILE: \S+/, '')).not.toMatch(secret);
  expect('      ENCRYPTION_KEY: abc').toMatch(secret);
});

test('no package of the image names the test servers: npm would bring a PostgreSQL and a bundler along, even for a devDependency', () => {
  const manifests = trackedFiles().filter(
    (file) => /^(?:services|libs)\/[^/]+\/package\.json$/.test(file) && !/^libs\/(?:testing|journeys)\//.test(file),
  );
  expect(manifests.length).toBeGreaterThan(12);
  expect(manifests.filter((file) => text(file).includes('"@yunshi/testing"'))).toEqual([]);
});
