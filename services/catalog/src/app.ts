import { fileURLToPath } from 'node:url';
import { jwtAuth } from '@yunshi/http/auth';
import { httpServer } from '@yunshi/http/server';
import { startCore } from '@yunshi/messaging/core';
import { Problem as OperationProblem } from '@yunshi/operations/problems';
import { operationRoutes } from '@yunshi/operations/routes';
import { readiness } from '@yunshi/service/readiness';
import { createLog } from '@yunshi/telemetry/log';
import type { Config } from './config.ts';
import { seedDemoWorld } from './demo/seed.ts';
import { interfaceHandlers } from './interface/interfaces.ts';
import { productAnswerers } from './product/answerers.ts';
import { ownProductRoutes } from './product/own-routes.ts';
import { productRoutes } from './product/routes.ts';
import { Problem } from './problems.ts';
import { arrangingRoutes, shopRoutes } from './provider/routes.ts';
import { operatorReviewRoutes, providerReviewRoutes, reviewRoutes } from './review/routes.ts';
import { saleHandlers } from './sale/sales.ts';

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));

export type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** Shows what can be bought, and tells the other services about it. */
export async function start(config: Config): Promise<Running> {
  const log = createLog({ service: 'catalog', level: config.logLevel });
  const onFault = (what: string, error: unknown): void => log.error({ err: error }, what);
  const core = await startCore({
    service: 'catalog',
    databaseUrl: config.databaseUrl,
    natsUrl: config.natsUrl,
    testClock: config.testClock,
    migrations,
    handlers: () => [...saleHandlers, ...interfaceHandlers],
    answerers: ({ sql }) => productAnswerers(sql),
    onFault,
  });
  if (config.seed) await core.write(seedDemoWorld, undefined);
  const server = await httpServer({
    name: 'catalog',
    routes: [
      productRoutes(core),
      ownProductRoutes(core),
      shopRoutes(core),
      arrangingRoutes(core),
      reviewRoutes(core),
      providerReviewRoutes(core),
      operatorReviewRoutes(core),
      operationRoutes({ service: 'catalog', core }),
    ],
    auth: jwtAuth(config.auth),
    problems: { ...Problem.entries, ...OperationProblem.entries },
    ready: readiness(core),
    logger: log,
  });
  await core.run();
  const url = await server.listen(config);
  log.info({ url }, 'ready');
  return {
    url,
    stop: async () => {
      await server.stop();
      await core.stop();
    },
  };
}
