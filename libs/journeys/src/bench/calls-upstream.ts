import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// An upstream that answers at once, and says how often it was called.

let calls = 0;
const body = JSON.stringify({ result: 'x'.repeat(400) });
const server = createServer((request, response) => {
  calls++;
  request
    .resume()
    .on('end', () => response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body));
});

export type UpstreamTold = { readonly url: string; readonly calls: number };
const listening = new Promise<string>((resolve) =>
  server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)),
);
process.on('message', () => void listening.then((url) => process.send?.({ url, calls } satisfies UpstreamTold)));
process.once('disconnect', () => process.exit(0));
