/** What sagas ask of a payment: collect the money, give it back, and, when the order is completed, count it as earned. Pure. */
import type { PaymentId, ProviderId } from '@yunshi/kernel/ids';
import { no, ok, type Result } from '@yunshi/kernel/result';
import * as ledger from '../ledger/ledger.ts';
import { reviewEnds } from '../settlement/review.ts';
import { closeAll } from './attempts.ts';
import { refundAll } from './refunds.ts';
import { refundedOf } from '../settlement/shares.ts';
import { keptAttempt, moved, paymentFlow, unchanged, type Asker, type Change, type Payment } from './state.ts';

export type Bill = Pick<
  Payment,
  'orderId' | 'accountId' | 'amount' | 'serverAmount' | 'description' | 'payBy' | 'payees' | 'deliveryType'
> & {
  readonly providerId: ProviderId;
};

const unsold = { soldAt: null, settlement: null, releaseAt: null, releasedAt: null } as const;

/** Opens the payment of an order. Asked again, it is the same payment. */
export function collect(
  known: Payment | undefined,
  bill: Bill,
  { now, from, paymentId }: { now: Date; from: Asker; paymentId: PaymentId },
): Result<Change, 'closed' | 'no-channel'> {
  if (!known) {
    if (Object.keys(bill.payees).length === 0) return no('no-channel');
    if (bill.serverAmount > bill.amount) throw new Error(`the server of ${bill.orderId} costs more than all of it`);
    const fresh = { ...unsold, returners: [], pause: null, createdAt: now, paidAt: null, attempts: [], refunds: [] };
    return ok(unchanged({ ...bill, paymentId, status: 'open', collector: from, ...fresh }));
  }
  if (known.status === 'open') return ok(unchanged({ ...known, collector: from }));
  const kept = keptAttempt(known);
  if (known.status !== 'paid' || !kept?.paidAt) return no('closed');
  return ok({
    payment: known,
    effects: [{ do: 'answer-paid', to: from, paymentId: known.paymentId, paidAt: kept.paidAt, channel: kept.channel }],
  });
}

/** Closes what is unpaid, refunds what is paid. An order that never asked for money leaves a closed payment, so that it cannot ask later. */
export function giveBack(
  known: Payment | undefined,
  ask: Pick<Payment, 'orderId' | 'accountId'>,
  { now, from, paymentId }: { now: Date; from: Asker; paymentId: PaymentId },
): Change {
  if (!known) return { payment: neverOpened(ask, paymentId, now), effects: [{ do: 'answer-closed', to: from }] };
  const payment = { ...known, returners: [...known.returners, from] };
  switch (payment.status) {
    case 'closed':
      return { payment: known, effects: [{ do: 'answer-closed', to: from }] };
    case 'refunded':
      return { payment: known, effects: [{ do: 'answer-refunded', to: from, amount: refundedOf(known) }] };
    case 'revoked':
    case 'ended':
      return { payment: known, effects: [{ do: 'answer-refunded', to: from, amount: refundedOf(known) }] };
    case 'closing':
    case 'refunding':
      return unchanged(payment);
    case 'restored':
      throw new Error(`the payment of ${payment.orderId}, which is completed, was asked back by its saga`);
    case 'open':
      return closeAll({ ...payment, status: moved(paymentFlow, payment.status, 'return') }, now);
    case 'paid': {
      const kept = keptAttempt(payment);
      if (!kept) throw new Error(`payment of ${payment.orderId} is paid by nothing`);
      return refundAll({ ...payment, status: moved(paymentFlow, payment.status, 'return') }, kept, now);
    }
  }
}

function neverOpened(ask: Pick<Payment, 'orderId' | 'accountId'>, paymentId: PaymentId, now: Date): Payment {
  const nothing = {
    ...unsold,
    providerId: null,
    amount: 0,
    serverAmount: 0,
    description: '',
    payees: {},
    collector: null,
    returners: [],
    pause: null,
    paidAt: null,
  };
  return { ...ask, ...nothing, paymentId, status: 'closed', deliveryType: 'saas', payBy: now, createdAt: now, attempts: [], refunds: [] };
}

/**
 * The order is completed: what was held for the buyer is earned, and the provider's to withdraw when nobody may regret it any more. Of money
 * that a bank took back before, nothing is earned until it comes again.
 */
export function sell(payment: Payment | undefined, now: Date): Change | undefined {
  if (payment?.soldAt !== null) return undefined;
  if (payment.status === 'revoked') return unchanged({ ...payment, soldAt: now });
  return payment.status === 'paid' ? earned(payment, now) : undefined;
}

/** What is held for the buyer becomes the provider's and the marketplace's. */
export function earned(payment: Payment, now: Date): Change {
  const { orderId, accountId, providerId, amount, serverAmount: server, deliveryType, paidAt } = payment;
  const releaseAt = reviewEnds(deliveryType, { paidAt: paidAt ?? now, completedAt: now });
  return {
    payment: { ...payment, soldAt: now, settlement: 'reviewing', releaseAt },
    effects: [
      { do: 'post', entry: ledger.sale({ orderId, accountId, providerId, amount, server, at: now }) },
      { do: 'release', at: releaseAt },
    ],
  };
}
