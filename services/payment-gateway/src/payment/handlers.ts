/** Messages, deadlines and outcomes in; what follows out. The decisions themselves are in payment.ts, attempts.ts and refunds.ts. */
import { orderCompleted } from '@yunshi/contracts/order';
import { collectPayment, pausePayment, rebillPayment, resumePayment, returnPayment } from '@yunshi/contracts/payment';
import type { OrderId, PaymentId, ProviderId } from '@yunshi/kernel/ids';
import {
  due,
  handle,
  on,
  performs,
  whenCalled,
  write,
  type Decision,
  type Handler,
  type Performer,
  type SagaRef,
} from '@yunshi/messaging/handle';
import { postingRows, rowsOfEntry } from '../ledger/entries.ts';
import { release, shared, shareReturned, type Shared } from '../settlement/settlement.ts';
import { returnShare, shareProfit } from '../sharing/calls.ts';
import type { ReturnOutcome, ShareOutcome } from '../wechat/sharing.ts';
import { check, closeAnswered, placed, queried, recheck } from './attempts.ts';
import { applyRefund, closeOrder, placeOrder, queryOrder, queryRefund } from './calls.ts';
import type { ChannelOrder, ChannelRefund, Channels, PaymentChannel } from './channel.ts';
import { endOf } from './channels.ts';
import { orderNumber, shareNumber, shareReturnNumber } from './numbers.ts';
import { answerPause, pause, rebill, resume } from './pause.ts';
import { collect, giveBack, sell } from './payment.ts';
import { payments, taskRows } from './payments.ts';
import { checkRefunds, refundAnswered, refundQueried } from './refunds.ts';
import { liveAttempt, type Asker, type Attempt, type Change, type Effect, type Payment, type Refund } from './state.ts';

const CHECK = 'payment.check';
const CHECK_REFUNDS = 'payment.check-refunds';
const RELEASE = 'settlement.release';
/** Somebody doubts what we know of a payment: the channel is asked about all of it. */
export const RECHECK = 'payment.recheck';

type Deps = {
  readonly payeesOf: (providerId: ProviderId) => Payment['payees'];
  readonly newPaymentId: (at: Date) => PaymentId;
};

export const paymentHandlers = ({ payeesOf, newPaymentId }: Deps): readonly Handler[] => [
  handle(collectPayment, {
    of: payments,
    key: (ask) => ask.orderId,
    decide: (ask, payment, { now, from, reply }) => {
      const bill = { ...ask, payBy: new Date(ask.payBy), payees: payeesOf(ask.providerId) };
      const collected = collect(payment, bill, { now, from, paymentId: newPaymentId(now) });
      if (!collected.ok) return { reply: reply.refused({ reason: collected.error }) };
      return decisionOf(payment, collected.value, from);
    },
  }),
  handle(returnPayment, {
    of: payments,
    key: (ask) => ask.orderId,
    decide: ({ orderId, accountId }, payment, { now, from }) =>
      decisionOf(payment, giveBack(payment, { orderId, accountId }, { now, from, paymentId: newPaymentId(now) }), from),
  }),
  ...priceChangeHandlers,
  on(orderCompleted, {
    of: payments,
    key: (event) => event.orderId,
    decide: (_event, payment, { now }) => {
      const sold = sell(payment, now);
      return sold ? decisionOf(payment, sold) : {};
    },
  }),
  due(CHECK, { of: payments, decide: (_key: OrderId, payment, { now }) => (payment ? decisionOf(payment, check(payment, now)) : {}) }),
  due(CHECK_REFUNDS, {
    of: payments,
    decide: (_key: OrderId, payment, { now }) => (payment ? decisionOf(payment, checkRefunds(payment, now)) : {}),
  }),
  due(RELEASE, {
    of: payments,
    decide: (_key: OrderId, payment, { now }) => (payment ? decisionOf(payment, release(payment, now)) : {}),
  }),
  due(RECHECK, { of: payments, decide: (_key: OrderId, payment) => (payment ? decisionOf(payment, recheck(payment)) : {}) }),
  ...outcomeHandlers,
  ...sharingHandlers,
];

const priceChangeHandlers: readonly Handler[] = [
  handle(pausePayment, {
    of: payments,
    key: (ask) => ask.orderId,
    decide: (_ask, payment, { now, from, reply }) => {
      const paused = pause(payment, from, now);
      return paused.ok ? decisionOf(payment, paused.value, from) : { reply: reply.refused({ reason: paused.error }) };
    },
  }),
  handle(resumePayment, {
    of: payments,
    key: (ask) => ask.orderId,
    decide: (_ask, payment, { reply }) => ({ ...(payment && decisionOf(payment, resume(payment))), reply: reply.resumed({}) }),
  }),
  handle(rebillPayment, {
    of: payments,
    key: (ask) => ask.orderId,
    decide: ({ amount }, payment, { now, reply }) => ({
      ...(payment && decisionOf(payment, rebill(payment, amount, now))),
      reply: reply.rebilled({}),
    }),
  }),
];

