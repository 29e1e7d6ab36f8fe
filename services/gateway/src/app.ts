import type { NatsConnection } from '@nats-io/transport-node';
import { jwtAuth, type Auth } from '@yunshi/http/auth';
import { httpServer, type Routes } from '@yunshi/http/server';
import { connectBus } from '@yunshi/messaging/bus';
import { createLog } from '@yunshi/telemetry/log';
import { clockRoutes, Problem } from './clock/routes.ts';
import type { Config } from './config.ts';
import { describer } from './description/describe.ts';
import { descriptionSource } from './description/source.ts';
import { devIssuer } from './dev-issuer/issuer.ts';
import { devIssuerRoutes } from './dev-issuer/routes.ts';
import { admission } from './limits/admission.ts';
import { explorer, pages } from './pages/routes.ts';
import { forwarder, type ForwardLimits } from './routing/forward.ts';
import { forwardRoutes } from './routing/routes.ts';

/** What a test may bring of its own. */
export type Given = { readonly auth?: Auth; readonly forwardLimits?: ForwardLimits };
export type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** The one door: verifies who asks, counts how often, and hands on to the service that has what is asked for. */
export async function start(config: Config, given: Given = {}): Promise<Running> {
  const log = createLog({ service: 'gateway', level: config.logLevel });
  const { issuer, audience, jwks } = config.auth;
  const keyFile = config.devIssuerKeyFile;
  const development = keyFile === undefined ? undefined : await devIssuer({ issuer, audience, keyFile });
  // What we sign ourselves we need not fetch from ourselves.
  const auth = given.auth ?? jwtAuth({ issuer, audience, jwks: development?.jwks ?? jwks });
  const admit = admission(config.limits);
  const to = forwarder(config.upstreams, given.forwardLimits);
  const describe = describer(descriptionSource(config.upstreams), log);
  const nc: NatsConnection | undefined = config.testClockNats === undefined ? undefined : await connectBus(config.testClockNats, 'gateway');

  const routes: Routes[] = [
    ...(development ? [devIssuerRoutes({ issuer: development, url: issuer, admit })] : []),
    ...(nc ? [clockRoutes({ nc, wallNow: () => new Date() })] : []),
    forwardRoutes({ auth, admit, forwarder: to }),
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
      await to.close();
      await nc?.close();
    },
  };
}
