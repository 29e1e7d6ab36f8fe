/** The only SQL for withdrawals of providers. */
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { ProviderId, WithdrawalId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';
import type { ProviderWithdrawal, ProviderWithdrawalStatus, Purse } from './withdrawal.ts';

const withdrawalRows = rowsOf(tables.providerWithdrawals, 'withdrawalId');
const columns = selectListOf(tables.providerWithdrawals);
type Held = { readonly providerId: ProviderId; readonly payee: string | null; readonly balance: number };

/** The lock is that of the provider's row among the merchants: whoever withdraws for it waits for whoever else does. */
async function purses(tx: Tx, keys: readonly ProviderId[], { locked }: { readonly locked: boolean }): Promise<Purse[]> {
  const ids = [...keys];
  const rows = await tx<Pick<Held, 'providerId' | 'payee'>[]>`
    select provider_id as "providerId", payees->>'wechat_native' as payee from merchants where provider_id = any(${ids}::text[])
    order by provider_id ${locked ? tx`for update` : tx``}`;
  const balances = await tx<Held[]>`
    select p.id as "providerId", -coalesce(sum(h.amount), 0)::bigint as balance from unnest(${ids}::text[]) as p(id)
    left join (
      select account, debit - credit as amount from ledger_balances where account like 'provider\\_balance:%'
      union all
      select account, amount from ledger_postings
      where account like 'provider\\_balance:%' and at >= (select through from ledger_closing where ledger = 'ledger')
    ) h on h.account = 'provider_balance:' || p.id group by p.id`;
  const open = await tx<ProviderWithdrawal[]>`
    select ${tx.unsafe(columns)} from provider_withdrawals where provider_id = any(${ids}::text[]) and watched order by withdrawal_id`;
  const balanceOf = new Map(balances.map(({ providerId, balance }) => [providerId, balance]));
  return rows.map(({ providerId, payee }) => ({
    providerId,
    payee,
    balance: balanceOf.get(providerId) ?? 0,
    withdrawals: open.filter((one) => one.providerId === providerId),
  }));
}

export const purseRows: Rows<ProviderId, Purse> = {
  name: 'provider purses',
  keyOf: ({ providerId }) => providerId,
  lock: (tx, keys) => purses(tx, keys, { locked: true }),
  // What is held follows from the ledger; only withdrawals are written here.
  save: async (tx, changed) => {
    const withdrawals = changed.flatMap((purse) => purse.withdrawals);
    if (withdrawals.length > 0) await withdrawalRows.save(tx, withdrawals);
  },
};

export type WithdrawalSearch = {
  readonly providerId: ProviderId;
  readonly status?: ProviderWithdrawalStatus | undefined;
  readonly after?: { readonly at: Date; readonly withdrawalId: WithdrawalId } | undefined;
  readonly limit: number;
};
export type PurseBook = ReturnType<typeof purseBook>;

export const purseBook = (sql: Sql) => ({
  purse: async (providerId: ProviderId): Promise<Purse | undefined> => (await purses(sql, [providerId], { locked: false }))[0],

  find: async (withdrawalId: WithdrawalId): Promise<ProviderWithdrawal | undefined> => (await withdrawalRows.find(sql, [withdrawalId]))[0],

  /** Newest first. */
  list: ({ providerId, status, after, limit }: WithdrawalSearch): PromiseLike<ProviderWithdrawal[]> => sql<ProviderWithdrawal[]>`
    select ${sql.unsafe(columns)} from provider_withdrawals
    where provider_id = ${providerId} ${status === undefined ? sql`` : sql`and status = ${status}`}
      ${after === undefined ? sql`` : sql`and (created_at, withdrawal_id) < (${after.at}, ${after.withdrawalId})`}
    order by created_at desc, withdrawal_id desc limit ${limit}`,
});
