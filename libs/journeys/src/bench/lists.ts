import { join } from 'node:path';
import { request } from 'undici';
import { demoPersonas } from '@yunshi/contracts/demo-world';
import { devIssuer } from '@yunshi/gateway/dev-issuer/issuer';
import type { Caller } from '@yunshi/http/auth';
import { AUDIENCE } from '@yunshi/local/services';
import type { Violation } from '../rules.ts';
import { fillTables, type Full, type Size } from './full-tables.ts';
import { quantile } from './generator.ts';
import type { Place } from './place.ts';
import { plansOf, type Plan } from './plans.ts';

// Lists and details over the gateway, in a system whose tables are full: how long they take, and what PostgreSQL reads for them.

/** What somebody looks at; `nth` is the number of an order, a different one each time. */
type Look = { readonly name: string; readonly by: (nth: number) => Caller; readonly path: (nth: number) => string };

export type Looked = {
  readonly name: string;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** The index or table that each statement read, in their order. */
  readonly reads: readonly string[];
  readonly rowsReadMax: number;
};
export type Lists = { readonly size: Size; readonly looks: readonly Looked[]; readonly violations: readonly Violation[] };

/** A page has 20 rows; who reads a thousand times as many for it reads a table. */
const rowsReadMax = 20_000;
const explainedEach = 3;
const listed = ['orders', 'timeline', 'claims', 'coupons', 'products'];

const operator: Caller = demoPersonas.operator;

function looksAt(full: Full): Look[] {
  const { buyerOf, providerOf, orderId, orderNumber, instanceId, productOf, placedAt, claimId, size } = full;
  const big = () => buyerOf(0);
  const provider = (nth: number) => providerOf(nth);
  const op = () => operator;
  const window = (nth: number) => `placed_from=${at(nth - 2_000)}&placed_until=${at(nth)}`;
  const at = (nth: number) => encodeURIComponent(placedAt(Math.max(1, nth)).toISOString());
  const completed = (nth: number) => nth - (nth % 1_000) + 500;
  const claim = (nth: number) => 1 + (nth % size.claims);
  return [
    { name: 'my orders', by: buyerOf, path: () => '/v1/orders' },
    { name: 'my orders, failed', by: buyerOf, path: () => '/v1/orders?status=failed' },
    { name: 'my orders, renewals', by: buyerOf, path: () => '/v1/orders?kind=renewal' },
    { name: 'my orders, of a product', by: buyerOf, path: (nth) => `/v1/orders?product_id=${productOf(nth)}` },
    { name: 'my orders, of a time', by: buyerOf, path: (nth) => `/v1/orders?${window(nth)}` },
    { name: 'my orders, by number', by: buyerOf, path: (nth) => `/v1/orders?keyword=${orderNumber(nth)}` },
    {
      name: 'my orders, by instance',
      by: (nth) => buyerOf(completed(nth)),
      path: (nth) => `/v1/orders?keyword=${instanceId(completed(nth))}`,
    },
    { name: 'my orders, by creator', by: buyerOf, path: (nth) => `/v1/orders?keyword=${buyerOf(nth).userId}` },
    { name: 'my orders as a file', by: (nth) => buyerOf(nth % 20 === 0 ? nth + 1 : nth), path: () => '/v1/orders/export' },
    { name: 'a large buyer’s orders', by: big, path: () => '/v1/orders' },
    { name: 'a large buyer’s orders, closed', by: big, path: () => '/v1/orders?status=closed' },
    { name: 'a large buyer’s orders, processing', by: big, path: () => '/v1/orders?status=processing' },
    { name: 'a large buyer’s orders, renewals', by: big, path: () => '/v1/orders?kind=renewal' },
    { name: 'a large buyer’s orders, of a product', by: big, path: (nth) => `/v1/orders?product_id=${productOf(nth)}` },
    { name: 'my order', by: buyerOf, path: (nth) => `/v1/orders/${orderId(nth)}` },
    { name: 'my order’s timeline', by: buyerOf, path: (nth) => `/v1/orders/${orderId(nth)}/timeline` },
    { name: 'a shop’s orders', by: provider, path: () => '/v1/provider/orders' },
    { name: 'a shop’s orders, failed', by: provider, path: () => '/v1/provider/orders?status=failed' },
    { name: 'a shop’s orders, awaiting approval', by: provider, path: () => '/v1/provider/orders?status=pending_approval' },
    { name: 'a shop’s orders, conversions', by: provider, path: () => '/v1/provider/orders?kind=trial_conversion' },
    { name: 'a shop’s orders, of a product', by: provider, path: (nth) => `/v1/provider/orders?product_id=${productOf(nth)}` },
    { name: 'a shop’s orders, of a buyer', by: provider, path: (nth) => `/v1/provider/orders?account_id=${buyerOf(nth).accountId}` },
    { name: 'all orders', by: op, path: () => '/v1/ops/orders' },
    { name: 'all orders, unpaid', by: op, path: () => '/v1/ops/orders?status=pending_payment' },
    { name: 'all orders, awaiting approval', by: op, path: () => '/v1/ops/orders?status=pending_approval' },
    { name: 'all orders, conversions', by: op, path: () => '/v1/ops/orders?kind=trial_conversion' },
    { name: 'all orders, of a product', by: op, path: (nth) => `/v1/ops/orders?product_id=${productOf(nth)}` },
    { name: 'all orders, of a shop', by: op, path: (nth) => `/v1/ops/orders?provider_id=${providerOf(nth).providerId}` },
    { name: 'all orders, of a time', by: op, path: (nth) => `/v1/ops/orders?${window(nth)}` },
    { name: 'all orders, by creator', by: op, path: (nth) => `/v1/ops/orders?keyword=${buyerOf(nth).userId}` },
    { name: 'all orders, of a day by number', by: op, path: (nth) => `/v1/ops/orders?keyword=${orderNumber(nth).slice(0, 8)}` },
    { name: 'my coupons', by: buyerOf, path: () => '/v1/my/coupons' },
    { name: 'my coupons, next to expire', by: buyerOf, path: () => '/v1/my/coupons?sort=valid_until&status=usable' },
    { name: 'my coupons, expired', by: buyerOf, path: () => '/v1/my/coupons?status=expired' },
    { name: 'my coupon', by: (nth) => buyerOf(claim(nth)), path: (nth) => `/v1/my/coupons/${claimId(claim(nth))}` },
    { name: 'the shelf', by: buyerOf, path: () => '/v1/products' },
    { name: 'the shelf, dearest first', by: buyerOf, path: () => '/v1/products?sort=-price' },
    { name: 'the shelf, by word', by: buyerOf, path: () => `/v1/products?q=${encodeURIComponent('客服')}` },
    { name: 'the coupon centre', by: buyerOf, path: () => '/v1/coupons' },
  ];
}

