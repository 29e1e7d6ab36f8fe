import { afterAll, beforeEach, expect, test } from 'vitest';
import { instanceClosed, instanceRenewed, instanceShipped } from '@yunshi/contracts/fulfillment';
import { connect } from '@yunshi/db/connect';
import { addDays } from '@yunshi/kernel/calendar';
import type { InstanceId } from '@yunshi/kernel/ids';
import { until } from '@yunshi/testing/until';
import { announced, openMarket, type Person } from '../../fixtures/market.ts';
import { goodMood } from '../../fixtures/neighbours.ts';
import type { ShownOrder } from '../order/wire.ts';
import { agreementName, orderPolicy } from '../policy.ts';
import { monthly, named, minus20, usable } from '../stories.ts';
import type { z } from 'zod';
import type { ShownAutoRenewal } from './wire.ts';

const market = await openMarket();
afterAll(() => market.close());
beforeEach(() => void Object.assign(market.neighbours.mood, goodMood()));

type Shown = z.infer<typeof ShownAutoRenewal>;
const accepted_agreements = orderPolicy.agreements.map(agreementName);
const day = 86_400_000;
const now = () => market.neighbours.core.clock.now();

/** A month of help desk, delivered, ending in thirty days. */
async function delivered(as: Person = 'lin'): Promise<{ id: InstanceId; order: ShownOrder; expiresAt: Date }> {
  const order = await market.order({ sku_id: monthly, duration: 1, coupon: 'none' }, { as });
  await market.pay(order);
  const done = await market
    .until(order.order_id, ({ status }) => status === 'completed')
    .catch(async () => {
      throw new Error(JSON.stringify((await market.get(`/v1/orders/${order.order_id}`, { as })).body));
    });
  const id = done.instance_id!;
  const expiresAt = addDays(now(), 30);
  const about = { instanceId: id, orderId: order.order_id, accountId: order.account_id };
  await market.neighbours.tell(
    order.order_id,
    instanceShipped({ ...about, instanceVersion: 1, shippedAt: now().toISOString(), expiresAt: expiresAt.toISOString() }),
  );
  return { id, order: done, expiresAt };
}

const put = (id: string, body: object = {}, as: Person = 'lin') =>
  market.ask<Shown & { code: string }>('PUT', `/v1/auto-renewals/${id}`, { as, body: { duration: 1, accepted_agreements, ...body } });
const shown = async (id: string) => (await market.get<Shown>(`/v1/auto-renewals/${id}`)).body;
/** The service knows of the instance as soon as its event has come. */
const switchedOn = (id: string, body: object = {}) =>
  until(async () => {
    const answer = await put(id, body);
    return answer.status === 200 ? answer.body : undefined;
  });
const sent = connect({ url: market.database.url, name: 'sent', connectionsMax: 1 });
afterAll(() => sent.end());
const toldOf = (id: string, what: string) =>
  until(
    async () => {
      const [found] = await sent<{ body: string }[]>`
        select body from (select subject, body from outbox union all select subject, body from sent) as told
        where subject = ${`evt.order.auto-renewal-${what}.v1`} and body like ${`%${id}%`}`;
      return found && (JSON.parse(found.body) as { data?: object });
    },
    { what: `${what} was told` },
  );

