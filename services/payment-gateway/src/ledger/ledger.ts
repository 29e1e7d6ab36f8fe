/** Double entry: what each movement of money does to the accounts. Pure. */
import type { AccountId, AttemptId, OrderId, ProviderId, WithdrawalId } from '@yunshi/kernel/ids';
import { partOf, type Fen } from '@yunshi/kernel/money';
import type { Channel } from '@yunshi/contracts/payment';
import type { Source } from '../wallet/wallet.ts';

/**
 * Positive amounts are debits, negative ones credits. What comes after the colon is whose it is.
 * - `channel_clearing:<channel>`: money that the channel holds for us and for the providers (asset)
 * - `channel_clearing:own_bank`: the marketplace's own bank account: refunds that no channel can carry out, and money that came by hand (asset)
 * - `buyer_funds:<account>`: received for orders that are not completed (liability to the buyer)
 * - `suspense`: received for nothing, on its way back (liability to the buyer)
 * - `provider_payable:<provider>`: earned by the provider and not yet released (liability)
 * - `provider_balance:<provider>`: released to the provider, who may withdraw it (liability)
 * - `platform_fee:<provider>`: the marketplace's commission of what the provider sold (income)
 * - `server_sales`: what the marketplace took for cloud servers that it sold together with providers' images (income)
 * - `channel_fees:<channel>`: what the channel charges (expense)
 * - `wallet:<account>/<source>`: account balance 账户余额, by where it was topped up from (liability to the buyer)
 * - `wallet_payouts:<account>`: taken out of the balance, and not arrived yet (liability to the buyer)
 * - `wallet_custody:<source>`: where the money of all balances lies (asset)
 */
export type LedgerAccount =
  | `channel_clearing:${Channel | 'own_bank'}`
  | `buyer_funds:${string}`
  | 'suspense'
  | `provider_payable:${string}`
  | `provider_balance:${string}`
  | `platform_fee:${string}`
  | 'server_sales'
  | `channel_fees:${Channel}`
  | `wallet:${string}/${Source}`
  | `wallet_payouts:${string}`
  | `wallet_custody:${Source}`;

export type Posting = { readonly account: LedgerAccount; readonly amount: number };
export type EntryKind =
  | 'receipt'
  | 'orphan-receipt'
  | 'sale'
  | 'release'
  | 'refund'
  | 'orphan-refund'
  | 'revocation'
  | 'repayment'
  | 'channel-fee'
  | 'adjustment'
  | 'offline-refund'
  | 'provider-withdrawal'
  | 'provider-withdrawal-returned'
  | 'wallet-opening'
  | 'wallet-withdrawal'
  | 'wallet-returned'
  | 'wallet-paid-out';

/** Whose movement it is; absent where it is nobody's. */
type Cause = {
  readonly orderId: OrderId | null;
  readonly accountId: AccountId | null;
  readonly providerId: ProviderId | null;
  readonly at: Date;
};
/** One movement. The id names its cause, so that it can be posted only once. */
export type Entry = Cause & { readonly id: string; readonly kind: EntryKind; readonly postings: readonly Posting[] };

/** The marketplace keeps 10 % of what the buyer really paid (marketplace.md, section 4), rounded by the one rule: half a fen up. */
const COMMISSION = { numerator: 10, denominator: 100 } as const;
export const commissionOf = (amount: Fen): Fen => partOf(amount, COMMISSION.numerator, COMMISSION.denominator);

type Owned = { readonly orderId: OrderId; readonly accountId: AccountId; readonly providerId: ProviderId | null; readonly at: Date };
type Movement = Owned & { readonly amount: Fen; readonly channel: Channel };

const entry = (id: string, kind: EntryKind, { orderId, accountId, providerId, at }: Cause, postings: readonly Posting[]): Entry => {
  const sum = postings.reduce((total, posting) => total + posting.amount, 0);
  if (sum !== 0) throw new Error(`entry ${id} is out of balance by ${sum} fen`);
  return { id, kind, orderId, accountId, providerId, at, postings: postings.filter((posting) => posting.amount !== 0) };
};

/** Money came in and is kept for an order. */
export const receipt = (attemptId: AttemptId, { amount, channel, ...cause }: Movement): Entry =>
  entry(`receipt:${attemptId}`, 'receipt', cause, [
    { account: `channel_clearing:${channel}`, amount },
    { account: `buyer_funds:${cause.accountId}`, amount: -amount },
  ]);

