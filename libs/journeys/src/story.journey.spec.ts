import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tellStory } from '@yunshi/local/story/story';
import { voice } from '@yunshi/local/story/voice';
import { connect } from '@yunshi/db/connect';
import { startSystem, type System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { demoProducts } from '@yunshi/contracts/demo-world';
import { violations } from './invariants.ts';
import { Shopper } from './shopper.ts';

let dir: string;
let system: System;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-story-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false });
});
afterAll(async () => {
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

describe('the story that `npm run demo` tells', () => {
  const told: string[] = [];
  const tell = () =>
    tellStory(
      { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! },
      voice((line) => told.push(line), false),
    );

  it('is true, the purchase and each of its unhappy ends, and leaves the books in order', async () => {
    await tell();
    expect(told.join('\n')).toContain('✓ order failed after hours of faults');
    const sql = connect({ url: system.adminUrl, name: 'story test', connectionsMax: 4 });
    try {
      await until(async () => {
        const broken = await violations(sql);
        if (broken.length > 0) throw new Error(JSON.stringify(broken, null, 1));
        return true;
      });
    } finally {
      await sql.end();
    }
  });

  it('can be told again to the same system', async () => {
    await tell();
    expect(told.filter((line) => line.includes('And in the end'))).toHaveLength(2);
  });

  it('ends at the first thing that is not as told', async () => {
    const lying = voice(() => undefined, false);
    expect(() => lying.check('two and two are five', 2 + 2 === 5)).toThrow(/not so: two and two are five/);
    await expect(tellStory({ gateway: system.urls['catalog']!, sandbox: system.urls['sandbox']! }, lying)).rejects.toThrow('not so');
  });
});

/** After the story, because it moves the clock by days. */
// Of a provider that the story before buys nothing from, so that no other sale is released meanwhile.
describe('the money of a purchase', () => {
  const people: Record<string, Shopper> = {};
  type Line = { kind: string; amount: number; order_id?: string; net?: number };
  const linesOf = async (who: string, path: string): Promise<Line[]> => (await people[who]!.get(path)).body['items'] as Line[];
  const balance = async () => (await people['lidun']!.get('/v1/provider/balance')).body as { pending: number; withdrawable: number };
  const next = (what: string) => people['su']!.outside('POST', '/sandbox/wechat/next', { what, times: 1 });
  /** Business time goes on, a step at a look, until it is so. */
  const later = <T>(step: string, look: () => Promise<T>) =>
    until(
      async () => {
        await people['operator']!.post('/v1/test/clock', { advance: step });
        return look();
      },
      { within: 60_000, every: 200, what: look.toString() },
    );
  let orderId = '';
  let paid = 0;

  beforeAll(async () => {
    const at = { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! };
    for (const who of ['su', 'zhao', 'lidun', 'chenxi', 'operator', 'finance']) people[who] = await new Shopper(at).login(who);
    const su = people['su']!;
    const wish = { sku_id: demoProducts.scanner.skus.monthly, duration: 1 };
    const quote = await su.post('/v1/quotes', wish);
    const accepted_agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
    const placed = await su.post('/v1/orders', { ...wish, coupon: 'none', accepted_agreements });
    orderId = String(placed.body['order_id']);
    paid = Number(placed.body['payable']);
    await su.scan((await su.payable(orderId))!);
    await until(async () => (await su.get(`/v1/orders/${orderId}`)).body['status'] === 'completed', { within: 30_000 });
  });

  it('is what the buyer paid, the provider has earned, and the marketplace takes its tenth of, once the order is completed', async () => {
    const lines = await until(async () => {
      const found = await linesOf('su', `/v1/ledger/entries?order_id=${orderId}`);
      return found.length > 0 && found;
    });
    expect(lines).toMatchObject([{ kind: 'receipt', channel: 'wechat_native', amount: -paid }]);
    expect(await linesOf('zhao', `/v1/ledger/entries?order_id=${orderId}`)).toEqual([]);
    const month = await until(
      async () => ((await people['lidun']!.get('/v1/provider/settlements')).body['items'] as { month: string }[])[0]?.month,
    );
    const sale = await until(async () =>
      (await linesOf('lidun', `/v1/provider/settlements/${month}/lines?limit=100`)).find((line) => line.order_id === orderId),
    );
    expect(sale).toMatchObject({ kind: 'sale', amount: paid, net: paid - Math.round(paid / 10) });
    expect(await balance()).toMatchObject({ pending: sale.net, withdrawable: 0 });
    expect((await people['chenxi']!.get(`/v1/provider/settlements/${month}/export`)).status).toBe(404);
  });

  it('can be withdrawn by the provider when the review period is over, and not a day before', async () => {
    const before = await balance();
    await people['operator']!.post('/v1/test/clock', { advance: 'P3D' });
    expect((await balance()).pending).toBe(before.pending);
    const after = await later('PT6H', async () => {
      const now = await balance();
      return now.pending === 0 ? now : undefined;
    });
    expect(after.withdrawable).toBe(before.withdrawable + before.pending);
  });

  it('is paid out to the provider’s bank when it asks, and is its own again when the bank sends it back or WeChat Pay refuses', async () => {
    const lidun = people['lidun']!;
    const before = await balance();
    const ask = (amount: number) => lidun.post('/v1/provider/withdrawals', { amount });
    expect((await ask(before.withdrawable + 1)).body['code']).toBe('provider-withdrawal-too-much');
    const becomes = ({ body }: { body: Record<string, unknown> }, status: string) =>
      later('PT10M', async () => (await lidun.get(`/v1/provider/withdrawals/${String(body['withdrawal_id'])}`)).body['status'] === status);
    await becomes(await ask(1_000), 'paid');
    expect(await balance()).toEqual({ ...before, withdrawable: before.withdrawable - 1_000, withdrawn: 1_000 });
    await next('withdrawal-returned');
    await becomes(await ask(2_000), 'returned');
    await next('withdrawal-fails');
    const failing = await ask(3_000);
    await becomes(failing, 'failed');
    expect(await balance()).toMatchObject({ withdrawable: before.withdrawable - 1_000, withdrawn: 1_000 });
    expect((await people['chenxi']!.get(`/v1/provider/withdrawals/${String(failing.body['withdrawal_id'])}`)).status).toBe(404);
    const { items } = (await lidun.get('/v1/provider/withdrawals')).body as { items: { status: string }[] };
    expect(items.map(({ status }) => status)).toEqual(['failed', 'returned', 'paid']);
    expect((await people['operator']!.get('/v1/ops/ledger?audit=true')).body).toMatchObject({ balanced: true, sum: 0 });
  });

  it('goes back in part when an operator decides so, out of the hands of both who had it', async () => {
    const [payment] = (await people['operator']!.get(`/v1/payments?order_id=${orderId}`)).body['items'] as { payment_id: string }[];
    const before = await balance();
    const asked = await people['operator']!.post(`/v1/ops/payments/${payment!.payment_id}/refunds`, {
      amount: 1_000,
      reason: '服务不符合预期',
    });
    expect(asked.status).toBe(202);
    const back = await later('PT2M', async () =>
      (await linesOf('su', `/v1/ledger/entries?order_id=${orderId}`)).find(({ kind }) => kind === 'refund'),
    );
    expect(back.amount).toBe(1_000);
    expect(await balance()).toEqual({ ...before, withdrawable: before.withdrawable - 900 });
    const [open] = (await people['lidun']!.get('/v1/provider/settlements')).body['items'] as { month: string }[];
    const lines = await linesOf('lidun', `/v1/provider/settlements/${open!.month}/lines?limit=100`);
    expect(lines).toContainEqual(
      expect.objectContaining({ kind: 'refund', order_id: orderId, amount: -1_000, commission: 100, net: -900 }),
    );
    const { body } = await people['operator']!.get('/v1/ops/ledger?audit=true');
    expect(body).toMatchObject({ balanced: true, sum: 0, wrong_balances: [] });
  });

  it('of an old balance goes back the way it came, or by two operators’ hands, and never pays', async () => {
    const [su, zhao] = [people['su']!, people['zhao']!];
    const original = await su.post('/v1/wallet/withdrawals', { source: 'wechat', amount: 800 });
    const transfer = await zhao.post('/v1/wallet/withdrawals', { source: 'offline', amount: 80_000 });
    await later(
      'PT10M',
      async () => (await su.get(`/v1/wallet/withdrawals/${String(original.body['withdrawal_id'])}`)).body['status'] === 'succeeded',
    );
    const id = String(transfer.body['withdrawal_id']);
    await people['operator']!.post(`/v1/ops/wallet-withdrawals/${id}/propose`, { outcome: 'paid', note: '20260305-0001' });
    expect((await people['operator']!.post(`/v1/ops/wallet-withdrawals/${id}/approve`, {})).body['code']).toBe('second-person-needed');
    expect((await people['finance']!.post(`/v1/ops/wallet-withdrawals/${id}/approve`, {})).status).toBe(200);
    expect((await zhao.get('/v1/wallet')).body).toMatchObject({ balance: 800_000, processing: 0 });
    expect((await linesOf('su', '/v1/ledger/entries?kind=wallet-withdrawal')).map(({ amount }) => amount)).toEqual([-800]);
    const paying = await su.post('/v1/payments', { order_id: orderId, channel: 'account_balance' });
    expect(paying.body['code']).toBe('balance-cannot-pay');
  });
});
