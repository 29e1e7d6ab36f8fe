import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { jwtAuth } from '@yunshi/http/auth';
import type { Auth } from '@yunshi/http/auth';
import { httpServer, type Routes } from '@yunshi/http/server';
import { startCore } from '@yunshi/messaging/core';
import type { Core } from '@yunshi/messaging/core';
import { Problem as OperationProblem } from '@yunshi/operations/problems';
import { operationRoutes } from '@yunshi/operations/routes';
import { egress } from '@yunshi/protocols/egress';
import { catchUpWithCatalogue } from '@yunshi/service/catalogue';
import { readiness } from '@yunshi/service/readiness';
import { vault, type Vault } from '@yunshi/service/vault';
import { createLog } from '@yunshi/telemetry/log';
import type { Log } from '@yunshi/telemetry/log';
import { observeFailingEndpoints } from '@yunshi/telemetry/metrics';
import { guardedAgent } from '@yunshi/protocols/egress/agent';
import { cloudAnswerers } from './cloud/answerers.ts';
import { noCloud } from './cloud/cloud.ts';
import { cloudPerformers } from './cloud/performers.ts';
import { cloudShelf } from './cloud/shelf.ts';
import { tencentCloud } from './cloud/tencent-cloud.ts';
import type { Config } from './config.ts';
import { apiRoutes } from './api/routes.ts';
import { usedCallsFrom } from './api/used.ts';
import { alibabaSpi } from './delivery/alibaba-spi.ts';
import { logBook } from './delivery/log-book.ts';
import { lines } from './delivery/lines.ts';
import { performers } from './delivery/performers.ts';
import { callRoutes } from './delivery/routes.ts';
import { signInWith } from './delivery/sign-in.ts';
import { tencentSaas } from './delivery/tencent-saas.ts';
import { endpointBook } from './endpoint/endpoints.ts';
import { endpointHandlers } from './endpoint/handlers.ts';
import { endpointPerformers } from './endpoint/performers.ts';
import { endpointRoutes } from './endpoint/routes.ts';
import { instanceHandlers } from './instance/handlers.ts';
import { instanceBook, newestSeqOf } from './instance/instances.ts';
import { instanceRoutes } from './instance/routes.ts';
import { informationFrom } from './instance/service-information.ts';
import type { InformationOf, InformationParts } from './instance/service-information.ts';
import { marketApi } from './market-api/api.ts';
import { cloudKeyBook } from './market-api/cloud-keys.ts';
import { cloudKeyRoutes } from './market-api/key-routes.ts';
import { notificationBook } from './notification/notifications.ts';
import { notificationHandlers } from './notification/handlers.ts';
import { notificationRoutes } from './notification/routes.ts';
import { Problem } from './problems.ts';
import { catchUpProduct, contactFrom, findProduct, knownProducts, productHandlers, providerNames } from './product/products.ts';
import { serverHandlers } from './server/handlers.ts';
import { serverRoutes } from './server/routes.ts';
import { flowProductRemind } from './usage/flow-product-remind.ts';
import { usageHandlers } from './usage/handlers.ts';
import { meteringPerformers } from './usage/performers.ts';
import { usageRoutes } from './usage/routes.ts';
import { findUsage } from './usage/usages.ts';

export type Running = { readonly url: string; readonly core: Core; readonly stop: () => Promise<void> };