test('is announced, then ordered with the best coupon and to be paid until the end; once it is paid, the next end is looked ahead to', async () => {
  const { id, order, expiresAt } = await delivered();
  expect(await switchedOn(id)).toMatchObject({
    status: 'on',
    expires_at: expiresAt.toISOString(),
    orders_at: addDays(expiresAt, -7).toISOString(),
    order_id: null,
  });
  market.neighbours.mood.coupons = [usable(minus20, 2_000)];
  await market.passTime(17 * day);
  await toldOf(id, 'announced');
  expect((await shown(id)).order_id).toBeNull();
  await market.passTime(7 * day);
  const orderId = (await until(async () => (await shown(id)).order_id))!;
  await toldOf(id, 'ordered');
  const placed = (await market.get<ShownOrder>(`/v1/orders/${orderId}`)).body;
  expect(placed).toMatchObject({ kind: 'renewal', status: 'pending_payment', total: 9_900, deduction: 2_000, payable: 7_900 });
  expect(placed.pay_by).toBe(expiresAt.toISOString());
  await market.pay(placed);
  await market.until(orderId, ({ status }) => status === 'completed');
  const renewed = { instanceId: id, instanceVersion: 2, orderId: order.order_id, accountId: order.account_id, skuId: monthly, quantity: 1 };
  const later = addDays(expiresAt, 30);
  await market.neighbours.tell(
    order.order_id,
    instanceRenewed({ ...renewed, kind: 'renewal', renewedBy: orderId, expiresAt: later.toISOString() }),
  );
  await until(async () => (await shown(id)).expires_at === later.toISOString());
  expect(await shown(id)).toMatchObject({ order_id: null, orders_at: addDays(later, -7).toISOString() });
  await market.passTime(31 * day);
  const next = await until(async () => (await shown(id)).order_id);
  expect(next).not.toBe(orderId);
});

test('switched off before the order, there is none', async () => {
  const { id } = await delivered();
  await switchedOn(id);
  await market.passTime(20 * day);
  await toldOf(id, 'announced');
  expect((await market.ask('DELETE', `/v1/auto-renewals/${id}`)).status).toBe(204);
  const witness = await delivered();
  await switchedOn(witness.id);
  await market.passTime(24 * day);
  await until(async () => (await shown(witness.id)).order_id);
  expect(await shown(id)).toMatchObject({ status: 'off', order_id: null, orders_at: null });
});

test('what cannot be ordered is told with its reason, and tried again when it is asked for anew', async () => {
  const { id, order } = await delivered();
  await switchedOn(id);
  await market.neighbours.announce(order.order_id, announced({ status: 'withdrawn', productVersion: 50 }));
  await until(async () => (await market.post('/v1/quotes', { body: { sku_id: monthly, duration: 1 } })).status === 409);
  await market.passTime(24 * day);
  await toldOf(id, 'refused');
  expect(await shown(id)).toMatchObject({ status: 'on', order_id: null, refusal: 'product-withdrawn' });
  await market.neighbours.announce(order.order_id, announced({ productVersion: 51 }));
  await switchedOn(id);
  await until(async () => (await shown(id)).order_id);
});

test('is refused for what could not be ordered by hand, and for what is somebody else’s', async () => {
  const { id, order } = await delivered();
  await switchedOn(id);
  expect(await put(id, { duration: 7 })).toMatchObject({ status: 422, body: { code: 'duration-not-offered' } });
  expect(await put(id, { accepted_agreements: [] })).toMatchObject({ status: 422, body: { code: 'agreements-not-accepted' } });
  expect((await put(id, {}, 'zhao')).status).toBe(404);
  expect((await market.get(`/v1/auto-renewals/${id}`, { as: 'zhao' })).status).toBe(404);
  expect((await market.ask('DELETE', `/v1/auto-renewals/${id}`, { as: 'zhao' })).status).toBe(404);
  const mine = await market.get<{ items: Shown[] }>('/v1/auto-renewals');
  expect(mine.body.items.map(({ instance_id }) => instance_id)).toContain(id);
  expect((await market.get<{ items: Shown[] }>('/v1/auto-renewals', { as: 'zhao' })).body.items).toEqual([]);
  const about = { instanceId: id, instanceVersion: 9, orderId: order.order_id, accountId: order.account_id };
  await market.neighbours.tell(order.order_id, instanceClosed({ ...about, closedAt: now().toISOString() }));
  await until(async () => (await put(id)).body.code === 'instance-not-renewable');
  expect((await put(named('ins', 'f'))).status).toBe(404);
});
