/** 改价: while a provider changes the price of an order nobody may pay it, neither at the old price nor at the new one. Pure. */
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { closeAll } from './attempts.ts';
import { liveAttempt, moved, paymentFlow, unchanged, type Asker, type Change, type NotPaused, type Payment } from './state.ts';

/** Closes what is open. Whoever asked is told by `answerPause`, when the channel has let go or has not. */
export function pause(payment: Payment | undefined, from: Asker, now: Date): Result<Change, 'not-open' | NotPaused> {
  if (!payment) return no('not-open');
  if (payment.status !== 'open') return no(payment.status === 'closing' || payment.status === 'closed' ? 'closed' : 'paid');
  return ok(closeAll({ ...payment, pause: { by: from, confirmed: false } }, now));
}

/** As before. What is being closed is closed all the same: the buyer opens another attempt. */
export const resume = (payment: Payment): Change => unchanged(payment.pause ? { ...payment, pause: null } : payment);

/** The new amount. Where nothing is left to pay, nobody can. */
export function rebill(payment: Payment, amount: Fen, now: Date): Change {
  if (payment.status !== 'open') return resume(payment);
  // A provider lowers its own price, and an order sees to that; money that nobody pays can be for no server, whatever is said.
  const billed = { ...payment, pause: null, amount, serverAmount: Math.min(payment.serverAmount, amount) };
  return amount > 0 ? unchanged(billed) : closeAll({ ...billed, status: moved(paymentFlow, billed.status, 'return') }, now);
}

/** After any change: whether whoever pauses the payment can be told now, and what. */
export function answerPause(change: Change): Change {
  const { payment, effects } = change;
  if (!payment.pause || payment.pause.confirmed) return change;
  const { by } = payment.pause;
  const refuse = (reason: NotPaused): Change => ({
    payment: { ...payment, pause: null },
    effects: [...effects, { do: 'answer-not-paused', to: by, reason }],
  });
  if (payment.status !== 'open') return refuse(payment.status === 'closing' || payment.status === 'closed' ? 'closed' : 'paid');
  const live = liveAttempt(payment);
  // The channel was asked to let go: the bank keeps the voucher, or what has been shown can be paid until its time is over.
  if (live?.status === 'approving' || live?.status === 'open') return refuse('bank-holds-voucher');
  if (live) return change;
  return { payment: { ...payment, pause: { by, confirmed: true } }, effects: [...effects, { do: 'answer-paused', to: by }] };
}
