/** A provider's months 结算单: issued ones as they were issued, open ones as they stand. The only SQL for them. */
import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import type { OrderId, ProviderId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';

export type Statement = typeof tables.statements.$inferSelect & { readonly issued: boolean };

/** What a sale or a refund brought or took; all amounts positive. */
export type StatementLine = {
  readonly entryId: string;
  readonly kind: 'sale' | 'refund' | 'revocation' | 'repayment';
  readonly orderId: OrderId;
  readonly at: Date;
  readonly sold: number;
  readonly commission: number;
  readonly refunded: number;
  readonly commissionBack: number;
};
export type LineKey = { readonly at: Date; readonly entryId: string };

const accountsOf = (providerId: ProviderId): string[] =>
  ['provider_payable', 'provider_balance', 'platform_fee'].map((kind) => `${kind}:${providerId}`);
/** The provider's part and the marketplace's. */
const POSTINGS_OF_LINE_MAX = 2;

export type Statements = ReturnType<typeof providerStatements>;

export const providerStatements = (sql: Sql) => {
  const open = (providerId: ProviderId): PromiseLike<Statement[]> => sql<Statement[]>`
    select provider_id as "providerId", month, count(distinct entry_id) filter (where kind = 'sale')::int as sales, sum(sold)::bigint as sold,
      sum(commission)::bigint as commission, count(distinct entry_id) filter (where kind in ('refund', 'revocation'))::int as refunds,
      sum(refunded)::bigint as refunded, sum(commission_back)::bigint as "commissionBack", sum(released)::bigint as released,
      sum(withdrawn)::bigint as withdrawn, false as issued
    from provider_movements
    where account = any(${accountsOf(providerId)}::text[]) and at >= (select issued_through from ledger_closing where ledger = 'ledger')
    group by provider_id, month order by month desc`;

  const issued = (
    providerId: ProviderId,
    { before, limit }: { before?: string | undefined; limit: number },
  ): PromiseLike<Statement[]> => sql<Statement[]>`
    select ${sql.unsafe(selectListOf(tables.statements))}, true as issued from provider_statements
    where provider_id = ${providerId} ${before === undefined ? sql`` : sql`and month < ${before}`}
    order by month desc limit ${limit}`;

  return {
    /** Newest first, before a month. Months without any movement have no statement. */
    list: async (providerId: ProviderId, before: string | undefined, limit: number): Promise<Statement[]> => {
      const months = (await open(providerId)).filter(({ month }) => before === undefined || month < before);
      return [...months, ...(await issued(providerId, { before, limit }))].slice(0, limit);
    },

    of: async (providerId: ProviderId, month: string): Promise<Statement | undefined> => {
      const [found] = await sql<Statement[]>`
        select ${sql.unsafe(selectListOf(tables.statements))}, true as issued from provider_statements where provider_id = ${providerId} and month = ${month}`;
      return found ?? (await open(providerId)).find((one) => one.month === month);
    },

    /** All that was ever withdrawn. */
    withdrawn: async (providerId: ProviderId): Promise<number> => {
      const [before] = await sql<{ sum: number }[]>`
        select coalesce(sum(withdrawn), 0)::bigint as sum from provider_statements where provider_id = ${providerId}`;
      return (await open(providerId)).reduce((sum, { withdrawn }) => sum + withdrawn, before!.sum);
    },

    /** Oldest first. */
    lines: async (
      providerId: ProviderId,
      { from, until, after, limit }: { from: Date; until: Date; after?: LineKey | undefined; limit: number },
    ): Promise<StatementLine[]> => {
      // The postings of one more line than is asked for may be cut off in the middle; that line is not answered.
      const rows = await sql<StatementLine[]>`
        select entry_id as "entryId", kind, order_id as "orderId", at, sum(sold)::bigint as sold, sum(commission)::bigint as commission,
          sum(refunded)::bigint as refunded, sum(commission_back)::bigint as "commissionBack"
        from (
          select * from provider_movements
          where account = any(${accountsOf(providerId)}::text[]) and at >= ${from} and at < ${until} and kind in ('sale', 'refund', 'revocation', 'repayment')
            ${after === undefined ? sql`` : sql`and (at, entry_id) > (${after.at}, ${after.entryId})`}
          order by at, entry_id limit ${POSTINGS_OF_LINE_MAX * limit}
        ) as postings group by entry_id, kind, order_id, at order by at, entry_id`;
      return rows.slice(0, limit);
    },
  };
};
