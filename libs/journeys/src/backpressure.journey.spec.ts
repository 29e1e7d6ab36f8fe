import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { JetStreamManager } from '@nats-io/jetstream';
import { demoProducts } from '@yunshi/contracts/demo-world';
import { connect, type Sql } from '@yunshi/db/connect';
import { startSystem, type System } from '@yunshi/local/system';
import { connectBus, managerOf } from '@yunshi/messaging/bus';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { violations } from './invariants.ts';
import { Shopper } from './shopper.ts';

/*
 * What stops taking messages must not take the rest down: orders are accepted up to the stated limits, then refused for the moment, and
 * when it comes back everything accepted is worked off, and those who were refused are let in, without the backlog growing again.
 */

const limits = { messages: 120, outbox: 130 };
const buyers = 2 * limits.messages;
/** They come over this time: twice a second it is measured what waits. */
const rushMs = 3_000;
/** What an order has sent off in the very moment of a measurement is in no count of that measurement. */
const overshootMax = 1.1;
/** How much of its height the backlog may grow again while it is worked off. */
const growthMax = 0.25;

let dir: string;
let system: System;
let sql: Sql;
let bus: Awaited<ReturnType<typeof connectBus>>;
let jsm: JetStreamManager;
let token = '';
let agreements: readonly string[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-backpressure-'));
  const env = { order: { ADMISSION_MESSAGES_MAX: String(limits.messages), ADMISSION_OUTBOX_MAX: String(limits.outbox) } };
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false, env });
  sql = connect({ url: system.adminUrl, name: 'backpressure test', connectionsMax: 2 });
  bus = await connectBus(system.natsUrl, 'backpressure test');
  jsm = await managerOf(bus);
  const signedIn = await send('POST', '/v1/dev/token', { persona: 'lin' });
  token = String(signedIn.body['access_token']);
  const quote = await send('POST', '/v1/quotes', { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 });
  agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
});
afterAll(async () => {
  await bus?.close();
  await sql?.end();
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

const urls = () => ({ gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! });

type Answer = {
  readonly status: number;
  readonly type: string;
  readonly retryAfter: string | null;
  readonly body: Record<string, unknown>;
};

async function send(method: string, path: string, body?: object, key: string = randomUUID()): Promise<Answer> {
  const response = await fetch(system.urls['gateway'] + path, {
    method,
    signal: AbortSignal.timeout(30_000),
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      'idempotency-key': key,
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { headers, status } = response;
  const [type, retryAfter] = [headers.get('content-type') ?? '', headers.get('retry-after')];
  return { status, type, retryAfter, body: (await response.json()) as Record<string, unknown> };
}

const wish = () => ({
  sku_id: demoProducts.helpDesk.skus.team,
  quantity: 5,
  duration: 3,
  coupon: 'none',
  accepted_agreements: agreements,
});

/** Buyers who come one after the other, and come back when they are told to. */
function rush(count: number) {
  const accepted: string[] = [];
  const refusals: Answer[] = [];
  const came = new Set<number>();
  const buy = async (nth: number): Promise<void> => {
    await pause((nth * rushMs) / count);
    const key = randomUUID();
    for (;;) {
      const answer = await send('POST', '/v1/orders', wish(), key);
      came.add(nth);
      if (answer.status === 201) return void accepted.push(String(answer.body['order_id']));
      refusals.push(answer);
      if (answer.status !== 503) return;
      await pause(Number(answer.retryAfter) * 1_000);
    }
  };
  return { accepted, refusals, came, all: Promise.all(Array.from({ length: count }, (_, nth) => buy(nth))) };
}

const waitingMessages = async (): Promise<number> => {
  const infos = await Promise.all(['CMD', 'RPL'].map((name) => jsm.streams.info(name)));
  return infos.reduce((sum, { state }) => sum + state.messages, 0);
};

/** How the backlog goes until everything is done. */
async function watchUntil(done: Promise<unknown>, count: () => Promise<number>): Promise<readonly number[]> {
  const seen: number[] = [];
  let over = false;
  const ended = done.finally(() => (over = true));
  while (!over || seen.at(-1) !== 0) {
    seen.push(await count());
    await pause(100);
  }
  await ended;
  return seen;
}

/** The most that it grew again, after its highest, above what it had come down to. */
const growth = (seen: readonly number[]): number => {
  let least = Infinity;
  return seen.slice(seen.indexOf(Math.max(...seen))).reduce((most, now) => Math.max(most, now - (least = Math.min(least, now))), 0);
};

/** Everything that was accepted comes to its end, and nothing else has happened. */
async function allEnd(accepted: readonly string[]): Promise<void> {
  const operator = await new Shopper(urls()).login('operator');
  await operator.post('/v1/test/clock', { advance: 'PT24H1M' });
  const left = async () => {
    const broken = await violations(
      sql,
      accepted.map((orderId) => ({ orderId })),
    );
    return broken.length === 0 || Promise.reject(new Error(JSON.stringify(broken, null, 1)));
  };
  await until(left, { within: 60_000, every: 300, what: 'all invariants hold' });
  expect(new Set(accepted).size).toBe(accepted.length);
}

const expectRefusals = (refusals: readonly Answer[]): void => {
  for (const { status, type, retryAfter, body } of refusals) {
    expect({ status, type, code: body['code'] }).toEqual({ status: 503, type: 'application/problem+json', code: 'unavailable' });
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
  }
};

describe('while a service takes no messages', () => {
  test('orders are accepted up to the limit, then refused for the moment, and all are worked off when it comes back', async () => {
    const payment = system.pidOf('payment-gateway')!;
    process.kill(payment, 'SIGSTOP');
    const { accepted, refusals, came, all } = rush(buyers);
    await until(() => came.size === buyers, { within: 30_000, what: 'everybody has had an answer' });
    // Each accepted order waits with one command; a burst between two measurements cannot run over the limit.
    expect(accepted.length).toBeGreaterThan(limits.messages * 0.7);
    expect(accepted.length).toBeLessThanOrEqual(limits.messages * overshootMax);
    expect((await send('GET', '/v1/orders')).status).toBe(200);
    expect((await send('POST', '/v1/quotes', { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3 })).status).toBe(200);

    process.kill(payment, 'SIGCONT');
    const seen = await watchUntil(all, waitingMessages);
    expect(accepted).toHaveLength(buyers);
    expectRefusals(refusals);
    expect(new Set(refusals.map(({ retryAfter }) => retryAfter)).size).toBeGreaterThan(3);
    expect(Math.max(...seen)).toBeLessThanOrEqual(limits.messages * (1 + growthMax));
    expect(growth(seen), `${seen.join(' ')}`).toBeLessThan(limits.messages * growthMax);
    await allEnd(accepted);
  });
});

describe('while the bus is away', () => {
  test('orders are accepted as long as the outbox has room, money that moves is always taken in, and all goes out when it is back', async () => {
    const buyer = await new Shopper(urls()).login('lin');
    const early = await buyer.post('/v1/orders', wish());
    const code = await buyer.payable(String(early.body['order_id']));
    await system.kill('nats');
    const { accepted, refusals, came, all } = rush(buyers);
    await until(() => came.size === buyers, { within: 30_000, what: 'everybody has had an answer' });
    const [rows] = await sql<{ n: number }[]>`select count(*) as n from svc_order.outbox`;
    // An order brings an event and a command.
    expect(rows!.n).toBeGreaterThan(limits.outbox * 0.8);
    expect(rows!.n).toBeLessThanOrEqual(2 * limits.outbox);
    expect(accepted.length).toBeGreaterThan(limits.outbox * 0.4);
    expect(accepted.length).toBeLessThan(buyers);
    await until(async () => (await send('POST', '/v1/orders', wish())).status === 503, { what: 'no order is taken' });
    await buyer.scan(code!);
    const paid = async () => (await sql`select 1 from svc_payment.payments where status = 'paid'`).length === 1;
    await until(paid, { what: 'the callback of a payment is taken in while no order is' });

    await system.restart('nats');
    const seen = await watchUntil(all, async () => (await sql<{ n: number }[]>`select count(*) as n from svc_order.outbox`)[0]!.n);
    expect(accepted).toHaveLength(buyers);
    expectRefusals(refusals);
    // What was sent in the minute before goes out once more, because a bus that was killed may have lost it.
    expect(growth(seen), `${seen.join(' ')}`).toBeLessThan(Math.max(...seen) * growthMax);
    await allEnd(accepted);
  });
});
