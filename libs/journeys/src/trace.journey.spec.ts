import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { demoClaims, demoProducts } from '@yunshi/contracts/demo-world';
import { startSystem, type System } from '@yunshi/local/system';
import { connect } from '@yunshi/db/connect';
import { startCollector, type SpanPattern } from '@yunshi/testing/collector';
import { until } from '@yunshi/testing/until';
import { merchantEnvironment } from '@yunshi/sandbox/wechat/keys';
import { Shopper } from './shopper.ts';

const collector = await startCollector();
let dir: string;
let system: System;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-trace-'));
  const { OTEL_SERVICE_NAME: _, ...env } = collector.env('');
  system = await startSystem({
    dir,
    seed: 'demo',
    testClock: true,
    ports: 'free',
    durable: false,
    env: { '*': { ...env, LOG_LEVEL: 'debug' } },
  });
});
afterAll(async () => {
  await system?.stop();
  await collector.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

async function buy(coupon: string = demoClaims.linMinus20): Promise<string> {
  const shopper = await new Shopper({ gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! }).login('lin');
  const wish = { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 };
  const quote = await shopper.post('/v1/quotes', wish);
  const agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
  const ordered = await shopper.post('/v1/orders', { ...wish, coupon, accepted_agreements: agreements });
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

/** Account numbers that people type in, of the demo world's balance and of a payer's other card. */
const [ACCOUNT, CARD, OWNER] = ['6200000000000000001', '6222020200112233445', '诸葛金丝雀'];
const WRONG_TOKEN = `canary-${randomUUID()}`;

test('no secret, account number, openid or key of a purchase, a refund or a withdrawal stands in a log, a span or the body of an error', async () => {
  const sql = connect({ url: system.adminUrl, name: 'canaries', connectionsMax: 2 });
  const doors = { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! };
  const [lin, operator] = await Promise.all(['lin', 'operator'].map((name) => new Shopper(doors).login(name)));
  const orderId = await buy('none');

  // A refund to another card: number and owner go through the gateway once.
  await lin!.outside('POST', '/sandbox/wechat/next', { what: 'refund-abnormal', times: 1 });
  const [payment] = (await lin!.get(`/v1/payments?order_id=${orderId}`)).body['items'] as { payment_id: string }[];
  await operator!.post(`/v1/ops/payments/${payment!.payment_id}/refunds`, { amount: 100, reason: '部分退款' });
  const task = await until(
    async () => {
      await operator!.post('/v1/test/clock', { advance: 'PT5S' });
      const { items } = (await operator!.get('/v1/ops/payment-tasks?limit=100')).body as { items: { task_id: string; order_id: string }[] };
      return items.find((one) => one.order_id === orderId);
    },
    { what: 'the refund has ended ABNORMAL', within: 30_000, every: 300 },
  );
  const about = `/v1/ops/payment-tasks/${encodeURIComponent(task.task_id)}/apply-abnormal`;
  const card = { to: 'payer', bank_type: 'ICBC_DEBIT', bank_account: CARD, real_name: OWNER };
  expect((await operator!.post(about, card)).status).toBe(202);

  // A withdrawal whose account an operator has to read.
  const { body: asked } = await lin!.post('/v1/wallet/withdrawals', { source: 'offline', amount: 1_000 });
  const { body: seen } = await operator!.post(`/v1/ops/wallet-withdrawals/${String(asked['withdrawal_id'])}/reveal-account`, {});
  expect(seen['number']).toBe(ACCOUNT);

  // Requests that are refused are told why, without what was wrong in them.
  const refusals = await Promise.all([
    operator!.post(about, { ...card, bank_account: `${CARD} ` }),
    operator!.post(about, { ...card, bank_account: Number(CARD), extra: CARD }),
    operator!.post(about, { ...card, to: CARD }),
    lin!.post('/v1/wallet/withdrawals', { source: 'offline', amount: 1, bank_account: ACCOUNT }),
    lin!.post('/v1/wallet/withdrawals', { source: ACCOUNT, amount: 1 }),
    fetch(`${doors.gateway}/v1/wallet`, { headers: { authorization: `Bearer ${WRONG_TOKEN}` } }).then(told),
    fetch(`${system.urls['payment-gateway']}/v1/notify/wechat/payments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'wechatpay-signature': WRONG_TOKEN },
      body: JSON.stringify({ id: CARD, resource: { ciphertext: CARD } }),
    }).then(told),
  ]);
  expect(refusals.filter(({ status }) => status < 400)).toEqual([]);
  // Watched by what is in the places, so that an empty one cannot pass.
  const last = ['/v1/notify/wechat/payments', 'apply-abnormal', 'reveal-account'];
  await until(() => last.every((path) => collector.raw().includes(path)), { what: 'all of it has been traced' });

  const canaries = await canariesOf(sql);
  expect(Object.values(canaries).every((one) => one.length >= 8 || one === OWNER)).toBe(true);
  const logs = await Promise.all((await readdir(join(dir, 'log'))).map((name) => readFile(join(dir, 'log', name), 'utf8')));
  const places = { log: logs.join('\n'), spans: collector.raw(), errors: JSON.stringify(refusals) };
  const found = Object.entries(places).flatMap(([place, text]) =>
    Object.entries(canaries).flatMap(([name, canary]) => (text.includes(canary) ? [`${name} in the ${place}`] : [])),
  );
  expect(found).toEqual([]);
  expect(last.slice(1).filter((path) => !places.log.includes(path))).toEqual([]);
  await sql.end();
});

const told = async (answer: Response) => ({ status: answer.status, body: await answer.text() });

/** What must not be told anywhere, by its name. */
async function canariesOf(sql: ReturnType<typeof connect>): Promise<Record<string, string>> {
  const { secrets } = system;
  const [order] = await sql<{ openid: string }[]>`select openid from svc_sandbox.wechat_orders where openid is not null limit 1`;
  const [notice] = await sql<{ signature: string; body: string }[]>`
    select headers->>'wechatpay-signature' as signature, body from svc_payment.channel_notices where channel = 'wechat_native' limit 1`;
  const [sealed] = await sql<{ access: string }[]>`select access from svc_fulfillment.instances where access is not null limit 1`;
  const { ciphertext } = (JSON.parse(notice!.body) as { resource: { ciphertext: string } }).resource;
  const lin = await new Shopper({ gateway: system.urls['gateway']!, sandbox: '' }).login('lin');
  const { items } = (await lin.get('/v1/instances?limit=1')).body as { items: { instance_id: string }[] };
  const { app } = (await lin.get(`/v1/instances/${items[0]!.instance_id}`)).body as {
    app: { fields: { value: string }[]; auth_url: string };
  };
  const token = await fetch(`${system.urls['gateway']}/v1/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ persona: 'lin' }),
  });
  const pem = async (...path: string[]) => (await readFile(join(dir, ...path), 'utf8')).split('\n')[5]!;
  return {
    'the number of an account': ACCOUNT,
    'the number of a card': CARD,
    'the owner of a card': OWNER,
    'an openid': order!.openid,
    'a signature': notice!.signature,
    'what a notice carries': ciphertext.slice(0, 40),
    'a sealed credential': sealed!.access.slice(0, 40),
    'a password of an application': app.fields.map(({ value }) => value).toSorted((a, b) => b.length - a.length)[0]!,
    'a single sign-on link': app.auth_url,
    'a token': ((await token.json()) as { access_token: string }).access_token.slice(-40),
    'a wrong token': WRONG_TOKEN,
    'the key of fulfillment': secrets.encryptionKey,
    'the key of payment-gateway': secrets.paymentEncryptionKey,
    'the password of a role': secrets.roles['svc_payment']!,
    'the password of PostgreSQL': secrets.postgres,
    'the secret of the providers': secrets.playedProviders,
    'the token of the treasury': secrets.treasury,
    'the private key of the merchant': await pem('wechat', 'merchant_key.pem'),
    'the private key of the platform': await pem('bank', 'platform_key.pem'),
    'the private key of the channel': await pem('bank', 'tbep_key.pem'),
    'the APIv3 key': (await merchantEnvironment(join(dir, 'wechat')))['WECHAT_APIV3_KEY'] ?? '',
  };
}
