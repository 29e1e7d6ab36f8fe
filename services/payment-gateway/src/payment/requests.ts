/** What we ask of WeChat Pay, from an attempt or a refund alone: the same attempt always makes the same request. */
import { chinaTime } from '@yunshi/kernel/calendar';
import type { CombineCloseRequest, CombineNativeRequest } from '@yunshi/protocols/wechat/combine';
import type { RefundRequest } from '@yunshi/protocols/wechat/refund';
import { orderNumber, subOrderNumber } from './numbers.ts';
import type { Attempt, Refund } from './state.ts';

/** Who we are to WeChat Pay, and where it calls back. */
export type Us = { readonly mchid: string; readonly appid: string; readonly notifyBaseUrl: string };

export const PAYMENT_CALLBACK = '/v1/notify/wechat/payments';
export const REFUND_CALLBACK = '/v1/notify/wechat/refunds';

export const orderRequest = (us: Us, attempt: Attempt): CombineNativeRequest => ({
  combine_appid: us.appid,
  combine_mchid: us.mchid,
  combine_out_trade_no: orderNumber(attempt.attemptId),
  sub_orders: [
    {
      mchid: us.mchid,
      sub_mchid: attempt.payee,
      out_trade_no: subOrderNumber(attempt.attemptId),
      attach: attempt.orderId,
      description: attempt.description === '' ? '云市订单' : attempt.description,
      amount: { total_amount: attempt.amount, currency: 'CNY' },
      // The money stays frozen until the platform's commission has been shared out of it.
      settle_info: { profit_sharing: true },
    },
  ],
  time_expire: chinaTime(attempt.expiresAt),
  notify_url: `${us.notifyBaseUrl}${PAYMENT_CALLBACK}`,
});

export const closeRequest = (us: Us, attempt: Attempt): CombineCloseRequest => ({
  combine_appid: us.appid,
  sub_orders: [{ mchid: us.mchid, sub_mchid: attempt.payee, out_trade_no: subOrderNumber(attempt.attemptId) }],
});

export const refundRequest = (us: Us, { refundNo, amount }: Refund, attempt: Attempt): RefundRequest => ({
  sub_mchid: attempt.payee,
  sp_appid: us.appid,
  out_trade_no: subOrderNumber(attempt.attemptId),
  out_refund_no: refundNo,
  reason: attempt.orphanReason ? '多付或逾期款项退回' : '订单退款',
  amount: { refund: amount, total: attempt.received ?? attempt.amount, currency: 'CNY' },
  notify_url: `${us.notifyBaseUrl}${REFUND_CALLBACK}`,
});
