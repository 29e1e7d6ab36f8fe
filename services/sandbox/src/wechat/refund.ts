/** What the payment service decides about refunds: pure. */
import { chinaTime } from '@yunshi/kernel/calendar';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { AbnormalRefundRequest, Refund, RefundAccepted, RefundNotice, RefundRequest } from '@yunshi/protocols/wechat/refund';
import type { Order } from './order.ts';
import { refusals, wrongParameter, type Refusal } from './refusal.ts';
import type { WechatRefund, WechatSubOrder } from './tables.ts';

const REFUNDS_PER_ORDER_MAX = 50;
const REFUND_LIFE_MS = 365 * 86_400_000;
/** One partial refund of an order a minute. */
const REFUND_AGAIN_MS = 60_000;

/** A payment that a refund takes from: the sub order, its order, and what was refunded of it already. */
export type Payment = { readonly order: Order; readonly sub: WechatSubOrder; readonly refunds: readonly WechatRefund[] };

type Making = {
  readonly asked: string;
  readonly refundId: string;
  readonly now: Date;
  readonly settlesAt: Date;
  readonly endsAs: WechatRefund['endsAs'];
  readonly traceparent: string | undefined;
};

/** The same number with the same parameters is the same refund; only its first request moves money. */
export function applyRefund(
  known: WechatRefund | undefined,
  payment: Payment | undefined,
  ask: RefundRequest,
  making: Making,
): Result<WechatRefund, Refusal> {
  if (known) return known.asked === making.asked ? ok(known) : no(refusals.otherParameters);
  if (!payment || payment.sub.subMchid !== ask.sub_mchid) return no(refusals.transactionMissing);
  const { order, sub, refunds } = payment;
  if (order.state !== 'SUCCESS' || !order.paidAt) return no(refusals.notPaid);
  if (ask.amount.total !== sub.amount) return no(refusals.otherTotal);
  const counted = refunds.filter((refund) => refund.status !== 'CLOSED');
  if (counted.reduce((sum, refund) => sum + refund.amount, 0) + ask.amount.refund > sub.amount) return no(refusals.tooMuch);
  if (counted.length >= REFUNDS_PER_ORDER_MAX) return no(refusals.tooMany);
  if (counted.some((refund) => making.now.getTime() - refund.createdAt.getTime() < REFUND_AGAIN_MS)) return no(refusals.tooSoonAgain);
  if (making.now.getTime() - order.paidAt.getTime() > REFUND_LIFE_MS) return no(refusals.tooLate);
  return ok({
    outRefundNo: ask.out_refund_no,
    refundId: making.refundId,
    outTradeNo: sub.outTradeNo,
    asked: making.asked,
    amount: ask.amount.refund,
    status: 'PROCESSING',
    endsAs: making.endsAs,
    settlesAt: making.settlesAt,
    createdAt: making.now,
    endedAt: null,
    notifyUrl: ask.notify_url ?? null,
    traceparent: making.traceparent ?? null,
  });
}

/** A refund that ended ABNORMAL is paid another way; it is the same refund, on its way again. */
export function applyAbnormal(
  refund: WechatRefund | undefined,
  payment: Payment | undefined,
  ask: AbnormalRefundRequest,
  { settlesAt, endsAs, opens }: Pick<Making, 'settlesAt' | 'endsAs'> & { readonly opens: (sealed: string) => boolean },
): Result<WechatRefund, Refusal> {
  if (!refund || payment?.sub.subMchid !== ask.sub_mchid || refund.outRefundNo !== ask.out_refund_no) return no(refusals.refundMissing);
  if (refund.status !== 'ABNORMAL') return no(refusals.notAbnormal);
  for (const field of ['bank_account', 'real_name'] as const) {
    const sealed = ask[field];
    if (sealed !== undefined && !opens(sealed)) return no(wrongParameter(`/body/${field}`, '敏感信息解密失败'));
  }
  return ok({ ...refund, status: 'PROCESSING', endsAs, settlesAt, endedAt: null });
}

const amounts = (refund: WechatRefund) => ({ refund: refund.amount, payer_refund: refund.amount, discount_refund: 0, currency: 'CNY' });

/** The answer to the request carries no status: the refund is accepted, no more. */
export function acceptedView(refund: WechatRefund): RefundAccepted {
  return {
    refund_id: refund.refundId,
    out_refund_no: refund.outRefundNo,
    create_time: chinaTime(refund.createdAt),
    amount: amounts(refund),
    refund_account: 'REFUND_SOURCE_SUB_MERCHANT',
  };
}

const RECEIVED_BY = '支付用户零钱';

export function refundView(refund: WechatRefund, sub: WechatSubOrder): Refund {
  return {
    refund_id: refund.refundId,
    out_refund_no: refund.outRefundNo,
    transaction_id: sub.transactionId ?? '',
    out_trade_no: sub.outTradeNo,
    channel: 'ORIGINAL',
    user_received_account: RECEIVED_BY,
    create_time: chinaTime(refund.createdAt),
    status: refund.status,
    amount: amounts(refund),
    ...(refund.status === 'SUCCESS' && refund.endedAt ? { success_time: chinaTime(refund.endedAt) } : {}),
  };
}

export function refundNotice(refund: WechatRefund, sub: WechatSubOrder, mchid: string): RefundNotice {
  return {
    sp_mchid: mchid,
    sub_mchid: sub.subMchid,
    out_trade_no: sub.outTradeNo,
    transaction_id: sub.transactionId ?? '',
    out_refund_no: refund.outRefundNo,
    refund_id: refund.refundId,
    refund_status: refund.status,
    user_received_account: RECEIVED_BY,
    amount: { total: sub.amount, refund: refund.amount, payer_total: sub.amount, payer_refund: refund.amount },
    ...(refund.status === 'SUCCESS' && refund.endedAt ? { success_time: chinaTime(refund.endedAt) } : {}),
  };
}
