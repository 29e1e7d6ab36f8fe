import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { selfSigned } from '@yunshi/testing/certificate';
import { afterEach, describe, expect, test } from 'vitest';
import { egress } from './egress.ts';
import type { Ask, Egress, EgressOptions, ResolvedAddress } from './egress.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function listen(server: Server | ReturnType<typeof createTcpServer>, host = '127.0.0.1', port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    const closed = Promise.withResolvers<void>();
    server.close(() => closed.resolve());
    await closed.promise;
  });
  return (server.address() as AddressInfo).port;
}

const serve = (answer: RequestListener, host?: string, port?: number) => listen(createServer(answer), host, port);

function door(options: Partial<EgressOptions> & { allowed: readonly string[] }): Egress {
  const opened = egress({ development: true, ...options });
  cleanups.push(() => opened.close());
  return opened;
}

const post = (url: string, more: Partial<Ask> = {}): Ask => ({
  method: 'POST',
  url,
  body: '{}',
  timeoutMsMax: 5_000,
  bytesMax: 65_536,
  ...more,
});

describe('a call through the door', () => {
  test('arrives with method, body, headers and the host of its URL', async () => {
    const seen: unknown[] = [];
    const port = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push([request.method, request.url, request.headers.host, request.headers['content-type'], body]);
        response.setHeader('x-kind', 'test').end('{"ok":true}');
      });
    });
    const answer = await door({ allowed: [`127.0.0.1:${port}`] }).send(
      post(`http://127.0.0.1:${port}/deliver?a=1`, { headers: { 'content-type': 'application/json' }, body: '{"x":"云"}' }),
    );
    expect(answer).toMatchObject({
      kind: 'answered',
      status: 200,
      body: '{"ok":true}',
      address: '127.0.0.1',
      headers: { 'x-kind': 'test' },
    });
    expect(seen).toEqual([['POST', '/deliver?a=1', `127.0.0.1:${port}`, 'application/json', '{"x":"云"}']]);
  });

  test('hands back an error status as an answer', async () => {
    const port = await serve((_request, response) => response.writeHead(500).end('broken'));
    expect(await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`))).toMatchObject({
      kind: 'answered',
      status: 500,
      body: 'broken',
    });
  });

  test('reuses connections to the same address', async () => {
    const ports = new Set<number | undefined>();
    const port = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      response.end('{}');
    });
    const opened = door({ allowed: [`127.0.0.1:${port}`] });
    for (let call = 0; call < 8; call++) await opened.send(post(`http://127.0.0.1:${port}/`));
    expect(ports.size).toBeLessThan(4);
  });
});

