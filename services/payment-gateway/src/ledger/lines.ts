/** The ledger as a buyer reads it 收支明细: the only SQL for its lines. */
import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, OrderId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';
import type { PostingRow } from './entries.ts';
import type { EntryKind } from './ledger.ts';

export type LineSearch = {
  /** Absent for an operator, who sees all. */
  readonly accountId?: AccountId | undefined;
  readonly kind?: EntryKind | undefined;
  readonly orderId?: OrderId | undefined;
  readonly from?: Date | undefined;
  readonly until?: Date | undefined;
  readonly sort: 'newest' | 'oldest';
  readonly after?: { readonly at: Date; readonly postingId: string } | undefined;
  readonly limit: number;
};

export type Lines = ReturnType<typeof ledgerLines>;

export const ledgerLines = (sql: Sql) => ({
  find: ({ accountId, kind, orderId, from, until, sort, after, limit }: LineSearch): PromiseLike<PostingRow[]> => sql<PostingRow[]>`
    select ${sql.unsafe(selectListOf(tables.postings))} from ledger_postings
    where ${sql.unsafe(tables.LINES_OF_BUYERS)}
      ${accountId === undefined ? sql`` : sql`and account_id = ${accountId}`}
      ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
      ${orderId === undefined ? sql`` : sql`and order_id = ${orderId}`}
      ${from === undefined ? sql`` : sql`and at >= ${from}`}
      ${until === undefined ? sql`` : sql`and at < ${until}`}
      ${after === undefined ? sql`` : sort === 'newest' ? sql`and (at, posting_id) < (${after.at}, ${after.postingId})` : sql`and (at, posting_id) > (${after.at}, ${after.postingId})`}
    order by ${sort === 'newest' ? sql`at desc, posting_id desc` : sql`at, posting_id`} limit ${limit}`,

  /** Whose an order is, so that an operator's search for it need not read the whole ledger. */
  accountOf: async (orderId: OrderId): Promise<AccountId | undefined> =>
    (await sql<{ accountId: AccountId }[]>`select account_id as "accountId" from payments where order_id = ${orderId}`)[0]?.accountId,
});
