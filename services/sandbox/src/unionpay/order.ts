/** What UnionPay decides about orders and refunds: pure. */
import { chinaDay } from '@yunshi/kernel/calendar';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { Fields } from '@yunshi/protocols/unionpay/message';
import { readTime, wireTime } from '@yunshi/protocols/unionpay/time';
import { envelope, kinds, type PayRequest, type RefundRequest } from '@yunshi/protocols/unionpay/trade';
import type { BankPayment } from '../bank/tables.ts';
import { said, type Said } from './codes.ts';
import type { UnionpayOrder, UnionpayRefund } from './tables.ts';

const [MINUTE_MS, HOUR_MS, DAY_MS] = [60_000, 3_600_000, 86_400_000] as const;
/** A merchant's clock may be this much ahead. */
const AHEAD_MS_MAX = 15 * MINUTE_MS;
const REFUND_DAYS_MAX = 330;
/** When nobody says. */
const PAY_MS = 7 * DAY_MS;

export const keyOf = ({ merId, orderId }: { readonly merId: string; readonly orderId: string }): string => `${merId}:${orderId}`;

type Making = {
  readonly token: string;
  readonly queryId: string;
  readonly traceNo: string;
  readonly now: Date;
  readonly traceparent: string | undefined;
};

/** The browser hands an order over. Handed over again it is the same order; another one under its number is refused. */
export function place(known: UnionpayOrder | undefined, ask: PayRequest, asked: string, making: Making): Result<UnionpayOrder, Said> {
  if (known) return known.asked === asked ? ok(known) : no(said.duplicate);
  const { token, queryId, traceNo, now, traceparent } = making;
  const [begunAt, until] = [readTime(ask.txnTime), ask.payTimeout === undefined ? undefined : readTime(ask.payTimeout)];
  if (!begunAt || begunAt.getTime() > now.getTime() + AHEAD_MS_MAX) return no(said.format);
  if (ask.payTimeout !== undefined && !until) return no(said.format);
  const payUntil = until ?? new Date(begunAt.getTime() + PAY_MS);
  if (payUntil <= now) return no(said.late);
  const { merId, orderId, txnTime, txnAmt: amount, frontUrl, backUrl } = ask;
  const nothing = { bankPaymentNo: null, state: 'open' as const, paidAt: null, settleDay: null };
  const named = { orderKey: keyOf(ask), merId, orderId, txnTime, asked, amount, payUntil, frontUrl, backUrl };
  return ok({ ...named, ...nothing, token, queryId, traceNo, createdAt: now, traceparent: traceparent ?? null });
}

/** A clearing day ends at eleven in the evening. */
export const settleDayOf = (at: Date): string => chinaDay(new Date(at.getTime() + HOUR_MS));

/** What the bank's word, or time, makes of an open order. */
export function settled(order: UnionpayOrder, atBank: BankPayment | undefined, now: Date): UnionpayOrder {
  if (order.state !== 'open' && order.state !== 'lapsed') return order;
  if (atBank?.status === 'SUCCEEDED' && atBank.paidAt)
    return atBank.paidAt <= order.payUntil
      ? { ...order, state: 'paid', paidAt: atBank.paidAt, settleDay: settleDayOf(atBank.paidAt) }
      : { ...order, state: 'returned', paidAt: atBank.paidAt };
  if (atBank?.failedType === 'BANK_REJECTED') return { ...order, state: 'failed' };
  return now >= order.payUntil ? { ...order, state: 'lapsed' } : order;
}

export function refund(
  known: UnionpayRefund | undefined,
  ask: RefundRequest,
  { payment, others }: { readonly payment: UnionpayOrder | undefined; readonly others: readonly UnionpayRefund[] },
  { queryId, traceNo, now, takesMs }: { readonly queryId: string; readonly traceNo: string; readonly now: Date; readonly takesMs: number },
): Result<UnionpayRefund, Said> {
  if (known) return no(said.duplicate);
  if (payment?.merId !== ask.merId || payment.queryId !== ask.origQryId) return no(said.missing);
  if (payment.state !== 'paid' || !payment.paidAt) return no(said.notPaid);
  if (now.getTime() - payment.paidAt.getTime() > REFUND_DAYS_MAX * DAY_MS) return no(said.late);
  const before = others.filter(({ state }) => state !== 'failed').reduce((sum, one) => sum + one.amount, 0);
  if (before + ask.txnAmt > payment.amount) return no(said.tooMuch);
  const { merId, orderId, txnTime, origQryId: origQueryId, txnAmt: amount, backUrl } = ask;
  const named = { orderKey: keyOf(ask), merId, orderId, txnTime, paymentKey: payment.orderKey, origQueryId, amount, backUrl };
  const settlesAt = new Date(now.getTime() + takesMs);
  return ok({ ...named, queryId, traceNo, state: 'accepted', settlesAt, endedAt: null, settleDay: null });
}

/** What has become of an order. One that nobody finished in time is said to be at work for ever. */
export function fateOf(order: UnionpayOrder): Said {
  if (order.state === 'paid') return said.done;
  return order.state === 'failed' ? said.refused : said.atWork;
}
export const fateOfRefund = ({ state }: UnionpayRefund): Said =>
  state === 'succeeded' ? said.done : state === 'failed' ? said.refused : said.atWork;

const shortTime = (at: Date): string => wireTime(at).slice(4);

/** What answers and notices say of money that has moved. */
const movement = (one: UnionpayOrder | UnionpayRefund, at: Date | null): Fields => ({
  txnAmt: String(one.amount),
  currencyCode: '156',
  queryId: one.queryId,
  traceNo: one.traceNo,
  ...(at && { traceTime: shortTime(at) }),
  ...(one.settleDay !== null && { settleDate: one.settleDay.slice(4), settleAmt: String(one.amount), settleCurrencyCode: '156' }),
});

const momentOf = (one: UnionpayOrder | UnionpayRefund): Date | null => ('paidAt' in one ? one.paidAt : one.endedAt);

export const queryView = (one: UnionpayOrder | UnionpayRefund): Fields => {
  const fate = 'paidAt' in one ? fateOf(one) : fateOfRefund(one);
  return { ...movement(one, momentOf(one)), origRespCode: fate.code, origRespMsg: fate.message };
};

export const noticeView = (one: UnionpayOrder | UnionpayRefund): Fields => {
  const { channelType: _, ...kind } = 'paidAt' in one ? kinds.pay : kinds.refund;
  const { merId, orderId, txnTime } = one;
  const { code, message } = said.done;
  const origin = 'origQueryId' in one ? { origQryId: one.origQueryId } : {};
  return { ...envelope, ...kind, ...origin, merId, orderId, txnTime, ...movement(one, momentOf(one)), respCode: code, respMsg: message };
};