describe('a name', () => {
  test('is resolved once, and the connection goes to that answer even if the resolver changes its mind', async () => {
    const asked: string[] = [];
    const answers: ResolvedAddress[] = [
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ];
    const resolve = async (host: string) => {
      asked.push(host);
      return [answers[Math.min(asked.length, answers.length) - 1]!];
    };
    const port = await serve((request, response) => response.end(`"first ${request.headers.host}"`));
    await serve((_request, response) => response.end('"second"'), '127.0.0.2', port);
    const opened = door({ allowed: [`saas.example.com:${port}`], resolve });
    expect(await opened.send(post(`http://saas.example.com:${port}/`))).toMatchObject({
      body: `"first saas.example.com:${port}"`,
      address: '127.0.0.1',
    });
    expect(asked).toEqual(['saas.example.com']);
  });

  test('is judged anew at each call: a public answer yesterday excuses no private one today', async () => {
    let calls = 0;
    const port = await serve((_request, response) => {
      calls++;
      response.end('{}');
    });
    const turned: ResolvedAddress[] = [{ address: '127.0.0.1', family: 4 }];
    const opened = door({ allowed: [`saas.example.com:${port}`], resolve: async () => turned });
    await opened.send(post(`http://saas.example.com:${port}/`));
    expect(calls).toBe(1);
    // The same resolver, a name that is not on the list: the pooled connection to 127.0.0.1 must not help it.
    expect(await opened.send(post('https://saas.example.com/'))).toMatchObject({ kind: 'forbidden', refusal: 'address' });
    expect(calls).toBe(1);
  });

  test.each([
    [['127.0.0.1']],
    [['8.8.8.8', '127.0.0.1']],
    [['169.254.169.254']],
    [['::1']],
    [['::ffff:127.0.0.1']],
    [['2400:3200::1', 'fd00::1']],
    [['64:ff9b::7f00:1']],
    [['100.64.1.1']],
  ])('that resolves to %j is refused before anything is sent', async (addresses) => {
    const resolve = async () => addresses.map((address) => ({ address, family: address.includes(':') ? (6 as const) : (4 as const) }));
    const opened = egress({ development: false, allowed: [], resolve });
    expect(await opened.send(post('https://rebind.example.com/'))).toMatchObject({ kind: 'forbidden', refusal: 'address' });
    await opened.close();
  });

  test('that nobody knows, or whose server does not answer, fails without having been sent', async () => {
    const unknown = door({ allowed: [], resolve: () => Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })) });
    expect(await unknown.send(post('https://gone.example.com/'))).toMatchObject({ kind: 'failed', failure: 'dns', sent: false });
    const empty = door({ allowed: [], resolve: async () => [] });
    expect(await empty.send(post('https://gone.example.com/'))).toMatchObject({ kind: 'failed', failure: 'dns', sent: false });
    const silent = door({ allowed: [], resolve: () => Promise.withResolvers<never>().promise });
    expect(await silent.send(post('https://gone.example.com/', { timeoutMsMax: 50 }))).toMatchObject({ failure: 'timeout', sent: false });
  });
});

describe('over TLS', () => {
  const resolve = async (): Promise<ResolvedAddress[]> => [{ address: '127.0.0.1', family: 4 }];

  async function serveAs(host: string): Promise<{ port: number; ca: string; names: unknown[] }> {
    const { key, cert } = selfSigned(host);
    const names: unknown[] = [];
    const port = await listen(
      createTlsServer({ key, cert }, (request, response) => {
        names.push((request.socket as TLSSocket).servername);
        response.end('{}');
      }),
    );
    return { port, ca: cert, names };
  }

  test('the server is asked for, and must prove, the name in the URL, though the connection goes to an address', async () => {
    const { port, ca, names } = await serveAs('saas.example.com');
    const answer = await door({ allowed: [`saas.example.com:${port}`], resolve, ca }).send(post(`https://saas.example.com:${port}/`));
    expect(answer).toMatchObject({ kind: 'answered', status: 200, address: '127.0.0.1' });
    expect(names).toEqual(['saas.example.com']);
  });

  test.each([
    ['another name', 'other.example.com', true],
    ['an issuer that nobody trusts', 'saas.example.com', false],
  ])('a certificate of %s ends the call before anything is sent', async (_what, host, trusted) => {
    const { port, ca, names } = await serveAs(host);
    const opened = door({ allowed: [`saas.example.com:${port}`], resolve, ...(trusted && { ca }) });
    expect(await opened.send(post(`https://saas.example.com:${port}/`))).toMatchObject({ kind: 'failed', failure: 'tls', sent: false });
    expect(names).toEqual([]);
  });
});

