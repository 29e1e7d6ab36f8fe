/** What becomes of attempts to pay: what the buyer asks, and what the channel says. Pure. */
import { corporatePaymentMoved, paymentReceived, type Channel } from '@yunshi/contracts/payment';
import type { BankCode } from '@yunshi/kernel/banks';
import type { AttemptId } from '@yunshi/kernel/ids';
import { no, ok, type Result } from '@yunshi/kernel/result';
import * as ledger from '../ledger/ledger.ts';
import type { CloseOutcome, OrderSeen, PlaceOutcome, QueryOutcome } from './channel.ts';
import { approveBy, channelRules, endOf, HOLD_MS_MAX, windowOf } from './channels.ts';
import { orderNumber } from './numbers.ts';
import { refundAll } from './refunds.ts';
import { revoke } from './revocation.ts';
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
/** A checker takes hours or days, and the bank tells when it is done: these questions are only there in case it does not. */
const APPROVAL_CHECK_S = [60, 300, 900, 1_800] as const;
/** A buyer who keeps saying «I have paid» has the channel asked once in this time. */
const ASK_MS_MIN = 3_000;
const ATTEMPTS_MAX = 20;
/** How often an order that we never saw confirmed must be unknown to the channel before we believe it. */
const MISSES_MIN = 2;
const MISSING_AGAIN_S = 30;

export type Unpayable =
  | 'payment-made'
  | 'payment-closed'
  | 'payment-window-over'
  | 'price-changing'
  | 'channel-not-offered'
  | 'attempt-open'
  | 'attempt-closing'
  | 'too-many-attempts';

export type Wish = { readonly channel: Channel; readonly bank?: BankCode | null | undefined };

/** Opens an attempt, or shows the one that is open: a second way to pay the same order would let a buyer pay twice. */
export function attempt(
  payment: Payment,
  { channel, bank = null, attemptId, now }: Wish & { readonly attemptId: AttemptId; readonly now: Date },
): Result<Change & { readonly attemptId: AttemptId }, Unpayable> {
  if (payment.status === 'paid' || payment.status === 'revoked' || payment.status === 'restored') return no('payment-made');
  if (payment.status !== 'open') return no('payment-closed');
  if (payment.pause) return no('price-changing');
  const rules = channelRules[channel];
  const payee = payment.payees[channel];
  if (payee === undefined || payment.amount > rules.amountMax) return no('channel-not-offered');
  const live = liveAttempt(payment);
  if (live?.status === 'closing') return no('attempt-closing');
  if (live && (live.channel !== channel || live.bank !== bank)) return no('attempt-open');
  if (live?.status === 'approving') return ok({ ...unchanged(payment), attemptId: live.attemptId });
  if (payment.payBy.getTime() - now.getTime() < rules.windowMsMin) return no('payment-window-over');
  if (live) {
    const stale = live.shownAt !== null && now.getTime() - live.shownAt.getTime() > rules.shownMs;
    return ok({ payment, attemptId: live.attemptId, effects: stale ? [{ do: 'place', attempt: live }] : [] });
  }
  if (payment.attempts.length >= ATTEMPTS_MAX) return no('too-many-attempts');
  return opened(payment, { attemptId, channel, bank, payee }, now);
}

function opened(
  before: Payment,
  chosen: Pick<Attempt, 'attemptId' | 'channel' | 'bank' | 'payee'>,
  now: Date,
): Result<Change & { readonly attemptId: AttemptId }, Unpayable> {
  const { corporate, windowMsMin } = channelRules[chosen.channel];
  const window = corporate && windowOf(corporate);
  const payBy = window ? heldUntil(before, window.wholeMs, now) : before.payBy;
  const expiresAt = window
    ? new Date(Math.min(now.getTime() + window.handInMs, payBy.getTime() - (window.wholeMs - window.handInMs)))
    : payBy;
  if (expiresAt.getTime() - now.getTime() < windowMsMin) return no('payment-window-over');
  const { orderId, amount, description } = before;
  const nothing = { channelNo: null, codeUrl: null, redirectUrl: null, shownAt: null, approvingSince: null, askedAt: null, failure: null };
  const noMoney = { orphanReason: null, transactionId: null, received: null, paidAt: null };
  const clocks = { expiresAt, createdAt: now, checks: 0, missed: 0 };
  const fresh: Attempt = { ...chosen, orderId, amount, description, status: 'opening', ...nothing, ...noMoney, ...clocks };
  const payment = { ...before, payBy, attempts: [...before.attempts, fresh] };
  const held: Effect[] = corporate
    ? [
        ...(payBy > before.payBy && before.collector ? [{ do: 'answer-held' as const, to: before.collector, until: payBy }] : []),
        tellBuyer(payment, fresh, { stage: 'started', since: now, until: expiresAt }),
      ]
    : [];
  return ok({ payment, attemptId: fresh.attemptId, effects: [{ do: 'place', attempt: fresh }, ...held] });
}

