/** What comes in by HTTP and changes a payment: the buyer's wishes, the channel's callbacks, the operator's help. */
import type { AccountId, AttemptId, OrderId, UserId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite, write, type Decision } from '@yunshi/messaging/handle';
import { Problem } from '../problems.ts';
import { ask, attempt, leave, seen, type Wish } from './attempts.ts';
import type { ChannelNotice } from './channel.ts';
import { decisionOf } from './handlers.ts';
import { attemptOf } from './numbers.ts';
import { noticeRows, payments, taskRows } from './payments.ts';
import { refundSeen, refundSold, retryRefund } from './refunds.ts';
import type { Payment, Task } from './state.ts';
import type * as tables from '../tables.ts';

type Notice = typeof tables.notices.$inferSelect;

type Opening = Wish & { readonly orderId: OrderId; readonly accountId: AccountId; readonly attemptId: AttemptId };
type Refunding = { readonly orderId: OrderId; readonly amount: Fen; readonly reason: string; readonly by: UserId };
/** What is stored under the Idempotency-Key: which attempt it was, to be shown as it then is. */
export type Opened = { readonly attempt_id: AttemptId };

/** Whether the channel was asked. It is not, where there is nothing to ask or it has just been asked. */
export type AskedChannel = { readonly asked: boolean };

export const paymentWrites = {
  /** Refusals are thrown, so that they are not stored under the Idempotency-Key: most pass by themselves. */
  openAttempt: httpWrite('payment.open-attempt', {
    of: payments,
    key: (asked: Opening) => asked.orderId,
    decide: (asked, payment, { now }) => {
      if (!payment) throw new Problem('payment-not-ready');
      if (payment.accountId !== asked.accountId) throw new Problem('not-found');
      const opened = attempt(payment, { ...asked, now });
      if (!opened.ok) throw new Problem(opened.error);
      const body: Opened = { attempt_id: opened.value.attemptId };
      return { ...decisionOf(payment, opened.value), response: { status: 201, body } };
    },
  }),

  /** Asks the channel now, for a buyer who says that it is paid. */
  askChannel: httpWrite('payment.ask-channel', {
    of: payments,
    key: (asked: { readonly orderId: OrderId }) => asked.orderId,
    decide: (_asked, payment, { now }) => {
      const change = payment && ask(payment, now);
      const body: AskedChannel = { asked: change !== undefined && change.effects.length > 0 };
      return { ...(change && decisionOf(payment, change)), response: { status: 200, body } };
    },
  }),

  /** Has the channel close what is open, for a buyer who wants to pay another way. */
  leaveAttempt: httpWrite('payment.leave-attempt', {
    of: payments,
    key: (asked: { readonly orderId: OrderId; readonly accountId: AccountId }) => asked.orderId,
    decide: ({ accountId }, payment, { now }) => {
      if (payment?.accountId !== accountId) throw new Problem('not-found');
      return decisionOf(payment, leave(payment, now));
    },
  }),

  refundSold: httpWrite('payment.refund-sold', {
    of: payments,
    key: (asked: Refunding) => asked.orderId,
    decide: ({ amount, reason, by }, payment, { now }) => {
      if (!payment) throw new Problem('not-found');
      const refunded = refundSold(payment, { amount, reason }, now);
      if (!refunded.ok) throw new Problem(refunded.error);
      const { writes = [], ...decision } = decisionOf(payment, refunded.value);
      const { refundNo } = refunded.value;
      const act = audited({ actor: by, action: 'refund.ask', object: `refund:${refundNo}`, reason });
      return { ...decision, writes: [...writes, act], response: { status: 202, body: { refund_no: refundNo } } };
    },
  }),

  retryRefund: httpWrite('payment.retry-refund', {
    of: payments,
    key: (asked: { readonly orderId: OrderId; readonly refundNo: string; readonly by: UserId }) => asked.orderId,
    decide: ({ refundNo, by }, payment, { now }) => {
      const retried = payment ? retryRefund(payment, refundNo, now) : undefined;
      if (!payment || !retried?.ok) throw new Problem('refund-not-stuck');
      const { writes = [], ...decision } = decisionOf(payment, retried.value);
      const act = audited({ actor: by, action: 'refund.retry', object: `refund:${refundNo}`, reason: undefined });
      return { ...decision, writes: [...writes, act], response: { status: 202, body: { refund_no: refundNo } } };
    },
  }),

  /** A verified callback is stored and acted on in one transaction, before it is accepted. */
  takeCallback: httpWrite('payment.take-callback', {
    of: payments,
    key: ({ orderId }: { readonly orderId: OrderId; readonly notice: Notice; readonly callback: ChannelNotice }) => orderId,
    decide: ({ notice, callback }, payment, { now }): Decision<Payment> => {
      const decided: Decision<Payment> = payment ? actOn(payment, callback, now) : strange(callback, now);
      return { ...decided, writes: [...(decided.writes ?? []), write(noticeRows, notice)] };
    },
  }),

  /** One that no payment of ours is about, or that could not be acted on: kept, and shown to an operator. */
  keepCallback: httpWrite('payment.keep-callback', {
    of: noticeRows,
    key: ({ notice }: { readonly notice: Notice; readonly callback: ChannelNotice }) => notice.noticeId,
    decide: ({ notice, callback }, known, { now }): Decision<Notice> =>
      known ? {} : { save: notice, ...(callback.kind === 'other' ? {} : strange(callback, now)) },
  }),
};
export type PaymentWrites = typeof paymentWrites;

function actOn(payment: Payment, callback: ChannelNotice, now: Date): Decision<Payment> {
  if (callback.kind === 'refund') return decisionOf(payment, refundSeen(payment, callback.refund, now));
  if (callback.kind === 'other') return {};
  const attemptId = attemptOf(callback.order.number);
  if (attemptId === undefined || !payment.attempts.some((one) => one.attemptId === attemptId)) return strange(callback, now);
  return decisionOf(payment, seen(payment, attemptId, callback.order, now));
}

/** Money, perhaps, that belongs to nothing here. */
function strange(callback: ChannelNotice, now: Date): Pick<Decision<never>, 'writes'> {
  const subject = callback.kind === 'order' ? callback.order.number : callback.kind === 'refund' ? callback.refund.refundNo : callback.id;
  const task: Task = {
    taskId: `order-unknown:${subject}`,
    kind: 'order-unknown',
    orderId: null,
    subject,
    detail: `A verified callback (${callback.id}) is about a number that no payment here has.`,
    openedAt: now,
  };
  return { writes: [write(taskRows, { ...task, resolvedAt: null, resolvedBy: null })] };
}
