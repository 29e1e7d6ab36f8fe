/** Wallets and withdrawals as the API shows them. */
import { AccountId, UserId, WithdrawalId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import { z } from 'zod';
import { masked } from './bank-accounts.ts';
import {
  partOf,
  routeOf,
  SOURCES,
  totalOf,
  withdrawableOf,
  withdrawalFlow,
  type BankAccount,
  type Wallet,
  type Withdrawal,
  type WithdrawalStatus,
} from './wallet.ts';

const Time = z.iso.datetime({ offset: true });
export const Source = z
  .enum(SOURCES)
  .meta({ description: 'Where it was topped up from: offline is everything that has no original route' });
export const Status = z.enum(withdrawalFlow.states as unknown as readonly [WithdrawalStatus, ...WithdrawalStatus[]]);

const Part = z.object({
  source: Source,
  route: z.enum(['original', 'offline']).meta({ description: 'original 原路: within 2 hours; offline 线下: 7 to 15 working days' }),
  balance: Fen,
  withdrawable: Fen.meta({ description: 'balance, less what of frozen and owed is kept back from it' }),
});

export const ShownWallet = z
  .object({
    account_id: AccountId,
    balance: Fen.meta({ description: 'All parts' }),
    parts: z.array(Part),
    frozen: Fen.meta({ description: '冻结' }),
    owed: Fen.meta({ description: '欠费' }),
    withdrawable: Fen,
    formula: z.object({ original: Fen, offline: Fen }).meta({
      description:
        '可提现 withdrawable = original + offline. Frozen and owed amounts are kept back from the offline part first, then from e-banking, QQ wallet and WeChat.',
    }),
    processing: Fen.meta({ description: '提现中: taken out of the balance, and not arrived yet' }),
    bank_account: z.string().nullable().meta({ description: 'Where the offline part goes to: the bank and the last four digits' }),
  })
  .meta({ id: 'Wallet' });

export const ShownWithdrawal = z
  .object({
    withdrawal_id: WithdrawalId,
    account_id: AccountId,
    source: Source,
    route: z.enum(['original', 'offline']),
    amount: Fen,
    status: z.enum(['processing', 'succeeded', 'failed']).meta({ description: 'failed: the money is in the balance again' }),
    created_at: Time,
    expected_by: Time,
    late: z.boolean(),
    failure: z.string().nullable(),
    ended_at: Time.nullable(),
  })
  .meta({ id: 'WalletWithdrawal' });

/** What operators see beside: who has found what, and where a transfer goes. */
export const HandledWithdrawal = ShownWithdrawal.extend({
  proposal: z.object({ outcome: z.enum(['paid', 'failed']), note: z.string(), by: UserId }).nullable(),
  bank_account: z
    .object({ name: z.string(), bank: z.string(), number: z.string().meta({ description: 'The last four digits' }) })
    .nullable(),
}).meta({ id: 'HandledWithdrawal' });

export const shownWithdrawal = (of: Withdrawal): z.infer<typeof ShownWithdrawal> => ({
  withdrawal_id: of.withdrawalId,
  account_id: of.accountId,
  source: of.source,
  route: routeOf(of.source),
  amount: of.amount,
  status: of.status === 'approving' ? 'processing' : of.status,
  created_at: of.createdAt.toISOString(),
  expected_by: of.expectedBy.toISOString(),
  late: of.late,
  failure: of.failure,
  ended_at: of.endedAt?.toISOString() ?? null,
});

export const handledWithdrawal = (of: Withdrawal, wallet: Wallet | undefined): z.infer<typeof HandledWithdrawal> => ({
  ...shownWithdrawal(of),
  proposal: of.proposal,
  bank_account: isToBeTransferred(of) && wallet?.bankAccount ? shownAccount(wallet.bankAccount) : null,
});

export const isToBeTransferred = ({ source, endedAt }: Withdrawal): boolean => routeOf(source) === 'offline' && endedAt === null;

const shownAccount = ({ name, bank, last4 }: BankAccount) => ({ name, bank, number: `****${last4}` });

/** Where a transfer goes, in full: only for the person who makes it. */
export const RevealedAccount = z
  .object({ withdrawal_id: WithdrawalId, name: z.string(), bank: z.string(), number: z.string() })
  .meta({ id: 'RevealedAccount' });

export function shownWallet(wallet: Wallet): z.infer<typeof ShownWallet> {
  const free = withdrawableOf(wallet);
  const original = free.wechat + free.qq_wallet + free.e_banking;
  const { bankAccount } = wallet;
  return {
    account_id: wallet.accountId,
    balance: totalOf(wallet),
    parts: SOURCES.toReversed().map((source) => ({
      source,
      route: routeOf(source),
      balance: partOf(wallet, source),
      withdrawable: free[source],
    })),
    frozen: wallet.frozen,
    owed: wallet.owed,
    withdrawable: original + free.offline,
    formula: { original, offline: free.offline },
    processing: wallet.withdrawals.reduce((sum, one) => sum + (one.endedAt === null ? one.amount : 0), 0),
    bank_account: bankAccount && masked(bankAccount),
  };
}