/** Makes instances of what was paid, and keeps providers told. */
export async function start(config: Config, given: { readonly log?: Log; readonly auth?: Auth } = {}): Promise<Running> {
  const { development, sandbox } = config;
  const log = given.log ?? createLog({ service: 'fulfillment', level: config.logLevel });
  const wallNow = () => new Date();
  const door = egress({ development, allowed: sandbox === undefined ? [] : [hostAndPort(sandbox.url)] });
  const dialects = [
    tencentSaas({ door, development, wallNow, randomInt, newRequestId: randomUUID }),
    alibabaSpi({ door, development, wallNow, newRequestId: randomUUID }),
  ];
  const secrets = vault(config.encryptionKeys);
  const rules = { development, allowed: config.cloud?.url === undefined ? [] : [hostAndPort(config.cloud.url)] };
  const cloud = config.cloud && tencentCloud({ ...config.cloud, agentFor: (url) => guardedAgent(url, rules) });
  const shelf = cloud && cloudShelf({ cloud, nowMs: Date.now, regions: config.cloud?.regions });
  const endpointsIn = (sql: Core['sql']) => endpointBook({ sql, vault: secrets, sandbox });
  const randomHex = (bytes: number) => randomBytes(bytes).toString('hex');

  const onFault = (what: string, error: unknown): void => log.error({ err: error }, what);
  const core = await startCore({
    service: 'fulfillment',
    databaseUrl: config.databaseUrl,
    natsUrl: config.natsUrl,
    testClock: config.testClock,
    migrations: fileURLToPath(new URL('../migrations', import.meta.url)),
    handlers: () => [
      ...instanceHandlers,
      ...serverHandlers,
      ...endpointHandlers,
      ...productHandlers,
      ...usageHandlers,
      ...notificationHandlers,
    ],
    performers: ({ sql, clock }) => {
      const toProviders = lines(clock.now);
      return [
        ...performers({
          product: (id) => findProduct(sql, id),
          vault: secrets,
          endpoints: endpointsIn(sql),
          dialects,
          turn: { lines: toProviders, newestSeqOf: (id) => newestSeqOf(sql, id) },
          wallNow,
          randomHex,
        }),
        ...endpointPerformers({ endpoints: endpointsIn(sql), dialects, wallNow }),
        ...meteringPerformers({ endpoints: endpointsIn(sql), dialects, lines: toProviders, usageOf: (id) => findUsage(sql, id), wallNow }),
        ...cloudPerformers({ cloud: cloud ?? noCloud(), vault: secrets, randomInt }),
      ];
    },
    answerers: ({ sql }) => cloudAnswerers({ shelf, instances: instanceBook(sql) }),
    onFault,
  });
  const { sql } = core;
  // Plans made for empty tables would stay after they have filled.
  await sql`analyze instances, provider_calls, endpoints, product_numbers, products, upstreams, notifications`;
  const server = await httpServer({
    name: 'fulfillment',
    logger: log,
    auth: given.auth ?? jwtAuth(config.auth),
    problems: { ...Problem.entries, ...OperationProblem.entries },
    ready: readiness(core),
    routes: [
      instanceRoutes({
        instances: instanceBook(sql),
        informationOf: informationIn({ core, config, secrets, signIn: signInWith({ endpoints: endpointsIn(sql), dialects }) }),
        contactOf: (providerId) => contactFrom(core, providerId),
        providerNames: (ids) => providerNames(sql, ids),
      }),
      usageRoutes({ core, instances: instanceBook(sql) }),
      ...marketRoutes({ core, secrets, wallNow, randomHex }),
      notificationRoutes({ notifications: notificationBook(sql), now: core.clock.now }),
      serverRoutes({ core, shelf, instances: instanceBook(sql) }),
      callRoutes({ log: logBook(sql), core }),
      endpointRoutes({ core, endpoints: endpointsIn(sql), dialects, product: (productId) => findProduct(sql, productId) }),
      apiRoutes({ core, instances: instanceBook(sql), vault: secrets, door, product: (id) => findProduct(sql, id), randomHex }),
      operationRoutes({ service: 'fulfillment', core }),
    ],
  });
  await core.run();
  const unobserve = observeFailingEndpoints(() => endpointsIn(sql).countFailing());
  const stopCatchingUp = catchUpWithCatalogue({
    core,
    known: () => knownProducts(sql),
    learn: (news) => core.write(catchUpProduct, news),
    onFault,
  });
  const url = await server.listen(config);
  log.info({ url }, 'ready');
  return {
    url,
    core,
    stop: async () => {
      stopCatchingUp();
      unobserve();
      await server.stop();
      await core.stop();
      await door.close();
    },
  };
}

type Information = Pick<InformationParts, 'signIn'> & { readonly core: Core; readonly config: Config; readonly secrets: Vault };
/** What the buyer of an instance reads of it, that of API products from the gateway that counts their calls. */
const informationIn = ({ core, config, secrets, signIn }: Information): InformationOf =>
  informationFrom({ vault: secrets, signIn, usedCalls: (instanceId) => usedCallsFrom(core, instanceId), callsUrl: config.callsUrl });

type Market = Pick<Parameters<typeof cloudKeyRoutes>[0], 'randomHex'> & {
  readonly core: Core;
  readonly secrets: Vault;
  readonly wallNow: () => Date;
};
/** The cloud's API for providers, and the keys that they sign it with. */
const marketRoutes = ({ core, secrets, wallNow, randomHex }: Market): readonly Routes[] => {
  const keys = cloudKeyBook(core.sql);
  const actions = { FlowProductRemind: flowProductRemind(core) };
  return [
    cloudKeyRoutes({ core, keys, vault: secrets, randomHex }),
    marketApi({ keys, vault: secrets, wallNow, newRequestId: randomUUID, actions }),
  ];
};

/** The parser drops a port that is the scheme's own, but the guard's list wants it. */
function hostAndPort(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}
