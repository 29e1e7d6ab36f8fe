import { fileURLToPath } from 'node:url';
import { connect, neverWholeTables } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { wallClock } from '@yunshi/kernel/clock';
import { connectBus } from '@yunshi/messaging/bus';
import { offsetInDatabase, sharedTestClock } from '@yunshi/messaging/clock';
import { playedProviderToken } from '@yunshi/protocols/saas/played';
import { createLog } from '@yunshi/telemetry/log';
import { fastify, LogController } from 'fastify';
import type { Config } from './config.ts';
import { bankSide } from './bank/side.ts';
import { cloudSandbox } from './cloud/plugin.ts';
import { providerSandbox } from './provider/plugin.ts';
import { upstreamSandbox } from './provider/upstream.ts';
import { treasurySandbox } from './treasury/plugin.ts';
import { unionpaySide } from './unionpay/side.ts';
import { wechatSide } from './wechat/side.ts';

const CONNECTIONS_MAX = 8;
const STOP_MS_MAX = 5_000;
const folders = ['wechat', 'provider', 'treasury', 'bank', 'unionpay', 'cloud'].map((name) => ({
  name,
  path: fileURLToPath(new URL(`../migrations/${name}`, import.meta.url)),
}));

export type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** Plays the outside world: WeChat Pay and its payers, 商企付, UnionPay and the companies' banks, SaaS providers and the upstreams of API products, a cloud that rents servers, and the treasury that pays account balances out. */
export async function start(config: Config): Promise<Running> {
  const log = createLog({ service: 'sandbox', level: config.LOG_LEVEL });
  await migrate(config.DATABASE_URL, folders);
  const sql = connect({ url: config.DATABASE_URL, name: 'yunshi-sandbox', connectionsMax: CONNECTIONS_MAX, planning: neverWholeTables });
  const nc = await connectBus(config.NATS_URL, 'sandbox');
  const clock = config.TEST_CLOCK === 'on' ? await sharedTestClock(nc, 'sandbox', offsetInDatabase(sql)) : wallClock;

  const wechat = await wechatSide({
    sql,
    clock,
    wall: wallClock,
    log,
    keysFolder: config.WECHAT_SANDBOX_KEYS,
    refundTakesMs: config.WECHAT_REFUND_TAKES_MS,
    sharingAll: config.WECHAT_SHARING_ALL,
  });
  let wakeUnionpay = (): void => undefined;
  const bank = await bankSide({
    onMove: () => wakeUnionpay(),
    sql,
    clock,
    wall: wallClock,
    log,
    keysFolder: config.BANK_SANDBOX_KEYS,
    pageUrl: config.BANK_PAGE_URL,
    refundTakesMs: config.WECHAT_REFUND_TAKES_MS,
  });
  const unionpay = await unionpaySide({
    sql,
    bank,
    clock,
    wall: wallClock,
    log,
    keysFolder: config.UNIONPAY_SANDBOX_KEYS,
    pageUrl: config.BANK_PAGE_URL,
    refundTakesMs: config.WECHAT_REFUND_TAKES_MS,
  });
  wakeUnionpay = unionpay.wake;
  const logController = new LogController({ disableRequestLogging: true });
  const app = fastify({ forceCloseConnections: 'idle', loggerInstance: log, logController });
  await app.register(wechat.plugin);
  await app.register(bank.plugin);
  await app.register(unionpay.plugin);
  await app.register(providerSandbox, {
    sql,
    wallNow: wallClock.now,
    tokenOf: (providerId) => playedProviderToken(config.SANDBOX_PROVIDER_SECRET, providerId),
  });
  await app.register(upstreamSandbox);
  const { SANDBOX_CLOUD_SECRET_ID: secretId, SANDBOX_CLOUD_SECRET_KEY: secretKey } = config;
  if (secretKey !== undefined) await app.register(cloudSandbox, { sql, clock, wall: wallClock, credential: { secretId, secretKey } });
  if (config.SANDBOX_TREASURY_TOKEN !== undefined)
    await app.register(treasurySandbox, { sql, clock, token: config.SANDBOX_TREASURY_TOKEN });
  app.get('/livez', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const database = await sql`select 1`.then(
      () => true,
      () => false,
    );
    const checks = { database, nats: !nc.isClosed() };
    return reply.code(Object.values(checks).every(Boolean) ? 200 : 503).send({ checks });
  });
  const url = await app.listen({ host: config.HOST, port: config.PORT });
  log.info({ url }, 'ready');

  return {
    url,
    stop: async () => {
      await app.close();
      await wechat.stop();
      await bank.stop();
      await unionpay.stop();
      await nc.drain();
      await sql.end({ timeout: STOP_MS_MAX / 1_000 });
    },
  };
}
