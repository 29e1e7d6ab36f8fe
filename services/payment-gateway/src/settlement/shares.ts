/** What of an order's money is whose: sums over its refunds. Pure. */
import type { Channel } from '@yunshi/contracts/payment';
import type { AttemptId } from '@yunshi/kernel/ids';
import { partOf, type Fen } from '@yunshi/kernel/money';
import { commissionOf, type OwnParts, type Stage } from '../ledger/ledger.ts';
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

/**
 * What of an order's money is the marketplace's own while so much of it has not gone back: of a server what is left of all, and 10 % of the
 * rest. A refund in part takes from provider and server as they made up the price.
 */
function ownPartsOf({ serverAmount }: Payment, paid: Attempt, left: Fen): OwnParts {
  const received = paid.received ?? 0;
  const server = received === 0 ? 0 : partOf(serverAmount, left, received);
  return { server, commission: commissionOf(left - server) };
}

/** What the marketplace has of a completed order, once these refunds have gone through. */
function keptAfter(payment: Payment, paid: Attempt, refunds: readonly Refund[]): OwnParts {
  const { commission, server } = ownPartsOf(payment, paid, paid.received ?? 0);
  return { commission: commission - sumOf(refunds, (one) => one.commission), server: server - sumOf(refunds, (one) => one.server) };
}

/**
 * The parts of a new refund that the marketplace gives back: so much that what it keeps is its part of what is left. A refund of all that
 * is left gives back all that is kept, so that no row of partial refunds loses or makes a fen. None before the sale, when it had taken none.
 */
export function ownPartsOfRefund(payment: Payment, paid: Attempt, amount: Fen): OwnParts {
  if (payment.soldAt === null || paid.orphanReason !== null) return { commission: 0, server: 0 };
  const kept = keptAfter(payment, paid, holding(payment, paid.attemptId));
  const keeps = ownPartsOf(payment, paid, leftOf(payment, paid) - amount);
  const within = (back: Fen, most: Fen): Fen => Math.min(Math.max(back, 0), most);
  const server = within(kept.server - keeps.server, Math.min(amount, kept.server));
  const commission = within(kept.commission - keeps.commission, Math.min(amount - server, kept.commission));
  return { commission, server };
}

/** What is shared out of an order: the marketplace's own part and the provider's. */
export function sharesOf(payment: Payment, paid: Attempt): OwnParts & { readonly own: Fen; readonly provider: Fen } {
  const done = payment.refunds.filter((one) => one.attemptId === paid.attemptId && one.status === 'succeeded');
  const { commission, server } = keptAfter(payment, paid, done);
  const own = commission + server;
  return { commission, server, own, provider: (paid.received ?? 0) - sumOf(done) - own };
}

/** Where an order's money lies at the moment. */
export function stageOf({ soldAt, settlement }: Payment, { commission, server }: OwnParts): Stage {
  if (soldAt === null) return { stage: 'held' };
  return { stage: settlement === 'released' || settlement === 'unshared' ? 'released' : 'earned', commission, server };
}
