import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { OpenApiDocument } from '@yunshi/http/openapi';
import { pageOf, listQuery } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { gateway, upstream } from '../gateway.fixture.ts';
import { upstreamNames, type UpstreamName } from '../routing/table.ts';

const Item = z.object({ id: z.string(), amount: z.int() }).meta({ id: 'Item' });
const shop: Routes = async (app) => {
  app.get(
    '/v1/products',
    {
      config: { access: 'public' },
      schema: { summary: 'List products', querystring: z.strictObject(listQuery), response: { 200: pageOf(Item) } },
    },
    () => ({ items: [], next_cursor: null }),
  );
};
const orders: Routes = async (app) => {
  app.post(
    '/v1/orders',
    {
      config: { access: ['buyer'], idempotency: 'required' },
      schema: {
        summary: 'Place an order',
        body: z.strictObject({ sku_id: z.string(), note: z.string().nullable().optional() }).meta({ id: 'NewOrder' }),
        response: { 201: z.object({ id: z.string(), sum: z.int() }).meta({ id: 'Item' }) },
      },
    },
    async (_request, reply) => reply.code(201).send({ id: '1', sum: 1 }),
  );
  app.get('/v1/orders/:order_id', { config: { access: ['buyer'] }, schema: { params: z.object({ order_id: z.string() }) } }, () => ({}));
};
const docs = new Map<UpstreamName, Routes>([
  ['catalog', shop],
  ['order', orders],
]);

const folder = await mkdtemp(join(tmpdir(), 'yunshi-description-'));
afterAll(() => rm(folder, { recursive: true }));

let url = '';
let document: OpenApiDocument;
beforeAll(async () => {
  const services: Partial<Record<UpstreamName, string>> = {};
  for (const [name, routes] of docs) services[name] = (await upstream(name, [routes])).url;
  ({ url } = await gateway({
    services,
    env: { DEV_ISSUER: 'on', DEV_ISSUER_KEY_FILE: join(folder, 'key.json') },
  }));
  document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument;
});

test('the description is valid OpenAPI 3.1 with every reference resolved', async () => {
  const validator = new Validator();
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true });
  expect(validator.version).toBe('3.1');
  const broken = structuredClone(document) as unknown as { paths: Record<string, unknown> };
  broken.paths['no-slash'] = { get: { responses: 'none' } };
  expect((await validator.validate(broken)).valid).toBe(false);
});

test('every reference of the description leads somewhere', () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)];
  expect(refs.length).toBeGreaterThan(3);
  for (const [, section, name] of refs) expect(document.components?.[section!]).toHaveProperty([name!]);
});

test('services that could not be asked are named, the others’ routes are there', () => {
  expect(document['x-unavailable']).toEqual(upstreamNames.filter((name) => !docs.has(name)));
  expect(Object.keys(document.paths)).toEqual(['/v1/dev/personas', '/v1/dev/token', '/v1/orders', '/v1/orders/{order_id}', '/v1/products']);
  expect(document.components?.['schemas']).toHaveProperty('OrderItem');
  expect(document.components?.['schemas']).toHaveProperty('CatalogItem');
});

test('a service that goes away keeps its place in the description', async () => {
  const gone = await upstream('order', [orders]);
  const edge = await gateway({ services: { order: gone.url } });
  const read = async () => (await (await fetch(`${edge.url}/openapi.json`)).json()) as OpenApiDocument;
  expect((await read()).paths).toHaveProperty(['/v1/orders']);
  await gone.stop();
  expect((await read()).paths).toHaveProperty(['/v1/orders']);
});

test('all problem codes of the gateway and the services are explained, for people and for programs', async () => {
  const json = (await (await fetch(`${url}/problems`)).json()) as { items: { code: string }[]; missing: string[] };
  expect(json.items.map(({ code }) => code)).toContain('idempotency-key-reused');
  expect(json.missing).toContain('fulfillment');
  for (const { code } of json.items) expect((await fetch(`${url}/problems/${code}`)).status).toBe(200);
  expect((await fetch(`${url}/problems/constructor`)).status).toBe(404);
  const page = await fetch(`${url}/problems/not-found`, { headers: { accept: 'text/html' } });
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('What to do');
});

test('landing page and explorer need nothing from anywhere else', async () => {
  for (const path of ['/', '/docs/', '/problems']) {
    const response = await fetch(url + path, { headers: { accept: 'text/html' } });
    const text = await response.text();
    expect(response.status).toBe(200);
    expect([...text.matchAll(/(?:src|href)="(https?:)?\/\//g)]).toEqual([]);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  }
  const script = await fetch(`${url}/docs/js/scalar.js`);
  expect(script.headers.get('content-type')).toContain('javascript');
  expect(Number(script.headers.get('content-length'))).toBeGreaterThan(1_000_000);
});
