import { completeOrder, orderCompleted, orderRejected, rejectOrder } from '@yunshi/contracts/order';
import { corporatePaymentMoved, paymentReceived, paymentRefunded, paymentRevoked, revocationSettled } from '@yunshi/contracts/payment';
import type { OrderId } from '@yunshi/kernel/ids';
import { due, handle, on, write, type Decision, type Handler, type Write } from '@yunshi/messaging/handle';
import { lapse } from './approval.ts';
import { bankMoved, complete, paymentSettled, paymentTakenBack, receive, refunded, reject, type Changed, type Order } from './order.ts';
import { orders, timeline } from './orders.ts';
import { trialId, trials } from './trials.ts';

/** The order after a change and the entries about it; nothing, where nothing has changed. */
export const saved = (before: Order | undefined, { order, entries }: Changed): Decision<Order> =>
  order === before ? {} : { save: order, writes: entries.map((entry) => write(timeline, entry)) };

/** A trial whose order came to nothing may be ordered again. */
const givenBack = (order: Order): Write[] => (order.isTrial ? [write(trials, { trialId: trialId(order), orderId: null })] : []);

/** Nobody has approved an order in time. */
export const approvalDue = 'order.approval-lapse';

/** An order that ends before its purchase has begun: nothing is held that would have to be given back. */
export function endedEarly(before: Order, changed: Changed): Decision<Order> {
  const { orderId, accountId, endReason, version } = changed.order;
  if (changed.order === before || endReason === null) return {};
  return {
    ...saved(before, changed),
    cancelDeadlines: [{ kind: approvalDue, key: orderId }],
    events: [orderRejected({ orderId, accountId, reason: endReason, refunded: 0, orderVersion: version })],
  };
}

export const orderHandlers: readonly Handler[] = [
  due(approvalDue, { of: orders, decide: (_id: OrderId, order, { now }) => (order ? endedEarly(order, lapse(order, now)) : {}) }),
  on(paymentReceived, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ paymentId, channel, paidAt }, order, { now }) =>
      order ? saved(order, receive(order, { paymentId, channel, paidAt: new Date(paidAt) }, now)) : {},
  }),
  on(corporatePaymentMoved, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ stage, bank, since, until, payBy }, order) => {
      const news = { stage, bank, since: new Date(since), until: until === null ? null : new Date(until), payBy: new Date(payBy) };
      return order ? saved(order, bankMoved(order, news)) : {};
    },
  }),
  on(paymentRefunded, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ refunded: amount, refundedAt }, order) => (order ? saved(order, refunded(order, { amount, at: new Date(refundedAt) })) : {}),
  }),
  on(paymentRevoked, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ amount, revokedAt }, order) => (order ? saved(order, paymentTakenBack(order, { amount, at: new Date(revokedAt) })) : {}),
  }),
  on(revocationSettled, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ outcome, settledAt }, order) => (order ? saved(order, paymentSettled(order, { outcome, at: new Date(settledAt) })) : {}),
  }),
  handle(completeOrder, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ orderId, instanceId }, order, { now, reply }) => {
      if (!order) throw new Error(`there is no order ${orderId} to complete`);
      const changed = complete(order, instanceId, now);
      const told = { orderId, accountId: order.accountId, instanceId, orderVersion: changed.order.version };
      return { ...saved(order, changed), reply: reply.completed({}), events: changed.order === order ? [] : [orderCompleted(told)] };
    },
  }),
  handle(rejectOrder, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ orderId, reason, refunded }, order, { now, reply }) => {
      if (!order) throw new Error(`there is no order ${orderId} to end`);
      const changed = reject(order, { reason, refunded }, now);
      if (changed.order === order) return { reply: reply.rejected({}) };
      const { save, writes = [] } = saved(order, changed);
      const told = { orderId, accountId: order.accountId, reason, refunded, orderVersion: changed.order.version };
      return {
        ...(save && { save }),
        writes: [...writes, ...givenBack(order)],
        reply: reply.rejected({}),
        events: [orderRejected(told)],
      };
    },
  }),
];