/** What becomes of the answers, and of their absence. */
const outcomeHandlers: readonly Handler[] = [
  whenCalled(placeOrder, {
    of: payments,
    decide: ({ request, outcome }, payment, { now }) =>
      payment ? decisionOf(payment, placed(payment, request.attemptId, outcome, now)) : {},
  }),
  whenCalled(queryOrder, {
    of: payments,
    decide: ({ request, outcome }, payment, { now }) =>
      payment ? decisionOf(payment, queried(payment, request.attemptId, outcome, now)) : {},
  }),
  whenCalled(closeOrder, {
    of: payments,
    decide: ({ request, outcome }, payment, { now }) =>
      payment ? decisionOf(payment, closeAnswered(payment, request.attemptId, outcome, now)) : {},
  }),
  whenCalled(applyRefund, {
    of: payments,
    decide: ({ request, outcome }, payment, { now }) =>
      payment ? decisionOf(payment, refundAnswered(payment, request.refundNo, outcome, now)) : {},
  }),
  whenCalled(queryRefund, {
    of: payments,
    decide: ({ request, outcome }, payment, { now }) =>
      payment ? decisionOf(payment, refundQueried(payment, request.refundNo, outcome, now)) : {},
  }),
];

const sharingHandlers: readonly Handler[] = [
  whenCalled(shareProfit, {
    of: payments,
    decide: ({ outcome }, payment, { now }) => (payment ? decisionOf(payment, shared(payment, sharedAs(outcome), now)) : {}),
  }),
  whenCalled(returnShare, {
    of: payments,
    decide: ({ request, outcome }, payment, { now }) =>
      payment ? decisionOf(payment, shareReturned(payment, request.returnNo, sharedAs(outcome), now)) : {},
  }),
];

function sharedAs(outcome: ShareOutcome | ReturnOutcome): Shared {
  switch (outcome.kind) {
    case 'shared':
    case 'returned':
      return { kind: 'done' };
    case 'pending':
      return { kind: 'processing' };
    case 'failed':
      return { kind: 'closed', why: outcome.why };
    case 'missing':
      return { kind: 'refused', code: 'MISSING', message: 'The channel does not know what is to be shared.' };
    case 'refused':
    case 'unknown':
      return outcome;
  }
}

export function performers(channels: Channels): readonly Performer[] {
  // An attempt outlives its channel's service: its calls wait until the channel is back, and end as a dead letter if it never is.
  const of = ({ channel }: Pick<ChannelOrder, 'channel'>): PaymentChannel => {
    const found = channels[channel];
    if (!found) throw new Error(`channel ${channel} is not in service here`);
    return found;
  };
  return [
    performs(placeOrder, async (order, { signal }) => of(order).place(order, signal)),
    performs(queryOrder, async (order, { signal }) => of(order).query(order, signal)),
    performs(closeOrder, async (order, { signal }) => of(order).close(order, signal)),
    performs(applyRefund, async (refund, { signal }) => of(refund.order).refund(refund, signal)),
    performs(queryRefund, async (refund, { signal }) => of(refund.order).queryRefund(refund, signal)),
  ];
}

/** A change in the words of the core. `from` is whoever waits for the reply to the message in hand. */
export function decisionOf(before: Payment | undefined, change: Change, from?: SagaRef): Decision<Payment> {
  const { payment, effects } = answerPause(change);
  const decision: Mutable<Decision<Payment>> = payment === before ? {} : { save: payment };
  for (const effect of effects) record(decision, effect, { payment, from });
  const settled = before && liveAttempt(before) && !liveAttempt(payment);
  return settled ? { ...decision, cancelDeadlines: [{ kind: CHECK, key: payment.orderId }] } : decision;
}

const deadlineOf = { check: CHECK, 'check-refunds': CHECK_REFUNDS, release: RELEASE } as const;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Recording = { readonly payment: Payment; readonly from: SagaRef | undefined };

