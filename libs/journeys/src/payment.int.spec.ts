import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import type { Message } from '@yunshi/contracts/define';
import { demoProviders } from '@yunshi/contracts/demo-world';
import { orderCompleted } from '@yunshi/contracts/order';
import { collectPayment, returnPayment } from '@yunshi/contracts/payment';
import { buyer, operator, otherBuyer, testIssuer } from '@yunshi/http/testing';
import { newId, uuidv7, type AttemptId, type OrderId } from '@yunshi/kernel/ids';
import { freePort } from '@yunshi/local/ports';
import { connectBus } from '@yunshi/messaging/bus';
import { moveClock } from '@yunshi/messaging/clock';
import { messageOut } from '@yunshi/messaging/envelope';
import { start as startPayment, type Running } from '@yunshi/payment-gateway/app';
import { readConfig as readPaymentConfig } from '@yunshi/payment-gateway/config';
import { orderNumber, subOrderNumber } from '@yunshi/payment-gateway/payment/numbers';
import { answerHeaders } from '@yunshi/protocols/wechat/answer-signature';
import { apiV3Key, seal } from '@yunshi/protocols/wechat/seal';
import { start as startSandbox } from '@yunshi/sandbox/app';
import { readConfig as readSandboxConfig } from '@yunshi/sandbox/config';
import { ensureKeys, merchantEnvironment, readKeys } from '@yunshi/sandbox/wechat/keys';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

/** The payment service against the sandbox's WeChat Pay, over real HTTP, with real PostgreSQL and nats-server. */

const database = await testDatabase('payment', 'sandbox');
const nats = await testNats();
const issuer = await testIssuer();
const root = await mkdtemp(join(tmpdir(), 'payment-'));
const keysFolder = join(root, 'keys');
await ensureKeys(keysFolder, new Date());

const sandbox = await startSandbox(
  readSandboxConfig({
    DATABASE_URL: database.urlOf('sandbox'),
    NATS_URL: nats.url,
    TEST_CLOCK: 'on',
    LOG_LEVEL: 'error',
    NODE_ENV: 'test',
    WECHAT_SANDBOX_KEYS: keysFolder,
    BANK_SANDBOX_KEYS: join(root, 'bank'),
    UNIONPAY_SANDBOX_KEYS: join(root, 'unionpay'),
    SANDBOX_PROVIDER_SECRET: randomBytes(16).toString('hex'),
  }),
);
/** Of this service, known before it listens: callbacks must find it again after a restart. */
const port = await freePort();
const encryptionKey = randomBytes(32).toString('base64');
const configuration = async () =>
  readPaymentConfig({
    PORT: String(port),
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    AUTH_ISSUER: issuer.issuer,
    AUTH_JWKS_URL: 'http://127.0.0.1/jwks',
    AUTH_AUDIENCE: issuer.audience,
    TEST_CLOCK: 'on',
    SEED: 'demo',
    NODE_ENV: 'test',
    LOG_LEVEL: 'error',
    ...(await merchantEnvironment(keysFolder)),
    WECHAT_BASE_URL: sandbox.url,
    ENCRYPTION_KEY: encryptionKey,
    WECHAT_NOTIFY_BASE_URL: `http://127.0.0.1:${port}`,
    WECHAT_PAY_PAGE_URL: `${sandbox.url}/pay`,
  });
const bus = await connectBus(nats.url, 'test');
let payment: Running;
type Replied = { sagaId: string; reply: string; data: Record<string, unknown> };
const replies: Replied[] = [];
const events: { type: string; data: Record<string, unknown> }[] = [];

beforeAll(async () => {
  payment = await startPayment(await configuration(), { auth: issuer.auth });
  type Wire = { type: string; saga: { sagaId: string }; reply: string; data: Record<string, unknown> };
  const listen = (subject: string, take: (envelope: Wire) => void) =>
    bus.subscribe(subject, { callback: (_error, message) => take(message.json<Wire>()) });
  listen('rpl.test', (envelope) => replies.push({ sagaId: envelope.saga.sagaId, reply: envelope.reply, data: envelope.data }));
  listen('evt.payment.>', (envelope) => events.push({ type: envelope.type, data: envelope.data }));
});
afterAll(async () => {
  await payment.stop();
  await sandbox.stop();
  await bus.close();
  await rm(root, { recursive: true });
});
beforeEach(async () => {
  await fetch(`${sandbox.url}/sandbox/wechat/next`, { method: 'DELETE' });
});

