import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demoClaims, demoPersonas, demoProducts } from '@yunshi/contracts/demo-world';
import { connect, type Sql } from '@yunshi/db/connect';
import { startSystem, type System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { violations } from './invariants.ts';
import { Shopper } from './shopper.ts';

// What an operator sees and does from outside when something cannot be undone: docs/how-to/operate.md tells the same.

let dir: string;
let system: System;
let sql: Sql;
let buyer: Shopper;
let operator: Shopper;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'yunshi-operators-'));
  system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false });
  sql = connect({ url: system.adminUrl, name: 'operators test', connectionsMax: 2 });
  const urls = { gateway: system.urls['gateway']!, sandbox: system.urls['sandbox']! };
  [buyer, operator] = await Promise.all([new Shopper(urls).login('lin'), new Shopper(urls).login('operator')]);
});
afterAll(async () => {
  await sql?.end();
  await system?.stop();
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
});

type Saga = {
  saga_id: string;
  key: string;
  phase: string;
  step: string | null;
  trouble: { kind: string; service?: string; detail: string; since: string } | null;
  log: { input: { kind: string }; phase: string; step: string | null; data: Record<string, unknown> }[];
  history: { action: string; actor: string; reason: string }[];
};
type Group = { name: string; error_class: string; letters: number };
type Letter = { letter_id: string; attempts: number; error: string };

const items = async <T>(path: string): Promise<readonly T[]> => (await operator.get(path)).body['items'] as T[];
const sagaOf = async (id: string): Promise<Saga> => (await operator.get(`/v1/ops/sagas/${id}`)).body as unknown as Saga;

async function ordered(coupon: string): Promise<string> {
  const wish = { sku_id: demoProducts.helpDesk.skus.team, quantity: 5, duration: 3, coupon };
  const quote = await buyer.post('/v1/quotes', wish);
  const agreements = (quote.body['agreements'] as { name: string }[]).map(({ name }) => name);
  const placed = await buyer.post('/v1/orders', { ...wish, accepted_agreements: agreements });
  return String(placed.body['order_id']);
}
const statusOf = async (orderId: string) => (await buyer.get(`/v1/orders/${orderId}`)).body['status'];
const claimStatus = async () => (await buyer.get(`/v1/my/coupons/${demoClaims.linMinus20}`)).body['status'];

/** As after a bad migration: no coupon can be given back. */
async function breakReleases(): Promise<void> {
  await sql.unsafe(`
    create function svc_coupon.broken() returns trigger language plpgsql as $$ begin raise exception 'claim % cannot be given back', new.claim_id; end $$;
    create trigger broken before update on svc_coupon.claims for each row when (new.status = 'usable') execute function svc_coupon.broken()`);
}
const mend = () => sql.unsafe('drop trigger broken on svc_coupon.claims');

test('an undo that fails is found with its cause while the rest goes on, is mended, and is carried out when it is asked for again', async () => {
  await breakReleases();
  const orderId = await ordered(demoClaims.linMinus20);
  await until(async () => (await claimStatus()) === 'reserved', { what: 'the coupon is held' });
  await buyer.post(`/v1/orders/${orderId}/cancel`, undefined);

  // A coupon can still be used meanwhile, by the consumer that chokes on the other one.
  const other = await ordered(demoClaims.lin85);
  await buyer.scan((await buyer.payable(other))!);
  await until(async () => (await statusOf(other)) === 'completed', { what: 'another purchase completes' });

  const troubled = () => items<Saga>('/v1/ops/sagas?troubled=true&phase=backward');
  const found = await until(async () => (await troubled())[0], { within: 40_000, what: 'the saga is in trouble' });
  expect(found).toMatchObject({ key: orderId, step: 'reserve coupon', trouble: { kind: 'buried', service: 'coupon' } });
  const timeline = (await sagaOf(found.saga_id)).log;
  expect(timeline.map(({ input, phase, step }) => [input.kind, phase, step])).toEqual([
    ['started', 'forward', 'reserve coupon'],
    ['answered', 'forward', 'collect payment'],
    ['stopped', 'backward', 'collect payment'],
    ['answered', 'backward', 'reserve coupon'],
    ...timeline.slice(4).map(({ input: { kind } }) => [kind, 'backward', 'reserve coupon']),
  ]);
  expect(new Set(timeline.slice(4).map(({ input }) => input.kind))).toContain('buried');
  for (const entry of timeline) expect(entry.data).toMatchObject({ orderId });

  const letters = '/v1/ops/coupon/dead-letters';
  const [group] = await items<Group>(`${letters}/groups`);
  expect(group).toMatchObject({ name: 'cmd.coupon.release.v1', error_class: 'PostgresError: claim … cannot be given back' });
  const [letter] = await items<Letter>(`${letters}?state=open`);
  expect(letter).toMatchObject({ attempts: 5, error: `PostgresError: claim ${demoClaims.linMinus20} cannot be given back` });

  await mend();
  expect((await operator.post(`/v1/ops/sagas/${found.saga_id}/ask-again`, { reason: 'the trigger is gone' })).status).toBe(202);
  await until(async () => (await statusOf(orderId)) === 'cancelled', { what: 'the order is cancelled' });
  expect(await claimStatus()).toBe('usable');
  expect(await troubled()).toEqual([]);
  const { history } = await sagaOf(found.saga_id);
  const actor = demoPersonas.operator.userId;
  expect(history).toMatchObject([{ action: 'saga.ask-again', actor, reason: 'the trigger is gone' }]);

  const { name, error_class } = group!;
  const laidAside = await operator.post(`${letters}/discard`, { name, error_class, reason: 'its saga has asked again' });
  expect(laidAside.body).toMatchObject({ left: 0 });
  expect(laidAside.body['acted']).toContain(letter!.letter_id);
  const acts = await items<Saga['history'][number]>('/v1/ops/coupon/audit');
  expect(acts).toContainEqual(expect.objectContaining({ action: 'dead-letter.discard', actor, reason: 'its saga has asked again' }));
  await until(async () => (await violations(sql)).length === 0 || Promise.reject(new Error(JSON.stringify(await violations(sql)))), {
    within: 60_000,
    every: 300,
    what: 'all invariants hold',
  });
});
