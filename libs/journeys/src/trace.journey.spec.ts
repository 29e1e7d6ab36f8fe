import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { demoClaims, demoProducts } from '@yunshi/contracts/demo-world';
import { startSystem, type System } from '@yunshi/local/system';
import { startCollector, type SpanPattern } from '@yunshi/testing/collector';
import { until } from '@yunshi/testing/until';
import { Shopper } from './shopper.ts';

const collector = await startCollector();
let dir: string;
let system: System;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-trace-'));
  const { OTEL_SERVICE_NAME: _, ...env } = collector.env('');
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false, env: { '*': env } });
});
afterAll(async () => {
  await system?.stop();
  await collector.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

async function buy(): Promise<string> {
  const shopper = await new Shopper({ gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! }).login('lin');
  const wish = { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 };
  const quote = await shopper.post('/v1/quotes', wish);
  const agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
  const ordered = await shopper.post('/v1/orders', { ...wish, coupon: demoClaims.linMinus20, accepted_agreements: agreements });
  expect(ordered.status).toBe(201);
  const orderId = ordered.body['order_id'] as string;
  const payment = await shopper.post('/v1/payments', { order_id: orderId, channel: 'wechat_native' });
  const [attempt] = payment.body['attempts'] as { code_url: string }[];
  await shopper.scan(attempt!.code_url);
  await until(async () => (await shopper.get(`/v1/orders/${orderId}`)).body['status'] === 'completed', { within: 30_000 });
  return orderId;
}

test('one purchase is one trace, from the order at the gateway to the answer of the provider', async () => {
  await buy();
  const first = await until(() => collector.spans().find((span) => span.service === 'order' && span.name === 'POST /v1/orders'), {
    what: 'the order service has told of the request',
  });
  const handed = (service: string, subject: string): SpanPattern[] => [
    { service, kind: 'producer', name: `publish ${subject}` },
    { kind: 'consumer', name: `process ${subject}` },
  ];
  const placed: SpanPattern[] = [
    { service: 'gateway', kind: 'server', name: 'POST /v1/orders' },
    { service: 'gateway', kind: 'client', name: 'POST' },
    { service: 'order', kind: 'server', name: 'POST /v1/orders' },
    ...handed('order', 'cmd.coupon.reserve.v1'),
    ...handed('coupon', 'rpl.order'),
    ...handed('order', 'cmd.payment.collect.v1'),
  ];
  const paid: SpanPattern[] = [
    { service: 'payment-gateway', kind: 'client', name: 'POST' },
    { service: 'sandbox', kind: 'server', name: 'POST /v3/combine-transactions/native' },
    { service: 'sandbox', kind: 'client', name: 'POST' },
    { service: 'payment-gateway', kind: 'server' },
    ...handed('payment-gateway', 'rpl.order'),
  ];
  const delivered: SpanPattern[] = [
    ...handed('order', 'cmd.fulfillment.fulfil.v1'),
    { service: 'fulfillment', kind: 'client' },
    { service: 'sandbox', kind: 'server' },
  ];
  const completed: SpanPattern[] = [
    ...handed('fulfillment', 'rpl.order'),
    ...handed('order', 'cmd.catalog.record-sale.v1'),
    ...handed('catalog', 'rpl.order'),
    ...handed('order', 'cmd.order.complete.v1'),
  ];
  const trace = await collector.traceWhen(
    first.traceId,
    ({ hasPath }) =>
      hasPath(...placed, ...paid, ...delivered) &&
      hasPath(...placed, ...paid, ...handed('order', 'cmd.fulfillment.fulfil.v1'), ...completed),
    20_000,
  );
  expect(trace.roots).toHaveLength(1);
});