/** A corporate payment that has begun keeps the order waiting until it can no longer succeed. */
function heldUntil({ payBy, createdAt }: Payment, ms: number, now: Date): Date {
  const until = Math.min(now.getTime() + ms, createdAt.getTime() + HOLD_MS_MAX);
  return new Date(Math.max(payBy.getTime(), until));
}

type Stage = { readonly stage: 'started' | 'approving' | 'ended'; readonly since: Date; readonly until: Date | null };

const tellBuyer = (
  { orderId, accountId, payBy }: Payment,
  { attemptId, channel, bank }: Attempt,
  { stage, since, until }: Stage,
): Effect => ({
  do: 'tell',
  event: corporatePaymentMoved({
    orderId,
    accountId,
    attemptId,
    channel,
    bank,
    stage,
    since: since.toISOString(),
    until: until?.toISOString() ?? null,
    payBy: payBy.toISOString(),
  }),
});

/** The buyer wants to pay another way: what is open must be closed by the channel first. A bank that holds the voucher may refuse. */
export function leave(payment: Payment, now: Date): Change {
  const live = liveAttempt(payment);
  const closable = payment.status === 'open' && (live?.status === 'open' || live?.status === 'approving');
  return live && closable ? closeOne(payment, live, now) : unchanged(payment);
}

/** The buyer says «I have paid»: ask the channel now, unless it was asked just before. */
export function ask(payment: Payment, now: Date): Change {
  const live = liveAttempt(payment);
  if (!live || live.status === 'opening') return unchanged(payment);
  if (live.askedAt && now.getTime() - live.askedAt.getTime() < ASK_MS_MIN) return unchanged(payment);
  const asked = { ...live, askedAt: now };
  return { payment: put(payment, asked), effects: [{ do: 'query', attempt: asked }] };
}

