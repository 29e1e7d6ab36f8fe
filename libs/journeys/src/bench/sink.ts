import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Sink = { readonly env: Readonly<Record<string, string>>; readonly stop: () => Promise<void> };

/** Takes what the services tell of themselves, and forgets it: so they pay for telling it, as they would in production. */
export async function startSink(): Promise<Sink> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  return {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
