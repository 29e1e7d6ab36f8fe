/** 退票: a bank takes back money that it had paid. Pure. */
import { paymentRevoked } from '@yunshi/contracts/payment';
import { move } from '@yunshi/kernel/flow';
import * as ledger from '../ledger/ledger.ts';
import { settlementFlow } from '../settlement/flow.ts';
import { ownPartsOfRefund, refundedOf, refundedOfAttempt, stageOf } from '../settlement/shares.ts';
import {
  isEnded,
  isLive,
  isPaid,
  moved,
  paymentFlow,
  put,
  step,
  unchanged,
  type Attempt,
  type Change,
  type Effect,
  type Payment,
} from './state.ts';

const SUSPENDED =
  'The bank took the payment back after the order was paid 退票. What was delivered is suspended; settle it with the buyer.';
const TWICE = 'The bank took back a payment of which refunds had gone through already 退票: that part went back twice.';

/**
 * The money of an attempt is gone, and the buyer has it. What was delivered for it is suspended by whoever hears of it; a person settles
 * the rest. A refund of it that has not been paid cannot be any more, and is not needed.
 */
export function revoke(payment: Payment, found: Attempt, now: Date): Change {
  if (found.status === 'revoked') return unchanged(payment);
  // It came and went before we heard of it: nothing was booked, and nothing was delivered.
  if (!isPaid(found)) return isLive(found) ? neverMind(payment, found) : unchanged(payment);
  const back = refundedOfAttempt(payment, found.attemptId);
  const amount = (found.received ?? 0) - back;
  const twice = back > 0 ? [task(payment, found, TWICE, now)] : [];
  if (amount === 0) return { payment, effects: twice };
  const gone = put(withoutOpenRefunds(payment, found, now), step(found, 'revoke'));
  const post: Effect = { do: 'post', entry: bookedBack(payment, found, amount, now) };
  if (found.orphanReason !== null || payment.status === 'refunding') return settled(gone, [post, ...twice]);
  const { orderId, accountId, paymentId } = payment;
  const told = paymentRevoked({ orderId, accountId, paymentId, channel: found.channel, amount, revokedAt: now.toISOString() });
  const revoked = { ...withoutSettlement(gone), status: moved(paymentFlow, gone.status, 'revoke') };
  return { payment: revoked, effects: [post, { do: 'tell', event: told }, ...(back > 0 ? twice : [task(payment, found, SUSPENDED, now)])] };
}

function withoutOpenRefunds(payment: Payment, { attemptId }: Attempt, now: Date): Payment {
  const voided = { status: 'closed', failure: 'PAYMENT_REVOKED', checkAt: null, endedAt: now } as const;
  return {
    ...payment,
    refunds: payment.refunds.map((one) => (one.attemptId === attemptId && !isEnded(one) ? { ...one, ...voided } : one)),
  };
}

/** Nothing is left to release. What was released already is the provider's debt. */
function withoutSettlement(payment: Payment): Payment {
  const cancelled = payment.settlement && move(settlementFlow, payment.settlement, 'cancel');
  return cancelled?.ok ? { ...payment, settlement: cancelled.value } : payment;
}

function bookedBack(payment: Payment, found: Attempt, amount: number, now: Date): ledger.Entry {
  const { orderId, accountId, providerId } = payment;
  const movement = { orderId, accountId, providerId, at: now, amount, channel: found.channel };
  if (found.orphanReason !== null) return ledger.revocation(found.attemptId, movement, { stage: 'suspense' });
  const own = ownPartsOfRefund(withoutOpenRefunds(payment, found, now), found, amount);
  return ledger.revocation(found.attemptId, movement, stageOf(payment, own));
}

const neverMind = (payment: Payment, found: Attempt): Change => settled(put(payment, { ...step(found, 'end'), failure: 'REVOKED' }), []);

/** The buyer has all of the money back, if nothing else of it is here: whoever waits for that is told. */
function settled(payment: Payment, effects: readonly Effect[]): Change {
  if (payment.attempts.some((one) => isLive(one) || isPaid(one))) return { payment, effects };
  if (payment.status === 'closing') {
    const closed = { ...payment, status: moved(paymentFlow, payment.status, 'close') };
    return { payment: closed, effects: [...effects, ...payment.returners.map((to): Effect => ({ do: 'answer-closed', to }))] };
  }
  if (payment.status !== 'refunding') return { payment, effects };
  const refunded = { ...withoutSettlement(payment), status: moved(paymentFlow, payment.status, 'refund') };
  const answers = payment.returners.map((to): Effect => ({ do: 'answer-refunded', to, amount: refundedOf(refunded) }));
  return { payment: refunded, effects: [...effects, ...answers] };
}

function task(payment: Payment, { attemptId, transactionId }: Attempt, detail: string, now: Date): Effect {
  const taskId = `payment-revoked:${attemptId}`;
  return {
    do: 'task',
    task: { taskId, kind: 'payment-revoked', orderId: payment.orderId, subject: transactionId ?? attemptId, detail, openedAt: now },
  };
}
