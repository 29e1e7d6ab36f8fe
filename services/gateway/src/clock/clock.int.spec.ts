import { connectBus } from '@yunshi/messaging/bus';
import { offsetInMemory, sharedTestClock } from '@yunshi/messaging/clock';
import { buyer, operator } from '@yunshi/http/testing';
import { testNats } from '@yunshi/testing/nats';
import { afterAll, expect, test } from 'vitest';
import { gateway, issuer } from '../gateway.fixture.ts';

const nats = await testNats();
const nc = await connectBus(nats.url, 'clock-test');
afterAll(() => nc.close());
const order = await sharedTestClock(nc, 'order', offsetInMemory);
const sandbox = await sharedTestClock(nc, 'sandbox', offsetInMemory);
const { url } = await gateway({ env: { TEST_CLOCK: 'on', NATS_URL: nats.url } });

const asOperator = `Bearer ${await issuer.token(operator)}`;
async function clock(body?: unknown, authorization = asOperator): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/v1/test/clock`, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { authorization, 'content-type': 'application/json' },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const day = 86_400_000;

test('one call moves the clock of every service, and answers when all have', async () => {
  expect((await clock()).body).toMatchObject({ offset_ms: 0, services: ['order', 'sandbox'] });
  const moved = await clock({ advance: 'PT24H' });
  expect(moved).toMatchObject({ status: 200, body: { offset_ms: day, services: ['order', 'sandbox'] } });
  expect([order.offsetMs(), sandbox.offsetMs()]).toEqual([day, day]);
  expect((await clock()).body).toMatchObject({ offset_ms: day });
});

test('business time can be set to a moment, with any offset from UTC', async () => {
  const target = new Date(order.now().getTime() + 30 * day);
  const moved = await clock({ to: target.toISOString().replace('Z', '+00:00') });
  expect(Math.abs(new Date(String(moved.body['now'])).getTime() - target.getTime())).toBeLessThan(5_000);
  expect(Math.abs(order.now().getTime() - target.getTime())).toBeLessThan(5_000);
});

test('business time never goes back, stands still on demand or leaves the calendar', async () => {
  for (const body of [{ advance: 'PT0S' }, { to: '2020-01-01T00:00:00Z' }, { advance: 'P99999D' }]) {
    expect(await clock(body)).toMatchObject({ status: 422, body: { code: 'clock-only-forward' } });
  }
  for (const body of [{}, { advance: 'tomorrow' }, { to: 'tomorrow' }, { advance: 'PT1H', to: '2030-01-01T00:00:00Z' }]) {
    expect(await clock(body)).toMatchObject({ status: 400, body: { code: 'request-not-valid' } });
  }
});

test('only an operator moves it', async () => {
  expect((await clock({ advance: 'PT1H' }, `Bearer ${await issuer.token(buyer)}`)).status).toBe(403);
});

test('a service that does not store the new time is named', async () => {
  let stuck = false;
  const save = () => (stuck ? new Promise<never>(() => undefined) : Promise.resolve());
  await sharedTestClock(nc, 'stuck', { load: () => Promise.resolve(0), save });
  stuck = true;
  expect(await clock({ advance: 'PT1H' })).toMatchObject({ status: 503, body: { code: 'clock-not-everywhere', missing: ['stuck'] } });
});