const price = 19_900;
type Order = { readonly orderId: OrderId; readonly sagaId: string };

/** Asks as a saga does. */
async function ask(order: Order, message: Message, step: string, direction: 'do' | 'undo' = 'do'): Promise<void> {
  const out = messageOut(message, { sagaId: order.sagaId, step, direction, replyTo: 'test' }, payment.core.clock.now(), undefined);
  await jetstream(bus).publish(out.subject, out.body, { msgID: out.id });
}
const returning = (order: Order) =>
  ask(order, returnPayment({ orderId: order.orderId, accountId: buyer.accountId, reason: 'cancelled' }), 'collect payment', 'undo');
const newOrder = (): Order => ({ orderId: newId('ord', new Date()), sagaId: uuidv7(Date.now()) });

/** An order of the buyer that waits for its money for a day. */
async function order(change: { amount?: number; provider?: keyof typeof demoProviders } = {}): Promise<Order> {
  const placed = newOrder();
  const { providerId } = demoProviders[change.provider ?? 'fanying'];
  const payBy = new Date(payment.core.clock.now().getTime() + 24 * 3_600_000).toISOString();
  const bill = {
    orderId: placed.orderId,
    accountId: buyer.accountId,
    providerId,
    amount: change.amount ?? price,
    description: '云表单 专业版 1 年',
    payBy,
  };
  await ask(placed, collectPayment(bill), 'collect payment');
  return placed;
}

