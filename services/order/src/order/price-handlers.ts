import { changePrice, keepPrice as keepPriceCommand, orderRepriced, settlePrice as settlePriceCommand } from '@yunshi/contracts/order';
import { amendSaga, sagasBeside } from '@yunshi/messaging/amend';
import { handle, type Handler } from '@yunshi/messaging/handle';
import { purchaseSaga } from '../sagas/purchase.saga.ts';
import { renewalSaga } from '../sagas/renewal.saga.ts';
import { repriced } from '../sagas/steps.ts';
import { saved } from './handlers.ts';
import type { Order } from './order.ts';
import { orders } from './orders.ts';
import { keepPrice, settlePrice, takePrice } from './price-change.ts';
import { sagaOf } from './purchase.ts';

function known(order: Order | undefined, orderId: string): Order {
  if (!order) throw new Error(`there is no order ${orderId} to change the price of`);
  return order;
}

/** What the saga `repricing` asks of an order. */
export const priceHandlers: readonly Handler[] = [
  handle(changePrice, {
    of: orders,
    key: ({ orderId }) => orderId,
    // Order and purchase change together: whoever delivers, undoes or counts sees one price.
    beside: { of: sagasBeside, key: ({ orderId }) => sagaOf(orderId) },
    decide: ({ orderId, changeId }, row, { now, reply, beside: purchase }) => {
      const before = known(row, orderId);
      const taken = takePrice(before, changeId, now);
      if (!taken.ok) return { reply: reply.refused({ reason: taken.error }) };
      const { order } = taken.value;
      const amended = amendSaga([purchaseSaga, renewalSaga], purchase, { step: 'collect payment', change: repriced(order) });
      // The money was faster, or the purchase has turned back.
      if (!amended.ok) return { reply: reply.refused({ reason: purchase?.phase === 'backward' ? 'ended' : 'paid' }) };
      const told = { orderId, accountId: order.accountId, total: order.total, payable: order.payable, orderVersion: order.version };
      return { ...saved(before, taken.value), amend: [amended.value], reply: reply.changed({}), events: [orderRepriced(told)] };
    },
  }),
  handle(keepPriceCommand, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ orderId, changeId, reason }, row, { now, reply }) => {
      const order = known(row, orderId);
      return { ...saved(order, keepPrice(order, { changeId, reason }, now)), reply: reply.kept({}) };
    },
  }),
  handle(settlePriceCommand, {
    of: orders,
    key: ({ orderId }) => orderId,
    decide: ({ orderId, changeId }, row, { reply }) => {
      const order = known(row, orderId);
      return { ...saved(order, settlePrice(order, changeId)), reply: reply.settled({}) };
    },
  }),
];