function record(decision: Mutable<Decision<Payment>>, effect: Effect, { payment, from }: Recording): void {
  switch (effect.do) {
    case 'place':
    case 'query':
    case 'close':
    case 'refund':
    case 'query-refund':
    case 'share':
    case 'return-share':
      decision.calls = [...(decision.calls ?? []), callOf(payment, effect)];
      return;
    case 'check':
    case 'check-refunds':
    case 'release': {
      const kind = deadlineOf[effect.do];
      decision.deadlines = [...(decision.deadlines ?? []), { kind, key: payment.orderId, dueAt: effect.at }];
      return;
    }
    case 'answer-paid':
    case 'answer-held':
    case 'answer-closed':
    case 'answer-paused':
    case 'answer-not-paused':
    case 'answer-refunded': {
      const reply = replyOf(effect);
      if (isSame(effect.to, from)) decision.reply = reply;
      else decision.answers = [...(decision.answers ?? []), { to: effect.to, reply }];
      return;
    }
    case 'tell':
      decision.events = [...(decision.events ?? []), effect.event];
      return;
    case 'post':
      decision.writes = [...(decision.writes ?? []), ...rowsOfEntry(effect.entry).map((row) => write(postingRows, row))];
      return;
    case 'task':
      decision.writes = [...(decision.writes ?? []), write(taskRows, { ...effect.task, resolvedAt: null, resolvedBy: null })];
      return;
  }
}

function replyOf(effect: Extract<Effect, { to: Asker }>) {
  switch (effect.do) {
    case 'answer-paid':
      return collectPayment.reply.paid({ paymentId: effect.paymentId, channel: effect.channel, paidAt: effect.paidAt.toISOString() });
    case 'answer-held':
      return collectPayment.reply.held({ until: effect.until.toISOString() });
    case 'answer-closed':
      return returnPayment.reply.closed({});
    case 'answer-paused':
      return pausePayment.reply.paused({});
    case 'answer-not-paused':
      return pausePayment.reply.refused({ reason: effect.reason });
    case 'answer-refunded':
      return returnPayment.reply.refunded({ amount: effect.amount });
  }
}

function callOf({ orderId, collector }: Payment, effect: Extract<Effect, { attempt: unknown }>) {
  // The buyer pays by a request of its own, but the channel is called, and calls back, in the trace of the purchase.
  const traceparent = collector?.traceparent;
  const when = { ...(effect.at && { notBefore: effect.at }), ...(traceparent !== undefined && { traceparent }) };
  switch (effect.do) {
    case 'place':
      return placeOrder.intent(orderId, channelOrder(effect.attempt), when);
    case 'query':
      return queryOrder.intent(orderId, channelOrder(effect.attempt), when);
    case 'close':
      return closeOrder.intent(orderId, channelOrder(effect.attempt), when);
    case 'refund':
      return applyRefund.intent(orderId, channelRefund(effect.refund, effect.attempt), when);
    case 'query-refund':
      return queryRefund.intent(orderId, channelRefund(effect.refund, effect.attempt), when);
    case 'share':
      return shareProfit.intent(orderId, { ...sharingOf(effect.attempt), amount: effect.own, finish: true }, when);
    case 'return-share': {
      const { generation, commission, server } = effect.refund;
      return returnShare.intent(
        orderId,
        { ...sharingOf(effect.attempt), returnNo: shareReturnNumber(effect.attempt.attemptId, generation), amount: commission + server },
        when,
      );
    }
  }
}

/** Which payment is shared out, and under which number. */
function sharingOf({ attemptId, payee, transactionId }: Attempt) {
  if (transactionId === null) throw new Error(`nothing can be shared out of ${attemptId}: the channel has not said which payment it is`);
  return { payee, transactionId, shareNo: shareNumber(attemptId) };
}

const channelOrder = (attempt: Attempt): ChannelOrder => ({
  channel: attempt.channel,
  attemptId: attempt.attemptId,
  orderId: attempt.orderId,
  number: orderNumber(attempt.attemptId),
  payee: attempt.payee,
  amount: attempt.amount,
  description: attempt.description,
  openedAt: attempt.createdAt.toISOString(),
  expiresAt: attempt.expiresAt.toISOString(),
  endsAt: endOf(attempt).toISOString(),
  ...(attempt.bank !== null && { bank: attempt.bank }),
  ...(attempt.channelNo !== null && { channelNo: attempt.channelNo }),
});

const channelRefund = ({ refundNo, amount, createdAt }: Refund, attempt: Attempt): ChannelRefund => ({
  refundNo,
  amount,
  total: attempt.received ?? attempt.amount,
  orphan: attempt.orphanReason !== null,
  askedAt: createdAt.toISOString(),
  order: channelOrder(attempt),
  ...(attempt.transactionId !== null && { transactionId: attempt.transactionId }),
});

const isSame = (one: Asker, other: SagaRef | undefined): boolean =>
  one.sagaId === other?.sagaId && one.step === other.step && one.direction === other.direction;