/** The channel's answer to an order. An unknown one is asked for again with the same number, unless nobody wants it any more. */
export function placed(payment: Payment, attemptId: AttemptId, answer: PlaceOutcome, now: Date): Change {
  const found = payment.attempts.find((one) => one.attemptId === attemptId);
  if (!found || !isLive(found)) return unchanged(payment);
  const wanted = payment.status === 'open' && !payment.pause && now < found.expiresAt;
  switch (answer.kind) {
    case 'placed': {
      const shown = { ...found, ...meansOf(answer), channelNo: answer.channelNo ?? found.channelNo, shownAt: now, checks: 0 };
      const open = shown.status === 'opening' ? step(shown, 'open') : shown;
      if (open.status === 'approving') return unchanged(put(payment, { ...found, channelNo: open.channelNo }));
      if (!wanted) return closeOne(put(payment, open), open, now);
      return { payment: put(payment, open), effects: [{ do: 'check', at: later(now, waitOf(CHECK_S, 0)) }] };
    }
    case 'paid':
      return askAgain(payment, found.status === 'opening' ? step(found, 'open') : found, now, 'at-once');
    case 'closed':
    case 'refused': {
      const failure = answer.kind === 'closed' ? 'ORDER_CLOSED' : answer.code;
      if (found.status === 'opening') return ended(payment, { ...step(found, 'fail'), failure }, now);
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

function meansOf({ means }: Extract<PlaceOutcome, { kind: 'placed' }>): Pick<Attempt, 'codeUrl' | 'redirectUrl'> {
  switch (means.kind) {
    case 'code':
      return { codeUrl: means.codeUrl, redirectUrl: null };
    case 'page':
      return { codeUrl: null, redirectUrl: means.url };
  }
}

/** The channel's answer to a close. Only its «closed» lets the order go. */
export function closeAnswered(payment: Payment, attemptId: AttemptId, answer: CloseOutcome, now: Date): Change {
  const found = payment.attempts.find((one) => one.attemptId === attemptId);
  if (found?.status !== 'closing') return unchanged(payment);
  switch (answer.kind) {
    case 'closed':
      return ended(payment, step(found, 'end'), now);
    case 'held':
      return approving(payment, found, now);
    case 'stays': {
      // The buyer may still pay it, and nothing else; of an order that is called off, the end is waited for.
      const wanted = payment.status === 'open' && now < found.expiresAt;
      return askAgain(payment, wanted ? step(found, 'reopen') : found, now);
    }
    case 'paid':
      return askAgain(payment, found, now, 'at-once');
    case 'missing':
      return missing(payment, found, now);
    case 'refused':
    case 'unknown':
      return askAgain(payment, found, now);
  }
}

/** The bank holds the voucher, and waits for the checker. */
function approving(payment: Payment, found: Attempt, now: Date): Change {
  if (found.status === 'approving') return askAgain(payment, found, now);
  const waiting: Attempt = { ...step(found, 'accept'), approvingSince: found.approvingSince ?? now, checks: 0 };
  const told = found.approvingSince ? [] : [tellBuyer(payment, waiting, { stage: 'approving', since: now, until: approveBy(waiting) })];
  return { payment: put(payment, waiting), effects: [...told, { do: 'check', at: later(now, waitOf(APPROVAL_CHECK_S, 0)) }] };
}

export function queried(payment: Payment, attemptId: AttemptId, answer: QueryOutcome, now: Date): Change {
  const found = payment.attempts.find((one) => one.attemptId === attemptId);
  if (!found) return unchanged(payment);
  if (answer.kind === 'found') return seen(payment, attemptId, answer.order, now);
  if (!isLive(found) || found.status === 'opening') return unchanged(payment);
  return answer.kind === 'missing' ? missing(payment, found, now) : askAgain(payment, found, now);
}

/** Takes in what the channel says of an order, however often and in whatever order it says it. */
export function seen(payment: Payment, attemptId: AttemptId, order: OrderSeen, now: Date): Change {
  const known = payment.attempts.find((one) => one.attemptId === attemptId);
  if (!known) return unchanged(payment);
  const strange = strangeness(known, order);
  if (strange !== undefined) return mismatch(payment, known, strange, now);
  if (order.state === 'revoked') return revoke(payment, known, now);
  if (isPaid(known) || known.status === 'revoked') return unchanged(payment);
  const found = order.channelNo === undefined ? known : { ...known, channelNo: order.channelNo };
  if (order.state === 'paid') return received(payment, found, order, now);
  if (!isLive(found)) return unchanged(payment);
  switch (order.state) {
    case 'closed':
      return ended(payment, { ...step(found, 'end'), failure: order.failure ?? found.failure }, now);
    case 'approving':
      return approving(payment, found, now);
    case 'unpaid':
      if (found.status === 'opening') return unchanged(payment);
      if (found.status === 'closing') return { payment: put(payment, found), effects: [{ do: 'close', attempt: found }] };
      return found.status === 'approving' || now < found.expiresAt ? askAgain(payment, found, now) : closeOne(payment, found, now);
  }
}

/** What does not fit the attempt, if anything. The amount is judged later: a wrong one is money all the same. */
function strangeness(attempt: Attempt, order: OrderSeen): string | undefined {
  if (order.number !== orderNumber(attempt.attemptId)) return `order number ${order.number}`;
  if (order.payee !== attempt.payee) return `payee ${order.payee} instead of ${attempt.payee}`;
  return order.currency === 'CNY' ? order.strange : `currency ${order.currency}`;
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

function received(payment: Payment, found: Attempt, order: OrderSeen, now: Date): Change {
  const paidAt = order.paidAt === undefined ? now : new Date(order.paidAt);
  const cash: Attempt = { ...found, received: order.amount, paidAt, transactionId: order.transactionId ?? null };
  const { orderId, accountId, providerId, paymentId } = payment;
  const movement = { orderId, accountId, providerId, at: now, amount: order.amount, channel: found.channel };
  if (isWanted(payment) && order.amount === found.amount && found.amount === payment.amount) {
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
  const double = payment.status === 'paid' || payment.status === 'revoked' || payment.status === 'restored';
  const wrong = order.amount !== found.amount || (isWanted(payment) && found.amount !== payment.amount);
  const reason: OrphanReason = wrong ? 'wrong-amount' : double ? 'double' : 'late';
  const orphan: Attempt = { ...step(cash, 'orphan'), orphanReason: reason };
  // Whoever asked for the money back waits until this money, too, has gone back.
  const status = payment.status === 'closing' ? moved(paymentFlow, payment.status, 'receive') : payment.status;
  const change = refundAll(put({ ...payment, status }, orphan), orphan, now);
  return { payment: change.payment, effects: [{ do: 'post', entry: ledger.orphanReceipt(found.attemptId, movement) }, ...change.effects] };
}

/** Once the channel has said that nothing can be paid, and the price is changed on its word, money that comes after all comes too late. */
const isWanted = ({ status, pause }: Payment): boolean => status === 'open' && pause?.confirmed !== true;

/** The time to look at the attempts again has come. */
export function check(payment: Payment, now: Date): Change {
  const live = liveAttempt(payment);
  if (!live || live.status === 'opening') return unchanged(payment);
  if (live.status === 'open' && now >= live.expiresAt) return closeOne(payment, live, now);
  return { payment, effects: [{ do: 'query', attempt: live }] };
}

/** The channel's bill does not agree with us: it is asked about everything that is not settled, ended attempts included. */
export function recheck(payment: Payment): Change {
  const asked = (attemptId: AttemptId): Attempt | undefined => payment.attempts.find((one) => one.attemptId === attemptId);
  const orders = payment.attempts.filter((one) => !isPaid(one)).map((one): Effect => ({ do: 'query', attempt: one }));
  const refunds = payment.refunds.flatMap((refund): Effect[] => {
    const paid = asked(refund.attemptId);
    return paid && (refund.status === 'processing' || refund.status === 'abnormal') ? [{ do: 'query-refund', refund, attempt: paid }] : [];
  });
  return { payment, effects: [...orders, ...refunds] };
}

function askAgain(payment: Payment, found: Attempt, now: Date, when: 'at-once' | 'later' = 'later'): Change {
  const waiting = { ...found, checks: found.checks + 1 };
  const at = later(now, waitOf(found.status === 'approving' ? APPROVAL_CHECK_S : CHECK_S, found.checks));
  // Nobody can pay after this, so there is no use in waiting much longer.
  const end = later(found.status === 'open' ? found.expiresAt : endOf(found), 5);
  const next: Effect = { do: 'check', at: at > end && end > now ? end : at };
  return { payment: put(payment, waiting), effects: when === 'at-once' ? [{ do: 'query', attempt: waiting }, next] : [next] };
}

/** The channel does not know the order. If it had confirmed it before, that is strange; if not, the order may still be on its way. */
function missing(payment: Payment, found: Attempt, now: Date): Change {
  const missed = { ...found, missed: found.missed + 1 };
  if (found.shownAt !== null) return askAgain(payment, missed, now);
  if (missed.missed >= MISSES_MIN && found.status === 'closing') return ended(payment, step(missed, 'end'), now);
  return { payment: put(payment, missed), effects: [{ do: 'check', at: later(now, MISSING_AGAIN_S) }] };
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
  if (live?.status === 'open' || live?.status === 'approving') return closeOne(payment, live, now);
  return live ? unchanged(payment) : settleClosing(payment);
}

/** Nothing comes of this attempt any more. */
function ended(before: Payment, attempt: Attempt, now: Date): Change {
  const { payment, effects } = settleClosing(put(before, attempt));
  if (!channelRules[attempt.channel].corporate) return { payment, effects };
  return { payment, effects: [...effects, tellBuyer(payment, attempt, { stage: 'ended', since: now, until: null })] };
}

/** Once nothing can be paid any more, whoever asked for the money back is told. */
function settleClosing(payment: Payment): Change {
  if (payment.status !== 'closing' || liveAttempt(payment)) return unchanged(payment);
  const closed = { ...payment, status: moved(paymentFlow, payment.status, 'close') };
  return { payment: closed, effects: payment.returners.map((to) => ({ do: 'answer-closed', to })) };
}
