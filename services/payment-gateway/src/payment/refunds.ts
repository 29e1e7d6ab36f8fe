/** What becomes of refunds. Pure. */
import { orphanPaymentReturned, paymentRefunded } from '@yunshi/contracts/payment';
import type { AttemptId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import * as ledger from '../ledger/ledger.ts';
import { leftOf, ownPartsOfRefund, refundedOf, refundedOfAttempt, sharesProfit, stageOf } from '../settlement/shares.ts';
import type { RefundOutcome, RefundQueryOutcome, RefundSeen } from './channel.ts';
import { channelRules } from './channels.ts';
import { refundNumber } from './numbers.ts';
import {
  isEnded,
  isLive,
  isPaid,
  isVoid,
  keptAttempt,
  later,
  moved,
  paymentFlow,
  putRefund,
  refundFlow,
  unchanged,
  waitOf,
  type Attempt,
  type Change,
  type Effect,
  type Payment,
  type Refund,
  type Task,
} from './state.ts';

/** Waits between two questions about a refund, in seconds. */
const CHECK_S = [3, 10, 30, 60, 300, 1_800, 21_600] as const;
const BLOCKED_CHECK_S = 3_600;
/** What WeChat Pay allows of an order: 50 partial refunds, one a minute. Other channels allow as much or more. */
const REFUNDS_MAX = 50;
const REFUND_AGAIN_S = 60;

const generationsOf = (payment: Payment, attemptId: AttemptId): number =>
  payment.refunds.reduce((most, one) => (one.attemptId === attemptId ? Math.max(most, one.generation) : most), 0);

/** Gives back all money of one attempt that is not on its way back already. */
export function refundAll(payment: Payment, paid: Attempt, now: Date): Change {
  const left = leftOf(payment, paid);
  return left === 0 ? unchanged(payment) : refundPart(payment, paid, { amount: left, reason: null }, now);
}

type Part = { readonly amount: Fen; readonly reason: string | null; readonly shareBack?: Refund['shareBack'] };

/** The number follows from the attempt and how many refunds it has had. The caller has made sure that so much is left. */
function refundPart(payment: Payment, paid: Attempt, { amount, reason, shareBack }: Part, now: Date): Change {
  const generation = generationsOf(payment, paid.attemptId) + 1;
  const { commission, server } = ownPartsOfRefund(payment, paid, amount);
  const refund: Refund = {
    refundNo: refundNumber(paid.attemptId, generation),
    orderId: payment.orderId,
    attemptId: paid.attemptId,
    generation,
    amount,
    commission,
    server,
    shareBack: shareBack ?? wayBack(payment, paid, commission + server),
    reason,
    status: 'requested',
    refundId: null,
    failure: null,
    checks: 0,
    checkAt: null,
    createdAt: now,
    endedAt: null,
  };
  return { payment: { ...payment, refunds: [...payment.refunds, refund] }, effects: applyFor(refund, paid, turnOf(payment, paid, now)) };
}

/** When the next refund of an attempt may be applied for, if not at once. */
function turnOf(payment: Payment, { attemptId }: Attempt, now: Date): Date | undefined {
  const times = payment.refunds.filter((one) => one.attemptId === attemptId && !isVoid(one)).map((one) => one.createdAt.getTime());
  const turn = new Date(Math.max(0, ...times) + REFUND_AGAIN_S * 1_000);
  return turn > now ? turn : undefined;
}

/** What the marketplace has shared out of the provider's money it must put back first, or the channel finds too little there. */
function wayBack({ settlement }: Payment, { channel }: Attempt, own: Fen): Refund['shareBack'] {
  if (!sharesProfit(channel)) return 'none';
  if (settlement === 'sharing') return 'due';
  return settlement === 'released' && own > 0 ? 'asked' : 'none';
}

/** What is to be asked of the channel first. */
function applyFor(refund: Refund, paid: Attempt, at?: Date): Effect[] {
  if (refund.shareBack === 'due') return [];
  return [{ do: refund.shareBack === 'asked' ? 'return-share' : 'refund', refund, attempt: paid, ...(at && { at }) }];
}

export type Unrefundable = 'refund-not-possible' | 'refund-too-much' | 'refund-too-late' | 'refund-too-many';

/** Part or all of what a completed order was paid with goes back, because somebody who may has decided so. */
export function refundSold(
  payment: Payment,
  ask: { readonly amount: Fen; readonly reason: string },
  now: Date,
): Result<Change & { readonly refundNo: string }, Unrefundable> {
  const kept = keptAttempt(payment);
  if (payment.status !== 'paid' || !payment.soldAt || !kept) return no('refund-not-possible');
  if (now.getTime() - (kept.paidAt ?? now).getTime() > channelRules[kept.channel].refundMsMax) return no('refund-too-late');
  // The last one is kept for all that is left, so that no order can become one that cannot be refunded in full.
  if (payment.refunds.length >= REFUNDS_MAX - 1 && ask.amount < leftOf(payment, kept)) return no('refund-too-many');
  const left = leftOf(payment, kept);
  if (ask.amount === 0 || ask.amount > left) return no('refund-too-much');
  const all = ask.amount === left;
  const asked = all ? { ...payment, status: moved(paymentFlow, payment.status, 'return') } : payment;
  const change = refundPart(asked, kept, ask, now);
  return ok({ ...change, refundNo: change.payment.refunds.at(-1)!.refundNo });
}

/** The sharing that refunds waited for has come to an end: those that did not need it any more, and those that must undo it. */
export function resumeRefunds(payment: Payment): Change {
  let change = unchanged(payment);
  for (const waiting of payment.refunds.filter(({ shareBack }) => shareBack === 'due')) {
    const paid = payment.attempts.find((one) => one.attemptId === waiting.attemptId);
    if (!paid) continue;
    const refund: Refund = { ...waiting, shareBack: wayBack(payment, paid, waiting.commission + waiting.server) };
    change = { payment: putRefund(change.payment, refund), effects: [...change.effects, ...applyFor(refund, paid)] };
  }
  return change;
}

/** The channel's answer to a refund: accepted is not paid back. An unknown answer is asked for again under the same number. */
export function refundAnswered(payment: Payment, refundNo: string, answer: RefundOutcome, now: Date): Change {
  const pair = refundOf(payment, refundNo);
  if (!pair || (pair.refund.status !== 'requested' && pair.refund.status !== 'blocked')) return unchanged(payment);
  const { refund, attempt: paid } = pair;
  switch (answer.kind) {
    case 'accepted': {
      const status = moved(refundFlow, refund.status, 'accept');
      return askAt({ ...refund, status, refundId: answer.refundId, failure: null, checks: 0 }, later(now, waitOf(CHECK_S, 0)), payment);
    }
    case 'refused': {
      const failure = `${answer.code} ${answer.message}`;
      const blocked: Refund = {
        ...refund,
        status: refund.status === 'requested' ? moved(refundFlow, refund.status, 'block') : refund.status,
        failure,
      };
      const next = askAt(blocked, later(now, BLOCKED_CHECK_S), payment);
      return { payment: next.payment, effects: [refundTask('refund-blocked', blocked, failure, now), ...next.effects] };
    }
    case 'unknown': {
      const waiting = { ...refund, checks: refund.checks + 1 };
      const again: Effect = { do: 'refund', refund: waiting, attempt: paid, at: later(now, waitOf(CHECK_S, refund.checks)) };
      return { payment: putRefund(payment, waiting), effects: [again] };
    }
  }
}

export function refundQueried(payment: Payment, refundNo: string, answer: RefundQueryOutcome, now: Date): Change {
  const pair = refundOf(payment, refundNo);
  if (!pair || isEnded(pair.refund)) return unchanged(payment);
  const { refund, attempt: paid } = pair;
  if (answer.kind === 'found') return refundSeen(payment, answer.refund, now);
  // It never arrived: the same number once more.
  if (answer.kind === 'missing' && refund.status !== 'abnormal') return { payment, effects: [{ do: 'refund', refund, attempt: paid }] };
  return refundAgain(payment, refund, now);
}

/** Takes in what the channel says of a refund. Its end is never undone by an older word. */
export function refundSeen(payment: Payment, told: RefundSeen, now: Date): Change {
  const pair = refundOf(payment, told.refundNo);
  if (!pair || isEnded(pair.refund)) return unchanged(payment);
  const refund: Refund = { ...pair.refund, refundId: told.refundId };
  if (told.amount !== refund.amount) return unchanged(payment);
  switch (told.status) {
    case 'processing': {
      const processing: Refund =
        refund.status === 'requested' || refund.status === 'blocked' ? { ...refund, status: 'processing' } : refund;
      return refundAgain(payment, processing, now);
    }
    case 'abnormal': {
      if (refund.status === 'abnormal') return refundAgain(payment, refund, now);
      const stalled: Refund = { ...refund, status: moved(refundFlow, refund.status, 'stall'), checks: CHECK_S.length - 1 };
      const again = refundAgain(payment, stalled, now);
      const detail = 'The money could not go back the way it came. Have it paid to another card, or pay it out by hand.';
      return { payment: again.payment, effects: [refundTask('refund-abnormal', stalled, detail, now), ...again.effects] };
    }
    case 'closed': {
      const closed: Refund = { ...refund, status: moved(refundFlow, refund.status, 'close'), checkAt: null, endedAt: now };
      const detail = 'The channel closed the refund without paying anything back. Have it tried again under a new number.';
      return { payment: putRefund(payment, closed), effects: [refundTask('refund-closed', closed, detail, now)] };
    }
    case 'succeeded':
      return refundSettled(
        putRefund(payment, { ...refund, status: moved(refundFlow, refund.status, 'settle'), checkAt: null, endedAt: now }),
        refund,
        pair.attempt,
        now,
      );
  }
}

function refundSettled(payment: Payment, refund: Refund, paid: Attempt, now: Date, by: 'channel' | 'hand' = 'channel'): Change {
  const { refundNo, amount } = refund;
  const { orderId, accountId, providerId } = payment;
  const movement = { orderId, accountId, providerId, at: now, amount, channel: paid.channel };
  const stage = paid.orphanReason ? ({ stage: 'suspense' } as const) : stageOf(payment, refund);
  const entry =
    by === 'hand'
      ? ledger.offlineRefund(refundNo, movement, stage)
      : paid.orphanReason
        ? ledger.orphanRefund(refundNo, movement)
        : ledger.refund(refundNo, movement, stage);
  const effects: Effect[] = [{ do: 'post', entry }];
  if (paid.orphanReason) {
    const data = { orderId, accountId, attemptId: paid.attemptId, amount, reason: paid.orphanReason };
    effects.push({ do: 'tell', event: orphanPaymentReturned(data) });
  } else if (payment.soldAt) {
    const back = { amount, refunded: refundedOfAttempt(payment, paid.attemptId), refundedAt: now.toISOString() };
    effects.push({ do: 'tell', event: paymentRefunded({ orderId, accountId, paymentId: payment.paymentId, ...back }) });
  }
  if (payment.status !== 'refunding' || payment.attempts.some((one) => isLive(one) || owed(payment, one))) return { payment, effects };
  const refunded = { ...payment, status: moved(paymentFlow, payment.status, 'refund') };
  const answers = payment.returners.map((to): Effect => ({ do: 'answer-refunded', to, amount: refundedOf(refunded) }));
  return { payment: refunded, effects: [...effects, ...answers] };
}

/** Two operators have agreed that a refund was paid out by hand. What the channel still holds of it is found by the reconciliation. */
export function settleOffline(payment: Payment, refundNo: string, now: Date): Result<Change, 'refund-not-abnormal'> {
  const pair = refundOf(payment, refundNo);
  if (pair?.refund.status !== 'abnormal') return no('refund-not-abnormal');
  const settled: Refund = { ...pair.refund, status: moved(refundFlow, pair.refund.status, 'settle'), checkAt: null, endedAt: now };
  return ok(refundSettled(putRefund(payment, settled), settled, pair.attempt, now, 'hand'));
}

export type AbnormalAnswer =
  { readonly kind: 'accepted' | 'unknown' } | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** The channel's answer to paying an abnormal refund another way. How that ends is asked for; a refusal is the operator's again. */
export function abnormalAnswered(payment: Payment, refundNo: string, answer: AbnormalAnswer, now: Date): Change {
  const pair = refundOf(payment, refundNo);
  if (pair?.refund.status !== 'abnormal') return unchanged(payment);
  const failure = answer.kind === 'refused' ? `${answer.code} ${answer.message}` : null;
  const again = askAt({ ...pair.refund, failure, checks: 0 }, later(now, waitOf(CHECK_S, 0)), payment);
  if (failure === null) return again;
  const task = refundTask('refund-abnormal', pair.refund, `The channel did not take it: ${failure}`, now);
  return { payment: again.payment, effects: [task, ...again.effects] };
}

/** Whether money of this attempt has not gone back yet. */
const owed = (payment: Payment, paid: Attempt): boolean =>
  isPaid(paid) && refundedOfAttempt(payment, paid.attemptId) < (paid.received ?? 0);

const refundAgain = (payment: Payment, refund: Refund, now: Date): Change =>
  askAt({ ...refund, checks: refund.checks + 1 }, later(now, waitOf(CHECK_S, refund.checks)), payment);

/** One deadline serves all refunds of a payment: the earliest of their times. */
function askAt(refund: Refund, at: Date, before: Payment): Change {
  const payment = putRefund(before, { ...refund, checkAt: at });
  return { payment, effects: nextCheck(payment) };
}
function nextCheck(payment: Payment): Effect[] {
  const times = payment.refunds.flatMap((refund) => refund.checkAt?.getTime() ?? []);
  return times.length === 0 ? [] : [{ do: 'check-refunds', at: new Date(Math.min(...times)) }];
}

/** The time to look at the refunds again has come. */
export function checkRefunds(before: Payment, now: Date): Change {
  const due = before.refunds.filter((refund) => refund.checkAt !== null && refund.checkAt <= now);
  const payment = due.reduce((one, refund) => putRefund(one, { ...refund, checkAt: null }), before);
  const calls = due.flatMap((refund): Effect[] => {
    const paid = payment.attempts.find((one) => one.attemptId === refund.attemptId);
    if (!paid) return [];
    if (refund.status === 'processing' || refund.status === 'abnormal') return [{ do: 'query-refund', refund, attempt: paid }];
    return refund.status === 'blocked' ? applyFor(refund, paid) : [];
  });
  return { payment, effects: [...calls, ...nextCheck(payment)] };
}

/** An operator has a refund tried again: under the same number, or, if the channel closed that one unpaid, under a new one. */
export function retryRefund(payment: Payment, refundNo: string, now: Date): Result<Change, 'refund-unknown' | 'refund-not-stuck'> {
  const pair = refundOf(payment, refundNo);
  if (!pair) return no('refund-unknown');
  const { refund, attempt: paid } = pair;
  if (paid.status === 'revoked') return no('refund-not-stuck');
  if (refund.status === 'blocked') return ok({ payment, effects: applyFor(refund, paid) });
  if (refund.status === 'abnormal') return ok({ payment, effects: [{ do: 'query-refund', refund, attempt: paid }] });
  // What it would have given back may have gone back by another refund meanwhile.
  const amount = Math.min(refund.amount, leftOf(payment, paid));
  if (refund.status !== 'closed' || amount === 0) return no('refund-not-stuck');
  const replaced: Refund = { ...refund, status: moved(refundFlow, refund.status, 'replace') };
  // What was put back for the first one is still there for the second.
  const shareBack = refund.shareBack === 'done' ? { shareBack: refund.shareBack } : {};
  return ok(refundPart(putRefund(payment, replaced), paid, { amount, reason: refund.reason, ...shareBack }, now));
}

function refundOf(payment: Payment, refundNo: string): { refund: Refund; attempt: Attempt } | undefined {
  const refund = payment.refunds.find((one) => one.refundNo === refundNo);
  const found = refund && payment.attempts.find((one) => one.attemptId === refund.attemptId);
  return refund && found && { refund, attempt: found };
}

function refundTask(kind: Task['kind'], refund: Refund, detail: string, now: Date): Effect {
  return {
    do: 'task',
    task: { taskId: `${kind}:${refund.refundNo}`, kind, orderId: refund.orderId, subject: refund.refundNo, detail, openedAt: now },
  };
}
