/**
 * One payment per order, with its attempts and refunds: what may happen to the money, and what follows from it. Pure.
 *
 * Money moves on three words only: a verified callback, a verified query, a verified answer. At most one attempt is kept; all other
 * money that comes in is an orphan and goes back by itself, in full. An order is let go only when the channel has said «closed».
 */
import type { Channel } from '@yunshi/contracts/payment';
import type { BankCode } from '@yunshi/kernel/banks';
import type { Message } from '@yunshi/contracts/define';
import { flow, move, type ActionOf, type Flow, type StateOf } from '@yunshi/kernel/flow';
import type { AccountId, AttemptId, OrderId, PaymentId, ProviderId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';
import type { Fen } from '@yunshi/kernel/money';
import type { Entry } from '../ledger/ledger.ts';
import type { SettlementStatus } from '../settlement/flow.ts';

export const paymentFlow = flow('payment', {
  open: { receive: 'paid', return: 'closing' },
  /** Somebody has asked for the money back; the channel has not yet said that none can come any more. */
  closing: { close: 'closed', receive: 'refunding' },
  paid: { return: 'refunding', revoke: 'revoked' },
  refunding: { refund: 'refunded' },
  closed: {},
  refunded: {},
  /** The bank has taken the money back after it was paid 退票. Two persons settle what follows. */
  revoked: { restore: 'restored', end: 'ended' },
  /** It came again, by hand: the order stands as if it had never gone. */
  restored: {},
  /** It did not: what was delivered for it is ended. */
  ended: {},
});
export type PaymentStatus = StateOf<typeof paymentFlow>;

export const attemptFlow = flow('payment-attempt', {
  /** Asked of the channel, not yet answered. */
  opening: { open: 'open', accept: 'approving', fail: 'failed', close: 'closing', end: 'closed', keep: 'kept', orphan: 'orphaned' },
  open: { accept: 'approving', close: 'closing', end: 'closed', keep: 'kept', orphan: 'orphaned' },
  /** The bank holds the maker's voucher and waits for the checker. It may refuse to let go of it. */
  approving: { close: 'closing', end: 'closed', keep: 'kept', orphan: 'orphaned' },
  /** Whoever wanted to leave it may come back where the channel does not let go. */
  closing: { accept: 'approving', reopen: 'open', end: 'closed', keep: 'kept', orphan: 'orphaned' },
  // The channel's later word «paid» counts for more than its earlier «closed» or «refused», never the reverse.
  failed: { keep: 'kept', orphan: 'orphaned' },
  closed: { keep: 'kept', orphan: 'orphaned' },
  kept: { revoke: 'revoked' },
  orphaned: { revoke: 'revoked' },
  revoked: {},
});
export type AttemptStatus = StateOf<typeof attemptFlow>;

export const refundFlow = flow('payment-refund', {
  requested: { accept: 'processing', block: 'blocked', settle: 'succeeded', stall: 'abnormal', close: 'closed' },
  /** Refused for now: the balance is too low, or something is set up wrongly. */
  blocked: { accept: 'processing', settle: 'succeeded', stall: 'abnormal', close: 'closed' },
  processing: { settle: 'succeeded', stall: 'abnormal', close: 'closed' },
  /** The buyer's card is dead: an operator finds another way, and the channel then says «succeeded». */
  abnormal: { settle: 'succeeded', close: 'closed' },
  succeeded: {},
  /** The channel gave up and has paid nothing back. */
  closed: { replace: 'replaced' },
  /** Another refund gives back the same money. */
  replaced: {},
});
export type RefundStatus = StateOf<typeof refundFlow>;

export type OrphanReason = 'late' | 'double' | 'wrong-amount';

export type Attempt = {
  readonly attemptId: AttemptId;
  readonly orderId: OrderId;
  readonly channel: Channel;
  /** The provider's number at the channel. */
  readonly payee: string;
  readonly amount: Fen;
  readonly description: string;
  readonly status: AttemptStatus;
  /** Corporate payments: the bank that the buyer has chosen. */
  readonly bank: BankCode | null;
  /** The channel's own number of the order. */
  readonly channelNo: string | null;
  /** What the buyer pays with: a code to scan, or where the buyer's browser goes. */
  readonly codeUrl: string | null;
  readonly redirectUrl: string | null;
  /** When the channel gave us that. */
  readonly shownAt: Date | null;
  /** Since when, as far as we know, the bank waits for the checker. */
  readonly approvingSince: Date | null;
  readonly failure: string | null;
  readonly orphanReason: OrphanReason | null;
  readonly transactionId: string | null;
  /** What really came in. */
  readonly received: Fen | null;
  readonly paidAt: Date | null;
  readonly expiresAt: Date;
  readonly createdAt: Date;
  /** How often in a row the channel was asked without learning anything: the next question waits longer. */
  readonly checks: number;
  /** How often in a row the channel did not know an order that it never confirmed. */
  readonly missed: number;
  /** When the buyer last had the channel asked. */
  readonly askedAt: Date | null;
};

export type Refund = {
  readonly refundNo: string;
  readonly orderId: OrderId;
  readonly attemptId: AttemptId;
  /** Refunds of one attempt are counted, whatever becomes of them. */
  readonly generation: number;
  readonly amount: Fen;
  /** The parts of the amount that the marketplace gives back of its commission, and of what it took for a server. */
  readonly commission: Fen;
  readonly server: Fen;
  /**
   * Whether the marketplace's parts, once shared out of the provider's money, have been put back into it, so that the refund can be taken from there:
   * `due` waits for a sharing that is under way, `asked` for the channel's answer.
   */
  readonly shareBack: 'none' | 'due' | 'asked' | 'done';
  readonly reason: string | null;
  readonly status: RefundStatus;
  readonly refundId: string | null;
  readonly failure: string | null;
  readonly checks: number;
  /** When the channel is asked again; null where an answer is awaited or nothing is left to ask. */
  readonly checkAt: Date | null;
  readonly createdAt: Date;
  readonly endedAt: Date | null;
};

/** Who waits for an answer: the saga's step, as the message said. */
export type Asker = {
  readonly sagaId: string;
  readonly step: string;
  readonly direction: 'do' | 'undo';
  readonly replyTo: string;
  readonly traceparent?: string;
};

/** Nobody may pay while the price is changed 改价: who waits for that, and whether the channel has confirmed that nobody can. */
export type Pause = { readonly by: Asker; readonly confirmed: boolean };

export type Payment = {
  readonly orderId: OrderId;
  readonly paymentId: PaymentId;
  readonly accountId: AccountId;
  /** Absent when the order was called off before it asked for money. */
  readonly providerId: ProviderId | null;
  readonly amount: Fen;
  /** The part of it that is for a cloud server: the marketplace's sale, not the provider's. */
  readonly serverAmount: Fen;
  readonly description: string;
  readonly status: PaymentStatus;
  readonly payBy: Date;
  /** The provider's numbers at the channels that it is signed up for, as they were when the payment was opened. */
  readonly payees: Readonly<Partial<Record<Channel, string>>>;
  readonly collector: Asker | null;
  readonly returners: readonly Asker[];
  readonly pause: Pause | null;
  readonly createdAt: Date;
  readonly paidAt: Date | null;
  readonly deliveryType: DeliveryType;
  /** When the order was completed: from then on the money is the provider's. */
  readonly soldAt: Date | null;
  /** Of a completed order: on the way to the provider's hands. */
  readonly settlement: SettlementStatus | null;
  /** The end of the review period 复议期, when the provider's share is released. */
  readonly releaseAt: Date | null;
  readonly releasedAt: Date | null;
  readonly attempts: readonly Attempt[];
  readonly refunds: readonly Refund[];
};

export const TASK_KINDS = [
  'refund-abnormal',
  'refund-closed',
  'refund-blocked',
  'order-mismatch',
  'order-unknown',
  'payment-revoked',
  'share-refused',
  'withdrawal-late',
] as const;
type TaskKind = (typeof TASK_KINDS)[number];

export type Task = {
  readonly taskId: string;
  readonly kind: TaskKind;
  readonly orderId: OrderId | null;
  readonly subject: string;
  readonly detail: string;
  readonly openedAt: Date;
};

export type NotPaused = 'paid' | 'closed' | 'bank-holds-voucher';

/** What shall happen along with the new state. */
export type Effect =
  /** Calls of the channel; `at` delays them. */
  | { readonly do: 'place' | 'query' | 'close'; readonly attempt: Attempt; readonly at?: Date }
  | { readonly do: 'refund' | 'query-refund' | 'return-share'; readonly refund: Refund; readonly attempt: Attempt; readonly at?: Date }
  | { readonly do: 'share'; readonly own: Fen; readonly attempt: Attempt; readonly at?: Date }
  /** Deadlines: look at the attempts, or at the refunds, again; release the provider's share. */
  | { readonly do: 'check' | 'check-refunds' | 'release'; readonly at: Date }
  | { readonly do: 'answer-paid'; readonly to: Asker; readonly paymentId: PaymentId; readonly paidAt: Date; readonly channel: Channel }
  /** No answer yet: the payment may be settled until then. */
  | { readonly do: 'answer-held'; readonly to: Asker; readonly until: Date }
  | { readonly do: 'answer-closed'; readonly to: Asker }
  | { readonly do: 'answer-paused'; readonly to: Asker }
  | { readonly do: 'answer-not-paused'; readonly to: Asker; readonly reason: NotPaused }
  | { readonly do: 'answer-refunded'; readonly to: Asker; readonly amount: Fen }
  | { readonly do: 'tell'; readonly event: Message }
  | { readonly do: 'post'; readonly entry: Entry }
  | { readonly do: 'task'; readonly task: Task };

export type Change = { readonly payment: Payment; readonly effects: readonly Effect[] };
export const unchanged = (payment: Payment): Change => ({ payment, effects: [] });

const SECOND = 1_000;
export const later = (now: Date, seconds: number): Date => new Date(now.getTime() + seconds * SECOND);
/** The wait before the next of several questions; the last one repeats. */
export const waitOf = (waits: readonly number[], times: number): number => waits[Math.min(times, waits.length - 1)] ?? 0;

// Small movers. A move that the table does not have is a mistake of ours, not of a caller.
export function moved<F extends Readonly<Record<string, Readonly<Record<string, string>>>>>(
  machine: Flow<F>,
  from: keyof F & string,
  action: ActionOf<Flow<F>>,
): keyof F & string {
  const to = move(machine, from, action);
  if (!to.ok) throw new Error(`${machine.name}: nothing leads from ${from} by ${action}`);
  return to.value;
}
export const put = (payment: Payment, attempt: Attempt): Payment => ({
  ...payment,
  attempts: payment.attempts.map((one) => (one.attemptId === attempt.attemptId ? attempt : one)),
});
export const putRefund = (payment: Payment, refund: Refund): Payment => ({
  ...payment,
  refunds: payment.refunds.map((one) => (one.refundNo === refund.refundNo ? refund : one)),
});
export const step = (attempt: Attempt, action: ActionOf<typeof attemptFlow>): Attempt => ({
  ...attempt,
  status: moved(attemptFlow, attempt.status, action),
});
export const isLive = (attempt: Attempt): boolean =>
  attempt.status === 'opening' || attempt.status === 'open' || attempt.status === 'approving' || attempt.status === 'closing';
/** Whether it has come to nothing, so that its amount can be given back by another. */
export const isVoid = ({ status }: Refund): boolean => status === 'closed' || status === 'replaced';
export const isEnded = (refund: Refund): boolean => refund.status === 'succeeded' || isVoid(refund);
export const isPaid = (attempt: Attempt): boolean => attempt.status === 'kept' || attempt.status === 'orphaned';
export const liveAttempt = (payment: Payment): Attempt | undefined => payment.attempts.find(isLive);
export const keptAttempt = (payment: Payment): Attempt | undefined => payment.attempts.find((one) => one.status === 'kept');
/** The attempt whose money a bank took back from the order. */
export const revokedAttempt = (payment: Payment): Attempt | undefined =>
  payment.attempts.find((one) => one.status === 'revoked' && one.orphanReason === null);
/** The attempt that the order was paid by: its own money, or money that came by hand in place of it. */
export const payingAttempt = (payment: Payment): Attempt | undefined =>
  payment.status === 'restored' ? revokedAttempt(payment) : keptAttempt(payment);
