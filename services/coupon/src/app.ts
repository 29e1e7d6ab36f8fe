import { fileURLToPath } from 'node:url';
import { analyzeEarly } from '@yunshi/db/analyze';
import { jwtAuth } from '@yunshi/http/auth';
import { httpServer } from '@yunshi/http/server';
import { startCore } from '@yunshi/messaging/core';
import { createLog } from '@yunshi/telemetry/log';
import { claimAnswerers, claimHandlers } from './claim/handlers.ts';
import { claimRoutes } from './claim/routes.ts';
import type { Config } from './config.ts';
import { couponRoutes } from './coupon/routes.ts';
import { seedDemoWorld } from './demo/seed.ts';
import { Problem } from './problems.ts';
import { productHandlers } from './product/products.ts';

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));

export type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** Offers coupons, lets buyers claim them, and holds claimed ones for orders. */
export async function start(config: Config): Promise<Running> {
  const log = createLog({ service: 'coupon', level: config.LOG_LEVEL });
  const onFault = (what: string, error: unknown): void => log.error({ err: error }, what);
  const core = await startCore({
    service: 'coupon',
    databaseUrl: config.DATABASE_URL,
    natsUrl: config.NATS_URL,
    testClock: config.TEST_CLOCK === 'on',
    migrations,
    handlers: () => [...claimHandlers, ...productHandlers],
    answerers: ({ sql, clock }) => claimAnswerers(sql, clock),
    onFault,
  });
  if (config.SEED === 'demo') await core.write(seedDemoWorld, undefined);
  const stopAnalyzing = await analyzeEarly(core.sql, onFault);
  const well = (name: string) => async () => {
    if (!(await core.ready())[name]) throw new Error(`${name} is not well`);
  };
  const server = await httpServer({
    name: 'coupon',
    routes: [couponRoutes(core), claimRoutes(core)],
    auth: jwtAuth({ issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE, jwks: config.AUTH_JWKS_URL }),
    ready: { database: well('database'), nats: well('nats') },
    logger: log,
    problems: Problem.entries,
  });
  await core.run();
  const url = await server.listen({ host: config.HOST, port: config.PORT });
  log.info({ url }, 'ready');
  return {
    url,
    stop: async () => {
      stopAnalyzing();
      await server.stop();
      await core.stop();
    },
  };
}
