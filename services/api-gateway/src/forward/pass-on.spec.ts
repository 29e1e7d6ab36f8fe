import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { forward, type Outcome } from './pass-on.ts';
import { requestHeaders, responseHeaders } from './headers.ts';
import { readTarget } from './plane.ts';

const opened: { close: () => unknown }[] = [];
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));

const listening = (server: Server): Promise<string> =>
  new Promise((resolve) => {
    opened.push({
      close: () => {
        server.close();
        server.closeAllConnections();
      },
    });
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });

/** Passes one call on to `origin`, and answers what came of it and of its beginning. */
async function passed(origin: string, onBegin: () => void = () => undefined) {
  const pool = new Pool(origin, { connect: { timeout: 500 } });
  opened.push({ close: () => pool.destroy() });
  let begun = 0;
  const done = Promise.withResolvers<Outcome>();
  const url = await listening(
    createServer((_request, response: ServerResponse) => {
      const onceBegun = () => {
        begun++;
        onBegin();
      };
      const options = { method: 'GET' as const, path: '/', headers: {} };
      void forward({ upstream: pool, options, requestId: 'r', onBegin: onceBegun }, response).then((outcome) => {
        if (!response.headersSent) response.writeHead(599).end();
        done.resolve(outcome);
      });
    }),
  );
  await fetch(url).then(
    (response) => response.arrayBuffer(),
    () => undefined,
  );
  return { outcome: await done.promise, begun };
}

test('a call whose connection cannot be made has not begun', async () => {
  const gone = createServer();
  const url = await listening(gone);
  await new Promise((resolve) => gone.close(resolve));
  expect(await passed(url)).toMatchObject({ outcome: { kind: 'broken', isBegun: false }, begun: 0 });
});

test('a call that breaks off before its answer has begun, once', async () => {
  const breaking = await listening(createServer(({ socket }) => void socket.destroy()));
  expect(await passed(breaking)).toMatchObject({ outcome: { kind: 'broken', isBegun: true }, begun: 1 });
});

test('a call that cannot be written down is not sent', async () => {
  let got = 0;
  const upstream = await listening(createServer((_request, response) => void (got++, response.end())));
  const full = () => {
    throw new Error('no space left');
  };
  expect(await passed(upstream, full)).toMatchObject({ outcome: { kind: 'broken', isBegun: false } });
  expect(got).toBe(0);
});

test('an answer is passed on', async () => {
  const upstream = await listening(createServer((_request, response) => void response.writeHead(201).end('ok')));
  expect(await passed(upstream)).toEqual({ outcome: { kind: 'answered', status: 201 }, begun: 1 });
});

test('what belongs to one connection, to the signature or to the marketplace is not passed on', () => {
  const from = {
    connection: 'close, x-hop',
    'x-hop': '1',
    te: 't',
    host: 'h',
    authorization: 'a',
    'x-market-instance': 'forged',
    accept: '*/*',
  };
  expect(requestHeaders(from, { 'x-market-instance': 'own' })).toEqual({ 'x-market-instance': 'own', accept: '*/*' });
  expect(responseHeaders({ connection: 'x-hop', 'x-hop': '1', 'transfer-encoding': 'chunked', etag: 'e' })).toEqual({ etag: 'e' });
});

test('only a product and a path that does not lead out of its upstream are read', () => {
  const service = `/service-${'a'.repeat(32)}`;
  expect(readTarget(`${service}/v1/x?y=/../z`)).toEqual({ productId: `prd_${'a'.repeat(32)}`, path: '/v1/x', query: '?y=/../z' });
  expect(readTarget(service)).toMatchObject({ path: '', query: '' });
  for (const path of ['/a/../b', '/a/%2E%2e/b', '/a%2fb', '/a\\b', 'x/a']) expect(readTarget(`${service}${path}`)).toBeUndefined();
  expect(readTarget(`/service-${'a'.repeat(31)}/a`)).toBeUndefined();
});
