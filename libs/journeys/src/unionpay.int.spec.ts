import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import type { Message } from '@yunshi/contracts/define';
import { demoProviders } from '@yunshi/contracts/demo-world';
import { collectPayment, returnPayment } from '@yunshi/contracts/payment';
import { buyer, operator, testIssuer } from '@yunshi/http/testing';
import { chinaTime } from '@yunshi/kernel/calendar';
import { newId, uuidv7, type OrderId } from '@yunshi/kernel/ids';
import { freePort } from '@yunshi/local/ports';
import { connectBus } from '@yunshi/messaging/bus';
import { moveClock } from '@yunshi/messaging/clock';
import { messageOut } from '@yunshi/messaging/envelope';
import { start as startPayment, type Running } from '@yunshi/payment-gateway/app';
import { readConfig as readPaymentConfig } from '@yunshi/payment-gateway/config';
import { openUnionpayKeys } from '@yunshi/payment-gateway/unionpay/keys';
import { parseMessage, writeForm, type Fields } from '@yunshi/protocols/unionpay/message';
import { signAnswer, signRequest } from '@yunshi/protocols/unionpay/signature';
import { envelope, kinds } from '@yunshi/protocols/unionpay/trade';
import { issued } from '@yunshi/sandbox/certificate';
import { start as startSandbox } from '@yunshi/sandbox/app';
import { readConfig as readSandboxConfig } from '@yunshi/sandbox/config';
import {
  ensureUnionpayKeys,
  middleOf,
  newKey,
  newSerial,
  renewMerchant,
  signerName,
  unionpayEnvironment,
} from '@yunshi/sandbox/unionpay/keys';
import { opensslSays } from '@yunshi/sandbox/unionpay/openssl.fixture';
import { ensureKeys, merchantEnvironment } from '@yunshi/sandbox/wechat/keys';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Clerk, pressed } from './clerk.ts';

/** The payment service against the sandbox's UnionPay and its banks, over real HTTP, with real PostgreSQL and nats-server. */

const database = await testDatabase('payment', 'sandbox');
const nats = await testNats();
const issuer = await testIssuer();
const root = await mkdtemp(join(tmpdir(), 'unionpay-'));
await ensureKeys(join(root, 'keys'), new Date());
const folder = join(root, 'unionpay');
const unionpayKeys = await ensureUnionpayKeys(folder, new Date());
const merId = '777290058110101';

const sandbox = await startSandbox(
  readSandboxConfig({
    DATABASE_URL: database.urlOf('sandbox'),
    NATS_URL: nats.url,
    TEST_CLOCK: 'on',
    LOG_LEVEL: 'error',
    NODE_ENV: 'test',
    WECHAT_SANDBOX_KEYS: join(root, 'keys'),
    BANK_SANDBOX_KEYS: join(root, 'bank'),
    UNIONPAY_SANDBOX_KEYS: folder,
    SANDBOX_PROVIDER_SECRET: randomBytes(16).toString('hex'),
  }),
);
const port = await freePort();
const bus = await connectBus(nats.url, 'test');
let payment: Running;
const replies: { sagaId: string; reply: string }[] = [];

beforeAll(async () => {
  const own = `http://127.0.0.1:${port}`;
  payment = await startPayment(
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
      LOG_LEVEL: 'silent',
      ENCRYPTION_KEY: randomBytes(32).toString('base64'),
      ...(await merchantEnvironment(join(root, 'keys'))),
      WECHAT_BASE_URL: sandbox.url,
      WECHAT_NOTIFY_BASE_URL: own,
      ...unionpayEnvironment(folder),
      UNIONPAY_BASE_URL: sandbox.url,
      UNIONPAY_FILE_URL: `${sandbox.url}/unionpay/filedownload`,
      UNIONPAY_NOTIFY_BASE_URL: own,
      UNIONPAY_PAGE_BASE_URL: own,
    }),
    { auth: issuer.auth },
  );
  type Wire = { saga: { sagaId: string }; reply: string };
  bus.subscribe('rpl.test', {
    callback: (_error, message) => {
      const { saga, reply } = message.json<Wire>();
      replies.push({ sagaId: saga.sagaId, reply });
    },
  });
});
afterAll(async () => {
  await payment.stop();
  await sandbox.stop();
  await bus.close();
  await rm(root, { recursive: true });
});

