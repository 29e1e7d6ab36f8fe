/** WeChat Pay as payment-gateway uses it: combined Native orders of one sub order each, and refunds. Every expected outcome is a value. */
import { Certificates } from '@yunshi/protocols/wechat/certificates';
import { CombineNativeAnswer, CombineOrder, type CombineCloseRequest, type CombineNativeRequest } from '@yunshi/protocols/wechat/combine';
import { MISSING_CODES, PAID_CODES } from '@yunshi/protocols/wechat/error';
import { Refund, RefundAccepted, type RefundNotice, type RefundRequest } from '@yunshi/protocols/wechat/refund';
import { open } from '@yunshi/protocols/wechat/seal';
import type { Fen } from '@yunshi/kernel/money';
import type { CloseOutcome, RefundOutcome, RefundQueryOutcome, RefundSeen } from '../payment/channel.ts';
import type { Exchange, WechatClient } from './client.ts';
import type { Keyring } from './keyring.ts';
import { failure, unreadable } from './outcomes.ts';

/** What WeChat Pay says of one order: of the callback and of a query alike. */
export type WechatOrder = {
  readonly number: string;
  /** Whose order it is: all of it must be ours and the attempt's. */
  readonly appid: string;
  readonly mchid: string;
  readonly subMchid: string;
  readonly subNumber: string;
  readonly subOrders: number;
  readonly state: 'unpaid' | 'paid' | 'closed';
  readonly amount: Fen;
  readonly currency: string;
  readonly transactionId?: string;
  readonly paidAt?: string;
};

type Failed = Extract<CloseOutcome, { kind: 'refused' | 'unknown' }>;
type Placed = { readonly kind: 'placed'; readonly codeUrl: string } | { readonly kind: 'paid' | 'closed' } | Failed;
type Queried = { readonly kind: 'found'; readonly order: WechatOrder } | { readonly kind: 'missing' } | Failed;

export type WechatPay = ReturnType<typeof wechatPay>;

export function wechatPay({ client, keyring, apiV3Keys }: { client: WechatClient; keyring: Keyring; apiV3Keys: () => readonly Buffer[] }) {
  return {
    place: async (order: CombineNativeRequest, signal?: AbortSignal): Promise<Placed> => {
      const answer = await client.exchange({ method: 'POST', target: '/v3/combine-transactions/native', body: order, signal });
      if (answer.kind !== 'done') return isPaid(answer) ? { kind: 'paid' } : isClosed(answer) ? { kind: 'closed' } : failure(answer);
      const read = CombineNativeAnswer.safeParse(answer.body);
      return read.success ? { kind: 'placed', codeUrl: read.data.code_url } : unreadable;
    },

    query: async (number: string, signal?: AbortSignal): Promise<Queried> => {
      const answer = await client.exchange({
        method: 'GET',
        target: `/v3/combine-transactions/out-trade-no/${encodeURIComponent(number)}`,
        signal,
      });
      if (answer.kind !== 'done') return isMissing(answer) ? { kind: 'missing' } : failure(answer);
      const read = CombineOrder.safeParse(answer.body);
      return read.success ? { kind: 'found', order: orderSeen(read.data) } : unreadable;
    },

    close: async (number: string, order: CombineCloseRequest, signal?: AbortSignal): Promise<CloseOutcome> => {
      const target = `/v3/combine-transactions/out-trade-no/${encodeURIComponent(number)}/close`;
      const answer = await client.exchange({ method: 'POST', target, body: order, signal });
      if (answer.kind === 'done' || isClosed(answer)) return { kind: 'closed' };
      return isPaid(answer) ? { kind: 'paid' } : isMissing(answer) ? { kind: 'missing' } : failure(answer);
    },

    refund: async (refund: RefundRequest, signal?: AbortSignal): Promise<RefundOutcome> => {
      const answer = await client.exchange({ method: 'POST', target: '/v3/ecommerce/refunds/apply', body: refund, signal });
      if (answer.kind !== 'done') return failure(answer);
      const read = RefundAccepted.safeParse(answer.body);
      return read.success ? { kind: 'accepted', refundId: read.data.refund_id } : unreadable;
    },

    queryRefund: async (refundNo: string, subMchid: string, signal?: AbortSignal): Promise<RefundQueryOutcome> => {
      const target = `/v3/ecommerce/refunds/out-refund-no/${encodeURIComponent(refundNo)}?sub_mchid=${encodeURIComponent(subMchid)}`;
      const answer = await client.exchange({ method: 'GET', target, signal });
      if (answer.kind !== 'done') return isMissing(answer) ? { kind: 'missing' } : failure(answer);
      const read = Refund.safeParse(answer.body);
      return read.success ? { kind: 'found', refund: refundSeen(read.data) } : unreadable;
    },

    /**
     * Certificate mode: fetches every certificate that is in use. The answer is signed by one of them, which nobody can know
     * before; that only WeChat Pay could have sealed it with our APIv3 key is what makes it trustworthy.
     */
    learnCertificates: async (signal?: AbortSignal): Promise<Exchange['kind']> => {
      const learn = (body: unknown): void => {
        for (const { serial_no, encrypt_certificate } of Certificates.parse(body).data) {
          const opened = apiV3Keys()
            .map((key) => open(encrypt_certificate, key))
            .find((one) => one.ok);
          if (!opened?.ok) throw new Error(`certificate ${serial_no} was not sealed with our APIv3 key`);
          keyring.add(serial_no, opened.value);
        }
      };
      return (await client.exchange({ method: 'GET', target: '/v3/certificates?algorithm_type=RSA', signal, learn })).kind;
    },
  };
}

