/**
 * UnionPay B2B as one of the payment channels: our orders in its words, and its words in ours.
 *
 * It has no call that opens an order and none that closes one. The buyer's browser hands the order over, from a page of ours (`pages.ts`):
 * until that page is pressed nothing exists, and we can close by ourselves; afterwards the order ends when `payTimeout` has passed.
 */
import type { Clock } from '@yunshi/kernel/clock';
import type { Fields } from '@yunshi/protocols/unionpay/message';
import { readShortTime, readTime, wireTime } from '@yunshi/protocols/unionpay/time';
import {
  Accepted,
  Answer,
  codes,
  envelope,
  Found,
  kinds,
  paymentMeaning,
  refundMeaning,
  requestMeaning,
  type Notice,
} from '@yunshi/protocols/unionpay/trade';
import type {
  ChannelNotice,
  ChannelOrder,
  ChannelRefund,
  CloseOutcome,
  OrderSeen,
  PaymentChannel,
  QueryOutcome,
  RefundOutcome,
  RefundQueryOutcome,
} from '../payment/channel.ts';
import type { UnionpayClient } from './client.ts';
import type { Form, UnionpayBook } from './forms.ts';

export const UNIONPAY_CALLBACK = '/v1/notify/unionpay';
export const UNIONPAY_PAGE = '/v1/pay/unionpay';

export type Us = {
  /** Where UnionPay is, and where a browser finds it. */
  readonly baseUrl: string;
  readonly frontBaseUrl: string;
  /** Where it reaches us. */
  readonly notifyBaseUrl: string;
  /** Where a buyer's browser finds our pages. */
  readonly pageBaseUrl: string;
};
type Deps = { readonly client: UnionpayClient; readonly book: UnionpayBook; readonly us: Us; readonly clock: Clock };

/** UnionPay's clock and ours may differ, and what came in the last second may still be at work. */
const GRACE_MS = 5 * 60_000;
const unreadable = { kind: 'unknown', why: 'an answer of another shape' } as const;

export const unionpayChannel = (deps: Deps): PaymentChannel => ({
  place: async (order) => {
    const form = await deps.book.prepare(order, deps.clock.now());
    if (form.voidedAt) return { kind: 'closed' };
    return { kind: 'placed', means: { kind: 'page', url: `${deps.us.pageBaseUrl}${UNIONPAY_PAGE}/${form.token}` } };
  },
  query: async (order, signal) => {
    const form = await deps.book.formOf(order.number);
    return form ? query(form, order, deps, signal) : { kind: 'missing' };
  },
  close: (order, signal) => close(order, deps, signal),
  refund: (refund, signal) => applyFor(refund, deps, signal),
  queryRefund: (refund, signal) => queryRefund(refund, deps, signal),
});

async function query(form: Form, order: ChannelOrder, deps: Deps, signal?: AbortSignal): Promise<QueryOutcome> {
  const about = { number: form.number, payee: form.merId, amount: order.amount, currency: 'CNY' } as const;
  if (form.txnTime === null) return { kind: 'found', order: { ...about, state: form.voidedAt ? 'closed' : 'unpaid' } };
  const asked = { orderId: form.number, merId: form.merId, txnTime: form.txnTime };
  const found = await ask(asked, deps, signal);
  // What has not succeeded by then has failed: UnionPay itself returns what a bank pays later.
  const isOver = deps.clock.now().getTime() >= form.endsAt.getTime() + GRACE_MS;
  const unfinished = (state: 'unpaid' | 'approving'): QueryOutcome => ({
    kind: 'found',
    order: isOver ? { ...about, state: 'closed', failure: 'EXPIRED' } : { ...about, state },
  });
  if (found.kind === 'unknown') return found;
  if (found.kind === 'missing') return unfinished('unpaid');
  switch (paymentMeaning(found.said.origRespCode)) {
    case 'doing':
      return unfinished('approving');
    case 'failed':
      return { kind: 'found', order: { ...about, state: 'closed', failure: `UNIONPAY_${found.said.origRespCode}` } };
    case 'done': {
      const paid = paidOf(found.said);
      return paid ? { kind: 'found', order: paid } : unreadable;
    }
  }
}

type Named = Pick<Found, 'merId' | 'orderId' | 'txnTime'>;

/** What UnionPay says of an order or a refund. That it knows none may be because it has not come there yet. */
async function ask(
  named: Named,
  { client, us }: Deps,
  signal?: AbortSignal,
): Promise<
  { readonly kind: 'found'; readonly said: Found } | { readonly kind: 'missing' } | { readonly kind: 'unknown'; readonly why: string }
> {
  const answer = await client.ask({
    url: `${us.baseUrl}/gateway/api/queryTrans.do`,
    fields: { ...envelope, ...kinds.query, ...named },
    signal,
  });
  if (answer.kind === 'unknown') return answer;
  const said = Answer.safeParse(answer.fields);
  if (!said.success) return unreadable;
  if (said.data.respCode === codes.noSuchOrder) return { kind: 'missing' };
  if (said.data.respCode !== codes.done) return { kind: 'unknown', why: `${said.data.respCode} ${said.data.respMsg}` };
  const found = Found.safeParse(answer.fields);
  if (!found.success) return unreadable;
  const { orderId, txnTime } = found.data;
  // An old answer, played to us again, is truly signed.
  return orderId === named.orderId && txnTime === named.txnTime
    ? { kind: 'found', said: found.data }
    : { kind: 'unknown', why: 'an answer about another order' };
}

