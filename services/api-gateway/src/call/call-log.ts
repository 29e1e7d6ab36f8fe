import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, InstanceId } from '@yunshi/kernel/ids';
import { logPolicy } from '../policy.ts';
import { calls } from '../tables.ts';

/** What buyers read of their calls: the only SQL for it. Every statement names the account. */

export type CallRow = typeof calls.$inferSelect;
export type CallQuery = {
  readonly accountId: AccountId;
  readonly instanceId: InstanceId;
  readonly secretId: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly outcome: 'succeeded' | 'failed' | undefined;
  readonly after: readonly [string, string] | undefined;
  readonly take: number;
};
export type DayCount = { readonly secretId: string; readonly day: string; readonly calls: number };

export type CallLog = ReturnType<typeof callLog>;

export function callLog(sql: Sql) {
  return {
    async isOf(accountId: AccountId, instanceId: InstanceId): Promise<boolean> {
      const [row] = await sql`select 1 from accesses where instance_id = ${instanceId} and account_id = ${accountId}`;
      return row !== undefined;
    },
    list: ({ accountId, instanceId, secretId, from, to, outcome, after, take }: CallQuery): PromiseLike<CallRow[]> => sql<CallRow[]>`
      select ${sql.unsafe(selectListOf(calls))} from api_calls
      where instance_id = ${instanceId} and account_id = ${accountId}
        ${secretId === undefined ? sql`` : sql`and secret_id = ${secretId}`}
        ${from === undefined ? sql`` : sql`and at >= ${from}::text::timestamptz`} ${to === undefined ? sql`` : sql`and at < ${to}::text::timestamptz`}
        ${outcome === undefined ? sql`` : outcome === 'succeeded' ? sql`and status < 400` : sql`and status >= 400`}
        ${after === undefined ? sql`` : sql`and (at, call_id) < (${after[0]}::text::timestamptz, ${after[1]})`}
      order by at desc, call_id desc limit ${take}`,
    /** Counted calls per key and China day, days as `yyyyMMdd`, both ends included. */
    counts: (
      accountId: AccountId,
      instanceId: InstanceId,
      { from, to }: { readonly from: string; readonly to: string },
    ): PromiseLike<DayCount[]> => sql<DayCount[]>`
      select c.secret_id as "secretId", c.day, c.calls from api_call_counts c join accesses a using (instance_id)
      where c.instance_id = ${instanceId} and a.account_id = ${accountId} and c.day between ${from} and ${to} order by c.day, c.secret_id`,
    /** Deletes the oldest of what is kept no longer, a batch at a time; answers whether there may be more. */
    async sweep(before: Date): Promise<boolean> {
      const gone = await sql`
        delete from api_calls where call_id in (select call_id from api_calls where at < ${before} order by at limit ${logPolicy.sweepRows})`;
      return gone.count === logPolicy.sweepRows;
    },
  };
}
