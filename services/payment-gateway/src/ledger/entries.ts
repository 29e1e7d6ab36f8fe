/** The only SQL for the ledger. */
import { selectListOf } from '@yunshi/db/select-list';
import type { Sql } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import * as tables from '../tables.ts';
import type { Entry } from './ledger.ts';

type PostingRow = typeof tables.postings.$inferSelect;

/** Posting an entry again changes nothing. */
export const postingRows = rowsOf(tables.postings, 'postingId', { onConflict: 'keep' });

export const rowsOfEntry = ({ id, kind, orderId, accountId, providerId, at, postings }: Entry): PostingRow[] =>
  postings.map(({ account, amount }, line) => ({
    postingId: `${id}/${line + 1}`,
    entryId: id,
    kind,
    account,
    amount,
    orderId,
    accountId,
    providerId,
    at,
  }));

export type Balance = { readonly account: string; readonly debit: number; readonly credit: number; readonly balance: number };
export type LedgerCheck = { readonly balances: readonly Balance[]; readonly sum: number; readonly unbalancedEntries: readonly string[] };

export type LedgerBook = ReturnType<typeof ledgerBook>;

export const ledgerBook = (sql: Sql) => ({
  /** What every account holds, and whether everything adds up to nothing, in all and entry by entry. */
  check: async (): Promise<LedgerCheck> => {
    const [balances, unbalanced] = await Promise.all([
      sql<Balance[]>`
        select account, coalesce(sum(amount) filter (where amount > 0), 0)::bigint as debit,
          coalesce(-sum(amount) filter (where amount < 0), 0)::bigint as credit, sum(amount)::bigint as balance
        from ledger_postings group by account order by account`,
      sql<{ entryId: string }[]>`
        select entry_id as "entryId" from ledger_postings group by entry_id having sum(amount) <> 0 order by entry_id limit 100`,
    ]);
    const sum = balances.reduce((total, { balance }) => total + balance, 0);
    return { balances, sum, unbalancedEntries: unbalanced.map(({ entryId }) => entryId) };
  },
  postingsOf: async (orderId: string): Promise<PostingRow[]> =>
    sql<
      PostingRow[]
    >`select ${sql.unsafe(selectListOf(tables.postings))} from ledger_postings where order_id = ${orderId} order by at, posting_id`,
});