/** Money came in that no order can keep. */
export const orphanReceipt = (attemptId: AttemptId, { amount, channel, ...cause }: Movement): Entry =>
  entry(`receipt:${attemptId}`, 'orphan-receipt', cause, [
    { account: `channel_clearing:${channel}`, amount },
    { account: 'suspense', amount: -amount },
  ]);

/**
 * The order is completed: the money is the provider's and the marketplace's. `server` is the part for a cloud server, which the marketplace
 * has sold itself: the provider earns nothing by it and owes no commission for it.
 */
export function sale({ amount, server = 0, ...cause }: Owned & { readonly amount: Fen; readonly server?: Fen }): Entry {
  const fee = commissionOf(amount - server);
  return entry(`sale:${cause.orderId}`, 'sale', cause, [
    { account: `buyer_funds:${cause.accountId}`, amount },
    { account: `provider_payable:${cause.providerId}`, amount: -(amount - server - fee) },
    { account: `platform_fee:${cause.providerId}`, amount: -fee },
    { account: 'server_sales', amount: -server },
  ]);
}

/** Profit sharing 分账 is done: what the provider earned by the order is its own to withdraw. */
export const release = ({ amount, ...cause }: Owned & { readonly amount: Fen }): Entry =>
  entry(`release:${cause.orderId}`, 'release', cause, [
    { account: `provider_payable:${cause.providerId}`, amount },
    { account: `provider_balance:${cause.providerId}`, amount: -amount },
  ]);

/**
 * Where money lies that came in: in `suspense` if no order could keep it, `held` for the buyer, `earned` by provider and marketplace, or
 * `released` to the provider. `commission` and `server` are the parts of the amount that come out of the marketplace's own.
 */
export type Stage =
  { readonly stage: 'suspense' | 'held' } | { readonly stage: 'earned' | 'released'; readonly commission: Fen; readonly server?: Fen };
/** What of an amount is the marketplace's own: its commission, and what it took for a server. */
export type OwnParts = { readonly commission: Fen; readonly server: Fen };

function takenFrom(amount: Fen, cause: Owned, where: Stage): Posting[] {
  if (!('commission' in where)) return [{ account: where.stage === 'held' ? `buyer_funds:${cause.accountId}` : 'suspense', amount }];
  const provider = where.stage === 'earned' ? 'provider_payable' : 'provider_balance';
  const { commission, server = 0 } = where;
  return [
    { account: `${provider}:${cause.providerId}`, amount: amount - server - commission },
    { account: `platform_fee:${cause.providerId}`, amount: commission },
    { account: 'server_sales', amount: server },
  ];
}

/** Money went back to the buyer: from what was held for the order, or, after the sale, from those who had earned it. */
export const refund = (refundNo: string, { amount, channel, ...cause }: Movement, where: Stage): Entry =>
  entry(`refund:${refundNo}`, 'refund', cause, [
    ...takenFrom(amount, cause, where),
    { account: `channel_clearing:${channel}`, amount: -amount },
  ]);

export const orphanRefund = (refundNo: string, { amount, channel, ...cause }: Movement): Entry =>
  entry(`refund:${refundNo}`, 'orphan-refund', cause, [
    ...takenFrom(amount, cause, { stage: 'suspense' }),
    { account: `channel_clearing:${channel}`, amount: -amount },
  ]);

/** Money went back to the buyer out of our own pocket, because the channel could not bring it: what the channel holds stays there. */
export const offlineRefund = (refundNo: string, { amount, ...cause }: Omit<Movement, 'channel'>, where: Stage): Entry =>
  entry(`refund-offline:${refundNo}`, 'offline-refund', cause, [
    ...takenFrom(amount, cause, where),
    { account: 'channel_clearing:own_bank', amount: -amount },
  ]);

/** The payer's bank took the money back after it had come 退票: as a refund, but nobody decided on it. */
export const revocation = (attemptId: AttemptId, { amount, channel, ...cause }: Movement, where: Stage): Entry =>
  entry(`revocation:${attemptId}`, 'revocation', cause, [
    ...takenFrom(amount, cause, where),
    { account: `channel_clearing:${channel}`, amount: -amount },
  ]);

