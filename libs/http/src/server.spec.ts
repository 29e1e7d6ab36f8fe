import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { answer } from './answer.ts';
import { callerOf } from './caller.ts';
import { idempotencyOf } from './idempotency.ts';
import { problemTable } from './problem.ts';
import { httpServer, type HttpServer, type HttpServerOptions, type Routes } from './server.ts';
import { buyer, testIssuer } from './testing.ts';

const issuer = await testIssuer();
const ShopProblem = problemTable({ 'shop-closed': { status: 409, title: 'The shop is closed', remedy: 'Come back tomorrow.' } });
const Line = z.strictObject({ sku_id: z.string(), quantity: z.int().min(1).max(5) });
const NewOrder = z.strictObject({ lines: z.array(Line).min(1), note: z.string().optional() }).meta({ id: 'NewOrder' });
const Order = z.object({ id: z.string(), quantity: z.int() }).meta({ id: 'Order' });

const orders: Routes = async (app) => {
  app.post(
    '/v1/orders',
    {
      config: { access: ['buyer'], idempotency: 'required', problems: ShopProblem.codes('shop-closed') },
      schema: { summary: 'Place an order', body: NewOrder, response: { 201: Order } },
    },
    async (request, reply) => {
      if (request.body.note === 'closed') throw new ShopProblem('shop-closed', { members: { opens_at: '08:00' } });
      if (request.body.note === 'break') throw new Error('password=hunter2');
      const quantity = request.body.lines.reduce((sum, line) => sum + line.quantity, 0);
      return reply
        .code(201)
        .send({ id: idempotencyOf(request).hash, quantity, secret: 'not in the schema' } as { id: string; quantity: number });
    },
  );
  app.get(
    '/v1/orders/:order_id',
    { config: { access: 'signed-in' }, schema: { params: z.object({ order_id: z.string().regex(/^ord_/) }), response: { 200: Order } } },
    (request) => ({ id: callerOf(request).accountId, quantity: 1 }),
  );
  app.get(
    '/v1/open',
    { config: { access: 'public' }, schema: { querystring: z.strictObject({ size: z.coerce.number().int() }) } },
    (request) => ({
      size: request.query.size,
    }),
  );
  app.post('/v1/refused', { config: { access: 'public' } }, (_, reply) =>
    answer(reply, { ...ShopProblem.response('shop-closed', { detail: 'It is night.' }), replayed: true }),
  );
};

const running: HttpServer[] = [];
async function start(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await httpServer({ name: 'shop', routes: [orders], auth: issuer.auth, problems: ShopProblem.entries, ...options });
  running.push(server);
  return server;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

const order = { lines: [{ sku_id: 'sku_1', quantity: 2 }] };
const place = async ({ app }: HttpServer, payload: unknown, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/v1/orders',
    headers: {
      authorization: `Bearer ${await issuer.token(buyer)}`,
      'idempotency-key': 'k1',
      'content-type': 'application/json',
      ...headers,
    },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });

test('a route that does not say who may use it keeps the server from starting', async () => {
  const silent: Routes = async (app) => void app.get('/v1/silent', {}, () => ({}));
  await expect(start({ routes: [silent] })).rejects.toThrow('GET /v1/silent: say who may use it');
});

test('a route that needs a token keeps a server without auth from starting', async () => {
  await expect(httpServer({ name: 'shop', routes: [orders], problems: ShopProblem.entries })).rejects.toThrow('has no auth');
});

test('a route whose input would drop unknown keys keeps the server from starting', async () => {
  const loose: Routes = async (app) =>
    void app.post(
      '/v1/loose',
      { config: { access: 'public' }, schema: { body: z.strictObject({ lines: z.array(z.object({ a: z.string() })).optional() }) } },
      () => ({}),
    );
  await expect(start({ routes: [loose] })).rejects.toThrow('/lines/* would drop unknown keys');
});

test('a route that names a problem of no table keeps the server from starting', async () => {
  const wrong: Routes = async (app) => void app.get('/v1/x', { config: { access: 'public', problems: ['no-such-code'] } }, () => ({}));
  await expect(start({ routes: [wrong] })).rejects.toThrow('no-such-code');
});

test('an answer shows what its schema names and nothing else', async () => {
  const response = await place(await start(), order);
  expect(response.statusCode).toBe(201);
  expect(Object.keys(response.json())).toEqual(['id', 'quantity']);
});

