import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoClaims, demoProducts } from '@yunshi/contracts/demo-world';
import { connect, type Sql } from '@yunshi/db/connect';
import { startSystem, type Part, type System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { Shopper } from './shopper.ts';
import { violations } from './invariants.ts';

const purchases = 200;
/** More buyers, who come just before each kill: however quick the system is, every kill meets purchases under way. */
const latecomers = 10;
const killed: readonly Part[] = ['order', 'payment-gateway', 'coupon', 'fulfillment', 'catalog', 'nats', 'sandbox', 'gateway'];

let dir: string;
let system: System;
let sql: Sql;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-crash-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free' });
  sql = connect({ url: system.adminUrl, name: 'crash test', connectionsMax: 4 });
});
afterAll(async () => {
  await sql?.end();
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

const urls = () => ({ gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! });

/** One buyer's purchase: ordered, and paid unless it is one of those that are left or cancelled. */
async function buy(shopper: Shopper, nth: number, agreements: readonly unknown[]): Promise<string | undefined> {
  const coupon = nth % 5 === 0 ? demoClaims.linMinus20 : nth % 5 === 1 ? demoClaims.lin85 : 'none';
  const wish = { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3, coupon, accepted_agreements: agreements };
  const ordered = await shopper.post('/v1/orders', wish);
  if (ordered.status !== 201) return undefined;
  const orderId = ordered.body['order_id'] as string;
  if (nth % 10 === 7) return orderId;
  if (nth % 10 === 8) {
    await shopper.post(`/v1/orders/${orderId}/cancel`, undefined);
    return orderId;
  }
  const code = await shopper.payable(orderId);
  if (code) await shopper.scan(code);
  return orderId;
}

describe(`${purchases} purchases while every process is killed in turn`, () => {
  it('end in one terminal state each, with the money where it belongs', async () => {
    const shopper = await new Shopper(urls()).login('lin');
    const quote = await shopper.post('/v1/quotes', { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 });
    const agreements = (quote.body['agreements'] as { name: string }[]).map((agreement) => agreement.name);
    let nth = 0;
    const buying: Promise<string | undefined>[] = [];
    const come = (buyers: number): void => {
      for (let count = 0; count < buyers; count++) buying.push(buy(shopper, nth++, agreements));
    };
    const ordered = async (): Promise<number> => (await sql`select 1 from svc_order.orders`).length;
    come(purchases);
    for (const part of killed) {
      come(latecomers);
      const before = await ordered();
      await system.kill(part);
      await system.restart(part);
      await until(async () => (await ordered()) > before, { within: 60_000, what: `orders are placed again after ${part} was killed` });
    }
    const acknowledged = (await Promise.all(buying)).flatMap((orderId) => (orderId === undefined ? [] : [{ orderId }]));
    expect(acknowledged.length).toBeGreaterThan(purchases / 2);
    // Those that nobody paid end at the end of their payment window.
    const operator = await new Shopper(urls()).login('operator');
    await until(async () => (await sql`select 1 from svc_order.orders where status = 'processing'`).length === 0, { within: 120_000 });
    await operator.post('/v1/test/clock', { advance: 'PT24H1M' });
    const left = await until(
      async () => {
        const broken = await violations(sql, acknowledged);
        return broken.length === 0 ? [] : Promise.reject(new Error(JSON.stringify(broken, null, 1)));
      },
      { within: 120_000, every: 500, what: 'all invariants hold' },
    );
    expect(left).toEqual([]);
    // Rules about deliveries would also hold of a system that delivers nothing.
    const completed = await sql<{ claim_id: string | null }[]>`select claim_id from svc_order.orders where status = 'completed'`;
    expect(completed.length).toBeGreaterThan(purchases / 4);
    expect(completed.some((order) => order.claim_id !== null)).toBe(true);
  }, 600_000);
});
