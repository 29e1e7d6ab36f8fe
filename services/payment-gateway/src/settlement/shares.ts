/** What of an order's money is whose: sums over its refunds. Pure. */
import type { Channel } from '@yunshi/contracts/payment';
import type { AttemptId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { commissionBack, commissionOf, type Stage } from '../ledger/ledger.ts';
import { isVoid, type Attempt, type Payment, type Refund } from '../payment/state.ts';

/** Where the provider is paid into an account of its own, out of which the channel shares the commission 分账. */
const SHARING: ReadonlySet<Channel> = new Set(['wechat_native']);
/** Elsewhere the release is an entry in our books alone. */
export const sharesProfit = (channel: Channel): boolean => SHARING.has(channel);

const sumOf = (refunds: readonly Refund[], of: (refund: Refund) => Fen = ({ amount }) => amount): Fen =>
  refunds.reduce((sum, refund) => sum + of(refund), 0);

/** A refund that the channel closed unpaid gives its amount free again; every other one holds it. */
const holding = (payment: Payment, attemptId: AttemptId): readonly Refund[] =>
  payment.refunds.filter((one) => one.attemptId === attemptId && !isVoid(one));

export const refundedOfAttempt = (payment: Payment, attemptId: AttemptId): Fen =>
  sumOf(payment.refunds.filter((one) => one.attemptId === attemptId && one.status === 'succeeded'));
/** What really went back to the buyer, in all: by refunds, and by what a bank has taken back by itself. */
export const refundedOf = (payment: Payment): Fen =>
  sumOf(payment.refunds.filter(({ status }) => status === 'succeeded')) +
  payment.attempts
    .filter(({ status }) => status === 'revoked')
    .reduce((sum, { attemptId, received }) => sum + (received ?? 0) - refundedOfAttempt(payment, attemptId), 0);

/** What of an attempt's money has not gone back, nor is on its way back. */
export const leftOf = (payment: Payment, paid: Attempt): Fen => (paid.received ?? 0) - sumOf(holding(payment, paid.attemptId));

/** What the marketplace keeps of a completed order, once all refunds that are under way have gone through. */
const commissionKept = (payment: Payment, paid: Attempt): Fen =>
  commissionOf(paid.received ?? 0) - sumOf(holding(payment, paid.attemptId), ({ commission }) => commission);

/** The part of a new refund that the marketplace gives back: none before the sale, when it had taken none. */
export function commissionOfRefund(payment: Payment, paid: Attempt, amount: Fen): Fen {
  if (payment.soldAt === null || paid.orphanReason !== null) return 0;
  return commissionBack(amount, { kept: commissionKept(payment, paid), left: leftOf(payment, paid) });
}

/** What is shared out of an order: the marketplace's part and the provider's. */
export function sharesOf(payment: Payment, paid: Attempt): { readonly commission: Fen; readonly provider: Fen } {
  const done = payment.refunds.filter((one) => one.attemptId === paid.attemptId && one.status === 'succeeded');
  const commission = commissionOf(paid.received ?? 0) - sumOf(done, (refund) => refund.commission);
  return { commission, provider: (paid.received ?? 0) - sumOf(done) - commission };
}

/** Where an order's money lies at the moment. */
export function stageOf({ soldAt, settlement }: Payment, commission: Fen): Stage {
  if (soldAt === null) return { stage: 'held' };
  return { stage: settlement === 'released' || settlement === 'unshared' ? 'released' : 'earned', commission };
}
