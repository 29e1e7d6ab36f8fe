/** How the provider gets its share of a completed order, and how a refund takes it back. Pure. */
import type { Fen } from '@yunshi/kernel/money';
import * as ledger from '../ledger/ledger.ts';
import { shareReturnNumber } from '../payment/numbers.ts';
import { refundAnswered, resumeRefunds } from '../payment/refunds.ts';
import {
  isEnded,
  keptAttempt,
  payingAttempt,
  later,
  moved,
  putRefund,
  unchanged,
  type Change,
  type Effect,
  type Payment,
  type Refund,
  type Task,
} from '../payment/state.ts';
import { settlementFlow } from './flow.ts';
import { sharesOf, sharesProfit } from './shares.ts';

/** A refund that is under way makes the amounts uncertain: they are looked at again after this. */
const WAIT_FOR_REFUNDS_S = 3_600;
const REFUSED_AGAIN_S = 3_600;
/** How often the channel is asked how far the sharing is: less and less often the longer it takes. */
const ASK_AGAIN_S = { least: 30, most: 3_600 } as const;

/** The review period is over: the channel is asked to share the money out. */
export function release(payment: Payment, now: Date): Change {
  const { settlement } = payment;
  const paid = payingAttempt(payment);
  if ((settlement !== 'reviewing' && settlement !== 'refused') || !paid) return unchanged(payment);
  if (payment.refunds.some((refund) => refund.attemptId === paid.attemptId && !isEnded(refund)))
    return { payment, effects: [{ do: 'release', at: later(now, WAIT_FOR_REFUNDS_S) }] };
  const { own, provider } = sharesOf(payment, paid);
  if (own + provider === 0) return unchanged({ ...payment, settlement: moved(settlementFlow, settlement, 'cancel') });
  const sharing = { ...payment, settlement: moved(settlementFlow, settlement, 'share') };
  return sharesProfit(paid.channel)
    ? { payment: sharing, effects: [{ do: 'share', attempt: paid, own }] }
    : released(sharing, provider, now);
}

/**
 * What a channel says of a sharing, or of giving a share back. `done`: carried out, not only accepted. `closed`: carried out, and the part
 * has not got where it should, which asking again under this number does not change.
 */
export type Shared =
  | { readonly kind: 'done' | 'processing' | 'unknown' }
  | { readonly kind: 'closed'; readonly why: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export function shared(payment: Payment, answer: Shared, now: Date): Change {
  const paid = keptAttempt(payment);
  if (payment.settlement !== 'sharing' || !paid) return unchanged(payment);
  const { own, provider } = sharesOf(payment, paid);
  switch (answer.kind) {
    case 'done':
      return released(payment, provider, now);
    case 'closed': {
      // The order is finished, and the provider's account has all of it: nothing is left that could be shared out.
      const change = released(payment, provider, now, 'keep');
      const detail = `${answer.why}: the channel could not take out the marketplace's part of ${own} fen. The provider has it, and owes it.`;
      return { ...change, effects: [...change.effects, refusal(payment, detail, now)] };
    }
    case 'refused': {
      const refused = resumeRefunds({ ...payment, settlement: moved(settlementFlow, payment.settlement, 'refuse') });
      const again: Effect = { do: 'release', at: later(now, REFUSED_AGAIN_S) };
      return { payment: refused.payment, effects: [refusal(payment, `${answer.code} ${answer.message}`, now), again, ...refused.effects] };
    }
    case 'processing':
    case 'unknown':
      return { payment, effects: [{ do: 'share', attempt: paid, own, at: askAgainAt(payment.releaseAt ?? now, now) }] };
  }
}

function released(payment: Payment, amount: Fen, now: Date, how: 'confirm' | 'keep' = 'confirm'): Change {
  const { orderId, accountId, providerId } = payment;
  const entry = ledger.release({ orderId, accountId, providerId, amount, at: now });
  const change = resumeRefunds({ ...payment, settlement: moved(settlementFlow, 'sharing', how), releasedAt: now });
  return { payment: change.payment, effects: [{ do: 'post', entry }, ...change.effects] };
}

/** The channel's answer to putting the commission back into the provider's money: only then the refund is applied for. */
export function shareReturned(payment: Payment, returnNo: string, answer: Shared, now: Date): Change {
  const refund = payment.refunds.find(({ attemptId, generation }) => shareReturnNumber(attemptId, generation) === returnNo);
  const paid = payment.attempts.find((one) => one.attemptId === refund?.attemptId);
  if (!refund || !paid || refund.shareBack !== 'asked' || isEnded(refund)) return unchanged(payment);
  switch (answer.kind) {
    case 'done': {
      const ready: Refund = { ...refund, shareBack: 'done' };
      return { payment: putRefund(payment, ready), effects: [{ do: 'refund', refund: ready, attempt: paid }] };
    }
    case 'closed':
      return refundAnswered(payment, refund.refundNo, { kind: 'refused', code: 'SHARE_NOT_RETURNED', message: answer.why }, now);
    case 'refused':
      return refundAnswered(payment, refund.refundNo, answer, now);
    case 'processing':
    case 'unknown':
      return { payment, effects: [{ do: 'return-share', refund, attempt: paid, at: askAgainAt(refund.createdAt, now) }] };
  }
}

/** As long again as it has taken so far, within limits. */
function askAgainAt(since: Date, now: Date): Date {
  const takenS = (now.getTime() - since.getTime()) / 1_000;
  return later(now, Math.min(Math.max(takenS, ASK_AGAIN_S.least), ASK_AGAIN_S.most));
}

function refusal({ orderId }: Payment, detail: string, now: Date): Effect {
  const task: Task = { taskId: `share-refused:${orderId}`, kind: 'share-refused', orderId, subject: orderId, detail, openedAt: now };
  return { do: 'task', task };
}
