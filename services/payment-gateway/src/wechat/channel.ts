/** WeChat Pay as one of the payment channels: our orders in its words, and its words in ours. */
import { OrderId } from '@yunshi/kernel/ids';
import type { ChannelNotice, OrderSeen, PaymentChannel } from '../payment/channel.ts';
import { attemptOf, subOrderNumber } from '../payment/numbers.ts';
import type { Callback } from './callback.ts';
import { closeRequest, orderRequest, refundRequest, type Us } from './requests.ts';
import type { WechatOrder, WechatPay } from './wechat-pay.ts';

export const wechatChannel = (wechat: WechatPay, us: Us): PaymentChannel => ({
  place: async (order, signal) => {
    const placed = await wechat.place(orderRequest(us, order), signal);
    return placed.kind === 'placed' ? { kind: 'placed', means: { kind: 'code', codeUrl: placed.codeUrl } } : placed;
  },
  query: async (order, signal) => {
    const found = await wechat.query(order.number, signal);
    return found.kind === 'found' ? { kind: 'found', order: orderSeen(found.order, us) } : found;
  },
  close: (order, signal) => wechat.close(order.number, closeRequest(us, order), signal),
  refund: (refund, signal) => wechat.refund(refundRequest(us, refund), signal),
  queryRefund: ({ refundNo, order }, signal) => wechat.queryRefund(refundNo, order.payee, signal),
});

/** A callback of WeChat Pay in the words of the port. */
export function noticeOf(callback: Callback, us: Us): ChannelNotice {
  const { id } = callback;
  switch (callback.kind) {
    case 'order': {
      const foreign = callback.order.mchid !== us.mchid || callback.order.appid !== us.appid;
      const orderId = OrderId.safeParse(callback.attach).data;
      return { id, channel: 'wechat_native', foreign, kind: 'order', order: orderSeen(callback.order, us), orderId };
    }
    case 'refund':
      return { id, channel: 'wechat_native', foreign: callback.mchid !== us.mchid, kind: 'refund', refund: callback.refund };
    // Withdrawals are no payments: their notices go another way.
    case 'withdrawal':
    case 'other':
      return { id, channel: 'wechat_native', foreign: false, kind: 'other' };
  }
}

export function orderSeen(order: WechatOrder, us: Pick<Us, 'mchid' | 'appid'>): OrderSeen {
  const { number, subMchid: payee, state, amount, currency, transactionId, paidAt } = order;
  const strange = strangeness(order, us);
  return {
    number,
    payee,
    state,
    amount,
    currency,
    ...(strange !== undefined && { strange }),
    ...(transactionId !== undefined && { transactionId }),
    ...(paidAt !== undefined && { paidAt }),
  };
}

/** What is particular to combined orders: they must be ours, and hold our one sub order. */
function strangeness(order: WechatOrder, us: Pick<Us, 'mchid' | 'appid'>): string | undefined {
  if (order.mchid !== us.mchid || order.appid !== us.appid) return `merchant ${order.mchid} and appid ${order.appid}`;
  if (order.subOrders !== 1) return `${order.subOrders} sub orders`;
  const attemptId = attemptOf(order.number);
  return attemptId !== undefined && order.subNumber !== subOrderNumber(attemptId) ? `sub order number ${order.subNumber}` : undefined;
}
