import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventStream, streamEvents, type EventSource } from '@yunshi/http/events';
import type { Routes } from '@yunshi/http/server';
import { buyer, operator } from '@yunshi/http/testing';
import type { FastifyRequest } from 'fastify';
import { afterAll, expect, test } from 'vitest';
import { gateway, issuer, upstream } from '../gateway.fixture.ts';
import { forwardLimits } from './forward.ts';

type Seen = { method: string; url: string; headers: IncomingMessage['headers']; body: string };

/** An upstream that answers what it was asked. */
const echo: Routes = async (app) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const config = { access: 'public', undocumented: 'only a test' } as const;
  const say = (request: FastifyRequest): Seen => ({
    method: request.method,
    url: request.url,
    headers: request.headers,
    body: typeof request.body === 'string' ? request.body : '',
  });
  app.all('/v1/*', { config }, say);
  app.post('/', { config }, say);
};
const catalog = await upstream('catalog', [echo]);
const notify = await upstream('payment-gateway', [echo]);
const delivery = await upstream('fulfillment', [echo]);
const { url } = await gateway({ services: { catalog: catalog.url, 'payment-gateway': notify.url, fulfillment: delivery.url } });
const authorization = `Bearer ${await issuer.token(buyer)}`;
const bare: (() => void)[] = [];
afterAll(() => bare.forEach((close) => close()));

/** A server below HTTP frameworks, to misbehave at will. */
async function misbehaving(behave: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(behave!).listen(0, '127.0.0.1');
  bare.push(() => server.close().closeAllConnections());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('path, query, method and the bytes of the body arrive as they were sent', async () => {
  const body = '{ "amount" : 1.0,\n"名": "帆影" }';
  const response = await fetch(`${url}/v1/notify/wechat/payments?a=%20b&a=c`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'wechatpay-signature': 'abc=' },
    body,
  });
  const seen = (await response.json()) as Seen;
  expect(seen).toMatchObject({ method: 'POST', url: '/v1/notify/wechat/payments?a=%20b&a=c', body });
  expect(seen.headers).toMatchObject({
    'wechatpay-signature': 'abc=',
    'x-forwarded-for': '127.0.0.1',
    'content-length': String(Buffer.byteLength(body)),
  });
});

test('a call of the cloud’s API arrives with its own Authorization header, and with the host that it was signed for', async () => {
  const signed = 'TC3-HMAC-SHA256 Credential=AKID/2026-03-02/market/tc3_request, SignedHeaders=content-type;host, Signature=00';
  const response = await fetch(`${url}/`, {
    method: 'POST',
    headers: { authorization: signed, 'x-tc-action': 'FlowProductRemind' },
    body: '{}',
  });
  const seen = (await response.json()) as Seen;
  expect(seen).toMatchObject({ method: 'POST', url: '/', body: '{}' });
  expect(seen.headers).toMatchObject({ authorization: signed, 'x-tc-action': 'FlowProductRemind', 'x-forwarded-host': new URL(url).host });
  const elsewhere = await fetch(`${url}/v1/notify/x`, { method: 'POST', headers: { authorization: signed } });
  expect(elsewhere.status).toBe(401);
});

