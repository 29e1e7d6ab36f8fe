/** 商企付 as one of the payment channels: our orders in its words, and its words in ours. */
import { chinaTime } from '@yunshi/kernel/calendar';
import { Closed, Payment } from '@yunshi/protocols/mse-pay/payment';
import type { Notice } from '@yunshi/protocols/mse-pay/notice';
import { Refund } from '@yunshi/protocols/mse-pay/refund';
import type {
  ChannelNotice,
  ChannelOrder,
  CloseOutcome,
  OrderSeen,
  PaymentChannel,
  PlaceOutcome,
  QueryOutcome,
  RefundSeen,
} from '../payment/channel.ts';
import { sealed, type Exchange, type MsePayClient } from './client.ts';

export const MSE_PAY_CALLBACK = '/v1/notify/mse-pay';

type Us = {
  readonly notifyBaseUrl: string;
  /** Where the bank's page sends the buyer back to. */
  readonly returnUrl: string | undefined;
  /** The company behind a payee's number: the channel wants its name, encrypted. */
  readonly companyOf: (payee: string) => string;
};

const base = '/v3/mse-pay';
const unreadable = { kind: 'unknown', why: 'an answer of another shape' } as const;
const failure = (answer: Exclude<Exchange, { kind: 'done' }>) =>
  answer.kind === 'unknown' ? answer : { kind: 'refused' as const, code: answer.code, message: answer.message };
const isMissing = (answer: Exchange): boolean => answer.kind === 'refused' && answer.status === 404;

export const msePayChannel = (client: MsePayClient, us: Us): PaymentChannel => ({
  place: async (order, signal) => {
    // A payment that the channel knows already is only shown anew.
    const shown = order.channelNo === undefined ? await create(client, us, order, signal) : await redirect(client, order.channelNo, signal);
    return shown.kind === 'done' ? placed(shown.body) : failure(shown);
  },
  query: (order, signal) => query(client, order, signal),
  close: async (order, signal) => {
    const paymentId = order.channelNo ?? (await numberOf(client, order, signal));
    if (typeof paymentId !== 'string') return paymentId;
    const target = `${base}/payments/${encodeURIComponent(paymentId)}/close`;
    return closed(await client.exchange({ method: 'POST', target, body: { close_reason: '买家更换支付方式或订单已取消' }, signal }));
  },
  refund: async (refund, signal) => {
    const body = {
      ent_id: refund.order.payee,
      out_refund_id: refund.refundNo,
      out_payment_id: refund.order.number,
      total_amount: refund.total,
      refund_amount: refund.amount,
      refund_reason: refund.orphan ? '多付或逾期款项退回' : '订单退款',
      server_notify_url: `${us.notifyBaseUrl}${MSE_PAY_CALLBACK}`,
    };
    const answer = await client.exchange({ method: 'POST', target: `${base}/refunds`, body, signal });
    if (answer.kind !== 'done') return failure(answer);
    const read = Refund.safeParse(answer.body);
    return read.success ? { kind: 'accepted', refundId: read.data.refund_id } : unreadable;
  },
  queryRefund: async ({ refundNo }, signal) => {
    const target = `${base}/refunds/out-refund-id/${encodeURIComponent(refundNo)}`;
    const answer = await client.exchange({ method: 'GET', target, signal });
    if (answer.kind !== 'done') return isMissing(answer) ? { kind: 'missing' } : failure(answer);
    const read = Refund.safeParse(answer.body);
    return read.success ? { kind: 'found', refund: refundSeen(read.data) } : unreadable;
  },
});

async function create(client: MsePayClient, us: Us, order: ChannelOrder, signal?: AbortSignal): Promise<Exchange> {
  const name = sealed(client, us.companyOf(order.payee));
  const body = {
    out_payment_id: order.number,
    amount: order.amount,
    currency: 'CNY',
    expire_time: chinaTime(new Date(order.expiresAt)),
    payee: { ent_id: order.payee, ent_name: name.text },
    memo: order.description,
    attachment: order.orderId,
    notify_url: {
      server_notify_url: `${us.notifyBaseUrl}${MSE_PAY_CALLBACK}`,
      ...(us.returnUrl !== undefined && { front_callback_url: { pc_url: us.returnUrl } }),
    },
    // The buyer has chosen the bank at ours, and pays for a company.
    channel_options: { ...(order.bank && { include_bank_snames: [order.bank] }), include_pay_channels: ['ENTERPRISE'] },
  };
  return client.exchange({ method: 'POST', target: `${base}/payments/pc-pay`, body, fieldKey: name.fieldKey, signal });
}