function paidOf({ orderId, merId, txnTime, txnAmt, currencyCode, queryId, traceTime }: Partial<Found>): OrderSeen | undefined {
  if (!orderId || !merId || !txnTime || txnAmt === undefined || currencyCode === undefined || queryId === undefined) return undefined;
  const [begunAt, short] = [readTime(txnTime), traceTime];
  const paidAt = begunAt && short !== undefined ? readShortTime(short, begunAt) : undefined;
  return {
    number: orderId,
    payee: merId,
    state: 'paid',
    amount: txnAmt,
    currency: currencyCode === '156' ? 'CNY' : currencyCode,
    transactionId: queryId,
    ...(paidAt && { paidAt: paidAt.toISOString() }),
  };
}

async function close(order: ChannelOrder, deps: Deps, signal?: AbortSignal): Promise<CloseOutcome> {
  const form = await deps.book.close(order, deps.clock.now());
  if (form.voidedAt) return { kind: 'closed' };
  const answer = await query(form, order, deps, signal);
  if (answer.kind !== 'found') return answer;
  switch (answer.order.state) {
    case 'paid':
    case 'revoked':
      return { kind: 'paid' };
    case 'closed':
      return { kind: 'closed' };
    case 'approving':
      return { kind: 'held' };
    case 'unpaid':
      return { kind: 'stays' };
  }
}

/*
 * UnionPay takes letters and digits alone; a second refund of the same money has a «-» in its number. The rest of our numbers is digits and
 * small letters, so that a capital one can stand for it.
 */
const wireNumber = (refundNo: string): string => refundNo.replace('-', 'G');
export const refundNoOf = (number: string): string => number.replace('G', '-');

async function applyFor(
  { refundNo, amount, order, transactionId }: ChannelRefund,
  deps: Deps,
  signal?: AbortSignal,
): Promise<RefundOutcome> {
  const { client, book, us, clock } = deps;
  if (transactionId === undefined) return { kind: 'refused', code: 'NO_QUERY_ID', message: '' };
  const named = { merId: order.payee, orderId: wireNumber(refundNo), txnTime: await book.askRefundAt(refundNo, wireTime(clock.now())) };
  const fields: Fields = {
    ...envelope,
    ...kinds.refund,
    ...named,
    txnAmt: String(amount),
    origQryId: transactionId,
    backUrl: `${us.notifyBaseUrl}${UNIONPAY_CALLBACK}`,
  };
  const answer = await client.ask({ url: `${us.baseUrl}/gateway/api/backTransReq.do`, fields, signal });
  if (answer.kind === 'unknown') return answer;
  const said = Answer.safeParse(answer.fields);
  if (!said.success) return unreadable;
  const { respCode, respMsg } = said.data;
  const meaning = requestMeaning(respCode);
  const accepted = meaning === 'done' ? Accepted.safeParse(answer.fields) : undefined;
  if (accepted?.success && accepted.data.orderId === named.orderId) return { kind: 'accepted', refundId: accepted.data.queryId };
  // It is at work there, or was asked for before: the query knows its number.
  if (meaning !== 'refused' || respCode === codes.duplicate) return acceptedBefore(named, deps, signal);
  await book.forgetRefund(refundNo);
  return { kind: 'refused', code: respCode, message: respMsg };
}

async function acceptedBefore(named: Named, deps: Deps, signal?: AbortSignal): Promise<RefundOutcome> {
  const found = await ask(named, deps, signal);
  if (found.kind === 'found' && found.said.queryId !== undefined) return { kind: 'accepted', refundId: found.said.queryId };
  return { kind: 'unknown', why: found.kind === 'unknown' ? found.why : 'taken in, and not to be found yet' };
}

const refundStatus = { done: 'succeeded', doing: 'processing', failed: 'closed' } as const;

async function queryRefund({ refundNo, order }: ChannelRefund, deps: Deps, signal?: AbortSignal): Promise<RefundQueryOutcome> {
  const txnTime = await deps.book.refundTimeOf(refundNo);
  if (txnTime === undefined) return { kind: 'missing' };
  const found = await ask({ merId: order.payee, orderId: wireNumber(refundNo), txnTime }, deps, signal);
  if (found.kind !== 'found') return found;
  const { origRespCode, txnAmt, queryId, traceTime } = found.said;
  if (txnAmt === undefined || queryId === undefined) return unreadable;
  const status = refundStatus[refundMeaning(origRespCode)];
  return { kind: 'found', refund: { refundNo, refundId: queryId, status, amount: txnAmt, ...endOf({ status, txnTime, traceTime }) } };
}

function endOf({ status, txnTime, traceTime }: { status: string; txnTime: string; traceTime?: string | undefined }) {
  const askedAt = readTime(txnTime);
  const at = status === 'succeeded' && askedAt && traceTime !== undefined ? readShortTime(traceTime, askedAt) : undefined;
  return at && { succeededAt: at.toISOString() };
}

/** A notice in the words of the port. @param form what we remember of the order that it names */
export function noticeOf(notice: Notice, form: Form | undefined): ChannelNotice {
  const { txnType, queryId, respCode, orderId, txnTime, txnAmt, traceTime } = notice;
  const about = { id: `UNIONPAY-${txnType}-${queryId}-${respCode}`, channel: 'unionpay_b2b', foreign: false } as const;
  const paid = paidOf(notice);
  // Only successes are told. Anything else is kept, and a query tells what it means.
  if (paymentMeaning(respCode) !== 'done' || !paid) return { ...about, kind: 'other' };
  if (txnType === '04') {
    const seen = { refundNo: refundNoOf(orderId), refundId: queryId, status: 'succeeded', amount: txnAmt } as const;
    return { ...about, kind: 'refund', refund: { ...seen, ...endOf({ status: 'succeeded', txnTime, traceTime }) } };
  }
  const strange = form && form.txnTime !== txnTime ? { strange: `the time ${txnTime} instead of ${form.txnTime ?? 'none'}` } : {};
  return { ...about, kind: 'order', order: { ...paid, ...strange }, orderId: undefined };
}
