/** What we ask of WeChat Pay, from an attempt or a refund alone: the same attempt always makes the same request. */
import { chinaTime } from '@yunshi/kernel/calendar';
import type { CombineCloseRequest, CombineNativeRequest } from '@yunshi/protocols/wechat/combine';
import type { RefundRequest } from '@yunshi/protocols/wechat/refund';
import type { ChannelOrder, ChannelRefund } from '../payment/channel.ts';
import { subOrderNumber } from '../payment/numbers.ts';

/** Who we are to WeChat Pay, and where it calls back. */
export type Us = { readonly mchid: string; readonly appid: string; readonly notifyBaseUrl: string };

export const PAYMENT_CALLBACK = '/v1/notify/wechat/payments';
export const REFUND_CALLBACK = '/v1/notify/wechat/refunds';
export const WITHDRAWAL_CALLBACK = '/v1/notify/wechat/withdrawals';

export const orderRequest = (us: Us, order: ChannelOrder): CombineNativeRequest => ({
  combine_appid: us.appid,
  combine_mchid: us.mchid,
  combine_out_trade_no: order.number,
  sub_orders: [
    {
      mchid: us.mchid,
      sub_mchid: order.payee,
      out_trade_no: subOrderNumber(order.attemptId),
      attach: order.orderId,
      description: order.description === '' ? '云市订单' : order.description,
      amount: { total_amount: order.amount, currency: 'CNY' },
      // The money stays frozen until the platform's commission has been shared out of it.
      settle_info: { profit_sharing: true },
    },
  ],
  time_expire: chinaTime(new Date(order.expiresAt)),
  notify_url: `${us.notifyBaseUrl}${PAYMENT_CALLBACK}`,
});

export const closeRequest = (us: Us, order: ChannelOrder): CombineCloseRequest => ({
  combine_appid: us.appid,
  sub_orders: [{ mchid: us.mchid, sub_mchid: order.payee, out_trade_no: subOrderNumber(order.attemptId) }],
});

export const refundRequest = (us: Us, { refundNo, amount, total, orphan, order }: ChannelRefund): RefundRequest => ({
  sub_mchid: order.payee,
  sp_appid: us.appid,
  out_trade_no: subOrderNumber(order.attemptId),
  out_refund_no: refundNo,
  reason: orphan ? '多付或逾期款项退回' : '订单退款',
  amount: { refund: amount, total, currency: 'CNY' },
  notify_url: `${us.notifyBaseUrl}${REFUND_CALLBACK}`,
});
