import { fileURLToPath } from 'node:url';
import { jwtAuth } from '@yunshi/http/auth';
import { httpServer } from '@yunshi/http/server';
import { admissionTo } from '@yunshi/messaging/admission';
import { startCore, type Core } from '@yunshi/messaging/core';
import { Problem as OperationProblem } from '@yunshi/operations/problems';
import { operationRoutes } from '@yunshi/operations/routes';
import { catchUpWithCatalogue } from '@yunshi/service/catalogue';
import { readiness } from '@yunshi/service/readiness';
import { createLog, type Log } from '@yunshi/telemetry/log';
import { renewalPerformers } from './auto-renewal/calls.ts';
import { autoRenewalHandlers } from './auto-renewal/handlers.ts';
import { autoRenewalRoutes } from './auto-renewal/routes.ts';
import type { Config } from './config.ts';
import { learnInstances } from './instance/instances.ts';
import { orderChanges } from './order/changes.ts';
import { orderHandlers } from './order/handlers.ts';
import { priceHandlers } from './order/price-handlers.ts';
import { priceRoutes } from './order/price-routes.ts';
import { orderWriteRoutes } from './order/routes.ts';
import { buyerView, operatorView, orderEventRoutes, orderViews, providerView } from './order/views.ts';
import { Problem } from './problems.ts';
import { purchasingRoutes } from './purchasing/routes.ts';
import { catchUpProduct, learnProduct } from './quote/handlers.ts';
import { knownProducts } from './quote/products.ts';
import { quoteRoutes } from './quote/routes.ts';
import { purchaseSaga } from './sagas/purchase.saga.ts';
import { renewalSaga } from './sagas/renewal.saga.ts';
import { repricingSaga } from './sagas/repricing.saga.ts';
import { sagaRoutes } from './sagas/routes.ts';

export type Running = { readonly url: string; readonly stop: () => Promise<void> };

/** Quotes, orders, and the sagas that carry them through. */
export async function start(config: Config, log: Log = createLog({ service: 'order', level: config.logLevel })): Promise<Running> {
  const onFault = (what: string, error: unknown) => log.error({ err: error }, what);
  const core: Core = await startCore({
    service: 'order',
    databaseUrl: config.databaseUrl,
    natsUrl: config.natsUrl,
    testClock: config.testClock,
    migrations: fileURLToPath(new URL('../migrations', import.meta.url)),
    handlers: () => [learnProduct, ...learnInstances, ...orderHandlers, ...priceHandlers, ...autoRenewalHandlers],
    performers: ({ clock }) => renewalPerformers(clock, () => core),
    sagas: [purchaseSaga, renewalSaga, repricingSaga],
    onFault,
  });
  const changes = orderChanges(core, onFault);
  const admission = admissionTo(core, config.admission, onFault);
  const server = await httpServer({
    name: 'order',
    routes: [
      quoteRoutes(core),
      orderWriteRoutes({ core, admission }),
      ...[buyerView, providerView, operatorView].map((view) => orderViews(view, core)),
      priceRoutes(core),
      purchasingRoutes(core),
      autoRenewalRoutes(core),
      orderEventRoutes({ core, changes }),
      sagaRoutes(core),
      operationRoutes({ service: 'order', core }),
    ],
    auth: jwtAuth(config.auth),
    logger: log,
    problems: { ...Problem.entries, ...OperationProblem.entries },
    ready: readiness(core),
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
    async stop() {
      stopCatchingUp();
      changes.stop();
      admission.stop();
      await server.stop();
      await core.stop();
    },
  };
}
