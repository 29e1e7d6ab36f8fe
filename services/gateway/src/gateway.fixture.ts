import { httpServer, type HttpServer, type Routes } from '@yunshi/http/server';
import { testIssuer, type TestIssuer } from '@yunshi/http/testing';
import { afterAll } from 'vitest';
import { start, type Given } from './app.ts';
import { readConfig } from './config.ts';
import { upstreamNames, type UpstreamName } from './routing/table.ts';

export const issuer: TestIssuer = await testIssuer();

const begun: (() => Promise<void>)[] = [];
afterAll(async () => {
  while (begun.length > 0) await begun.pop()!();
});

/** A real service in this process, with the given routes. */
export async function upstream(name: string, routes: readonly Routes[], port = 0): Promise<HttpServer & { readonly url: string }> {
  const server = await httpServer({ name, routes, auth: issuer.auth });
  const url = await server.listen({ port, host: '127.0.0.1' });
  begun.push(server.stop);
  return { ...server, url };
}

export type GatewayOptions = Given & {
  readonly services?: Partial<Readonly<Record<UpstreamName, string>>>;
  readonly env?: Readonly<Record<string, string>>;
};

/** A gateway in this process. Services that are not given are down: nothing listens on port 1. */
export async function gateway({ services = {}, env = {}, ...given }: GatewayOptions = {}): Promise<{
  url: string;
  stop: () => Promise<void>;
}> {
  const urls = Object.fromEntries(
    upstreamNames.map((name) => [`${name.toUpperCase().replaceAll('-', '_')}_URL`, services[name] ?? 'http://127.0.0.1:1']),
  );
  const config = readConfig({
    LOG_LEVEL: 'silent',
    AUTH_ISSUER: issuer.issuer,
    AUTH_JWKS_URL: `${issuer.issuer}/jwks`,
    AUTH_AUDIENCE: issuer.audience,
    ...urls,
    ...env,
  });
  const running = await start(config, { auth: issuer.auth, ...given });
  begun.push(running.stop);
  return running;
}
