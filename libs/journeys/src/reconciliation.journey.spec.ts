import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoPersonas, demoProducts } from '@yunshi/contracts/demo-world';
import { connect, type Sql } from '@yunshi/db/connect';
import { chinaTime } from '@yunshi/kernel/calendar';
import type { AttemptId } from '@yunshi/kernel/ids';
import { startSystem, type System } from '@yunshi/local/system';
import { orderNumber, subOrderNumber } from '@yunshi/payment-gateway/payment/numbers';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from './invariants.ts';
import { Shopper } from './shopper.ts';

// The morning after: the bill of WeChat Pay is laid beside our books, through the gateway, and two operators settle what differs.

let dir: string;
let system: System;
let sql: Sql;
let sandbox: string;
let buyer: Shopper;
let operator: Shopper;
let finance: Shopper;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-reconciliation-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false });
  sql = connect({ url: system.adminUrl, name: 'reconciliation test', connectionsMax: 2 });
  sandbox = system.urls['sandbox']!;
  const urls = { gateway: system.urls['gateway']!, sandbox };
  [buyer, operator, finance] = (await Promise.all(['lin', 'operator', 'finance'].map((name) => new Shopper(urls).login(name)))) as [
    Shopper,
    Shopper,
    Shopper,
  ];
  await toNoon();
});
afterAll(async () => {
  await sql?.end();
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

/** Noon in China, so that the story of one day does not run over midnight. */
async function toNoon(): Promise<void> {
  const tomorrow = chinaTime(new Date(Date.now() + 86_400_000)).slice(0, 10);
  await operator.post('/v1/test/clock', { to: `${tomorrow}T12:00:00+08:00` });
}
const today = async (): Promise<string> => chinaTime(new Date(String((await operator.get('/v1/test/clock')).body['now']))).slice(0, 10);
const advance = (by: string) => operator.post('/v1/test/clock', { advance: by });

const post = (path: string, body: object) =>
  fetch(`${sandbox}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

type Payment = { payment_id: string; status: string; attempts: { attempt_id: AttemptId; code_url: string | null }[]; refunds: object[] };
const paymentOf = async (orderId: string): Promise<Payment> =>
  ((await buyer.get(`/v1/payments?order_id=${orderId}`)).body['items'] as Payment[])[0]!;

async function ordered(): Promise<{ orderId: string; code: string; attemptId: AttemptId }> {
  const wish = { sku_id: demoProducts.helpDesk.skus.basic, duration: 1 };
  const quote = await buyer.post('/v1/quotes', wish);
  const agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
  const placed = await buyer.post('/v1/orders', { ...wish, coupon: 'none', accepted_agreements: agreements });
  const orderId = String(placed.body['order_id']);
  const code = (await buyer.payable(orderId))!;
  const attemptId = (await paymentOf(orderId)).attempts[0]!.attempt_id;
  return { orderId, code, attemptId };
}
const statusOf = async (orderId: string) => (await buyer.get(`/v1/orders/${orderId}`)).body['status'];
async function bought() {
  const order = await ordered();
  await buyer.scan(order.code);
  await until(async () => (await statusOf(order.orderId)) === 'completed', { what: 'the purchase completes', within: 30_000 });
  return order;
}

type Difference = {
  difference_id: string;
  class: string;
  number: string;
  status: string;
  order_id: string | null;
  ours: number | null;
  theirs: number | null;
  explanation: string;
  proposed_by: string | null;
  decided_by: string | null;
};
const differences = async (query = ''): Promise<Difference[]> =>
  (await operator.get(`/v1/ops/reconciliation-differences?limit=100${query}`)).body['items'] as Difference[];
type Run = { reconciliation_id: string; day: string; status: string; runs: number; lines: number; open_differences: number };
const runOf = async (day: string): Promise<Run | undefined> =>
  ((await operator.get('/v1/ops/reconciliations?channel=wechat_native&limit=100')).body['items'] as Run[]).find((run) => run.day === day);
const about = ({ difference_id }: Difference) => `/v1/ops/reconciliation-differences/${encodeURIComponent(difference_id)}`;

test('a planted difference of each class is found the next morning, explained, and settled by two persons', async () => {
  const day = await today();
  const [missing, wrong, strange, charged] = [await bought(), await bought(), await bought(), await bought()];
  // Called off, closed at the channel, and paid all the same: no callback ever tells of it.
  const late = await ordered();
  await buyer.post(`/v1/orders/${late.orderId}/cancel`, undefined);
  await until(async () => (await paymentOf(late.orderId)).status === 'closed', { what: 'the channel has closed the order' });
  expect((await post(`/sandbox/wechat/orders/${orderNumber(late.attemptId)}/pay-unseen`, {})).status).toBe(200);
  const plant = async (what: string, number: string) =>
    expect((await post('/sandbox/wechat/bill-mistakes', { day, what, about: number })).status).toBe(204);
  await plant('missing', subOrderNumber(missing.attemptId));
  await plant('amount', subOrderNumber(wrong.attemptId));
  await plant('state', subOrderNumber(strange.attemptId));
  await plant('fee', subOrderNumber(charged.attemptId));
  await plant('stranger', 'S00000000000000000000000X');

  expect((await operator.post('/v1/ops/reconciliations', { channel: 'wechat_native', day })).body).toMatchObject({ code: 'day-not-over' });
  await advance('PT22H31M');
  // In the morning it begins by itself. Where the channel's clock was moved a moment later than ours, its bill is not made yet.
  await until(async () => (await runOf(day))?.runs, { what: 'the bill has been asked for', within: 30_000 });
  const run = await until(
    async () => {
      const seen = await runOf(day);
      if (seen?.status === 'waiting') await operator.post('/v1/ops/reconciliations', { channel: 'wechat_native', day });
      return seen?.status === 'differing' && seen;
    },
    { what: 'the day is reconciled', within: 30_000, every: 500 },
  );
  expect(run).toMatchObject({ lines: 5 });
  const found = await differences();
  const told = (name: string, orderId: string | null): string => `${name} ${orderId}`;
  expect(found.map((one) => told(one.class, one.order_id)).toSorted()).toEqual(
    [
      told('amount', wrong.orderId),
      told('channel-only', late.orderId),
      told('channel-only', null),
      told('fee', charged.orderId),
      told('ours-only', missing.orderId),
      told('state', strange.orderId),
    ].toSorted(),
  );
  for (const { explanation } of found) expect(explanation).toMatch(/渠道/);

  // The money that came unseen goes back by itself, by the way of all late money; then the difference is gone.
  await until(async () => (await paymentOf(late.orderId)).refunds.length === 1, { what: 'late money goes back', within: 30_000 });
  await advance('PT11M');
  await until(async () => (await differences('&status=gone')).some((one) => one.order_id === late.orderId), {
    what: 'the difference has settled itself',
    within: 30_000,
  });

  // Once more changes nothing.
  const before = await differences('&status=open');
  const { runs } = (await runOf(day))!;
  expect((await operator.post('/v1/ops/reconciliations', { channel: 'wechat_native', day })).status).toBe(202);
  await until(async () => (await runOf(day))!.runs > runs);
  expect(await differences('&status=open')).toEqual(before);

  // The books were right all the time: it is the bill that lies.
  expect(await violations(sql)).toEqual([]);
  await settledByTwo(before.find((one) => one.class === 'amount')!);
  const ledger = await operator.get('/v1/ops/ledger');
  expect(ledger.body).toMatchObject({ balanced: true, sum: 0 });
  for (const one of (await differences('&status=open')).filter(({ class: name }) => name !== 'amount')) {
    await operator.post(`${about(one)}/propose`, { resolution: 'explained', reason: '渠道已更正账单' });
    expect((await finance.post(`${about(one)}/approve`, {})).status).toBe(200);
  }
  expect(await runOf(day)).toMatchObject({ status: 'matched', open_differences: 0 });
});

/** One says how, the same person cannot agree, another one does; and both stand in the audit trail. */
async function settledByTwo(difference: Difference): Promise<void> {
  const asked = { resolution: 'adjusted', reason: '渠道多收一分，已核对回单' };
  expect((await operator.post(`${about(difference)}/propose`, asked)).body).toMatchObject({ status: 'proposed' });
  expect((await operator.post(`${about(difference)}/approve`, {})).body).toMatchObject({ code: 'second-person-needed' });
  expect((await buyer.post(`${about(difference)}/approve`, {})).status).toBe(403);
  expect((await finance.post(`${about(difference)}/approve`, { reason: '同意' })).body).toMatchObject({
    status: 'resolved',
    proposed_by: demoPersonas.operator.userId,
    decided_by: demoPersonas.finance.userId,
  });
  expect((await finance.post(`${about(difference)}/approve`, {})).body).toMatchObject({ code: 'difference-not-proposed' });
  const [posted] = await sql<{ amount: number }[]>`
    select amount from svc_payment.ledger_postings
    where entry_id = ${`adjustment:${difference.difference_id}`} and account = 'channel_clearing:wechat_native'`;
  expect(posted).toEqual({ amount: 1 });
  const audit = (await operator.get('/v1/ops/payment-gateway/audit?limit=2')).body['items'] as { actor: string; action: string }[];
  expect(audit.map(({ actor, action }) => [action, actor])).toEqual([
    ['reconciliation.approve', demoPersonas.finance.userId],
    ['reconciliation.propose', demoPersonas.operator.userId],
  ]);
}

type Task = { task_id: string; kind: string; order_id: string };
const tasksOf = async (orderId: string): Promise<Task[]> =>
  ((await operator.get('/v1/ops/payment-tasks?limit=100')).body['items'] as Task[]).filter((task) => task.order_id === orderId);

/** A completed order whose refund has ended ABNORMAL: the payer's card is dead. */
async function abnormal(): Promise<{ orderId: string; task: string }> {
  const { orderId } = await bought();
  await post('/sandbox/wechat/next', { what: 'refund-abnormal', times: 1 });
  const { payment_id: paymentId } = await paymentOf(orderId);
  const asked = await operator.post(`/v1/ops/payments/${paymentId}/refunds`, { amount: 100, reason: '部分退款' });
  expect(asked.status).toBe(202);
  await advance('PT5S');
  const task = await until(async () => (await tasksOf(orderId)).find(({ kind }) => kind === 'refund-abnormal'), {
    what: 'the refund has ended ABNORMAL',
    within: 30_000,
  });
  return { orderId, task: `/v1/ops/payment-tasks/${encodeURIComponent(task.task_id)}` };
}
const refundsOf = async (orderId: string) => (await paymentOf(orderId)).refunds as { status: string }[];

test('a refund whose card is dead goes to another card, and nothing that we keep names it', async () => {
  const { orderId, task } = await abnormal();
  const card = { to: 'payer', bank_type: 'ICBC_DEBIT', bank_account: '6222020200112233445', real_name: '诸葛金丝雀' };
  expect((await operator.post(`${task}/apply-abnormal`, { to: 'payer' })).status).toBe(400);
  expect((await operator.post(`${task}/apply-abnormal`, card)).status).toBe(202);
  await until(
    async () => {
      await advance('PT5S');
      return (await refundsOf(orderId))[0]?.status === 'succeeded';
    },
    { what: 'the refund has gone to the other card', within: 30_000, every: 300 },
  );
  const kept = await sql<{ found: number }[]>`
    select count(*)::int as found from svc_payment.calls where request::text like ${`%${card.bank_account}%`} or request::text like ${`%${card.real_name}%`}`;
  expect(kept).toEqual([{ found: 0 }]);
  expect((await operator.get('/v1/ops/ledger')).body).toMatchObject({ balanced: true, sum: 0 });
});

test('a refund whose card is dead may be paid out by hand, if two persons say so', async () => {
  const { orderId, task } = await abnormal();
  expect((await operator.post(`${task}/approve-offline`, undefined)).body).toMatchObject({ code: 'offline-refund-not-proposed' });
  expect((await operator.post(`${task}/settle-offline`, { evidence: '工行电子回单 0001' })).status).toBe(202);
  expect((await operator.post(`${task}/approve-offline`, undefined)).body).toMatchObject({ code: 'second-person-needed' });
  expect((await refundsOf(orderId))[0]).toMatchObject({ status: 'delayed' });
  expect((await finance.post(`${task}/approve-offline`, undefined)).status).toBe(200);
  expect((await refundsOf(orderId))[0]).toMatchObject({ status: 'succeeded' });
  expect((await finance.post(`${task}/approve-offline`, undefined)).body).toMatchObject({ code: 'offline-refund-not-proposed' });
  expect(await tasksOf(orderId)).toEqual([]);
  expect((await operator.get('/v1/ops/ledger')).body).toMatchObject({ balanced: true, sum: 0 });
});
