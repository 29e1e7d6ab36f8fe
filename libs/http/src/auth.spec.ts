import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, expect, test } from 'vitest';
import { bearerToken, checkAccess, jwtAuth } from './auth.ts';
import { callerOf, providerOf } from './caller.ts';
import { httpServer, type Routes } from './server.ts';
import { buyer, operator, provider, testIssuer } from './testing.ts';

const issuer = await testIssuer();
const { auth } = issuer;

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'accepted',
    (problem: { code: string }) => problem.code,
  );

test('a good token tells who is asking', async () => {
  expect((await auth.verify(await issuer.token(provider))).caller).toEqual(provider);
});

test('a token of another issuer, audience, key or time is refused', async () => {
  const claims = (changes: Record<string, unknown>) => issuer.token(buyer, { claims: changes });
  expect(await codeOf(auth.verify(await claims({ iss: 'https://elsewhere.test' })))).toBe('token-not-valid');
  expect(await codeOf(auth.verify(await claims({ aud: 'another-api' })))).toBe('token-not-valid');
  expect(await codeOf(auth.verify(await claims({ nbf: Math.floor(Date.now() / 1000) + 600 })))).toBe('token-not-valid');
  expect(await codeOf(auth.verify(await issuer.token(buyer, { header: { kid: 'test-2' } })))).toBe('token-not-valid');
  expect(await codeOf(auth.verify(await issuer.token(buyer, { expiresInS: -60 })))).toBe('token-expired');
});

test('a token without what it must say is refused', async () => {
  for (const missing of ['exp', 'sub', 'aud', 'account_id', 'roles']) {
    expect(await codeOf(auth.verify(await issuer.token(buyer, { claims: { [missing]: undefined } })))).toBe('token-not-valid');
  }
  expect(await codeOf(auth.verify(await issuer.token({ ...buyer, roles: ['provider'] })))).toBe('token-not-valid');
  expect(await codeOf(auth.verify(await issuer.token(buyer, { claims: { roles: ['root'] } })))).toBe('token-not-valid');
  const { privateKey } = await generateKeyPair('EdDSA');
  const unnamed = await new SignJWT({ sub: 'x' }).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
  expect(await codeOf(auth.verify(unnamed))).toBe('token-not-valid');
});

test('neither an unsigned token nor one signed with the public key as a secret is accepted', async () => {
  const [header, payload] = (await issuer.token(buyer)).split('.') as [string, string];
  const none = Buffer.from(JSON.stringify({ alg: 'none', kid: 'test-1' })).toString('base64url');
  expect(await codeOf(auth.verify(`${none}.${payload}.`))).toBe('token-not-valid');
  const secret = Buffer.from(JSON.stringify(issuer.jwks.keys[0]));
  const forged = await new SignJWT(JSON.parse(Buffer.from(payload, 'base64url').toString()))
    .setProtectedHeader({ alg: 'HS256', kid: 'test-1' })
    .sign(secret);
  expect(await codeOf(auth.verify(forged))).toBe('token-not-valid');
  expect(await codeOf(auth.verify(`${header}.${Buffer.from('{}').toString('base64url')}.AAAA`))).toBe('token-not-valid');
});

test('RS256 and ES256 are accepted as well, other algorithms are not', async () => {
  for (const [alg, code] of [
    ['RS256', 'accepted'],
    ['ES256', 'accepted'],
    ['ES384', 'token-not-valid'],
  ] as const) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: alg, alg }] };
    const other = jwtAuth({ issuer: issuer.issuer, audience: issuer.audience, jwks });
    const [, payload] = (await issuer.token(buyer)).split('.') as [string, string];
    const token = await new SignJWT(JSON.parse(Buffer.from(payload, 'base64url').toString()))
      .setProtectedHeader({ alg, kid: alg })
      .sign(privateKey);
    expect(await codeOf(other.verify(token))).toBe(code);
  }
});

const servers: Server[] = [];
afterAll(() => servers.forEach((server) => server.close()));

test('keys are read from the issuer once, and an issuer that does not answer is not the caller’s fault', async () => {
  let reads = 0;
  const server = createServer((_, response) => {
    reads++;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(issuer.jwks));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  const remote = jwtAuth({ issuer: issuer.issuer, audience: issuer.audience, jwks });
  for (let nth = 0; nth < 3; nth++) expect((await remote.verify(await issuer.token(buyer))).caller).toEqual(buyer);
  expect(reads).toBe(1);
  server.close();
  const closed = jwtAuth({ issuer: issuer.issuer, audience: issuer.audience, jwks: 'http://127.0.0.1:1/jwks' });
  expect(await codeOf(closed.verify(await issuer.token(buyer)))).toBe('issuer-unavailable');
});

test('a route opens for its roles: 401 without a token, 403 with another role', async () => {
  const routes: Routes = async (app) => {
    app.get('/v1/ours', { config: { access: ['provider', 'operator'] } }, (request) => ({ account: callerOf(request).accountId }));
    app.get('/v1/mine', { config: { access: ['provider', 'operator'] } }, (request) => ({ provider: providerOf(request) }));
    app.get('/v1/nobody', { config: { access: 'public' } }, (request) => callerOf(request));
  };
  const { app } = await httpServer({ name: 'test', routes: [routes], auth });
  const get = async (url: string, authorization?: string) => app.inject({ url, ...(authorization && { headers: { authorization } }) });
  const without = await get('/v1/ours');
  expect(without.json()).toMatchObject({ status: 401, code: 'token-missing' });
  expect(without.headers['www-authenticate']).toBe('Bearer');
  expect((await get('/v1/ours', 'Basic YTpi')).json()).toMatchObject({ status: 401, code: 'token-not-valid' });
  expect((await get('/v1/ours', `Bearer ${await issuer.token(buyer)}`)).json()).toMatchObject({ status: 403, code: 'role-not-allowed' });
  expect((await get('/v1/ours', `Bearer ${await issuer.token(operator)}`)).json()).toEqual({ account: operator.accountId });
  expect((await get('/v1/mine', `Bearer ${await issuer.token(provider)}`)).json()).toEqual({ provider: provider.providerId });
  expect((await get('/v1/mine', `Bearer ${await issuer.token(operator)}`)).json()).toMatchObject({ status: 403 });
  expect((await get('/v1/nobody')).json()).toMatchObject({ status: 401 });
});

test('a bearer header is read as it is written, and nothing else is', () => {
  expect(bearerToken(undefined)).toBeUndefined();
  expect(bearerToken('bearer a.b.c')).toBe('a.b.c');
  for (const header of ['Bearer', 'Bearer a.b', 'Token a.b.c', 'Bearer a.b.c d'])
    expect(() => bearerToken(header)).toThrow('not `Bearer` and a JWT');
  expect(() => checkAccess('signed-in', buyer)).not.toThrow();
  expect(() => checkAccess(['operator'], buyer)).toThrow('you are buyer');
});