const price = 19_900;
type Order = { readonly orderId: OrderId; readonly sagaId: string };
type Shown = {
  payment_id: string;
  status: string;
  channels: string[];
  attempts: {
    attempt_id: string;
    status: string;
    failure: string | null;
    redirect_url: string | null;
    waits_for: { who: string } | null;
  }[];
  refunds: { refund_no: string; status: string; amount: number }[];
};

async function send(order: Order, message: Message, direction: 'do' | 'undo'): Promise<void> {
  const saga = { sagaId: order.sagaId, step: 'collect payment', direction, replyTo: 'test' };
  const out = messageOut(message, saga, payment.core.clock.now(), undefined);
  await jetstream(bus).publish(out.subject, out.body, { msgID: out.id });
}
async function newOrder(provider: keyof typeof demoProviders = 'fanying'): Promise<Order> {
  const order = { orderId: newId('ord', new Date()), sagaId: uuidv7(Date.now()) };
  const { providerId } = demoProviders[provider];
  const payBy = new Date(payment.core.clock.now().getTime() + 24 * 3_600_000).toISOString();
  const bill = { orderId: order.orderId, accountId: buyer.accountId, providerId, amount: price, description: '云表单 专业版 1 年', payBy };
  await send(order, collectPayment(bill), 'do');
  return order;
}
const callOff = (order: Order) =>
  send(order, returnPayment({ orderId: order.orderId, accountId: buyer.accountId, reason: 'cancelled' }), 'undo');

async function call<T = Shown>(path: string, { as = buyer, ...init }: RequestInit & { as?: typeof buyer } = {}) {
  const headers = { authorization: `Bearer ${await issuer.token(as)}`, 'content-type': 'application/json', ...init.headers };
  const answer = await fetch(`${payment.url}${path}`, { ...init, headers });
  return { status: answer.status, body: (await answer.json()) as T };
}
const pay = ({ orderId }: Order, channel = 'unionpay_b2b') =>
  call<Shown & { code?: string }>('/v1/payments', {
    method: 'POST',
    headers: { 'idempotency-key': randomBytes(8).toString('hex') },
    body: JSON.stringify({ order_id: orderId, channel }),
  });
const paymentOf = async ({ orderId }: Order): Promise<Shown> =>
  (await call<{ items: Shown[] }>(`/v1/payments?order_id=${orderId}`)).body.items[0]!;
const becomes = (order: Order, status: string) =>
  until(async () => (await paymentOf(order)).status === status && (await paymentOf(order)), { what: `the payment is ${status}` });
const attemptBecomes = (order: Order, status: string) =>
  until(async () => (await paymentOf(order)).attempts.find((one) => one.status === status), { what: `an attempt is ${status}` });
const hears = (order: Order, reply: string) =>
  until(() => replies.some((one) => one.sagaId === order.sagaId && one.reply === reply), { what: `the saga hears «${reply}»` });
/** 已完成支付 */
const ask = async (order: Order): Promise<Shown> =>
  (await call(`/v1/payments/${(await paymentOf(order)).payment_id}/query`, { method: 'POST', body: '{}' })).body;
