import { once } from 'node:events';
import { createServer, request as ask, type ClientRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { hearOut } from './hear-out.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

/** A server that refuses all bodies, and one request to it that has sent nothing but its head. */
async function refusing(limits: Parameters<typeof hearOut>[1]): Promise<{ request: ClientRequest; answered: Promise<number | undefined> }> {
  const server = createServer((incoming, response) => {
    void hearOut(incoming, limits).then(() => response.writeHead(413, { connection: 'close' }).end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const request = ask({ port: (server.address() as AddressInfo).port, method: 'POST', headers: { 'transfer-encoding': 'chunked' } });
  request.on('error', () => undefined);
  stops.push(async () => {
    request.destroy();
    server.closeAllConnections();
    server.close();
  });
  request.flushHeaders();
  return { request, answered: once(request, 'response').then(([response]) => (response as IncomingMessage).statusCode) };
}

test('a client that is still writing is heard out before it is refused', async () => {
  const { request, answered } = await refusing({ bytesMax: 1_000_000, msMax: 60_000 });
  let isAnswered = false;
  void answered.then(() => (isAnswered = true));
  for (let nth = 0; nth < 20; nth++) {
    await new Promise((resolve) => request.write('x'.repeat(10_000), resolve));
    expect(isAnswered).toBe(false);
  }
  request.end();
  expect(await answered).toBe(413);
});

test('a client that sends without end is answered after so many bytes', async () => {
  const { request, answered } = await refusing({ bytesMax: 50_000, msMax: 60_000 });
  for (let nth = 0; nth < 6; nth++) request.write('x'.repeat(10_000));
  expect(await answered).toBe(413);
});

test('a client that falls silent is answered after so long', async () => {
  const { request, answered } = await refusing({ bytesMax: 50_000, msMax: 20 });
  request.write('x');
  expect(await answered).toBe(413);
});