type Ask = (look: Look, nth: number) => Promise<number>;

/** Fills the tables, asks for each list and detail one after the other, and says what it took. */
export async function measureLists(
  { system, sql, dir }: Place,
  { size, asksEach, say }: { readonly size: Size; readonly asksEach: number; readonly say: (line: string) => void },
): Promise<Lists> {
  const began = performance.now();
  const full = await fillTables(system.adminUrl, size);
  say(
    `${size.orders} orders, ${size.claims} coupons and ${size.products} products more, in ${Math.round((performance.now() - began) / 1_000)} s`,
  );
  const ask = await asking(system.urls['gateway']!, dir);
  /** Spread over all orders, in no order. */
  const order = (nth: number): number => 1 + ((nth * 7_919_177) % size.orders);
  const looks: Looked[] = [];
  const violations: Violation[] = [];
  for (const look of looksAt(full)) {
    for (let nth = 0; nth < Math.ceil(asksEach / 5); nth++) await ask(look, order(nth));
    const ms: number[] = [];
    for (let nth = 0; nth < asksEach; nth++) ms.push(await ask(look, order(nth)));
    const again = async () => {
      for (let nth = 0; nth < explainedEach; nth++) await ask(look, order(nth));
    };
    const plans = await plansOf(sql, { log: system.logOf('postgres'), tables: listed, run: again });
    looks.push(looked(look.name, ms, plans));
    violations.push(...broken(look.name, plans));
    say(lookedLine(looks.at(-1)!));
  }
  return { size, looks, violations };
}

const round = (ms: number): number => Math.round(ms * 10) / 10;

function looked(name: string, ms: readonly number[], plans: readonly Plan[]): Looked {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => round(quantile(ms, share))) as [number, number, number];
  const reads = [...new Set(plans.flatMap((plan) => plan.reads))];
  return { name, p50, p95, p99, reads, rowsReadMax: Math.max(0, ...plans.map((plan) => plan.rowsRead)) };
}

function broken(name: string, plans: readonly Plan[]): Violation[] {
  if (plans.length === 0) return [{ rule: `${name}: PostgreSQL was asked something`, rows: [] }];
  const whole = plans.filter(({ wholeTables, rowsRead }) => wholeTables.length > 0 || rowsRead > rowsReadMax);
  return whole.length > 0 ? [{ rule: `${name}: no list reads a whole table`, rows: whole.slice(0, 3) }] : [];
}

export const lookedLine = ({ name, p50, p95, p99, reads, rowsReadMax: rows }: Looked): string =>
  `${name.padEnd(40)} p50 ${String(p50).padStart(6)} ms, p95 ${String(p95).padStart(6)} ms, p99 ${String(p99).padStart(6)} ms; ${String(rows).padStart(5)} rows by ${reads.join(', ')}`;

/** Answers the milliseconds until the whole answer was there. */
async function asking(gateway: string, dir: string): Promise<Ask> {
  const { token } = await devIssuer({ issuer: gateway, audience: AUDIENCE, keyFile: join(dir, 'dev-issuer.json') });
  const tokens = new Map<string, string>();
  const tokenOf = async (caller: Caller): Promise<string> => {
    const key = JSON.stringify(caller);
    const known = tokens.get(key) ?? (await token(caller, { name: 'bench' }));
    tokens.set(key, known);
    return known;
  };
  return async ({ name, by, path }, nth) => {
    const authorization = `Bearer ${await tokenOf(by(nth))}`;
    const began = performance.now();
    const { statusCode, body } = await request(`${gateway}${path(nth)}`, { headers: { authorization } });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`${name}: GET ${path(nth)} answered ${statusCode} ${text}`);
    return performance.now() - began;
  };
}