test('each field at fault is named by a JSON pointer, with what to do', async () => {
  const response = await place(await start(), { lines: [{ sku_id: 7, quantity: 9, price: 1 }], 'a/b': 1 });
  expect(response.statusCode).toBe(400);
  expect(response.headers['content-type']).toBe('application/problem+json');
  const body = response.json();
  expect(body).toMatchObject({ type: '/problems/request-not-valid', code: 'request-not-valid', status: 400, instance: '/v1/orders' });
  expect(body.errors.map((one: { in: string; field: string }) => `${one.in} ${one.field}`)).toEqual([
    'body /lines/0/sku_id',
    'body /lines/0/quantity',
    'body /lines/0/price',
    'body /a~1b',
  ]);
  expect(body.errors.every((one: { remedy: string }) => one.remedy.length > 0)).toBe(true);
});

test('a missing field is said to be missing, and unknown query parameters are refused', async () => {
  const server = await start();
  expect((await place(server, {})).json().errors).toMatchObject([{ in: 'body', field: '/lines', detail: 'This is missing.' }]);
  const query = await server.app.inject('/v1/open?size=1&colour=red');
  expect(query.json().errors).toMatchObject([{ in: 'query', field: '/colour' }]);
});

test('of several shapes the one that fits best is explained', async () => {
  const move = z.strictObject({
    when: z.union([z.strictObject({ advance: z.string() }), z.strictObject({ to: z.string(), zone: z.string(), calendar: z.string() })]),
  });
  const union: Routes = async (app) => void app.post('/v1/move', { config: { access: 'public' }, schema: { body: move } }, () => ({}));
  const { app } = await start({ routes: [union] });
  const response = await app.inject({ method: 'POST', url: '/v1/move', payload: { when: { advance: 5, price: 1 } } });
  expect(response.json().errors).toMatchObject([
    { in: 'body', field: '/when/advance' },
    { in: 'body', field: '/when/price', detail: 'This field is not known here.' },
  ]);
});

test('what is no JSON, too large, of another type or a prototype attack is refused by its own code', async () => {
  const server = await start({ limits: { bodyBytesMax: 1_000 } });
  expect((await place(server, '{"a":')).json()).toMatchObject({ status: 400, code: 'body-not-json' });
  expect((await place(server, '')).json()).toMatchObject({ status: 400, code: 'body-not-json' });
  expect((await place(server, '{"__proto__":{"admin":true}}')).json()).toMatchObject({ status: 400, code: 'body-not-json' });
  expect((await place(server, { note: 'x'.repeat(2_000) })).json()).toMatchObject({ status: 413, code: 'body-too-large' });
  expect((await place(server, 'a=b', { 'content-type': 'text/csv' })).json()).toMatchObject({ status: 415 });
});

