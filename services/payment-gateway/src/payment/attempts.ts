/** What becomes of attempts to pay: what the buyer asks, and what the channel says. Pure. */
import { paymentReceived, type Channel } from '@yunshi/contracts/payment';
import type { AttemptId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import * as ledger from '../ledger/ledger.ts';
import { orderNumber, subOrderNumber } from './numbers.ts';
import { refundAll } from './refunds.ts';
import {
  isLive,
  isPaid,
  later,
  liveAttempt,
  moved,
  paymentFlow,
  put,
  step,
  unchanged,
  waitOf,
  type Attempt,
  type Change,
  type Effect,
  type OrphanReason,
  type Payment,
  type Task,
} from './state.ts';

/** Waits between two questions about an attempt, in seconds. */
const CHECK_S = [2, 4, 8, 15, 30, 60, 120, 300, 600] as const;
/** A code lives two hours; it is shown anew a little before. */
const CODE_FRESH_MS = 110 * 60_000;
/** WeChat Pay takes orders only that can be paid for another minute; a little more for the way there. */
const WINDOW_MS_MIN = 75_000;
const ATTEMPTS_MAX = 20;
/** What a channel takes at once, in fen: WeChat Pay ten million yuan. */
const AMOUNT_MAX: Readonly<Record<Channel, Fen>> = { wechat_native: 1_000_000_000, corporate_bank: 1_000_000_000_000 };
/** How often an order that we never saw confirmed must be unknown to the channel before we believe it. */
const MISSES_MIN = 2;
const MISSING_AGAIN_S = 30;

export type Unpayable =
  'payment-made' | 'payment-closed' | 'payment-window-over' | 'channel-not-offered' | 'attempt-closing' | 'too-many-attempts';

/** Opens an attempt, or shows the one that is open: a second code for the same order would let a buyer pay twice. */
export function attempt(
  payment: Payment,
  { channel, attemptId, now }: { channel: Channel; attemptId: AttemptId; now: Date },
): Result<Change & { readonly attemptId: AttemptId }, Unpayable> {
  if (payment.status === 'paid') return no('payment-made');
  if (payment.status !== 'open') return no('payment-closed');
  if (payment.payBy.getTime() - now.getTime() < WINDOW_MS_MIN) return no('payment-window-over');
  const payee = payment.payees[channel];
  if (payee === undefined || payment.amount > AMOUNT_MAX[channel]) return no('channel-not-offered');
  const live = liveAttempt(payment);
  if (live?.status === 'closing' || (live && live.channel !== channel)) return no('attempt-closing');
  if (live) {
    const stale = live.codeAt !== null && now.getTime() - live.codeAt.getTime() > CODE_FRESH_MS;
    return ok({ payment, attemptId: live.attemptId, effects: stale ? [{ do: 'place', attempt: live }] : [] });
  }
  if (payment.attempts.length >= ATTEMPTS_MAX) return no('too-many-attempts');
  const { orderId, amount, description, payBy: expiresAt } = payment;
  const unknown = { codeUrl: null, codeAt: null, failure: null, orphanReason: null, transactionId: null, received: null, paidAt: null };
  const fresh: Attempt = {
    attemptId,
    orderId,
    channel,
    payee,
    amount,
    description,
    status: 'opening',
    ...unknown,
    expiresAt,
    createdAt: now,
    checks: 0,
    missed: 0,
  };
  return ok({ payment: { ...payment, attempts: [...payment.attempts, fresh] }, attemptId, effects: [{ do: 'place', attempt: fresh }] });
}

/** The buyer says «I have paid»: ask the channel now. */
export function ask(payment: Payment): Change {
  const live = liveAttempt(payment);
  return { payment, effects: live && live.status !== 'opening' ? [{ do: 'query', attempt: live }] : [] };
}

export type Placed =
  | { readonly kind: 'placed'; readonly codeUrl: string }
  | { readonly kind: 'paid' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'unknown' };

/** The channel's answer to an order. An unknown one is asked for again with the same number, unless nobody wants it any more. */
export function placed(payment: Payment, attemptId: AttemptId, answer: Placed, now: Date): Change {
  const found = payment.attempts.find((one) => one.attemptId === attemptId);
  if (!found || !isLive(found)) return unchanged(payment);
  const wanted = payment.status === 'open' && now < found.expiresAt;
  switch (answer.kind) {
    case 'placed': {
      const shown = { ...found, codeUrl: answer.codeUrl, codeAt: now, checks: 0 };
      const opened = shown.status === 'opening' ? step(shown, 'open') : shown;
      if (!wanted) return closeOne(put(payment, opened), opened, now);
      return { payment: put(payment, opened), effects: [{ do: 'check', at: later(now, waitOf(CHECK_S, 0)) }] };
    }
    case 'paid':
      return askAgain(payment, found.status === 'opening' ? step(found, 'open') : found, now, 'at-once');
    case 'closed':
    case 'refused': {
      const failure = answer.kind === 'closed' ? 'ORDER_CLOSED' : answer.code;
      if (found.status === 'opening') return settleClosing(put(payment, { ...step(found, 'fail'), failure }));
      return askAgain(payment, found, now);
    }
    case 'unknown': {
      if (found.status !== 'opening') return askAgain(payment, found, now);
      if (!wanted) return closeOne(payment, found, now);
      const waiting = { ...found, checks: found.checks + 1 };
      return {
        payment: put(payment, waiting),
        effects: [{ do: 'place', attempt: waiting, at: later(now, waitOf(CHECK_S, found.checks)) }],
      };
    }
  }
}

export type ClosedAnswer = { readonly kind: 'closed' | 'paid' | 'missing' | 'refused' | 'unknown' };

/** The channel's answer to a close. Only its «closed» lets the order go. */
export function closeAnswered(payment: Payment, attemptId: AttemptId, answer: ClosedAnswer, now: Date): Change {
  const found = payment.attempts.find((one) => one.attemptId === attemptId);
  if (found?.status !== 'closing') return unchanged(payment);
  switch (answer.kind) {
    case 'closed':
      return settleClosing(put(payment, step(found, 'end')));
    case 'paid':
      return askAgain(payment, found, now, 'at-once');
    case 'missing':
      return missing(payment, found, now);
    case 'refused':
    case 'unknown':
      return askAgain(payment, found, now);
  }
}

/** What a verified query or callback says of an order. */
export type Seen = {
  readonly number: string;
  readonly subNumber: string;
  readonly subMchid: string;
  readonly subOrders: number;
  readonly state: 'unpaid' | 'paid' | 'closed';
  readonly amount: Fen;
  readonly currency: string;
  readonly transactionId?: string | undefined;
  readonly paidAt?: string | undefined;
};
export type Queried = { readonly kind: 'found'; readonly order: Seen } | { readonly kind: 'missing' | 'refused' | 'unknown' };

export function queried(payment: Payment, attemptId: AttemptId, answer: Queried, now: Date): Change {
  const found = payment.attempts.find((one) => one.attemptId === attemptId);
  if (!found) return unchanged(payment);
  if (answer.kind === 'found') return seen(payment, attemptId, answer.order, now);
  if (found.status !== 'open' && found.status !== 'closing') return unchanged(payment);
  return answer.kind === 'missing' ? missing(payment, found, now) : askAgain(payment, found, now);
}

/** Takes in what the channel says of an order, however often and in whatever order it says it. */
export function seen(payment: Payment, attemptId: AttemptId, order: Seen, now: Date): Change {
  const found = payment.attempts.find((one) => one.attemptId === attemptId);
  if (!found || isPaid(found)) return unchanged(payment);
  const strange = strangeness(found, order);
  if (strange !== undefined) return mismatch(payment, found, strange, now);
  if (order.state === 'paid') return received(payment, found, order, now);
  if (found.status !== 'open' && found.status !== 'closing') return unchanged(payment);
  if (order.state === 'closed') return settleClosing(put(payment, step(found, 'end')));
  if (found.status === 'closing') return { payment, effects: [{ do: 'close', attempt: found }] };
  return now < found.expiresAt ? askAgain(payment, found, now) : closeOne(payment, found, now);
}

/** What does not fit the attempt, if anything. The amount is judged later: a wrong one is money all the same. */
function strangeness(attempt: Attempt, order: Seen): string | undefined {
  if (order.number !== orderNumber(attempt.attemptId)) return `order number ${order.number}`;
  if (order.subNumber !== subOrderNumber(attempt.attemptId)) return `sub order number ${order.subNumber}`;
  if (order.subMchid !== attempt.payee) return `payee ${order.subMchid} instead of ${attempt.payee}`;
  if (order.subOrders !== 1) return `${order.subOrders} sub orders`;
  return order.currency === 'CNY' ? undefined : `currency ${order.currency}`;
}

/** Not ours as it stands: nothing is done with it but to show it to an operator. */
function mismatch(payment: Payment, attempt: Attempt, strange: string, now: Date): Change {
  const task: Task = {
    taskId: `order-mismatch:${attempt.attemptId}`,
    kind: 'order-mismatch',
    orderId: payment.orderId,
    subject: orderNumber(attempt.attemptId),
    detail: `The channel names ${strange}.`,
    openedAt: now,
  };
  return { payment, effects: [{ do: 'task', task }] };
}

function received(payment: Payment, found: Attempt, order: Seen, now: Date): Change {
  const paidAt = order.paidAt === undefined ? now : new Date(order.paidAt);
  const cash: Attempt = { ...found, received: order.amount, paidAt, transactionId: order.transactionId ?? null };
  const { orderId, accountId, providerId, paymentId } = payment;
  const movement = { orderId, accountId, providerId, at: now, amount: order.amount, channel: found.channel };
  if (payment.status === 'open' && order.amount === found.amount) {
    const kept = put({ ...payment, status: moved(paymentFlow, payment.status, 'receive'), paidAt }, step(cash, 'keep'));
    const data = { orderId, accountId, paymentId, attemptId: found.attemptId, channel: found.channel, amount: order.amount };
    return {
      payment: kept,
      effects: [
        { do: 'post', entry: ledger.receipt(found.attemptId, movement) },
        { do: 'tell', event: paymentReceived({ ...data, paidAt: paidAt.toISOString() }) },
        ...(payment.collector ? [{ do: 'answer-paid' as const, to: payment.collector, paymentId, paidAt, channel: found.channel }] : []),
      ],
    };
  }
  const reason: OrphanReason = order.amount !== found.amount ? 'wrong-amount' : payment.status === 'paid' ? 'double' : 'late';
  const orphan: Attempt = { ...step(cash, 'orphan'), orphanReason: reason };
  // Whoever asked for the money back waits until this money, too, has gone back.
  const status = payment.status === 'closing' ? moved(paymentFlow, payment.status, 'receive') : payment.status;
  const change = refundAll(put({ ...payment, status }, orphan), orphan, now);
  return { payment: change.payment, effects: [{ do: 'post', entry: ledger.orphanReceipt(found.attemptId, movement) }, ...change.effects] };
}

/** The time to look at the attempts again has come. */
export function check(payment: Payment, now: Date): Change {
  const live = liveAttempt(payment);
  if (!live || live.status === 'opening') return unchanged(payment);
  if (live.status === 'open' && now >= live.expiresAt) return closeOne(payment, live, now);
  return { payment, effects: [{ do: 'query', attempt: live }] };
}

function askAgain(payment: Payment, found: Attempt, now: Date, when: 'at-once' | 'later' = 'later'): Change {
  const waiting = { ...found, checks: found.checks + 1 };
  const at = later(now, waitOf(CHECK_S, found.checks));
  // Nobody can pay after this, so there is no use in waiting much longer.
  const end = later(found.expiresAt, 5);
  const next: Effect = { do: 'check', at: found.status === 'open' && at > end && end > now ? end : at };
  return { payment: put(payment, waiting), effects: when === 'at-once' ? [{ do: 'query', attempt: waiting }, next] : [next] };
}

/** The channel does not know the order. If it had confirmed it before, that is strange; if not, the order may still be on its way. */
function missing(payment: Payment, found: Attempt, now: Date): Change {
  const missed = { ...found, missed: found.missed + 1 };
  if (found.codeUrl === null && missed.missed >= MISSES_MIN && found.status === 'closing')
    return settleClosing(put(payment, step(missed, 'end')));
  if (found.codeUrl === null) return { payment: put(payment, missed), effects: [{ do: 'check', at: later(now, MISSING_AGAIN_S) }] };
  return askAgain(payment, missed, now);
}

function closeOne(payment: Payment, found: Attempt, now: Date): Change {
  if (found.status === 'closing') return unchanged(payment);
  const closing = { ...step(found, 'close'), checks: 0 };
  // The check is there in case the close is never answered.
  return {
    payment: put(payment, closing),
    effects: [
      { do: 'close', attempt: closing },
      { do: 'check', at: later(now, waitOf(CHECK_S, 4)) },
    ],
  };
}

export function closeAll(payment: Payment, now: Date): Change {
  const live = liveAttempt(payment);
  // An order that the channel has not answered yet is closed when the answer is there: closing what has not arrived closes nothing.
  if (live?.status === 'open') return closeOne(payment, live, now);
  return live ? unchanged(payment) : settleClosing(payment);
}

/** Once nothing can be paid any more, whoever asked for the money back is told. */
function settleClosing(payment: Payment): Change {
  if (payment.status !== 'closing' || liveAttempt(payment)) return unchanged(payment);
  const closed = { ...payment, status: moved(paymentFlow, payment.status, 'close') };
  return { payment: closed, effects: payment.returners.map((to) => ({ do: 'answer-closed', to })) };
}