test('the trace and the request’s id go on to the service and come back', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const response = await fetch(`${url}/v1/products`, {
    headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, 'x-request-id': 'my-request-1' },
  });
  const { headers } = (await response.json()) as Seen;
  expect(headers['traceparent']).toBe(`00-${traceId}-b7ad6b7169203331-01`);
  expect(headers['x-request-id']).toBe('my-request-1');
  expect(response.headers.get('x-request-id')).toBe('my-request-1');
  const untraced = (await (await fetch(`${url}/v1/products`)).json()) as Seen;
  expect(untraced.headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

test('a token is verified before anything reaches a service, and not asked for where reading is open', async () => {
  const status = async (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    (await fetch(url + path, { method, headers })).status;
  expect(await status('/v1/products')).toBe(200);
  expect(await status('/v1/products', { authorization })).toBe(200);
  expect(await status('/v1/products', { authorization: 'Bearer a.b.c' })).toBe(401);
  expect(await status('/v1/products', { authorization: `Bearer ${await issuer.token(buyer, { expiresInS: -60 })}` })).toBe(401);
  expect(await status('/v1/products', {}, 'DELETE')).toBe(401);
  expect(await status('/v1/payments')).toBe(401);
  expect(await status('/v1/payments', { authorization })).toBe(200);
});

test('a path that leads nowhere, or tries to, is no route', async () => {
  const { port } = new URL(url);
  for (const path of ['/v1/nothing', '/v1/products/../payments', '/v1/products/%2e%2e/payments', '/v1/products%2f..%2fpayments']) {
    const [response] = (await once(httpRequest({ port, path }).end(), 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(404);
    response.resume();
  }
});

test('a body over the limit is refused here, whether it says its length or not', async () => {
  const large = 'x'.repeat(300_000);
  const response = await fetch(`${url}/v1/notify/x`, { method: 'POST', body: large });
  expect(await response.json()).toMatchObject({ status: 413, code: 'body-too-large' });
  const chunked = await fetch(`${url}/v1/notify/x`, { method: 'POST', body: new Blob([large]).stream(), duplex: 'half' } as RequestInit);
  expect(chunked.status).toBe(413);
});

test('a service that is down is a problem that passes: 503, with when to try again', async () => {
  const response = await fetch(`${url}/v1/orders`, { headers: { authorization } });
  expect(response.headers.get('retry-after')).toBe('2');
  expect(await response.json()).toMatchObject({
    status: 503,
    code: 'unavailable',
    detail: 'The service order does not answer at the moment.',
  });
});

test('a service that does not answer in time is given up on: 504', async () => {
  const slow = await misbehaving(() => undefined);
  const small = await gateway({ services: { order: slow }, forwardLimits: { ...forwardLimits, answerMsMax: 50 } });
  const response = await fetch(`${small.url}/v1/orders`, { headers: { authorization } });
  expect(await response.json()).toMatchObject({ status: 504, code: 'timed-out' });
});

test('a reading that hits a closing connection is asked again, a write is not', async () => {
  const asked: string[] = [];
  const order = await misbehaving((request, response) => {
    asked.push(request.method ?? '');
    if (asked.length === 2) response.end('{}');
    else request.socket.destroy();
  });
  const breaking = await gateway({ services: { order } });
  expect((await fetch(`${breaking.url}/v1/orders`, { headers: { authorization } })).status).toBe(200);
  expect((await fetch(`${breaking.url}/v1/orders`, { method: 'POST', headers: { authorization } })).status).toBe(503);
  expect(asked).toEqual(['GET', 'GET', 'POST']);
});

test('an answer that breaks off in the middle breaks off for the client as well', async () => {
  const order = await misbehaving((request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('half', () => request.socket.destroy());
  });
  const breaking = await gateway({ services: { order } });
  const response = await fetch(`${breaking.url}/v1/orders`, { headers: { authorization } });
  await expect(response.text()).rejects.toThrow('terminated');
});

test('a service’s refusal comes through as it is', async () => {
  const ops: Routes = async (app) => void app.get('/v1/ops/order/x', { config: { access: ['operator'] } }, () => ({ ok: true }));
  const order = await upstream('order', [ops]);
  const guarded = await gateway({ services: { order: order.url } });
  const refused = await fetch(`${guarded.url}/v1/ops/order/x`, { headers: { authorization } });
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  expect(await refused.json()).toMatchObject({ status: 403, code: 'role-not-allowed' });
  const allowed = await fetch(`${guarded.url}/v1/ops/order/x`, { headers: { authorization: `Bearer ${await issuer.token(operator)}` } });
  expect(await allowed.json()).toEqual({ ok: true });
});

test('too many requests of one account are refused with when to come back, before they reach the service', async () => {
  let reached = 0;
  const counting: Routes = async (app) =>
    void app.get('/v1/orders', { config: { access: ['buyer'] } }, () => {
      reached++;
      return {};
    });
  const order = await upstream('order', [counting]);
  const limited = await gateway({ services: { order: order.url }, env: { RATE_LIMIT_ACCOUNT: '2/60' } });
  const ask = async () => fetch(`${limited.url}/v1/orders`, { headers: { authorization } });
  const first = await ask();
  expect(first.headers.get('ratelimit-policy')).toBe('"account";q=2;w=60');
  expect(first.headers.get('ratelimit')).toBe('"account";r=1;t=60');
  await ask();
  const third = await ask();
  expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(third.headers.get('content-type')).toBe('application/problem+json');
  expect(await third.json()).toMatchObject({ status: 429, code: 'too-many-requests' });
  expect(reached).toBe(2);
});

test('guessing tokens is counted against the address', async () => {
  const limited = await gateway({ env: { RATE_LIMIT_SIGN_IN: '2/60' } });
  const guess = async () => (await fetch(`${limited.url}/v1/orders`, { headers: { authorization: 'Bearer a.b.c' } })).status;
  expect([await guess(), await guess(), await guess()]).toEqual([401, 401, 429]);
});

const live = async (source: EventSource) => {
  const events: Routes = async (app) =>
    void app.get('/v1/orders/:id/events', { config: { access: ['buyer'] }, schema: { response: { 200: eventStream } } }, (request, reply) =>
      streamEvents(request, reply, source),
    );
  const order = await upstream('order', [events]);
  return { order, edge: await gateway({ services: { order: order.url } }) };
};
async function open(edge: { url: string }): Promise<IncomingMessage> {
  const asked = httpRequest(`${edge.url}/v1/orders/1/events`, { headers: { authorization, 'last-event-id': '7' } }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response.setEncoding('utf8');
}
async function readUntil(response: IncomingMessage, text: string): Promise<string> {
  let read = '';
  while (!read.includes(text)) read += String((await once(response, 'data'))[0]);
  return read;
}

test('events pass through one by one, and the service hears when the client has gone', async () => {
  let next = (): void => undefined;
  const asked = new Promise<void>((resolve) => (next = resolve));
  const { order, edge } = await live(async function* ({ lastEventId, signal }) {
    yield { id: '8', event: 'status', data: { after: lastEventId } };
    await asked;
    yield { id: '9', event: 'status', data: 'completed' };
    await once(signal, 'abort');
  });
  const response = await open(edge);
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  await readUntil(response, '{"after":"7"}');
  next();
  await readUntil(response, 'completed');
  expect(order.app.eventStreams.size).toBe(1);
  response.destroy();
  await expect.poll(() => order.app.eventStreams.size).toBe(0);
});

test('a stopping gateway ends event streams cleanly and finishes what is in hand', async () => {
  const { edge } = await live(async function* ({ signal }) {
    yield { data: 'hello' };
    await once(signal, 'abort');
  });
  const response = await open(edge);
  await readUntil(response, 'hello');
  const ended = once(response, 'end');
  await Promise.all([edge.stop(), ended]);
  expect(response.complete).toBe(true);
});