test('a problem of the service carries its extension members and the trace to ask about', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const response = await place(await start(), { ...order, note: 'closed' }, { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
  expect(response.json()).toMatchObject({
    status: 409,
    code: 'shop-closed',
    opens_at: '08:00',
    trace_id: traceId,
    remedy: 'Come back tomorrow.',
  });
});

test('an unexpected error tells the client nothing but the trace', async () => {
  const response = await place(await start(), { ...order, note: 'break' });
  expect(response.json()).toMatchObject({ status: 500, code: 'internal-error', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(response.body).not.toContain('hunter2');
});

test('a stored refusal is answered as a problem of this request, marked as replayed', async () => {
  const response = await (await start()).app.inject({ method: 'POST', url: '/v1/refused' });
  expect(response.statusCode).toBe(409);
  expect(response.headers).toMatchObject({ 'content-type': 'application/problem+json', 'idempotent-replayed': 'true' });
  expect(response.json()).toMatchObject({
    code: 'shop-closed',
    detail: 'It is night.',
    instance: '/v1/refused',
    trace_id: expect.any(String),
  });
});

test('the core’s faults and lost connections are passing problems, not errors of ours', async () => {
  class Overloaded extends Error {
    override name = 'Overloaded';
  }
  class IdempotencyKeyReused extends Error {
    override name = 'IdempotencyKeyReused';
  }
  const failing: Routes = async (app) => {
    app.get('/v1/full', { config: { access: 'public' } }, () => Promise.reject(new Overloaded()));
    app.get('/v1/busy', { config: { access: 'public' } }, () => Promise.reject(Object.assign(new Overloaded(), { retryAfterS: 4.2 })));
    app.get('/v1/reused', { config: { access: 'public' } }, () => Promise.reject(new IdempotencyKeyReused()));
    app.get('/v1/lost', { config: { access: 'public' } }, () =>
      Promise.reject(Object.assign(new Error('x'), { code: 'CONNECTION_CLOSED' })),
    );
  };
  const { app } = await start({ routes: [failing] });
  for (const url of ['/v1/full', '/v1/lost']) {
    const response = await app.inject(url);
    expect(response.json()).toMatchObject({ status: 503, code: 'unavailable' });
    expect(response.headers['retry-after']).toBe('1');
  }
  expect((await app.inject('/v1/busy')).headers['retry-after']).toBe('5');
  expect((await app.inject('/v1/reused')).json()).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
});

test.for(['GET', 'POST'] as const)('a handler of %s that does not end is given up on', async (method) => {
  const stuck: Routes = async (app) =>
    void app.route({ method, url: '/v1/stuck', config: { access: 'public' }, handler: () => new Promise(() => undefined) });
  const server = await start({ routes: [stuck], limits: { handlerMsMax: 50 } });
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  const answer = await fetch(`${url}/v1/stuck`, {
    method,
    ...(method === 'POST' && { body: '{}', headers: { 'content-type': 'application/json' } }),
  });
  expect(await answer.json()).toMatchObject({ status: 504, code: 'timed-out' });
});

test('what is not there is a problem too', async () => {
  expect((await (await start()).app.inject('/v1/nothing?x=1')).json()).toMatchObject({
    code: 'route-not-found',
    detail: 'There is no GET /v1/nothing.',
  });
});

test('readiness asks every check, and liveness none', async () => {
  const server = await start({ ready: { database: () => Promise.resolve(), nats: () => Promise.reject(new Error('down')) } });
  expect((await server.app.inject('/livez')).statusCode).toBe(200);
  const ready = await server.app.inject('/readyz');
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toEqual({ status: 'not ready', checks: { database: 'ok', nats: 'failing' } });
});

test('the description names roles, problems, the idempotency key and the schemas of every route', async () => {
  const document = (await (await start()).app.inject('/openapi.json')).json();
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toEqual(['/v1/orders', '/v1/orders/{order_id}', '/v1/open', '/v1/refused']);
  const post = document.paths['/v1/orders'].post;
  expect(post).toMatchObject({ operationId: 'postOrders', security: [{ token: [] }], 'x-roles': ['buyer'] });
  expect(post.parameters).toMatchObject([{ in: 'header', name: 'Idempotency-Key', required: true }]);
  expect(Object.keys(post.responses)).toEqual(['201', '400', '401', '403', '409', '422', '429', '500', '503']);
  expect(post.responses['409'].description).toContain('shop-closed');
  expect(post.requestBody.content['application/json'].schema).toEqual({ $ref: '#/components/schemas/NewOrder' });
  expect(document.paths['/v1/open'].get.security).toEqual([]);
  expect(document['x-problems']['shop-closed'].title).toBe('The shop is closed');
});

test('stopping finishes what is in hand, and takes nothing new', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  let entered = (): void => undefined;
  const began = new Promise<void>((resolve) => (entered = resolve));
  const slow: Routes = async (app) =>
    void app.get('/v1/slow', { config: { access: 'public' } }, async () => {
      entered();
      await held;
      return { done: true };
    });
  const server = await start({ routes: [slow] });
  const url = await server.listen({ port: 0, host: '127.0.0.1' });
  const answered = fetch(`${url}/v1/slow`).then((response) => response.json());
  await began;
  const stopped = server.stop();
  release();
  expect(await answered).toEqual({ done: true });
  await stopped;
  await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
});

test('bytes that are no HTTP, or headers without end, are answered with a problem and a closed connection', async () => {
  const server = await start();
  const { port } = new URL(await server.listen({ port: 0, host: '127.0.0.1' }));
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('NONSENSE\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  expect(text).toContain('400 Bad Request');
  const request = httpRequest({ port, headers: { 'x-large': 'x'.repeat(20_000) } }).end();
  const [response] = await once(request, 'response');
  expect(response.statusCode).toBe(431);
});
