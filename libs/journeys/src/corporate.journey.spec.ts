import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoProducts } from '@yunshi/contracts/demo-world';
import { connect } from '@yunshi/db/connect';
import { addDays, chinaTime } from '@yunshi/kernel/calendar';
import { startSystem, type System } from '@yunshi/local/system';
import { signAnswer } from '@yunshi/protocols/mse-pay/signature';
import { privateKeyOf } from '@yunshi/protocols/wechat/rsa';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Clerk } from './clerk.ts';
import { violations } from './invariants.ts';
import { Shopper } from './shopper.ts';

/** A company pays by 商企付: two persons at the bank's own pages, and days between them. */

let dir: string;
let system: System;
let lin: Shopper;
let operator: Shopper;
let finance: Shopper;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-corporate-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false });
  const doors = { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! };
  lin = await new Shopper(doors).login('lin');
  operator = await new Shopper(doors).login('operator');
  finance = await new Shopper(doors).login('finance');
});
afterAll(async () => {
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

type Attempt = {
  status: string;
  failure: string | null;
  bank: { code: string } | null;
  waits_for: { who: string; since: string; until: string } | null;
  redirect_url: string | null;
  code_url: string | null;
};
type Payment = { payment_id: string; status: string; pay_by: string; attempts: Attempt[] };
type Bought = { readonly orderId: string; readonly number: string };

async function order(wish: object = { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 }): Promise<string> {
  const quote = await lin.post('/v1/quotes', wish);
  const agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
  const ordered = await lin.post('/v1/orders', { ...wish, accepted_agreements: agreements });
  expect(ordered.status).toBe(201);
  return ordered.body['order_id'] as string;
}
const pay = (orderId: string, how: object) => lin.post('/v1/payments', { order_id: orderId, ...how });
const atBank = { channel: 'corporate_bank', bank: 'ICBC' };
const paymentOf = async (orderId: string): Promise<Payment> =>
  ((await lin.get(`/v1/payments?order_id=${orderId}`)).body['items'] as Payment[])[0]!;
/** 已完成支付 */
const askNow = async (orderId: string): Promise<Payment> =>
  (await lin.post(`/v1/payments/${(await paymentOf(orderId)).payment_id}/query`, {})).body as unknown as Payment;
const attemptBecomes = (orderId: string, status: string) =>
  until(async () => (await paymentOf(orderId)).attempts.find((attempt) => attempt.status === status), { what: `an attempt is ${status}` });
const orderBecomes = (orderId: string, status: string) =>
  until(async () => (await lin.get(`/v1/orders/${orderId}`)).body['status'] === status, { what: `the order is ${status}`, within: 30_000 });
const whats = async (orderId: string): Promise<string[]> =>
  ((await lin.get(`/v1/orders/${orderId}/timeline`)).body['items'] as { what: string }[]).map(({ what }) => what);
const pass = (advance: string) => operator.post('/v1/test/clock', { advance });
const clerk = (user: string) => new Clerk(system.urls['sandbox']!).login(user);

/** The maker's part: to the bank's page, and the voucher to a checker. */
async function handIn(orderId: string): Promise<string> {
  const opened = (await pay(orderId, atBank)).body as unknown as Payment;
  const { redirect_url: url, waits_for: waits, bank } = opened.attempts.at(-1)!;
  expect({ who: waits?.who, bank: bank?.code }).toEqual({ who: 'maker', bank: 'ICBC' });
  const maker = await clerk('zhidan');
  const page = await maker.read(url!);
  expect(page).toContain('帆影软件');
  const number = /C[0-9a-z]{25}/.exec(page)![0];
  expect(await maker.submit(url!, 'fuhe1')).toBe(200);
  return number;
}

/** Both persons' parts. */
async function companyPays(orderId: string): Promise<string> {
  const number = await handIn(orderId);
  await attemptBecomes(orderId, 'approving');
  expect(await (await clerk('fuhe1')).decide(number, 'approve')).toBe(200);
  await orderBecomes(orderId, 'completed');
  return number;
}

type Instance = {
  instance_id: string;
  order_id: string;
  status: string;
  expires_at: string | null;
  suspended_at: string | null;
  app: object | null;
};
/** The instance that an order made, with its application. */
async function instanceOf(orderId: string): Promise<Instance> {
  const { items } = (await lin.get('/v1/instances?limit=100')).body as { items: Instance[] };
  const { instance_id: id } = items.find((one) => one.order_id === orderId)!;
  return (await lin.get(`/v1/instances/${id}`)).body as Instance;
}
async function resumed(orderId: string): Promise<Instance> {
  await until(async () => (await instanceOf(orderId)).suspended_at === null, { what: 'the instance goes on' });
  return instanceOf(orderId);
}
async function suspended(orderId: string): Promise<Instance> {
  await until(async () => (await instanceOf(orderId)).suspended_at !== null, { what: 'the instance is suspended' });
  return instanceOf(orderId);
}

/** 退票 */
async function takeBack(orderId: string, number: string): Promise<void> {
  const revoked = await fetch(`${system.urls['sandbox']}/sandbox/bank/payments/${number}/revoke`, { method: 'POST' });
  expect(revoked.status).toBe(200);
  await attemptBecomes(orderId, 'revoked');
}
/** Where operators settle it; empty, if nothing of the kind is open. */
async function caseOf(orderId: string): Promise<string> {
  const { items } = (await operator.get('/v1/ops/payment-tasks?limit=100')).body as {
    items: { task_id: string; kind: string; order_id: string }[];
  };
  const open = items.filter((task) => task.order_id === orderId);
  expect(open.every(({ kind }) => kind === 'payment-revoked')).toBe(true);
  return open[0] ? `/v1/ops/payment-tasks/${encodeURIComponent(open[0].task_id)}` : '';
}
async function settle(task: string, outcome: 'repaid' | 'ended'): Promise<void> {
  const proposed = await operator.post(`${task}/settle-revocation`, { outcome, evidence: '财务确认函 2026-17' });
  expect(proposed).toMatchObject({ status: 202, body: { status: 'proposed', outcome } });
  expect((await operator.post(`${task}/approve-revocation`, {})).body).toMatchObject({ code: 'second-person-needed' });
  expect(await finance.post(`${task}/approve-revocation`, {})).toMatchObject({ status: 200, body: { status: 'settled' } });
}

// The first one: what the channel says of its banks is believed for a minute.
test('a bank that is closed for maintenance is shown as such, and refused with its own words', async () => {
  const orderId = await order();
  await until(async () => (await paymentOf(orderId))?.payment_id, { what: 'the payment is there' });
  const closed = `${system.urls['sandbox']}/sandbox/bank/banks/CEB/maintenance`;
  const body = JSON.stringify({ info: '系统升级至22:00' });
  await fetch(closed, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const { payment_id: id } = await paymentOf(orderId);
  type Banks = { items: { code: string; open: boolean; closed_because: string | null }[]; as_of: string | null };
  const banks = (await lin.get(`/v1/payments/${id}/banks`)).body as unknown as Banks;
  expect(banks.as_of).not.toBeNull();
  expect(banks.items.filter(({ open }) => !open)).toMatchObject([{ code: 'CEB', closed_because: '系统升级至22:00' }]);
  expect(await pay(orderId, { channel: 'corporate_bank', bank: 'CEB' })).toMatchObject({ status: 409, body: { code: 'bank-closed' } });
  expect((await pay(orderId, atBank)).status).toBe(201);
  await fetch(closed, { method: 'DELETE' });
});

test('the maker hands it in, the checker approves the next day, and it is delivered; then the bank takes the money back', async () => {
  const orderId = await order();
  const number = await handIn(orderId);
  const waiting = await attemptBecomes(orderId, 'approving');
  expect(waiting.waits_for).toMatchObject({ who: 'checker' });
  // The order waits for as long as the bank may.
  expect((await paymentOf(orderId)).pay_by >= waiting.waits_for!.until).toBe(true);
  expect(await (await clerk('zhidan')).decide(number, 'approve')).toBeUndefined();
  expect(await (await clerk('fuhe2')).decide(number, 'approve')).toBeUndefined();

  await pass('P1DT1H');
  expect((await askNow(orderId)).attempts.at(-1)?.status).toBe('approving');
  expect((await lin.get(`/v1/orders/${orderId}`)).body['status']).toBe('pending_payment');
  expect(await (await clerk('fuhe1')).decide(number, 'approve')).toBe(200);
  await orderBecomes(orderId, 'completed');
  expect(await whats(orderId)).toEqual(expect.arrayContaining(['bank-started', 'bank-approving', 'paid', 'completed']));

  await takeBack(orderId, number);
  const instance = await suspended(orderId);
  expect(instance.app).toBeNull();
  await until(async () => (await whats(orderId)).includes('payment-revoked'));

  // The company pays again, and two persons see to it that all goes on.
  const task = await caseOf(orderId);
  expect((await operator.post(`${task}/resolve`, {})).body).toMatchObject({ code: 'revocation-unsettled' });
  await settle(task, 'repaid');
  const restored = await resumed(orderId);
  expect(restored).toMatchObject({ status: 'shipped', app: { website: expect.any(String) as string } });
  expect((await paymentOf(orderId)).status).toBe('restored');
  await until(async () => (await whats(orderId)).includes('payment-restored'));
  expect((await operator.get('/v1/ops/ledger?audit=true')).body).toMatchObject({ balanced: true, sum: 0 });

  // Its renewal is taken back too, and never paid again: only the time that it had brought is gone.
  const renewal = await order({ kind: 'renewal', instance_id: restored.instance_id, duration: 1 });
  const number2 = await companyPays(renewal);
  expect((await instanceOf(orderId)).expires_at! > restored.expires_at!).toBe(true);
  await takeBack(renewal, number2);
  await suspended(orderId);
  await settle(await caseOf(renewal), 'ended');
  const shorter = await resumed(orderId);
  expect(shorter).toMatchObject({ status: 'shipped', expires_at: restored.expires_at });
});

test('what a company gets for money that its bank takes back for good is closed', async () => {
  const orderId = await order();
  await takeBack(orderId, await companyPays(orderId));
  await suspended(orderId);
  await settle(await caseOf(orderId), 'ended');
  expect(await until(async () => (await instanceOf(orderId)).status === 'closed')).toBe(true);
  expect((await instanceOf(orderId)).app).toBeNull();
  expect(await caseOf(orderId)).toBe('');
  await until(async () => (await whats(orderId)).includes('revocation-ended'));
});

test('while the bank holds the voucher no other way is open; a rejected one can be paid another way', async () => {
  const orderId = await order();
  const number = await handIn(orderId);
  await attemptBecomes(orderId, 'approving');
  expect(await pay(orderId, { channel: 'wechat_native' })).toMatchObject({ status: 409, body: { code: 'bank-holds-voucher' } });
  expect(await (await clerk('fuhe1')).decide(number, 'reject')).toBe(200);
  expect(await attemptBecomes(orderId, 'closed')).toMatchObject({ failure: 'BANK_REJECTED' });
  const other = (await pay(orderId, { channel: 'wechat_native' })).body as unknown as Payment;
  await lin.scan(other.attempts.at(-1)!.code_url!);
  await orderBecomes(orderId, 'completed');
});

test('a voucher that nobody has handed in is closed first when the buyer turns to WeChat', async () => {
  const orderId = await order();
  const opened = (await pay(orderId, atBank)).body as unknown as Payment;
  const page = opened.attempts[0]!.redirect_url!;
  const other = (await pay(orderId, { channel: 'wechat_native' })).body as unknown as Payment;
  expect(other.attempts.map(({ status }) => status)).toEqual(['closed', 'open']);
  expect(await (await clerk('zhidan')).submit(page, 'fuhe1')).toBe(409);
  await lin.scan(other.attempts.at(-1)!.code_url!);
  await orderBecomes(orderId, 'completed');
});

test('through UnionPay the buyer chooses the bank there, and what was begun can only be finished; then it is delivered', async () => {
  const orderId = await order();
  const opened = (await pay(orderId, { channel: 'unionpay_b2b' })).body as unknown as Payment;
  const { redirect_url: page, waits_for: waits } = opened.attempts[0]!;
  expect(new URL(page!).origin).toBe(system.urls['gateway']);
  expect(waits).toMatchObject({ who: 'maker', until: opened.pay_by });
  const maker = await clerk('zhidan');
  const bankPage = await maker.throughUnionpay(page!, 'CMB');
  const number = /C[0-9a-z]{25}/.exec(await maker.read(bankPage))![0];
  expect(await maker.submit(bankPage, 'fuhe2')).toBe(200);
  expect((await askNow(orderId)).attempts[0]).toMatchObject({ status: 'approving', redirect_url: page });
  expect(await pay(orderId, { channel: 'wechat_native' })).toMatchObject({ status: 409, body: { code: 'bank-holds-voucher' } });
  await pass('P2D');
  expect(await (await clerk('fuhe2')).decide(number, 'approve')).toBe(200);
  await orderBecomes(orderId, 'completed');
  expect(await whats(orderId)).toEqual(expect.arrayContaining(['bank-started', 'bank-approving', 'paid', 'completed']));
});

test('a voucher that nobody approves is closed by the bank, and the order when its time is over; then all books agree', async () => {
  const orderId = await order();
  await handIn(orderId);
  await attemptBecomes(orderId, 'approving');
  await pass('P5DT1H');
  expect(await attemptBecomes(orderId, 'closed')).toMatchObject({ failure: 'APPROVAL_EXPIRED' });
  await pass('P3D');
  await orderBecomes(orderId, 'closed');
  const sql = connect({ url: system.adminUrl, name: 'corporate test', connectionsMax: 2 });
  try {
    const quiet = async () => {
      const broken = await violations(sql);
      if (broken.length > 0) throw new Error(JSON.stringify(broken, null, 1));
      return true;
    };
    await until(quiet, { within: 20_000, what: 'no rule is broken' });
  } finally {
    await sql.end();
  }
});

describe('a notice that is not the channel’s word', () => {
  let number = '';
  let orderId = '';
  const notice = (change: object = {}, id = randomUUID()) =>
    JSON.stringify({
      api_version: 'v3',
      live_mode: false,
      event_id: id,
      event_type: 'mse_payment.succeeded',
      create_time: '2026-03-01T12:00:00+08:00',
      event_content: {
        payment_id: '40001',
        out_payment_id: number,
        amount: 1,
        currency: 'CNY',
        payee: { ent_id: '3000000101' },
        pay_status: 'SUCCEEDED',
        ...change,
      },
    });
  const send = async (body: string, header: string | undefined): Promise<number> => {
    const headers = { 'content-type': 'application/json', ...(header !== undefined && { 'tbep-authorization': header }) };
    return (await fetch(`${system.urls['payment-gateway']}/v1/notify/mse-pay`, { method: 'POST', headers, body })).status;
  };
  const signed = async (body: string, { wallMs = Date.now(), serial }: { wallMs?: number; serial?: string } = {}): Promise<string> => {
    const names = JSON.parse(await readFile(join(dir, 'bank', 'names.json'), 'utf8')) as { tbep_serial: string };
    const privateKey = privateKeyOf(await readFile(join(dir, 'bank', 'tbep_key.pem'), 'utf8'));
    return signAnswer(body, { serial: serial ?? names.tbep_serial, privateKey }, { wallMs, nonce: 'n' });
  };
  beforeAll(async () => {
    orderId = await order();
    const opened = (await pay(orderId, atBank)).body as unknown as Payment;
    number = /C[0-9a-z]{25}/.exec(await (await clerk('zhidan')).read(opened.attempts[0]!.redirect_url!))![0];
  });
  const nothingMoved = async (): Promise<boolean> => (await paymentOf(orderId)).attempts.every(({ status }) => status === 'open');

  test('because it is unsigned, tampered, truncated or stale, or of an unknown key, is refused', async () => {
    const body = notice();
    expect(await send(body, undefined)).toBe(401);
    expect(await send(body.replace('"amount":1', '"amount":2'), await signed(body))).toBe(401);
    expect(await send(body.slice(0, -20), await signed(body))).toBe(401);
    expect(await send(body, await signed(body, { wallMs: Date.now() - 360_000 }))).toBe(401);
    expect(await send(body, await signed(body, { serial: '5FFF' }))).toBe(401);
    expect(await nothingMoved()).toBe(true);
  });
  test('because it is too large is not read', async () => {
    const body = notice({ memo: 'x'.repeat(70_000) });
    expect(await send(body, await signed(body))).toBe(413);
    expect(await nothingMoved()).toBe(true);
  });
  test('because it cannot be read is asked for again', async () => {
    expect(await send('{"a":1}', await signed('{"a":1}'))).toBe(500);
  });
  test('about another payee or currency, or a number that nobody has, is kept and shown to an operator, however often it comes', async () => {
    for (const change of [{ payee: { ent_id: '3000000999' } }, { currency: 'USD' }, { out_payment_id: `C${'0'.repeat(25)}` }]) {
      const body = notice(change);
      for (let times = 0; times < 2; times++) expect(await send(body, await signed(body))).toBe(204);
    }
    const tasks = (await operator.get('/v1/ops/payment-tasks?limit=100')).body['items'] as { kind: string; subject: string }[];
    expect(
      tasks
        .filter(({ subject }) => subject === number || subject.startsWith('C000'))
        .map(({ kind }) => kind)
        .toSorted(),
    ).toEqual(['order-mismatch', 'order-unknown']);
  });
});

// The last one: of a completed order a part goes back by an operator's decision, which the rules above do not know of.
test('a planted difference of each class is found in the bill of 商企付 the next morning, and a rerun changes nothing', async () => {
  const now = async () => new Date(String((await operator.get('/v1/test/clock')).body['now']));
  const day = chinaTime(addDays(await now(), 1)).slice(0, 10);
  await operator.post('/v1/test/clock', { to: `${day}T12:00:00+08:00` });
  const bought: Bought[] = [];
  for (let nth = 0; nth < 5; nth++) {
    const orderId = await order();
    bought.push({ orderId, number: await companyPays(orderId) });
  }
  const [missing, wrong, strange, charged, right] = bought as [Bought, Bought, Bought, Bought, Bought];
  // Of the last one a part goes back; both lines agree with our books.
  const { payment_id: paid } = await paymentOf(right.orderId);
  expect((await operator.post(`/v1/ops/payments/${paid}/refunds`, { amount: 100, reason: '部分退款' })).status).toBe(202);
  await pass('PT1H');
  const plant = async (what: string, about: string) => {
    const planted = await fetch(`${system.urls['sandbox']}/sandbox/bank/bill-mistakes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ day, what, about }),
    });
    expect(planted.status).toBe(204);
  };
  await plant('missing', missing.number);
  await plant('amount', wrong.number);
  await plant('state', strange.number);
  await plant('fee', charged.number);
  await plant('stranger', 'C0000000000000000000000XYZ');

  await pass('PT21H31M');
  type Run = { day: string; status: string; runs: number; lines: number };
  const runs = async () => (await operator.get('/v1/ops/reconciliations?channel=corporate_bank&limit=100')).body['items'] as Run[];
  const runIs = (is: (run: Run) => boolean) =>
    until(
      async () => {
        const run = (await runs()).find((one) => one.day === day);
        // Where the channel's clock was moved a moment later than ours, its bill is not made yet.
        if (run?.status === 'waiting') await operator.post('/v1/ops/reconciliations', { channel: 'corporate_bank', day });
        return run && is(run) ? run : undefined;
      },
      { what: 'the day is reconciled', within: 30_000, every: 500 },
    );
  const run = await runIs(({ status }) => status === 'differing');
  expect(run.lines).toBe(6);
  type Difference = { difference_id: string; class: string; order_id: string | null };
  const differences = async () =>
    ((await operator.get('/v1/ops/reconciliation-differences?status=open&limit=100')).body['items'] as Difference[]).filter((one) =>
      one.difference_id.startsWith(`corporate_bank:${day}:`),
    );
  const found = await differences();
  expect(found.map((one) => `${one.class} ${one.order_id}`).toSorted()).toEqual(
    [
      `ours-only ${missing.orderId}`,
      `amount ${wrong.orderId}`,
      `state ${strange.orderId}`,
      `fee ${charged.orderId}`,
      'channel-only null',
    ].toSorted(),
  );
  expect((await operator.post('/v1/ops/reconciliations', { channel: 'corporate_bank', day })).status).toBe(202);
  await runIs(({ runs: count }) => count > run.runs);
  expect(await differences()).toEqual(found);
});
