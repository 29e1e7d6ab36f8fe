/** What becomes of an order whose payment a bank took back 退票: one operator says so and shows why, another one agrees. Pure. */
import { revocationSettled } from '@yunshi/contracts/payment';
import { flow, type StateOf } from '@yunshi/kernel/flow';
import type { OrderId, UserId } from '@yunshi/kernel/ids';
import { no, ok, type Result } from '@yunshi/kernel/result';
import * as ledger from '../ledger/ledger.ts';
import { earned } from '../payment/payment.ts';
import { moved, paymentFlow, revokedAttempt, type Change, type Effect, type Payment } from '../payment/state.ts';
import { settlementFlow } from '../settlement/flow.ts';
import { sharesOf, stageOf } from '../settlement/shares.ts';

export const revocationFlow = flow('revocation', {
  proposed: { approve: 'settled', reject: 'rejected' },
  rejected: { propose: 'proposed' },
  settled: {},
});

/** `repaid`: the company has paid again, by hand. `ended`: it has not, and what was delivered is ended. */
export const outcomes = ['repaid', 'ended'] as const;
export type RevocationOutcome = (typeof outcomes)[number];

/** Keyed by the order: its payment is taken back once at most. */
export type Revocation = {
  readonly orderId: OrderId;
  readonly status: StateOf<typeof revocationFlow>;
  readonly outcome: RevocationOutcome;
  /** The bank's receipt, or why nothing more is to be expected. */
  readonly evidence: string;
  readonly proposedBy: UserId;
  readonly proposedAt: Date;
  readonly decidedBy: UserId | null;
  readonly decidedAt: Date | null;
};

type Act = { readonly by: UserId; readonly now: Date };
type Wish = { readonly outcome: RevocationOutcome; readonly evidence: string };

export function propose(
  payment: Payment,
  known: Revocation | undefined,
  wish: Wish,
  { by, now }: Act,
): Result<Revocation, Unsettleable | 'revocation-proposed'> {
  const possible = settled(payment, wish.outcome, now);
  if (!possible.ok) return possible;
  if (known && known.status !== 'rejected') return no('revocation-proposed');
  return ok({ ...wish, orderId: payment.orderId, status: 'proposed', proposedBy: by, proposedAt: now, decidedBy: null, decidedAt: null });
}

export type Undecidable = Unsettleable | 'revocation-not-proposed' | 'second-person-needed';

/** A second person agrees, and it is done; or disagrees, and all stays as it was. */
export function decide(
  payment: Payment,
  known: Revocation | undefined,
  verdict: 'approve' | 'reject',
  { by, now }: Act,
): Result<{ readonly revocation: Revocation; readonly change: Change | undefined }, Undecidable> {
  if (known?.status !== 'proposed') return no('revocation-not-proposed');
  if (verdict === 'approve' && known.proposedBy === by) return no('second-person-needed');
  const change = verdict === 'approve' ? settled(payment, known.outcome, now) : undefined;
  if (change && !change.ok) return change;
  const revocation = { ...known, status: moved(revocationFlow, known.status, verdict), decidedBy: by, decidedAt: now };
  return ok({ revocation, change: change?.value });
}

const settled = (payment: Payment, outcome: RevocationOutcome, now: Date): Result<Change, Unsettleable> =>
  outcome === 'repaid' ? restore(payment, now) : endRevoked(payment, now);

export type Unsettleable = 'revocation-not-open' | 'order-not-completed';

/**
 * The company has paid again, straight to the marketplace's own account: the money is whose it was, and what was delivered goes on. While an
 * order may still fail there is nobody to keep the money for: it would have to be given back by hand.
 */
export function restore(payment: Payment, now: Date): Result<Change, Unsettleable> {
  const gone = revokedAttempt(payment);
  if (payment.status !== 'revoked' || !gone) return no('revocation-not-open');
  if (payment.soldAt === null) return no('order-not-completed');
  const { orderId, accountId, providerId, settlement } = payment;
  const shares = sharesOf(payment, gone);
  // It was taken from where it then lay, and comes back there.
  const where: ledger.Stage = settlement === null ? { stage: 'held' } : stageOf(payment, shares);
  const movement = { orderId, accountId, providerId, at: now, amount: shares.own + shares.provider };
  const back: Payment = { ...payment, status: moved(paymentFlow, payment.status, 'restore') };
  const effects: Effect[] = [
    { do: 'post', entry: ledger.repayment(gone.attemptId, movement, where) },
    { do: 'tell', event: settledEvent(payment, 'repaid', now) },
  ];
  if (settlement === null) {
    const sold = earned(back, now);
    return ok({ payment: sold.payment, effects: [...effects, ...sold.effects] });
  }
  if (settlement !== 'cancelled') return ok({ payment: back, effects });
  const releaseAt = new Date(Math.max(now.getTime(), payment.releaseAt?.getTime() ?? 0));
  const reviewing = { ...back, settlement: moved(settlementFlow, settlement, 'restore'), releaseAt };
  return ok({ payment: reviewing, effects: [...effects, { do: 'release', at: releaseAt }] });
}

/** Nobody pays again: what was delivered for the money is ended. All of it has been booked back already. */
export function endRevoked(payment: Payment, now: Date): Result<Change, Unsettleable> {
  if (payment.status !== 'revoked') return no('revocation-not-open');
  const ended = { ...payment, status: moved(paymentFlow, payment.status, 'end') };
  return ok({ payment: ended, effects: [{ do: 'tell', event: settledEvent(payment, 'ended', now) }] });
}

const settledEvent = ({ orderId, accountId, paymentId }: Payment, outcome: RevocationOutcome, now: Date) =>
  revocationSettled({ orderId, accountId, paymentId, outcome, settledAt: now.toISOString() });