type Shown = {
  payment_id: string;
  status: string;
  amount: number;
  channels: string[];
  attempts: { attempt_id: string; status: string; code_url: string | null; pay_page_url?: string }[];
  refunds: { refund_no: string; status: string; amount: number }[];
};
async function call<T = Shown>(path: string, { as = buyer, ...init }: RequestInit & { as?: typeof buyer } = {}) {
  const headers = {
    authorization: `Bearer ${await issuer.token(as)}`,
    'content-type': 'application/json',
    ...(init.headers as Record<string, string>),
  };
  const answer = await fetch(`${payment.url}${path}`, { ...init, headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: (text === '' ? undefined : JSON.parse(text)) as T };
}
const pay = ({ orderId }: Order, key: string = randomBytes(8).toString('hex'), as = buyer) =>
  call('/v1/payments', {
    as,
    method: 'POST',
    headers: { 'idempotency-key': key },
    body: JSON.stringify({ order_id: orderId, channel: 'wechat_native' }),
  });
const codeOf = async (placed: Order): Promise<string> => {
  const { body } = await pay(placed);
  return until(() => body.attempts.at(-1)?.code_url);
};
const paymentOf = async ({ orderId }: Order): Promise<Shown> =>
  (await call<{ items: Shown[] }>(`/v1/payments?order_id=${orderId}`)).body.items[0]!;
const reaches = (placed: Order, status: string) =>
  until(async () => (await paymentOf(placed)).status === status && (await paymentOf(placed)), { what: `the payment is ${status}` });

const post = (path: string, body: object) =>
  fetch(`${sandbox.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const scan = async (code_url: string, how: object = {}) => (await post('/sandbox/wechat/scan', { code_url, ...how })).status;
const arm = (what: string, times = 1) => post('/sandbox/wechat/next', { what, times });
const answersTo = ({ sagaId }: Order) => replies.filter((reply) => reply.sagaId === sagaId);
const answered = (placed: Order, reply: string) =>
  until(() => answersTo(placed).find((one) => one.reply === reply), { what: `the saga hears «${reply}»` });
const pass = (seconds: number) => moveClock(bus, seconds * 1_000);

/** What the channel holds for an order: paid and not paid back. */
async function heldBy({ orderId }: Order): Promise<number> {
  const rows = await payment.core.sql<
    { attemptId: string }[]
  >`select attempt_id as "attemptId" from payment_attempts where order_id = ${orderId}`;
  let held = 0;
  for (const { attemptId } of rows) {
    const number = `C${BigInt(`0x${attemptId.slice(4)}`)
      .toString(36)
      .padStart(25, '0')}`;
    const answer = await fetch(`${sandbox.url}/sandbox/wechat/orders/${number}`);
    if (answer.status !== 200) continue;
    const seen = (await answer.json()) as { state: string; subOrders: { amount: number }[]; refunds: { status: string; amount: number }[] };
    if (seen.state === 'SUCCESS') held += seen.subOrders[0]!.amount;
    held -= seen.refunds.filter((refund) => refund.status === 'SUCCESS').reduce((sum, refund) => sum + refund.amount, 0);
  }
  return held;
}

describe('an order that is paid by scanning', () => {
  test('is answered to the saga and told, and the code can be shown again until then', async () => {
    const placed = await order();
    const first = await pay(placed);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({ status: 'open', amount: price, channels: ['wechat_native'], attempts: [{ status: 'open' }] });
    const code = first.body.attempts[0]!.code_url!;
    expect(code).toMatch(/^weixin:/);
    expect((await fetch(first.body.attempts[0]!.pay_page_url!)).status).toBe(200);
    expect((await pay(placed)).body.attempts).toEqual(first.body.attempts);

    expect(await scan(code)).toBe(200);
    expect(await answered(placed, 'paid')).toMatchObject({ data: { channel: 'wechat_native' } });
    expect(await reaches(placed, 'paid')).toMatchObject({ attempts: [{ status: 'paid', code_url: null }] });
    await until(() => events.some(({ type, data }) => type === 'payment.received' && data['orderId'] === placed.orderId));
  });

  test('is found paid by asking when no callback ever comes', async () => {
    const placed = await order();
    await scan(await codeOf(placed), { callback: 'never' });
    await pass(3);
    expect(await answered(placed, 'paid')).toMatchObject({ reply: 'paid' });
  });

  test('is found paid at once when the buyer says so', async () => {
    const placed = await order();
    await scan(await codeOf(placed), { callback: 'never' });
    const { payment_id } = await paymentOf(placed);
    expect((await call(`/v1/payments/${payment_id}/query`, { method: 'POST', body: '{}' })).body.status).toBe('paid');
  });

  test('may fail at the bank first and be paid with the same code', async () => {
    const placed = await order();
    const code = await codeOf(placed);
    await arm('payment-fails');
    expect(await scan(code)).toBe(409);
    expect(await scan(code)).toBe(200);
    expect(await answered(placed, 'paid')).toMatchObject({ reply: 'paid' });
  });

  test.each(['answer-lost', 'call-fails', 'answer-forged', 'call-throttled'])('gets its code although the first %s', async (mishap) => {
    const placed = await order();
    await arm(mishap);
    const { body } = await pay(placed);
    expect(body.attempts).toHaveLength(1);
    await pass(3);
    await until(async () => (await paymentOf(placed)).attempts[0]?.code_url);
    await scan((await paymentOf(placed)).attempts[0]!.code_url!);
    expect(await answered(placed, 'paid')).toMatchObject({ reply: 'paid' });
  });

  test('may be paid before the saga’s request has arrived: the buyer waits a little', async () => {
    const placed = newOrder();
    const early = pay(placed);
    const payBy = new Date(payment.core.clock.now().getTime() + 3_600_000).toISOString();
    const { providerId } = demoProviders.lidun;
    await ask(
      placed,
      collectPayment({ orderId: placed.orderId, accountId: buyer.accountId, providerId, amount: 1, description: 'x', payBy }),
      'collect payment',
    );
    expect((await early).status).toBe(201);
  });
});

describe('the buyer’s request', () => {
  test('with the same Idempotency-Key is the same attempt; with another body it is refused', async () => {
    const [placed, other] = [await order(), await order()];
    const [first, again] = [await pay(placed, 'same-key'), await pay(placed, 'same-key')];
    expect(again.body.attempts[0]!.attempt_id).toBe(first.body.attempts[0]!.attempt_id);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await pay(other, 'same-key')).status).toBe(422);
  });

  test('for somebody else’s order finds nothing', async () => {
    const placed = await order();
    await pay(placed);
    const { payment_id } = await paymentOf(placed);
    expect((await pay(placed, 'k1', otherBuyer)).status).toBe(404);
    expect((await call(`/v1/payments/${payment_id}`, { as: otherBuyer })).status).toBe(404);
    expect((await call<{ items: unknown[] }>('/v1/payments', { as: otherBuyer })).body.items).toEqual([]);
  });

  test('for an order that never asks for money is told what to do', async () => {
    const refused = await call<{ code: string; remedy: string }>('/v1/payments', {
      method: 'POST',
      headers: { 'idempotency-key': 'never' },
      body: JSON.stringify({ order_id: newOrder().orderId, channel: 'wechat_native' }),
    });
    expect(refused).toMatchObject({ status: 409, body: { code: 'payment-not-ready' } });
  });

  test('for a channel that the provider is not signed up for is refused', async () => {
    const placed = await order();
    await until(() => paymentOf(placed));
    const refused = await call<{ code: string }>('/v1/payments', {
      method: 'POST',
      headers: { 'idempotency-key': 'bank' },
      body: JSON.stringify({ order_id: placed.orderId, channel: 'corporate_bank', bank: 'ICBC' }),
    });
    expect(refused.body.code).toBe('channel-not-offered');
  });

  test('to pay with the account’s balance is refused: it can only be withdrawn', async () => {
    const placed = await order();
    await until(() => paymentOf(placed));
    const refused = await call<{ code: string }>('/v1/payments', {
      method: 'POST',
      headers: { 'idempotency-key': 'balance' },
      body: JSON.stringify({ order_id: placed.orderId, channel: 'account_balance' }),
    });
    expect(refused).toMatchObject({ status: 409, body: { code: 'balance-cannot-pay' } });
    expect((await paymentOf(placed)).attempts).toEqual([]);
  });
});

describe('an order that is called off', () => {
  test('lets go at once when nobody has tried to pay', async () => {
    const placed = await order();
    await returning(placed);
    expect(await answered(placed, 'closed')).toMatchObject({ reply: 'closed' });
  });

  test('lets go when the channel has closed its code, which nobody can pay then', async () => {
    const placed = await order();
    const code = await codeOf(placed);
    await returning(placed);
    await answered(placed, 'closed');
    expect(await scan(code)).toBe(409);
  });

  test('lets go although the first close gets no answer', async () => {
    const placed = await order();
    await codeOf(placed);
    await arm('answer-lost');
    await returning(placed);
    await until(async () => (await paymentOf(placed)).attempts[0]?.status === 'closing');
    await pass(35);
    expect(await answered(placed, 'closed')).toMatchObject({ reply: 'closed' });
  });

  test('is refunded when the buyer had paid a moment before', async () => {
    const placed = await order();
    await codeOf(placed);
    await arm('paid-before-close');
    await returning(placed);
    await reaches(placed, 'refunding');
    await pass(5);
    expect(await answered(placed, 'refunded')).toMatchObject({ data: { amount: price } });
    expect(await heldBy(placed)).toBe(0);
    await until(() => events.some(({ type, data }) => type === 'payment.orphan-returned' && data['orderId'] === placed.orderId));
  });

  test('is refunded in full after it was paid', async () => {
    const placed = await order();
    await scan(await codeOf(placed));
    await answered(placed, 'paid');
    await returning(placed);
    await reaches(placed, 'refunding');
    await pass(5);
    expect(await answered(placed, 'refunded')).toMatchObject({ data: { amount: price } });
    expect(await reaches(placed, 'refunded')).toMatchObject({ refunds: [{ status: 'succeeded', amount: price }] });
    expect(await heldBy(placed)).toBe(0);
  });

  test('never asks for money any more, even if the asking comes later', async () => {
    const placed = newOrder();
    await returning(placed);
    await answered(placed, 'closed');
    const { providerId } = demoProviders.fanying;
    const payBy = new Date(payment.core.clock.now().getTime() + 3_600_000).toISOString();
    // Under another step's name, so that the saga's own barrier does not answer for us.
    await ask(
      placed,
      collectPayment({ orderId: placed.orderId, accountId: buyer.accountId, providerId, amount: 1, description: 'x', payBy }),
      'collect again',
    );
    expect(await answered(placed, 'refused')).toMatchObject({ data: { reason: 'closed' } });
  });
});

describe('money', () => {
  test('is not asked for when no channel pays the provider', async () => {
    const placed = newOrder();
    const payBy = new Date(payment.core.clock.now().getTime() + 3_600_000).toISOString();
    const bill = {
      orderId: placed.orderId,
      accountId: buyer.accountId,
      providerId: newId('prv', new Date()),
      amount: 1,
      description: 'x',
      payBy,
    };
    await ask(placed, collectPayment(bill), 'collect payment');
    expect(await answered(placed, 'refused')).toMatchObject({ data: { reason: 'no-channel' } });
  });

  test('is looked for when the time is over: a code paid at the last moment, and no callback', async () => {
    const placed = await order();
    await scan(await codeOf(placed), { callback: 'never' });
    await pass(24 * 3_600 + 60);
    // Nobody has called the order off, so this money is kept.
    expect(await answered(placed, 'paid')).toMatchObject({ reply: 'paid' });
  });
});

describe('a refund', () => {
  const refunding = async (): Promise<Order> => {
    const placed = await order();
    await scan(await codeOf(placed));
    await answered(placed, 'paid');
    await returning(placed);
    await reaches(placed, 'refunding');
    return placed;
  };
  type Tasks = { items: { task_id: string; kind: string; order_id: string }[] };
  const taskOf = ({ orderId }: Order) =>
    until(async () =>
      (await call<Tasks>('/v1/ops/payment-tasks?limit=100', { as: operator })).body.items.find((task) => task.order_id === orderId),
    );

  test.each(['answer-lost', 'call-fails'])('is asked for again under the same number when %s', async (mishap) => {
    const placed = await order();
    await scan(await codeOf(placed));
    await answered(placed, 'paid');
    await arm(mishap);
    await returning(placed);
    await reaches(placed, 'refunding');
    await pass(5);
    await until(async () => (await heldBy(placed)) === 0 || (await pass(3), false));
    await answered(placed, 'refunded');
    expect((await paymentOf(placed)).refunds).toHaveLength(1);
  });

  test('that ends ABNORMAL waits for an operator, and the saga with it', async () => {
    await arm('refund-abnormal');
    const placed = await refunding();
    await pass(5);
    expect(await taskOf(placed)).toMatchObject({ kind: 'refund-abnormal' });
    expect(answersTo(placed).map(({ reply }) => reply)).toEqual(['paid']);
  });

  test('that the channel closed unpaid is tried anew by an operator', async () => {
    await arm('refund-closed');
    const placed = await refunding();
    await pass(5);
    const { task_id } = await taskOf(placed);
    const path = `/v1/ops/payment-tasks/${encodeURIComponent(task_id)}/retry`;
    expect((await call(path, { as: buyer, method: 'POST' })).status).toBe(403);
    expect((await call(path, { as: operator, method: 'POST', body: '{}' })).status).toBe(202);
    const audit = await call<{ items: object[] }>('/v1/ops/payment-gateway/audit?limit=1', { as: operator });
    expect(audit.body.items).toMatchObject([{ action: 'refund.retry', object: expect.stringMatching(/^refund:/) as unknown }]);
    await until(async () => (await paymentOf(placed)).refunds.length === 2);
    await until(async () => (await heldBy(placed)) === 0 || (await pass(3), false));
    expect(await answered(placed, 'refunded')).toMatchObject({ reply: 'refunded' });
  });

  test('that the balance does not allow goes through an hour later by itself', async () => {
    await arm('refund-unfunded');
    const placed = await refunding();
    await taskOf(placed);
    await pass(3_700);
    await until(async () => (await heldBy(placed)) === 0 || (await pass(3), false));
    expect(await answered(placed, 'refunded')).toMatchObject({ reply: 'refunded' });
  });
});

describe('a callback', () => {
  const path = '/v1/notify/wechat/payments';
  test('without WeChat Pay’s signature is refused, and nothing is kept', async () => {
    const answer = await fetch(`${payment.url}${path}`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 'FAIL' });
  });

  test('is kept with its headers, once however often it comes, and with its content still sealed', async () => {
    const placed = await order();
    await scan(await codeOf(placed));
    await answered(placed, 'paid');
    const kept = await payment.core.sql<{ headers: Record<string, string>; body: string; worked: boolean }[]>`
      select headers, body, worked from channel_notices where order_id = ${placed.orderId}`;
    expect(kept).toHaveLength(1);
    expect(kept[0]).toMatchObject({ worked: true });
    expect(kept[0]!.body).toContain('AEAD_AES_256_GCM');
    expect(kept[0]!.body).not.toContain('openid');
    const again = await fetch(`${payment.url}${path}`, {
      method: 'POST',
      headers: { ...kept[0]!.headers, 'content-type': 'application/json' },
      body: kept[0]!.body,
    });
    expect(again.status).toBe(204);
    expect((await payment.core.sql`select 1 from channel_notices where order_id = ${placed.orderId}`).count).toBe(1);
    expect(answersTo(placed)).toHaveLength(1);
  });

  test('with one byte changed is refused', async () => {
    const [kept] = await payment.core.sql<
      { headers: Record<string, string>; body: string }[]
    >`select headers, body from channel_notices limit 1`;
    const body = kept!.body.replace('支付成功', '支付失败').replace('退款成功', '退款失败');
    const answer = await fetch(`${payment.url}${path}`, {
      method: 'POST',
      headers: { ...kept!.headers, 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(401);
  });
});

describe('the ledger', () => {
  test('counts the money as the provider’s and ours when the order is completed, and balances', async () => {
    const placed = await order();
    await scan(await codeOf(placed));
    await answered(placed, 'paid');
    const done = messageOut(
      orderCompleted({ orderId: placed.orderId, orderVersion: 1, accountId: buyer.accountId, instanceId: newId('ins', new Date()) }),
      undefined,
      new Date(),
      undefined,
    );
    await jetstream(bus).publish(done.subject, done.body, { msgID: done.id });
    const lines = () => payment.core.sql<{ account: string; amount: number }[]>`
      select account, amount from ledger_postings where order_id = ${placed.orderId} order by posting_id`;
    await until(async () => (await lines()).length === 5);
    expect(await lines()).toEqual([
      { account: 'channel_clearing:wechat_native', amount: price },
      { account: `buyer_funds:${buyer.accountId}`, amount: -price },
      { account: `buyer_funds:${buyer.accountId}`, amount: price },
      { account: `provider_payable:${demoProviders.fanying.providerId}`, amount: -17_910 },
      { account: `platform_fee:${demoProviders.fanying.providerId}`, amount: -1_990 },
    ]);
  });

  test('adds up to nothing after all of this, entry by entry', async () => {
    type Check = { balanced: boolean; sum: number; accounts: { account: string; balance: number }[] };
    const { body } = await call<Check>('/v1/ops/ledger?audit=true', { as: operator });
    expect(body).toMatchObject({ balanced: true, sum: 0 });
    expect(body.accounts.find(({ account }) => account === 'suspense')?.balance ?? 0).toBe(0);
  });

  test('refuses to be changed, and an entry that is out of balance', async () => {
    const { sql } = payment.core;
    await expect(sql`update ledger_postings set amount = 0`).rejects.toThrow('never changed');
    await expect(sql`delete from ledger_postings`).rejects.toThrow('never changed');
    const insert = sql`
      insert into ledger_postings (posting_id, entry_id, kind, account, amount, order_id, account_id, at)
      values ('x/1', 'x', 'receipt', 'buyer_funds', 1, 'ord_x', 'acc_x', now())`;
    await expect(insert).rejects.toThrow('out of balance');
  });
});

describe('a callback that is not as it should be', () => {
  const path = '/v1/notify/wechat/payments';
  type Sent = { headers: Record<string, string>; body: string };
  type Bent = {
    readonly content?: object;
    readonly key?: string;
    readonly wallMs?: number;
    readonly serial?: string;
    readonly body?: (body: string) => string;
    readonly after?: (sent: Sent) => Sent;
  };
  /** «This order is paid», sealed and signed as WeChat Pay does it, but for what is bent. */
  async function told(attemptId: AttemptId, bent: Bent): Promise<Response> {
    const { merchant, publicKey } = await readKeys(keysFolder);
    const sub = {
      mchid: merchant.mchid,
      sub_mchid: '1900000101',
      out_trade_no: subOrderNumber(attemptId),
      attach: 'none',
      trade_state: 'SUCCESS',
      transaction_id: '4200009999',
      success_time: '2026-03-01T12:00:00+08:00',
      amount: { total_amount: price, currency: 'CNY' },
      ...bent.content,
    };
    const order = {
      combine_appid: merchant.appid,
      combine_mchid: merchant.mchid,
      combine_out_trade_no: orderNumber(attemptId),
      sub_orders: [sub],
    };
    const whole = JSON.stringify({
      id: `EV-${randomBytes(8).toString('hex')}`,
      create_time: '2026-03-01T12:00:00+08:00',
      event_type: 'TRANSACTION.SUCCESS',
      resource_type: 'encrypt-resource',
      resource: seal(JSON.stringify(order), apiV3Key(bent.key ?? merchant.apiv3_key), 'abcdefghijkl', 'transaction'),
    });
    const body = bent.body?.(whole) ?? whole;
    const signer = { ...publicKey, serial: bent.serial ?? publicKey.serial };
    const headers = answerHeaders(body, signer, { wallMs: bent.wallMs ?? Date.now(), nonce: 'n' });
    const sent = bent.after?.({ headers, body }) ?? { headers, body };
    return fetch(`${payment.url}${path}`, {
      method: 'POST',
      headers: { ...sent.headers, 'content-type': 'application/json' },
      body: sent.body,
    });
  }
  const opened = async (): Promise<{ placed: Order; attemptId: AttemptId }> => {
    const placed = await order();
    await codeOf(placed);
    return { placed, attemptId: (await paymentOf(placed)).attempts[0]!.attempt_id as AttemptId };
  };
  const kept = async () => (await payment.core.sql`select 1 from channel_notices`).count;

  test.each<[string, Bent, number]>([
    ['tampered with', { after: ({ headers, body }) => ({ headers, body: body.replace('SUCCESS', 'SUCCESs') }) }, 401],
    ['signed for another body', { after: ({ body }) => ({ headers: {}, body }) }, 401],
    ['six minutes old', { wallMs: Date.now() - 360_000 }, 401],
    ['six minutes ahead', { wallMs: Date.now() + 360_000 }, 401],
    ['signed under a serial that nobody has', { serial: 'PUB_KEY_ID_0000000000000000' }, 401],
    ['cut off, and signed so', { body: (body) => body.slice(0, 200) }, 500],
    ['sealed with another APIv3 key', { key: 'x'.repeat(32) }, 500],
    ['larger than any callback', { body: (body) => body + ' '.repeat(70_000) }, 413],
  ])('because it is %s is refused, kept nowhere, and moves nothing', async (_, bent, status) => {
    const { placed, attemptId } = await opened();
    const before = await kept();
    expect((await told(attemptId, bent)).status).toBe(status);
    expect(await kept()).toBe(before);
    expect((await paymentOf(placed)).status).toBe('open');
    expect(answersTo(placed)).toEqual([]);
  });

  test.each<[string, object]>([
    ['another sub merchant', { sub_mchid: '1900000999' }],
    ['another sub order', { out_trade_no: 'S00000000000000000000000AB' }],
    ['another currency', { amount: { total_amount: price, currency: 'USD' } }],
  ])('because it names %s is accepted, kept for an operator, and moves nothing', async (_, content) => {
    const { placed, attemptId } = await opened();
    const before = await kept();
    expect((await told(attemptId, { content })).status).toBe(204);
    expect(await kept()).toBe(before + 1);
    expect((await paymentOf(placed)).status).toBe('open');
    expect(answersTo(placed)).toEqual([]);
  });

  // The channel knows nothing of this money, so that it stays on its way back: after the ledger was looked at.
  test('because of its amount keeps the order open, and that money goes back', async () => {
    const { placed, attemptId } = await opened();
    expect((await told(attemptId, { content: { amount: { total_amount: 1, currency: 'CNY' } } })).status).toBe(204);
    expect(await paymentOf(placed)).toMatchObject({ status: 'open', attempts: [{ status: 'returned' }], refunds: [{ amount: 1 }] });
    expect(answersTo(placed)).toEqual([]);
  });
});

test('a restart in the middle forgets nothing: the callback comes again, the refund goes on', async () => {
  const [waiting, returned] = [await order(), await order()];
  const [code, paidCode] = [await codeOf(waiting), await codeOf(returned)];
  await scan(paidCode);
  await answered(returned, 'paid');
  await returning(returned);
  await reaches(returned, 'refunding');
  await payment.stop();
  expect(await scan(code)).toBe(200);
  payment = await startPayment(await configuration(), { auth: issuer.auth });
  await pass(20);
  await answered(waiting, 'paid');
  await answered(returned, 'refunded');
});

test('nothing that this service keeps in clear says who paid', async () => {
  const rows = await payment.core.sql<{ dump: string }[]>`
    select concat((select string_agg(t::text, ' ') from calls t), (select string_agg(t::text, ' ') from payment_attempts t),
      (select string_agg(t::text, ' ') from channel_notices t), (select string_agg(t::text, ' ') from payment_tasks t)) as dump`;
  expect(rows[0]!.dump).not.toContain('openid');
});
