/** What accounts hold, and whether everything adds up to nothing: the only SQL that sums the ledger. */
import type { Sql } from '@yunshi/db/connect';
import type { LedgerAccount } from './ledger.ts';

/** Debits and credits are both positive; the balance is what the debits have more. */
export type Balance = { readonly account: string; readonly debit: number; readonly credit: number; readonly balance: number };
export type LedgerCheck = {
  /** Of all accounts of one class, such as `buyer_funds`. */
  readonly balances: readonly Balance[];
  readonly sum: number;
  readonly through: Date;
};
export type LedgerAudit = {
  readonly sum: number;
  readonly unbalancedEntries: readonly string[];
  /** Accounts whose balance at the closing is not the sum of their postings until then. */
  readonly wrongBalances: readonly string[];
};

export type LedgerBook = ReturnType<typeof ledgerBook>;

export const ledgerBook = (sql: Sql) => ({
  /** What each of these accounts holds, whatever was posted first or last; 0 for one that was never used. */
  balancesOf: async (accounts: readonly LedgerAccount[]): Promise<ReadonlyMap<string, number>> => {
    const rows = await sql<{ account: string; balance: number }[]>`
      select account, sum(amount)::bigint as balance from (
        select account, debit - credit as amount from ledger_balances where account = any(${[...accounts]}::text[])
        union all
        select account, amount from ledger_postings
        where account = any(${[...accounts]}::text[]) and at >= (select through from ledger_closing where ledger = 'ledger')
      ) as held group by account`;
    const found = new Map(rows.map(({ account, balance }) => [account, balance]));
    return new Map(accounts.map((account) => [account, found.get(account) ?? 0]));
  },

  /** What every class of accounts holds, and the sum of everything, which is 0. */
  check: async (): Promise<LedgerCheck> => {
    const [balances, [closed]] = await Promise.all([
      sql<Balance[]>`
        select class as account, sum(debit)::bigint as debit, sum(credit)::bigint as credit, sum(debit - credit)::bigint as balance from (
          select split_part(account, ':', 1) as class, debit, credit from ledger_balances
          union all
          select split_part(account, ':', 1), greatest(amount, 0), greatest(-amount, 0) from ledger_postings
          where at >= (select through from ledger_closing where ledger = 'ledger')
        ) as held group by class order by class`,
      sql<{ through: Date }[]>`select through from ledger_closing where ledger = 'ledger'`,
    ]);
    return { balances, sum: balances.reduce((total, { balance }) => total + balance, 0), through: closed!.through };
  },

  /** Reads every posting there is: for an operator who wants to know, not for a page that is looked at often. */
  audit: async (): Promise<LedgerAudit> => {
    const [[all], unbalanced, wrong] = await Promise.all([
      sql<{ sum: number }[]>`select coalesce(sum(amount), 0)::bigint as sum from ledger_postings`,
      sql<{ entryId: string }[]>`
        select entry_id as "entryId" from ledger_postings group by entry_id having sum(amount) <> 0 order by entry_id limit 100`,
      sql<{ account: string }[]>`
        select coalesce(b.account, p.account) as account from ledger_balances b
        full join (
          select account, sum(greatest(amount, 0)) as debit, sum(greatest(-amount, 0)) as credit from ledger_postings
          where at < (select through from ledger_closing where ledger = 'ledger') group by account
        ) p on p.account = b.account
        where b.debit is distinct from p.debit or b.credit is distinct from p.credit order by 1 limit 100`,
    ]);
    return {
      sum: all!.sum,
      unbalancedEntries: unbalanced.map(({ entryId }) => entryId),
      wrongBalances: wrong.map(({ account }) => account),
    };
  },
});
