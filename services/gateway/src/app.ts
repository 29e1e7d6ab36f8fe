import type { NatsConnection } from '@nats-io/transport-node';
import { jwtAuth } from '@yunshi/http/auth';
import { httpServer, type Routes } from '@yunshi/http/server';
import { connectBus } from '@yunshi/messaging/bus';
import { createLog } from '@yunshi/telemetry/log';
import { clockRoutes, Problem } from './clock/routes.ts';
import type { Config } from './config.ts';
import { describer } from './description/describe.ts';
import { descriptionSource } from './description/source.ts';
import { devIssuer } from './dev-issuer/issuer.ts';
import { devIssuerRoutes } from './dev-issuer/routes.ts';
import { admission } from './limits/limits.ts';
import { explorer, pages } from './pages/routes.ts';
import { forwarder } from './routing/forward.ts';
import { forwardRoutes } from './routing/routes.ts';

export type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** The one door: verifies who asks, counts how often, and hands on to the service that has what is asked for. */
export async function start(config: Config): Promise<Running> {
  const log = createLog({ service: 'gateway', level: config.logLevel });
  const { issuer, audience, jwks } = config.auth;
  const keyFile = config.devIssuerKeyFile;
  const development = keyFile === undefined ? undefined : await devIssuer({ issuer, audience, keyFile });
  // What we sign ourselves we need not fetch from ourselves.
  const auth = jwtAuth({ issuer, audience, jwks: development?.jwks ?? jwks });
  const admit = admission(config.limits);
  const { forward, close } = forwarder(config.upstreams);
  const describe = describer(descriptionSource(config.upstreams), log);
  const nc: NatsConnection | undefined = config.testClockNats === undefined ? undefined : await connectBus(config.testClockNats, 'gateway');

  const routes: Routes[] = [
    ...(development ? [devIssuerRoutes({ issuer: development, url: issuer, admit })] : []),
    ...(nc ? [clockRoutes({ nc, wallNow: () => new Date() })] : []),
    forwardRoutes({ auth, admit, forward }),
  ];
  const server = await httpServer({
    name: 'gateway',
    logger: log,
    auth,
    routes,
    problems: nc ? Problem.entries : {},
    pages: [pages({ sandboxUrl: config.sandboxUrl, devIssuer: development !== undefined }, () => describe(server.description())), explorer],
    describe: async (own) => (await describe(own)).document,
    // The gateway is ready without the services: which of them answer is told request by request.
    ready: nc ? { nats: () => nc.flush() } : {},
    ...(config.trustProxy && { trustProxy: config.trustProxy }),
  });
  const url = await server.listen({ port: config.port, host: config.host });
  log.info({ url }, 'ready');
  return {
    url,
    stop: async () => {
      await server.stop();
      await close();
      await nc?.drain();
    },
  };
}
