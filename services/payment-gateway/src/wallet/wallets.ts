/** The only SQL for wallets, with their withdrawals. */
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, WithdrawalId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';
import type { Wallet, Withdrawal, WithdrawalStatus } from './wallet.ts';

const walletRows = rowsOf(tables.wallets, 'accountId');
const withdrawalRows = rowsOf(tables.withdrawals, 'withdrawalId');
type WalletRow = typeof tables.wallets.$inferSelect;
const columns = selectListOf(tables.withdrawals);

async function withOpen(tx: Tx, rows: PromiseLike<readonly WalletRow[]>, accountIds: readonly AccountId[]): Promise<Wallet[]> {
  const open = tx<Withdrawal[]>`
    select ${tx.unsafe(columns)} from wallet_withdrawals where account_id = any(${[...accountIds]}::text[]) and ended_at is null order by withdrawal_id`.execute();
  const [found, withdrawals] = await Promise.allSettled([rows, open]);
  if (found.status === 'rejected') throw found.reason;
  if (withdrawals.status === 'rejected') throw withdrawals.reason;
  return found.value.map((row) => ({ ...row, withdrawals: withdrawals.value.filter(({ accountId }) => accountId === row.accountId) }));
}

export const wallets: Rows<AccountId, Wallet> & { readonly find: (tx: Tx, keys: readonly AccountId[]) => Promise<Wallet[]> } = {
  name: 'wallets',
  keyOf: ({ accountId }) => accountId,
  find: (tx, keys) => withOpen(tx, walletRows.find(tx, keys), keys),
  // The wallet's lock guards its withdrawals too: nobody touches those without it.
  lock: (tx, keys) => withOpen(tx, walletRows.lock(tx, keys), keys),
  save: async (tx, changed) => {
    const withdrawals = changed.flatMap((wallet) => wallet.withdrawals);
    const settled = await Promise.allSettled([
      walletRows.save(tx, changed),
      ...(withdrawals.length > 0 ? [withdrawalRows.save(tx, withdrawals)] : []),
    ]);
    const failed = settled.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  },
};

export type WithdrawalSearch = {
  /** Absent for an operator, who sees all. */
  readonly accountId?: AccountId | undefined;
  readonly status?: WithdrawalStatus | undefined;
  readonly after?: { readonly at: Date; readonly withdrawalId: WithdrawalId } | undefined;
  readonly limit: number;
};

export type WalletBook = ReturnType<typeof walletBook>;

export const walletBook = (sql: Sql) => ({
  of: async (accountId: AccountId): Promise<Wallet | undefined> => (await wallets.find(sql, [accountId]))[0],

  withdrawal: async (withdrawalId: WithdrawalId): Promise<Withdrawal | undefined> =>
    (await sql<Withdrawal[]>`select ${sql.unsafe(columns)} from wallet_withdrawals where withdrawal_id = ${withdrawalId}`)[0],

  /** Newest first. */
  withdrawals: ({ accountId, status, after, limit }: WithdrawalSearch): PromiseLike<Withdrawal[]> => sql<Withdrawal[]>`
    select ${sql.unsafe(columns)} from wallet_withdrawals
    where true ${accountId === undefined ? sql`` : sql`and account_id = ${accountId}`} ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${after === undefined ? sql`` : sql`and (created_at, withdrawal_id) < (${after.at}, ${after.withdrawalId})`}
    order by created_at desc, withdrawal_id desc limit ${limit}`,
});