const isPaid = (answer: Exchange): boolean => answer.kind === 'refused' && PAID_CODES.has(answer.code);
const isClosed = (answer: Exchange): boolean => answer.kind === 'refused' && answer.code === 'ORDER_CLOSED';
const isMissing = (answer: Exchange): boolean => answer.kind === 'refused' && answer.status === 404 && MISSING_CODES.has(answer.code);

const states = { NOTPAY: 'unpaid', USERPAYING: 'unpaid', PAYERROR: 'unpaid', SUCCESS: 'paid', REFUND: 'paid', CLOSED: 'closed' } as const;

/** Leaves out who paid: nobody here needs to know. A refunded order has been paid too. */
export function orderSeen(order: CombineOrder): WechatOrder {
  const [sub] = order.sub_orders;
  if (!sub) throw new Error(`order ${order.combine_out_trade_no} has no sub order`);
  return {
    number: order.combine_out_trade_no,
    appid: order.combine_appid,
    mchid: order.combine_mchid,
    subMchid: sub.sub_mchid,
    subNumber: sub.out_trade_no,
    subOrders: order.sub_orders.length,
    state: states[sub.trade_state],
    amount: sub.amount.total_amount,
    currency: sub.amount.currency ?? 'CNY',
    ...(sub.transaction_id === undefined ? {} : { transactionId: sub.transaction_id }),
    ...(sub.success_time === undefined ? {} : { paidAt: sub.success_time }),
  };
}

const refundStates = { PROCESSING: 'processing', SUCCESS: 'succeeded', ABNORMAL: 'abnormal', CLOSED: 'closed' } as const;

export function refundSeen(refund: Refund): RefundSeen {
  return {
    refundNo: refund.out_refund_no,
    refundId: refund.refund_id,
    status: refundStates[refund.status],
    amount: refund.amount.refund,
    ...(refund.success_time === undefined ? {} : { succeededAt: refund.success_time }),
  };
}

export function refundNoticeSeen(notice: RefundNotice): RefundSeen {
  return {
    refundNo: notice.out_refund_no,
    refundId: notice.refund_id,
    status: refundStates[notice.refund_status],
    amount: notice.amount.refund,
    ...(notice.success_time === undefined ? {} : { succeededAt: notice.success_time }),
  };
}