const redirect = (client: MsePayClient, paymentId: string, signal?: AbortSignal): Promise<Exchange> =>
  client.exchange({ method: 'POST', target: `${base}/redirects`, body: { payment_id: paymentId }, signal });

function placed(body: unknown): PlaceOutcome {
  const read = Payment.safeParse(body);
  if (!read.success) return unreadable;
  const { pay_status: status, payment_id: channelNo, redirect: pages } = read.data;
  if (status === 'CLOSED') return { kind: 'closed' };
  const url = pages?.pc_web?.url;
  if (status === 'PROCESSING') return url === undefined ? unreadable : { kind: 'placed', means: { kind: 'page', url }, channelNo };
  // Paid, held by the bank, or paid and taken back: the query says which.
  return { kind: 'paid' };
}

async function query(client: MsePayClient, order: ChannelOrder, signal?: AbortSignal): Promise<QueryOutcome> {
  const target =
    order.channelNo === undefined
      ? `${base}/payments/out-payment-id/${encodeURIComponent(order.number)}`
      : `${base}/payments/${encodeURIComponent(order.channelNo)}`;
  const answer = await client.exchange({ method: 'GET', target, signal });
  if (answer.kind !== 'done') return isMissing(answer) ? { kind: 'missing' } : failure(answer);
  const read = Payment.safeParse(answer.body);
  return read.success ? { kind: 'found', order: orderSeen(read.data) } : unreadable;
}

/** The channel closes by its own number, which an answer that never came has not told us. */
async function numberOf(client: MsePayClient, order: ChannelOrder, signal?: AbortSignal): Promise<string | CloseOutcome> {
  const found = await query(client, order, signal);
  return found.kind === 'found' ? (found.order.channelNo ?? unreadable) : found;
}

function closed(answer: Exchange): CloseOutcome {
  if (answer.kind === 'done') {
    const read = Closed.safeParse(answer.body);
    if (!read.success) return unreadable;
    return read.data.status === 'CLOSED' ? { kind: 'closed' } : { kind: 'refused', code: read.data.status, message: '' };
  }
  if (isMissing(answer)) return { kind: 'missing' };
  if (answer.kind === 'refused' && answer.code === 'BANK_ACCEPTED') return { kind: 'held' };
  if (answer.kind === 'refused' && answer.code === 'PAYMENT_PAID') return { kind: 'paid' };
  // Codes are not documented: whatever else it is called, a query tells what the payment has become.
  return failure(answer);
}

const states = {
  PROCESSING: 'unpaid',
  BANK_ACCEPTED: 'approving',
  SUCCEEDED: 'paid',
  // Paid, and in clearing between the banks.
  CLEARING: 'paid',
  REVOKED: 'revoked',
  CLOSED: 'closed',
} as const;

/** Leaves out who paid: nobody here needs to know. */
function orderSeen(payment: Payment): OrderSeen {
  const { failed_reason: failed, pay_time: paidAt } = payment;
  return {
    number: payment.out_payment_id,
    payee: payment.payee.ent_id,
    state: states[payment.pay_status],
    amount: payment.amount,
    currency: payment.currency,
    channelNo: payment.payment_id,
    transactionId: payment.payment_id,
    ...(paidAt !== undefined && { paidAt }),
    ...(failed && { failure: failed.failed_type }),
  };
}

const refundStates = {
  INIT: 'processing',
  ACCEPTED: 'processing',
  CANCELLING: 'processing',
  // The money has left the payee and is on its way to the payer.
  MERCHANT_SUCCEEDED: 'processing',
  SUCCEEDED: 'succeeded',
  FAILED: 'closed',
  ABNORMAL: 'abnormal',
} as const;

const refundSeen = (refund: Refund): RefundSeen => ({
  refundNo: refund.out_refund_id,
  refundId: refund.refund_id,
  status: refundStates[refund.status],
  amount: refund.refund_amount,
  ...(refund.refund_time !== undefined && { succeededAt: refund.refund_time }),
});

/** A notice in the words of the port. What happened is in its content; the type of the event only sums it up. */
export function noticeOf({ event_id: id, event_content: content }: Notice): ChannelNotice {
  const about = { id, channel: 'corporate_bank', foreign: false } as const;
  const refund = Refund.safeParse(content);
  if (refund.success) return { ...about, kind: 'refund', refund: refundSeen(refund.data) };
  const payment = Payment.safeParse(content);
  return payment.success ? { ...about, kind: 'order', order: orderSeen(payment.data), orderId: undefined } : { ...about, kind: 'other' };
}
