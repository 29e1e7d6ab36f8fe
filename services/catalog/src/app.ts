import { fileURLToPath } from 'node:url';
import { analyzeEarly } from '@yunshi/db/analyze';
import { httpServer } from '@yunshi/http/server';
import { startCore } from '@yunshi/messaging/core';
import { createLog } from '@yunshi/telemetry/log';
import type { Config } from './config.ts';
import { seedDemoWorld } from './demo/seed.ts';
import { productRoutes } from './product/routes.ts';
import { saleHandlers } from './sale/sales.ts';

const migrations = fileURLToPath(new URL('../migrations', import.meta.url));

export type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** Shows what can be bought, and tells the other services about it. */
export async function start(config: Config): Promise<Running> {
  const log = createLog({ service: 'catalog', level: config.LOG_LEVEL });
  const onFault = (what: string, error: unknown): void => log.error({ err: error }, what);
  const core = await startCore({
    service: 'catalog',
    databaseUrl: config.DATABASE_URL,
    natsUrl: config.NATS_URL,
    testClock: config.TEST_CLOCK === 'on',
    migrations,
    handlers: () => saleHandlers,
    onFault,
  });
  if (config.SEED === 'demo') await core.write(seedDemoWorld, undefined);
  const stopAnalyzing = await analyzeEarly(core.sql, onFault);
  const well = (name: string) => async () => {
    if (!(await core.ready())[name]) throw new Error(`${name} is not well`);
  };
  const server = await httpServer({
    name: 'catalog',
    routes: [productRoutes(core)],
    ready: { database: well('database'), nats: well('nats') },
    logger: log,
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
