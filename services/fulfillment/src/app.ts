import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { startCore } from '@yunshi/messaging/core';
import type { Core } from '@yunshi/messaging/core';
import { egress } from '@yunshi/protocols/egress';
import { pino } from 'pino';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { performers } from './delivery/performers.ts';
import { tencentSaas } from './delivery/tencent-saas.ts';
import { endpointBook } from './endpoint/endpoints.ts';
import { instanceHandlers } from './instance/handlers.ts';
import { productHandlers } from './product/products.ts';
import { vault } from './vault.ts';

/** Everything below the routes: also what integration tests start. */
export async function startDelivery(config: Config, log: Logger = pino({ level: 'warn' })): Promise<Core> {
  const { development, sandbox } = config;
  const wallNow = () => new Date();
  const door = egress({ development, allowed: sandbox === undefined ? [] : [hostAndPort(sandbox.url)] });
  const dialects = [tencentSaas({ door, development, wallNow, randomInt, newRequestId: randomUUID })];
  const secrets = vault(config.encryptionKeys);
  const core = await startCore({
    service: 'fulfillment',
    databaseUrl: config.databaseUrl,
    natsUrl: config.natsUrl,
    testClock: config.testClock,
    migrations: fileURLToPath(new URL('../migrations', import.meta.url)),
    handlers: () => [...instanceHandlers, ...productHandlers],
    performers: ({ sql }) =>
      performers({
        sql,
        vault: secrets,
        endpoints: endpointBook({ sql, vault: secrets, sandbox }),
        dialects,
        wallNow,
        randomHex: (bytes) => randomBytes(bytes).toString('hex'),
      }),
    onFault: (what, error) => log.error({ err: error }, what),
  });
  return {
    ...core,
    stop: async () => {
      await core.stop();
      await door.close();
    },
  };
}

/** The parser drops a port that is the scheme's own, but the guard's list wants it. */
function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}
