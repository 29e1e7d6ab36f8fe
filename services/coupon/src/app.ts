import { fileURLToPath } from 'node:url';
import { jwtAuth } from '@yunshi/http/auth';
import { httpServer } from '@yunshi/http/server';
import { startCore } from '@yunshi/messaging/core';
import { Problem as OperationProblem } from '@yunshi/operations/problems';
import { operationRoutes } from '@yunshi/operations/routes';
import { catchUpWithCatalogue } from '@yunshi/service/catalogue';
import { readiness } from '@yunshi/service/readiness';
import { createLog } from '@yunshi/telemetry/log';
import { claimAnswerers, claimHandlers } from './claim/handlers.ts';
import { claimRoutes } from './claim/routes.ts';
import type { Config } from './config.ts';
import { couponAnswerers } from './coupon/answerers.ts';
import { operatorOfferRoutes, providerOfferRoutes } from './coupon/offer-routes.ts';
import { couponRoutes } from './coupon/routes.ts';
import { seedDemoWorld } from './demo/seed.ts';
import { Problem } from './problems.ts';
import { catchUpProduct, knownProducts, productHandlers } from './product/products.ts';

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));

export type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** Offers coupons, lets buyers claim them, and holds claimed ones for orders. */
export async function start(config: Config): Promise<Running> {
  const log = createLog({ service: 'coupon', level: config.logLevel });
  const onFault = (what: string, error: unknown): void => log.error({ err: error }, what);
  const core = await startCore({
    service: 'coupon',
    databaseUrl: config.databaseUrl,
    natsUrl: config.natsUrl,
    testClock: config.testClock,
    migrations,
    handlers: () => [...claimHandlers, ...productHandlers],
    answerers: ({ sql, clock }) => [...claimAnswerers(sql, clock), ...couponAnswerers(sql, clock)],
    onFault,
  });
  if (config.seed) await core.write(seedDemoWorld, undefined);
  const server = await httpServer({
    name: 'coupon',
    routes: [
      couponRoutes(core),
      providerOfferRoutes(core),
      operatorOfferRoutes(core),
      claimRoutes(core),
      operationRoutes({ service: 'coupon', core }),
    ],
    auth: jwtAuth(config.auth),
    ready: readiness(core),
    logger: log,
    problems: { ...Problem.entries, ...OperationProblem.entries },
  });
  await core.run();
  const stopCatchingUp = catchUpWithCatalogue({
    core,
    known: () => knownProducts(core.sql),
    learn: (news) => core.write(catchUpProduct, news),
    onFault,
  });
  const url = await server.listen(config);
  log.info({ url }, 'ready');
  return {
    url,
    stop: async () => {
      stopCatchingUp();
      await server.stop();
      await core.stop();
    },
  };
}