describe('an answer', () => {
  test('that redirects is not followed', async () => {
    let visited = false;
    const trap = await serve((_request, response) => {
      visited = true;
      response.end('secret');
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const port = await serve((_request, response) => response.writeHead(status, { location: `http://127.0.0.1:${trap}/` }).end());
      const answer = await door({ allowed: [`127.0.0.1:${port}`, `127.0.0.1:${trap}`] }).send(post(`http://127.0.0.1:${port}/`));
      expect(answer).toMatchObject({ kind: 'failed', failure: 'redirect', sent: true });
    }
    expect(visited).toBe(false);
  });

  test('that announces more than allowed is not read', async () => {
    const port = await serve((_request, response) => response.writeHead(200, { 'content-length': 10_000_000 }).write('x'));
    expect(await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`, { bytesMax: 1_000 }))).toMatchObject({
      kind: 'failed',
      failure: 'too-large',
    });
  });

  test('that never ends is cut where the limit is', async () => {
    let written = 0;
    const port = await serve((_request, response) => {
      response.on('error', () => undefined);
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(16_384, 0x78))) written += 16_384;
      };
      response.on('drain', pour);
      pour();
    });
    const answer = await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`, { bytesMax: 100_000 }));
    expect(answer).toMatchObject({ kind: 'failed', failure: 'too-large', sent: true });
    expect(written).toBeLessThan(50_000_000);
  });

  test('may be exactly as large as allowed', async () => {
    const port = await serve((_request, response) => response.end('x'.repeat(1_000)));
    expect(await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`, { bytesMax: 1_000 }))).toMatchObject({
      kind: 'answered',
    });
  });

  test('that is compressed without having been asked is refused', async () => {
    const port = await serve((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'));
    expect(await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`))).toMatchObject({ failure: 'encoding' });
  });

  test('with headers beyond 16 KiB is refused', async () => {
    const port = await serve((_request, response) => response.writeHead(200, { 'x-long': 'y'.repeat(20_000) }).end('{}'));
    expect(await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`))).toMatchObject({ failure: 'headers' });
  });

  test('that is not HTTP is refused', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n')));
    expect(await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`))).toMatchObject({
      kind: 'failed',
      failure: 'protocol',
    });
  });

  test('that breaks off may have done its work: it counts as sent', async () => {
    const port = await listen(createTcpServer((socket) => socket.once('data', () => socket.destroy())));
    expect(await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`))).toMatchObject({
      kind: 'failed',
      failure: 'reset',
      sent: true,
    });
  });
});

describe('the time limit', () => {
  const dribble = (head: string) =>
    listen(
      createTcpServer((socket) => {
        let at = 0;
        const timer = setInterval(() => socket.write(head[at++ % head.length] ?? 'x'), 20);
        socket.on('close', () => clearInterval(timer));
      }),
    );

  test.each([
    [
      'headers one byte at a time',
      () => dribble('HTTP/1.1 200 OK\r\nx-slow: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'),
    ],
    [
      'a body one byte at a time',
      () =>
        serve((_request, response) => {
          response.writeHead(200, { 'content-type': 'application/json' });
          const timer = setInterval(() => response.write(' '), 20);
          response.on('close', () => clearInterval(timer));
        }),
    ],
    ['nothing at all', () => listen(createTcpServer(() => undefined))],
  ])('ends %s', async (_what, start) => {
    const port = await start();
    const answer = await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`, { timeoutMsMax: 300 }));
    expect(answer).toMatchObject({ kind: 'failed', failure: 'timeout', sent: true });
    expect(answer).toHaveProperty(
      'ms',
      expect.toSatisfy((ms: number) => ms < 3_000),
    );
  });

  test('is not the only end: the caller may give up before', async () => {
    const port = await listen(createTcpServer(() => undefined));
    const caller = new AbortController();
    const pending = door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`, { signal: caller.signal }));
    caller.abort();
    expect(await pending).toMatchObject({ kind: 'failed', failure: 'aborted' });
  });
});

test('a server that refuses the connection has seen nothing', async () => {
  const port = await serve(() => undefined);
  for (const cleanup of cleanups.splice(0)) await cleanup();
  expect(await door({ allowed: [`127.0.0.1:${port}`] }).send(post(`http://127.0.0.1:${port}/`))).toMatchObject({
    kind: 'failed',
    failure: 'connect',
    sent: false,
  });
});

test('no host can be exempted outside development', () => {
  expect(() => egress({ development: false, allowed: ['127.0.0.1:80'] })).toThrow('in development only');
});
