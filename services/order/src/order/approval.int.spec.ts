import { afterAll, beforeEach, expect, test } from 'vitest';
import { openMarket, type Person } from '../../fixtures/market.ts';
import { named } from '../stories.ts';
import type { ShownOrder } from './wire.ts';

const market = await openMarket();
afterAll(() => market.close());

const decideRules = (rules: object, as: Person = 'head') =>
  market.ask('PUT', '/v1/purchasing-rules', { as, body: { approval_above: 100_000, po_number_required: false, ...rules } });
const decide = (verb: 'approve' | 'decline', orderId: string, { as = 'head', ...body }: { as?: Person; note?: string } = {}) =>
  market.post<ShownOrder>(`/v1/orders/${orderId}/${verb}`, { as, body });

beforeEach(async () => {
  await decideRules({});
});

test('only an approver decides what needs approval, and everybody of the organisation can read it', async () => {
  expect(await decideRules({ approval_above: null }, 'lin')).toMatchObject({ status: 403 });
  const { head } = market.people;
  expect(await market.get('/v1/purchasing-rules')).toMatchObject({ body: { approval_above: 100_000, changed_by: head.userId } });
  expect(await market.get('/v1/purchasing-rules', { as: 'zhao' })).toMatchObject({ body: { approval_above: null, changed_by: null } });
});

test('a dear order is not sold before somebody else of the organisation has approved it', async () => {
  const order = await market.order({ po_number: 'PO-2026-7' });
  expect(order).toMatchObject({
    status: 'pending_approval',
    po_number: 'PO-2026-7',
    awaits: { what: 'approval' },
    approval: { decided_by: null },
  });
  expect(await market.neighbours.deal(order.order_id)).toBeUndefined();
  expect(await decide('approve', order.order_id, { as: 'lin' })).toMatchObject({ status: 403 });
  const asked = await market.get<{ items: ShownOrder[] }>('/v1/orders?status=pending_approval', { as: 'head' });
  expect(asked.body.items).toMatchObject([{ order_id: order.order_id }]);
  const approved = await decide('approve', order.order_id, { note: '预算内' });
  expect(approved).toMatchObject({
    status: 200,
    body: { status: 'pending_payment', approval: { note: '预算内', decided_by: market.people.head.userId } },
  });
  expect((await decide('approve', order.order_id)).body).toMatchObject({ status: 'pending_payment', version: approved.body.version });
  await market.pay(order);
  expect(await market.until(order.order_id, ({ status }) => status === 'completed')).toMatchObject({ po_number: 'PO-2026-7', version: 4 });
});

test('an approver orders too, and waits for another one', async () => {
  const order = await market.order({}, { as: 'head' });
  expect(await decide('approve', order.order_id)).toMatchObject({ status: 409, body: { code: 'own-order-not-approvable' } });
});

test('another organisation has no say, and no order of it needs approval', async () => {
  expect(await market.order({}, { as: 'zhao' })).toMatchObject({ status: 'pending_payment', approval: null });
  expect(await decide('approve', named('ord', 'f'))).toMatchObject({ status: 404 });
  expect(await decide('decline', (await market.order({}, { as: 'zhao' })).order_id)).toMatchObject({ status: 404 });
});

test('a purchase order number is asked for where the organisation wants one', async () => {
  await decideRules({ po_number_required: true });
  await expect(market.order()).rejects.toThrow('po-number-missing');
  expect(await market.order({ po_number: 'PO-8' })).toMatchObject({ po_number: 'PO-8' });
});

test('declined, the order is cancelled, and says by whom and why', async () => {
  const { order_id: id } = await market.order();
  expect(await decide('decline', id, { note: '太贵' })).toMatchObject({
    body: { status: 'cancelled', end_reason: 'approval-declined', approval: { note: '太贵' } },
  });
  expect(await decide('approve', id)).toMatchObject({ status: 409, body: { code: 'order-not-awaiting-approval' } });
});

test('cancelled at once while it waits; closed after seven days', async () => {
  const first = await market.order();
  expect(await market.post(`/v1/orders/${first.order_id}/cancel`)).toMatchObject({ status: 202, body: { status: 'cancelled' } });
  const second = await market.order();
  await market.passTime(7 * 86_400_000);
  expect(await market.until(second.order_id, ({ status }) => status === 'closed')).toMatchObject({ end_reason: 'approval-timeout' });
  expect(await market.neighbours.deal(second.order_id)).toBeUndefined();
});
