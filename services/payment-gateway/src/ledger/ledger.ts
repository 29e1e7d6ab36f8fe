/** Double entry: what each movement of money does to the accounts. Pure. */
import type { AccountId, AttemptId, OrderId, ProviderId } from '@yunshi/kernel/ids';
import { partOf, type Fen } from '@yunshi/kernel/money';
import type { Channel } from '@yunshi/contracts/payment';

/**
 * Positive amounts are debits, negative ones credits.
 * - `channel_clearing`: money that the channel holds for us (asset)
 * - `buyer_funds`: received for orders that are not completed (liability to the buyer)
 * - `orphan_funds`: received for nothing, on its way back (liability to the buyer)
 * - `provider_payable`: earned by the provider (liability)
 * - `platform_fee`: earned by the marketplace (income)
 */
export type LedgerAccount = `channel_clearing:${Channel}` | 'buyer_funds' | 'orphan_funds' | `provider_payable:${string}` | 'platform_fee';

export type Posting = { readonly account: LedgerAccount; readonly amount: number };
export type EntryKind = 'receipt' | 'orphan-receipt' | 'sale' | 'refund' | 'orphan-refund';

/** One movement. The id names its cause, so that it can be posted only once. */
export type Entry = {
  readonly id: string;
  readonly kind: EntryKind;
  readonly orderId: OrderId;
  readonly accountId: AccountId;
  readonly providerId: ProviderId | null;
  readonly at: Date;
  readonly postings: readonly Posting[];
};

/** The marketplace keeps 10 % of what the buyer really paid. */
export const COMMISSION = { numerator: 10, denominator: 100 } as const;
export const commissionOf = (amount: Fen): Fen => partOf(amount, COMMISSION.numerator, COMMISSION.denominator);

type Cause = { readonly orderId: OrderId; readonly accountId: AccountId; readonly providerId: ProviderId | null; readonly at: Date };
type Movement = Cause & { readonly amount: Fen; readonly channel: Channel };

const entry = (id: string, kind: EntryKind, { orderId, accountId, providerId, at }: Cause, postings: readonly Posting[]): Entry => {
  const sum = postings.reduce((total, posting) => total + posting.amount, 0);
  if (sum !== 0) throw new Error(`entry ${id} is out of balance by ${sum} fen`);
  return { id, kind, orderId, accountId, providerId, at, postings: postings.filter((posting) => posting.amount !== 0) };
};

/** Money came in and is kept for an order. */
export const receipt = (attemptId: AttemptId, { amount, channel, ...cause }: Movement): Entry =>
  entry(`receipt:${attemptId}`, 'receipt', cause, [
    { account: `channel_clearing:${channel}`, amount },
    { account: 'buyer_funds', amount: -amount },
  ]);

/** Money came in that no order can keep. */
export const orphanReceipt = (attemptId: AttemptId, { amount, channel, ...cause }: Movement): Entry =>
  entry(`receipt:${attemptId}`, 'orphan-receipt', cause, [
    { account: `channel_clearing:${channel}`, amount },
    { account: 'orphan_funds', amount: -amount },
  ]);

/** The order is completed: the money is the provider's and the marketplace's. */
export function sale({ amount, ...cause }: Cause & { readonly amount: Fen }): Entry {
  const fee = commissionOf(amount);
  return entry(`sale:${cause.orderId}`, 'sale', cause, [
    { account: 'buyer_funds', amount },
    { account: `provider_payable:${cause.providerId}`, amount: -(amount - fee) },
    { account: 'platform_fee', amount: -fee },
  ]);
}

/** Money went back to the buyer: from what was held for the order, or, after the sale, from those who had earned it. */
export function refund(refundNo: string, { amount, channel, sold, ...cause }: Movement & { readonly sold: boolean }): Entry {
  const fee = commissionOf(amount);
  const from: Posting[] = sold
    ? [
        { account: `provider_payable:${cause.providerId}`, amount: amount - fee },
        { account: 'platform_fee', amount: fee },
      ]
    : [{ account: 'buyer_funds', amount }];
  return entry(`refund:${refundNo}`, 'refund', cause, [...from, { account: `channel_clearing:${channel}`, amount: -amount }]);
}

export const orphanRefund = (refundNo: string, { amount, channel, ...cause }: Movement): Entry =>
  entry(`refund:${refundNo}`, 'orphan-refund', cause, [
    { account: 'orphan_funds', amount },
    { account: `channel_clearing:${channel}`, amount: -amount },
  ]);
