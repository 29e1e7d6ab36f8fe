import type { OpenApiDocument } from '@yunshi/http/openapi';
import { expect, test } from 'vitest';
import { mergeDescriptions, type Described } from './merge.ts';

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const operation = (operationId: string, schema: object) => ({
  operationId,
  responses: { 200: { description: 'OK', content: { 'application/json': { schema } } } },
});
const described = (service: string, changes: Partial<OpenApiDocument>): Described => ({
  service,
  document: { openapi: '3.1.0', info: { title: service, version: '1' }, paths: {}, ...changes },
});
const leadsTo = (_method: string, path: string) =>
  path.startsWith('/v1/orders') ? 'order' : path.startsWith('/v1/products') ? 'catalog' : undefined;
const own = described('gateway', {});
const merge = (services: readonly Described[], missing: readonly string[] = []) =>
  mergeDescriptions({ info: { title: 'All', version: '1' }, own, services, missing, tags: { order: 'Orders' }, leadsTo });

const money = { type: 'integer' };
const catalog = described('catalog', {
  paths: { '/v1/products': { get: operation('getAll', { type: 'array', items: ref('Line') }) } },
  components: { schemas: { Line: { type: 'object', properties: { price: ref('Money') } }, Money: money } },
  'x-problems': { 'product-gone': { status: 410, title: 'Gone', remedy: 'Choose another.' } },
});
const order = described('order', {
  paths: { '/v1/orders': { get: operation('getAll', ref('Line')) } },
  components: { schemas: { Line: { type: 'object', properties: { amount: ref('Money') } }, Money: money } },
});

test('a component that means the same everywhere is shared, one that does not is told apart', () => {
  const { document } = merge([catalog, order]);
  expect(document.components?.['schemas']).toEqual({
    CatalogLine: { type: 'object', properties: { price: ref('Money') } },
    OrderLine: { type: 'object', properties: { amount: ref('Money') } },
    Money: money,
  });
  expect(JSON.stringify(document.paths['/v1/orders'])).toContain('#/components/schemas/OrderLine');
  expect(JSON.stringify(document.paths['/v1/products'])).toContain('#/components/schemas/CatalogLine');
});

test('every operation has its service’s tag and an id of its own', () => {
  const { document, problems } = merge([catalog, order]);
  expect(document.paths['/v1/products']?.['get']).toMatchObject({ tags: ['catalog'], operationId: 'getAll' });
  expect(document.paths['/v1/orders']?.['get']).toMatchObject({ tags: ['order'], operationId: 'getAllOfOrder' });
  expect(document.tags).toContainEqual({ name: 'order', description: 'Orders' });
  expect(problems['product-gone']?.status).toBe(410);
});

test('a route that the gateway does not lead to is left out and named', () => {
  const lost = described('order', { paths: { '/v1/lost': { get: operation('lost', {}) }, '/v1/products': { post: operation('p', {}) } } });
  const { document, strays } = merge([lost]);
  expect(document.paths).toEqual({});
  expect(strays).toEqual(['order: GET /v1/lost', 'order: POST /v1/products']);
});

test('a service that could not be asked is named in the document', () => {
  expect(merge([order], ['catalog']).document['x-unavailable']).toEqual(['catalog']);
  expect(merge([order]).document).not.toHaveProperty('x-unavailable');
});