/** A company paid again what its bank had taken back, into the marketplace's own account: it lies where it lay before. */
export const repayment = (attemptId: AttemptId, { amount, ...cause }: Omit<Movement, 'channel'>, where: Stage): Entry =>
  entry(`repayment:${attemptId}`, 'repayment', cause, [
    { account: 'channel_clearing:own_bank', amount },
    ...takenFrom(amount, cause, where).map(({ account, amount: taken }) => ({ account, amount: 0 - taken })),
  ]);

/** What the channel charged for a day or a payment, as its bill says. `feeNo` names it once. */
export const channelFee = (
  feeNo: string,
  { amount, channel, at }: { readonly amount: Fen; readonly channel: Channel; readonly at: Date },
): Entry =>
  entry(`channel-fee:${channel}:${feeNo}`, 'channel-fee', { orderId: null, accountId: null, providerId: null, at }, [
    { account: `channel_fees:${channel}`, amount },
    { account: `channel_clearing:${channel}`, amount: -amount },
  ]);

/**
 * Brings what we say of a channel's money to what its bill says: two persons have agreed to it. `amount` is what the channel holds more
 * than we thought, negative where it holds less. Whose it is, is still to be found out.
 */
export const adjustment = (
  differenceNo: string,
  { amount, channel, at }: { readonly amount: number; readonly channel: Channel; readonly at: Date },
): Entry =>
  entry(`adjustment:${differenceNo}`, 'adjustment', { orderId: null, accountId: null, providerId: null, at }, [
    { account: `channel_clearing:${channel}`, amount },
    { account: 'suspense', amount: -amount },
  ]);

type Withdrawn = { readonly providerId: ProviderId; readonly amount: Fen; readonly channel: Channel; readonly at: Date };

/** A provider's money left the channel for the provider's bank. */
export const providerWithdrawal = (withdrawalNo: string, { amount, channel, providerId, at }: Withdrawn): Entry =>
  entry(`withdrawal:${withdrawalNo}`, 'provider-withdrawal', { orderId: null, accountId: null, providerId, at }, [
    { account: `provider_balance:${providerId}`, amount },
    { account: `channel_clearing:${channel}`, amount: -amount },
  ]);

/** The provider's bank sent it back. */
export const providerWithdrawalReturned = (withdrawalNo: string, { amount, channel, providerId, at }: Withdrawn): Entry =>
  entry(`withdrawal-returned:${withdrawalNo}`, 'provider-withdrawal-returned', { orderId: null, accountId: null, providerId, at }, [
    { account: `channel_clearing:${channel}`, amount },
    { account: `provider_balance:${providerId}`, amount: -amount },
  ]);

type OfWallet = { readonly accountId: AccountId; readonly source: Source; readonly amount: Fen; readonly at: Date };
const buyers = ({ accountId, at }: OfWallet): Cause => ({ orderId: null, accountId, providerId: null, at });
const walletOf = ({ accountId, source }: OfWallet): LedgerAccount => `wallet:${accountId}/${source}`;

/** A balance of an older account, as it was taken over. */
export const walletOpening = (of: OfWallet): Entry =>
  entry(`wallet-opening:${of.accountId}/${of.source}`, 'wallet-opening', buyers(of), [
    { account: `wallet_custody:${of.source}`, amount: of.amount },
    { account: walletOf(of), amount: -of.amount },
  ]);

/** The buyer has asked for it 提现: it is no balance any more, and has not arrived. */
export const walletWithdrawal = (withdrawalId: WithdrawalId, of: OfWallet): Entry =>
  entry(`wallet-withdrawal:${withdrawalId}`, 'wallet-withdrawal', buyers(of), [
    { account: walletOf(of), amount: of.amount },
    { account: `wallet_payouts:${of.accountId}`, amount: -of.amount },
  ]);

/** It has arrived. */
export const walletPaidOut = (withdrawalId: WithdrawalId, of: OfWallet): Entry =>
  entry(`wallet-end:${withdrawalId}`, 'wallet-paid-out', buyers(of), [
    { account: `wallet_payouts:${of.accountId}`, amount: of.amount },
    { account: `wallet_custody:${of.source}`, amount: -of.amount },
  ]);

/** It could not be paid out, and is a balance again. The id is that of the other end, so that no withdrawal can have both. */
export const walletReturned = (withdrawalId: WithdrawalId, of: OfWallet): Entry =>
  entry(`wallet-end:${withdrawalId}`, 'wallet-returned', buyers(of), [
    { account: `wallet_payouts:${of.accountId}`, amount: of.amount },
    { account: walletOf(of), amount: -of.amount },
  ]);
