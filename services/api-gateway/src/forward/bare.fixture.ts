import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { forwardPolicy } from '../policy.ts';
import { readBody } from './body.ts';
import { requestHeaders } from './headers.ts';
import { forward } from './pass-on.ts';

// The same proxy without checking and counting, as a process that `npm run bench -- --only calls` measures the gateway beside.

function open(upstream: string): Promise<string> {
  const pool = new Pool(upstream, {
    connections: forwardPolicy.connectionsMax,
    headersTimeout: forwardPolicy.answerMsMax,
    bodyTimeout: forwardPolicy.silenceMsMax,
    keepAliveTimeout: forwardPolicy.keepAliveMs,
    pipelining: 1,
    allowH2: false,
  });
  const server = createServer((request, response) => {
    void (async () => {
      const { body } = await readBody(request);
      const headers = requestHeaders(request.headers, { 'x-request-id': 'bare' });
      const options = { method: request.method as 'GET', path: request.url ?? '/', headers, body: body as Buffer | null };
      const outcome = await forward({ upstream: pool, options, requestId: 'bare', onBegin: () => undefined }, response);
      if (outcome.kind === 'broken' && !response.headersSent) response.writeHead(502).end();
    })();
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
  );
}

process.on('message', ({ upstream }: { upstream: string }) => void open(upstream).then((url) => process.send?.({ url })));
process.once('disconnect', () => process.exit(0));
