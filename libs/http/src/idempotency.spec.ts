import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson, idempotencyKey, idempotencyOf, requestHash } from './idempotency.ts';
import { httpServer, type Routes } from './server.ts';
import { buyer, otherBuyer, testIssuer } from './testing.ts';

test('a key is 1 to 255 printable characters', () => {
  expect(idempotencyKey('a')).toBe('a');
  expect(idempotencyKey('x'.repeat(255))).toHaveLength(255);
  for (const absent of [undefined, '']) expect(() => idempotencyKey(absent)).toThrow('is missing');
  for (const bad of ['x'.repeat(256), ' a', 'a\tb', '键', ['a', 'b']]) expect(() => idempotencyKey(bad)).toThrow('is not valid');
});

test('the order of members does not matter, anything else does', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (body) => {
      const reversed = Object.fromEntries(Object.entries(body).reverse());
      expect(requestHash('POST', '/v1/orders', 'a', reversed)).toBe(requestHash('POST', '/v1/orders', 'a', body));
      expect(JSON.parse(canonicalJson(body))).toEqual(JSON.parse(JSON.stringify(body)));
    }),
  );
  const hashes = [
    requestHash('POST', '/v1/orders', 'a', { n: 1 }),
    requestHash('PUT', '/v1/orders', 'a', { n: 1 }),
    requestHash('POST', '/v1/quotes', 'a', { n: 1 }),
    requestHash('POST', '/v1/orders', 'b', { n: 1 }),
    requestHash('POST', '/v1/orders', 'a', { n: 2 }),
    requestHash('POST', '/v1/orders', 'a', { n: '1' }),
    requestHash('POST', '/v1/orders', 'a', null),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
});

test('a route that needs a key refuses a request without one before it looks at the body', async () => {
  const issuer = await testIssuer();
  const routes: Routes = async (app) =>
    void app.post('/v1/orders', { config: { access: ['buyer'], idempotency: 'required' } }, (request) => idempotencyOf(request));
  const { app } = await httpServer({ name: 'test', routes: [routes], auth: issuer.auth });
  const post = async (caller: typeof buyer, headers: Record<string, string>, query = '') =>
    app.inject({
      method: 'POST',
      url: `/v1/orders${query}`,
      headers: { authorization: `Bearer ${await issuer.token(caller)}`, ...headers },
      payload: { n: 1 },
    });
  expect((await post(buyer, {})).json()).toMatchObject({ status: 400, code: 'idempotency-key-missing' });
  expect((await post(buyer, { 'idempotency-key': 'x'.repeat(256) })).json()).toMatchObject({ code: 'idempotency-key-not-valid' });
  const mine = (await post(buyer, { 'idempotency-key': 'k' })).json();
  expect(mine).toEqual({ account: buyer.accountId, key: 'k', hash: requestHash('POST', '/v1/orders', buyer.accountId, { n: 1 }) });
  expect((await post(buyer, { 'idempotency-key': 'k' }, '?utm=x')).json()).toEqual(mine);
  expect((await post(otherBuyer, { 'idempotency-key': 'k' })).json().account).toBe(otherBuyer.accountId);
});