const pass = (seconds: number) => moveClock(bus, seconds * 1_000);
const days = (count: number) => count * 86_400;
const post = (path: string, body: object) =>
  fetch(`${sandbox.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const arm = (what: string, times = 1) => post('/sandbox/unionpay/next', { what, times });
const clerk = (user: string) => new Clerk(sandbox.url).login(user);

type Truth = {
  txnTime: string;
  state: string;
  queryId: string;
  refunds: { state: string; amount: number }[];
  notices: { attempts: number; lastAnswer: string | null; nextAt: string | null; fields: Fields }[];
};
const truth = async (number: string): Promise<Truth> =>
  (await (await fetch(`${sandbox.url}/sandbox/unionpay/orders/${merId}/${number}`)).json()) as Truth;

/** What the merchant signs with. */
const merchants = async () => {
  const keys = await openUnionpayKeys(
    {
      certificateFile: join(folder, 'merchant_cert.pem'),
      privateKeyFile: join(folder, 'merchant_key.pem'),
      rootFile: join(folder, 'root_cert.pem'),
      middleFile: join(folder, 'middle_cert.pem'),
      signer: '',
    },
    () => undefined,
  );
  keys.stop();
  return { certificate: await readFile(join(folder, 'merchant_cert.pem'), 'utf8'), ...keys.signing() };
};

const pageOf = async (order: Order): Promise<string> => (await pay(order)).body.attempts.at(-1)!.redirect_url!;
/** The buyer's browser brings it to the bank. @returns its number, and the bank's page */
async function toBank(order: Order): Promise<{ number: string; page: string }> {
  const maker = await clerk('zhidan');
  const page = await maker.throughUnionpay(await pageOf(order), 'ICBC');
  return { number: /C[0-9a-z]{25}/.exec(await maker.read(page))![0], page };
}
async function handIn(order: Order): Promise<string> {
  const { number, page } = await toBank(order);
  expect(await (await clerk('zhidan')).submit(page, 'fuhe1')).toBe(200);
  return number;
}
const decide = async (number: string, how: 'approve' | 'reject') => expect(await (await clerk('fuhe1')).decide(number, how)).toBe(200);
async function paid(order: Order): Promise<string> {
  const number = await handIn(order);
  await decide(number, 'approve');
  await hears(order, 'paid');
  return number;
}

describe('an order that a company pays through UnionPay', () => {
  test('is handed over by the page, paid by two persons at the bank, told once, and refunded by itself when it is called off', async () => {
    const order = await newOrder();
    const opened = (await pay(order)).body;
    expect(opened).toMatchObject({
      channels: expect.arrayContaining(['unionpay_b2b']),
      attempts: [{ status: 'open', bank: null, waits_for: { who: 'maker' } }],
    });
    const looked = await (await fetch(opened.attempts[0]!.redirect_url!)).text();
    expect(looked).toContain('帆影软件');
    expect(looked).toContain('199.00');

    const number = await handIn(order);
    expect((await ask(order)).attempts[0]).toMatchObject({ status: 'approving', waits_for: { who: 'checker' } });
    expect((await paymentOf(order)).attempts[0]!.redirect_url).toBe(opened.attempts[0]!.redirect_url);
    await pass(days(2));
    await decide(number, 'approve');
    await hears(order, 'paid');
    expect(await truth(number)).toMatchObject({ state: 'paid', notices: [{ attempts: 1, lastAnswer: '200', nextAt: null }] });

    await callOff(order);
    await until(async () => (await truth(number)).refunds.length > 0);
    await pass(3);
    await hears(order, 'refunded');
    expect((await truth(number)).refunds).toMatchObject([{ state: 'succeeded', amount: price }]);
    expect(await becomes(order, 'refunded')).toMatchObject({ refunds: [{ status: 'succeeded', amount: price }] });
  });

  test('is the same order however often the page is pressed, and nothing before it is', async () => {
    const order = await newOrder();
    const page = await pageOf(order);
    await fetch(page);
    const first = await pressed(page);
    await pass(5);
    const { signature: _, ...fields } = first.fields;
    expect(await pressed(page)).toMatchObject({ action: first.action, fields });
    expect((await truth(fields['orderId']!)).state).toBeUndefined();
    const maker = await clerk('zhidan');
    const bankPage = await maker.throughUnionpay(page, 'CMB');
    // Opened again, UnionPay leads to where the buyer was.
    await expect(maker.throughUnionpay(page, 'ICBC')).resolves.toBe(bankPage);
  });

  test('is found paid by asking when no notice ever comes, and by itself when one is lost', async () => {
    const [never, lost] = [await newOrder(), await newOrder()];
    const number = await handIn(never);
    await arm('notice-never');
    await decide(number, 'approve');
    await until(async () => (await truth(number)).notices.length > 0);
    expect((await ask(never)).status).toBe('paid');

    const other = await handIn(lost);
    await arm('notice-lost');
    await decide(other, 'approve');
    await hears(lost, 'paid');
    expect((await truth(other)).notices[0]).toMatchObject({ attempts: 2, lastAnswer: '200' });
  });

  test('is not offered by a provider that is not signed up there', async () => {
    const order = await newOrder('lidun');
    await until(() => paymentOf(order));
    expect((await paymentOf(order)).channels).not.toContain('unionpay_b2b');
    expect(await pay(order)).toMatchObject({ status: 409, body: { code: 'channel-not-offered' } });
  });

  test.each(['call-fails', 'answer-lost', 'answer-forged'])('goes back although its refund’s first %s', async (mishap) => {
    const order = await newOrder();
    const number = await paid(order);
    await arm(mishap);
    await callOff(order);
    await until(async () => {
      await pass(5);
      return (await paymentOf(order)).status === 'refunded';
    });
    expect((await truth(number)).refunds).toMatchObject([{ state: 'succeeded' }]);
  });

  test('whose refund UnionPay gives up is an operator’s task, and is refunded under another number', async () => {
    const order = await newOrder();
    const number = await paid(order);
    await arm('refund-fails');
    await callOff(order);
    type Task = { task_id: string; kind: string; order_id: string };
    const task = await until(async () => {
      await pass(5);
      const { items } = (await call<{ items: Task[] }>('/v1/ops/payment-tasks?limit=100', { as: operator })).body;
      return items.find((one) => one.order_id === order.orderId && one.kind === 'refund-closed');
    });
    await call(`/v1/ops/payment-tasks/${task.task_id}/retry`, {
      as: operator,
      method: 'POST',
      headers: { 'idempotency-key': randomBytes(8).toString('hex') },
      body: JSON.stringify({}),
    });
    await until(async () => (await truth(number)).refunds.length === 2);
    await pass(3);
    await hears(order, 'refunded');
    expect((await truth(number)).refunds.map(({ state }) => state).toSorted()).toEqual(['failed', 'succeeded']);
  });
});

describe('a buyer who would rather pay another way', () => {
  test('may, as long as the page was not pressed; afterwards it hands nothing over', async () => {
    const order = await newOrder();
    const page = await pageOf(order);
    expect((await pay(order, 'wechat_native')).body.attempts.map(({ status }) => status)).toEqual(['closed', 'open']);
    expect((await fetch(page)).status).toBe(410);
    expect((await fetch(page, { method: 'POST' })).status).toBe(410);
  });

  test('may not once it was, but may finish what was begun', async () => {
    const order = await newOrder();
    const page = await pageOf(order);
    await pressed(page);
    expect(await pay(order, 'wechat_native')).toMatchObject({ status: 409, body: { code: 'payment-stays-open' } });
    expect((await paymentOf(order)).attempts).toMatchObject([{ status: 'open', redirect_url: page }]);
    await paid(order);
  });

  test('may not while the bank has it, and may when the checker has rejected it', async () => {
    const order = await newOrder();
    const number = await handIn(order);
    expect(await pay(order, 'wechat_native')).toMatchObject({ status: 409, body: { code: 'bank-holds-voucher' } });
    await decide(number, 'reject');
    await until(async () => (await truth(number)).state === 'failed');
    await pass(3_600);
    expect(await attemptBecomes(order, 'closed')).toMatchObject({ failure: 'UNIONPAY_30' });
    expect((await pay(order, 'wechat_native')).status).toBe(201);
  });
});

describe('an order that is called off', () => {
  test('is let go at once when nothing was handed over, and nothing is from then on', async () => {
    const order = await newOrder();
    const page = await pageOf(order);
    await callOff(order);
    await hears(order, 'closed');
    expect((await fetch(page, { method: 'POST' })).status).toBe(410);
  });

  test('waits for the end of the window when it was, and then for UnionPay’s word', async () => {
    const order = await newOrder();
    await handIn(order);
    await callOff(order);
    await attemptBecomes(order, 'approving');
    await pass(days(6));
    await ask(order);
    expect(replies.filter(({ sagaId }) => sagaId === order.sagaId).map(({ reply }) => reply)).not.toContain('closed');
    await pass(days(1) + 3_600);
    await hears(order, 'closed');
    expect((await paymentOf(order)).attempts).toMatchObject([{ status: 'closed', failure: 'EXPIRED' }]);
  });

  test('and paid all the same is refunded by itself', async () => {
    const order = await newOrder();
    const number = await handIn(order);
    await callOff(order);
    await attemptBecomes(order, 'approving');
    await decide(number, 'approve');
    await until(async () => (await truth(number)).refunds.length > 0);
    await pass(3);
    await hears(order, 'refunded');
    expect((await paymentOf(order)).attempts).toMatchObject([{ status: 'returned' }]);
  });

  test('and approved only after its time is returned by UnionPay itself: nothing comes to us', async () => {
    const order = await newOrder();
    const { number, page } = await toBank(order);
    await pass(days(6));
    expect(await (await clerk('zhidan')).submit(page, 'fuhe1')).toBe(200);
    await pass(days(1) + 3_600);
    await attemptBecomes(order, 'closed');
    await decide(number, 'approve');
    await until(async () => (await truth(number)).state === 'returned');
    expect((await ask(order)).attempts).toMatchObject([{ status: 'closed' }]);
    expect((await truth(number)).notices).toEqual([]);
  });
});

/** Orders that were paid by notices that we signed in UnionPay's place. */
const forged: string[] = [];

describe('a notice', () => {
  let order: Order;
  let number: string;
  let fields: Fields;
  const notify = (body: string) =>
    fetch(`${payment.url}/v1/notify/unionpay`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    }).then(({ status }) => status);
  const signed = (change: Fields = {}, by = unionpayKeys.signing()) => writeForm(signAnswer({ ...fields, ...change }, by));
  const certified = async (
    commonName: string,
    change: { from?: Date; until?: Date } = {},
    by?: { privateKey: Awaited<ReturnType<typeof newKey>> },
  ) => {
    const [privateKey, now] = [await newKey(), Date.now()];
    const good = { from: new Date(now - 86_400_000), until: new Date(now + 86_400_000), ...change };
    const spec = { commonName, organisation: 'Yunshi sandbox', serial: newSerial(), ...good };
    return { privateKey, certificate: issued(spec, privateKey, { ...(await middleOf(folder)), ...by }) };
  };
  const nothingMoved = async () => {
    expect(await paymentOf(order)).toMatchObject({ status: 'open', attempts: [{ status: 'approving' }] });
    expect(await truth(number)).toMatchObject({ state: 'open' });
  };
  beforeAll(async () => {
    order = await newOrder();
    ({ number } = await toBank(order));
    await ask(order);
    await attemptBecomes(order, 'approving');
    const { txnTime, queryId } = await truth(number);
    const amounts = { txnAmt: String(price), currencyCode: '156', settleAmt: String(price) };
    const named = { merId, orderId: number, txnTime, queryId };
    fields = {
      ...envelope,
      txnType: '01',
      txnSubType: '01',
      bizType: '000202',
      ...named,
      ...amounts,
      respCode: '00',
      respMsg: '成功[0000000]',
    };
  });

  test.each([
    ['tampered with', () => signed().replace(`txnAmt=${price}`, 'txnAmt=1')],
    ['with another field', () => `${signed()}&accNo=6222`],
    ['with a field twice', () => `${signed()}&respCode=00`],
    ['unsigned', () => writeForm(fields)],
    ['cut short', () => signed().slice(0, -40)],
    ['cut short within a sign', () => signed().replace(/%[0-9A-F]{2}[^%]*$/, '%E')],
    ['empty', () => ''],
    ['no form at all', () => '{"respCode":"00"}'],
    ['signed by the merchant’s certificate', async () => signed({}, await merchants())],
    ['signed by somebody of another name', async () => signed({}, await certified(signerName('somebody else')))],
    [
      'signed by a certificate that is over',
      async () => signed({}, await certified(signerName(), { until: new Date(Date.now() - 60_000) })),
    ],
    [
      'signed by a certificate that has not begun',
      async () => signed({}, await certified(signerName(), { from: new Date(Date.now() + 60_000) })),
    ],
    ['signed by a certificate of a stranger', async () => signed({}, await certified(signerName(), {}, { privateKey: await newKey() }))],
  ])('%s is refused, so that it is sent again, and moves nothing', async (_, body) => {
    expect(await notify(await body())).toBe(401);
    await nothingMoved();
  });
  test('that is too large is not read', async () => {
    expect(await notify(signed({ reqReserved: 'x'.repeat(40_000) }))).toBe(413);
    await nothingMoved();
  });

  test('truly UnionPay’s, of another shape, is asked for again', async () => {
    expect(await notify(signed({ txnAmt: '1.5' }))).toBe(500);
    await nothingMoved();
  });

  test('of another merchant, currency or time, of a number that nobody has, and of no success, is kept and moves nothing, however often it comes', async () => {
    for (const change of [
      { merId: '777290058119999', queryId: '1' },
      { currencyCode: '840', queryId: '2' },
      { txnTime: '20200101000000', queryId: '3' },
      { orderId: `C${'0'.repeat(25)}`, queryId: '4' },
      { respCode: '05', queryId: '5' },
    ])
      for (let times = 0; times < 2; times++) expect(await notify(signed(change))).toBe(200);
    await nothingMoved();
    type Task = { kind: string; subject: string };
    const { items } = (await call<{ items: Task[] }>('/v1/ops/payment-tasks?limit=100', { as: operator })).body;
    const ours = items.filter(({ subject }) => subject === number || subject.startsWith('C000'));
    expect(ours.map(({ kind }) => kind).toSorted()).toEqual(['order-mismatch', 'order-unknown']);
  });

  test('of the wrong amount is money that the order cannot keep; the true one, again and again, is kept once', async () => {
    const other = await newOrder();
    const opened = await handIn(other);
    const { txnTime, queryId } = await truth(opened);
    expect(await notify(signed({ orderId: opened, txnTime, queryId, txnAmt: String(price - 1) }))).toBe(200);
    expect((await attemptBecomes(other, 'returned')).status).toBe('returned');
    expect((await paymentOf(other)).status).toBe('open');

    for (let times = 0; times < 3; times++) expect(await notify(signed())).toBe(200);
    await hears(order, 'paid');
    forged.push(order.orderId, other.orderId);
    const receipts = await payment.core.sql`select 1 from ledger_postings where order_id = ${order.orderId} and kind = 'receipt'`;
    expect(receipts.length).toBe(2);
  });
});

describe('openssl', () => {
  test('verifies what the page hands over, and what UnionPay answers to a query', async () => {
    const order = await newOrder();
    const { number, page: _ } = await toBank(order);
    const { fields } = await pressed((await paymentOf(order)).attempts[0]!.redirect_url!);
    const says = (signedFields: Fields, certificate: string) => {
      const { signature, ...rest } = signedFields;
      const lines = Object.keys(rest)
        .toSorted()
        .map((name) => `${name}=${rest[name]}`);
      return opensslSays(root, { text: lines.join('&'), signature: signature!, certificate: join(folder, certificate) });
    };
    expect(await says(fields, 'merchant_cert.pem')).toBe('Verified OK');
    const asked = { ...envelope, ...kinds.query, merId, orderId: number, txnTime: fields['txnTime']! };
    const { certificate: __, ...key } = await merchants();
    const answer = await fetch(`${sandbox.url}/gateway/api/queryTrans.do`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: writeForm(signRequest(asked, key)),
    });
    const said = parseMessage(await answer.text());
    expect(said).toMatchObject({ ok: true, value: { respCode: '00', origRespCode: '05', txnAmt: String(price) } });
    expect(said.ok && (await says(said.value, 'unionpay_cert.pem'))).toBe('Verified OK');
  });
});

describe('the browser', () => {
  test('comes back by a form that nobody reads', async () => {
    const order = await newOrder();
    const number = await handIn(order);
    const cashier = (await truth(number)) as Truth & { token: string };
    const back = await (await fetch(`${sandbox.url}/gateway/cashier/${cashier.token}/return`)).text();
    const url = /action="([^"]+)"/.exec(back)![1]!;
    expect(new URL(url).pathname).toBe('/v1/pay/unionpay/return');
    const body = writeForm(signAnswer({ orderId: number, respCode: '00' }, unionpayKeys.signing()));
    expect((await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status).toBe(200);
    expect((await paymentOf(order)).status).toBe('open');
  });
  test('is shown nothing at an address that is none of ours', async () => {
    for (const method of ['GET', 'POST'])
      expect((await fetch(`${payment.url}/v1/pay/unionpay/${randomBytes(24).toString('base64url')}`, { method })).status).toBe(410);
  });
});

describe('the clearing file', () => {
  type Difference = { class: string; kind: string; order_id: string };

  test('of a day agrees with our books, refunds included', async () => {
    await pass(days(3));
    const order = await newOrder();
    const number = await paid(order);
    await callOff(order);
    await until(async () => (await truth(number)).refunds.length > 0);
    await pass(3);
    await hears(order, 'refunded');
    // A clearing day ends at eleven in the evening.
    const day = chinaTime(new Date(payment.core.clock.now().getTime() + 3_600_000)).slice(0, 10);
    await pass(days(2));
    type Run = { day: string; status: string; lines: number };
    const run = await until(async () => {
      const { items } = (await call<{ items: Run[] }>('/v1/ops/reconciliations?channel=unionpay_b2b&limit=100', { as: operator })).body;
      return items.find((one) => one.day === day && one.status !== 'waiting');
    });
    expect(run).toMatchObject({ status: 'matched', lines: 2 });
  });

  test('does not have what only forged notices of ours have told: that is found', async () => {
    const found = await until(async () => {
      const { items } = (await call<{ items: Difference[] }>('/v1/ops/reconciliation-differences?limit=100', { as: operator })).body;
      return items.length >= forged.length && items;
    });
    const about = (found as Difference[]).map(({ class: name, kind, order_id: orderId }) => ({ name, kind, orderId }));
    const theirs = forged.map((orderId) => ({ name: 'ours-only', kind: 'payment', orderId }));
    expect(about.toSorted((one, other) => (one.orderId < other.orderId ? -1 : 1))).toEqual(
      theirs.toSorted((one, other) => (one.orderId < other.orderId ? -1 : 1)),
    );
  });
});

describe('keys and certificates', () => {
  test('are exchanged without a restart, on both sides', async () => {
    await post('/sandbox/unionpay/certificates', {});
    await paid(await newOrder());
    await renewMerchant(folder, new Date());
    const order = await newOrder();
    // Ours are read again every ten seconds; until then UnionPay does not know what we sign with.
    await until(
      async () => {
        const { fields, action } = await pressed(await pageOf(order));
        const handed = await fetch(action, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields) });
        return handed.status === 303;
      },
      { within: 15_000, every: 500 },
    );
    await paid(order);
    expect((await paymentOf(order)).status).toBe('paid');
  });
});
