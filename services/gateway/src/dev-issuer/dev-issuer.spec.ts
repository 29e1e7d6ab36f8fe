import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jwtAuth } from '@yunshi/http/auth';
import { afterAll, expect, test } from 'vitest';
import { gateway } from '../gateway.fixture.ts';
import { devIssuer } from './issuer.ts';
import { personas } from './personas.ts';

const folder = await mkdtemp(join(tmpdir(), 'yunshi-issuer-'));
afterAll(() => rm(folder, { recursive: true }));
const issuer = 'http://issuer.test';
const audience = 'yunshi';
const keyFile = join(folder, 'deep', 'key.json');
const env = { DEV_ISSUER: 'on', DEV_ISSUER_KEY_FILE: keyFile, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience };

const post = async (url: string, body: unknown) =>
  fetch(`${url}/v1/dev/token`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

test('there are three buyers, one with an approver beside, a user of each of six providers and two operators', () => {
  const roles = personas.map(({ caller }) => caller.roles.join());
  expect(roles.filter((role) => role === 'buyer')).toHaveLength(3);
  expect(new Set(personas.map(({ caller }) => caller.providerId).filter(Boolean)).size).toBe(6);
  expect(roles.filter((role) => role === 'operator')).toHaveLength(2);
  expect(roles.filter((role) => role === 'buyer,approver')).toHaveLength(1);
  expect(new Set(personas.map(({ caller }) => caller.accountId)).size).toBe(personas.length - 2);
});

test('every persona gets a token that others verify by the published keys', async () => {
  const { url } = await gateway({ env });
  const { items } = (await (await fetch(`${url}/v1/dev/personas`)).json()) as { items: { name: string }[] };
  expect(items.map(({ name }) => name)).toEqual(personas.map(({ name }) => name));
  const auth = jwtAuth({ issuer, audience, jwks: `${url}/.well-known/jwks.json` });
  for (const persona of personas) {
    const response = await post(url, { persona: persona.name });
    const body = (await response.json()) as { access_token: string; token_type: string; expires_in: number };
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 43_200 });
    expect((await auth.verify(body.access_token)).caller).toEqual(persona.caller);
  }
  const discovery = (await (await fetch(`${url}/.well-known/openid-configuration`)).json()) as { issuer: string; jwks_uri: string };
  expect(discovery).toMatchObject({ issuer, jwks_uri: `${issuer}/.well-known/jwks.json` });
});

test('nobody else gets one, and the keys show nothing secret', async () => {
  const { url } = await gateway({ env });
  const refused = await post(url, { persona: 'mallory', roles: ['operator'] });
  expect(await refused.json()).toMatchObject({
    status: 400,
    errors: [expect.objectContaining({ field: '/persona' }), expect.objectContaining({ field: '/roles' })],
  });
  const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as { keys: Record<string, string>[] };
  expect(keys).toHaveLength(1);
  expect(keys[0]).not.toHaveProperty('d');
});

test('without the development issuer there is no such route', async () => {
  const { url } = await gateway();
  expect((await post(url, { persona: 'lin' })).status).toBe(404);
  expect((await fetch(`${url}/.well-known/jwks.json`)).status).toBe(404);
});

test('the key outlives a restart, is the owner’s alone, and is one even if two start at once', async () => {
  const file = join(folder, 'race.json');
  const both = await Promise.all([1, 2].map(() => devIssuer({ issuer, audience, keyFile: file })));
  const again = await devIssuer({ issuer, audience, keyFile: file });
  expect(new Set([...both, again].map(({ jwks }) => jwks.keys[0]?.kid)).size).toBe(1);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('asking for tokens is limited', async () => {
  const { url } = await gateway({ env: { ...env, RATE_LIMIT_SIGN_IN: '1/60' } });
  expect((await post(url, { persona: 'lin' })).status).toBe(200);
  expect((await post(url, { persona: 'lin' })).status).toBe(429);
});
