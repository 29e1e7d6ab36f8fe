import type { Sql } from '@yunshi/db/connect';
import type { InstanceId } from '@yunshi/kernel/ids';
import type { Entry } from './journal.ts';

/** The only SQL that moves calls between bought, leased and used. */

export type Grant = { readonly granted: number; readonly bought: number; readonly used: number; readonly leased: number };
/** How a call that was counted ended, as far as it has. */
export type Ending = { readonly callId: string; readonly status: number; readonly durationMs: number };

export type Ledger = ReturnType<typeof ledgerIn>;

export function ledgerIn(sql: Sql) {
  return {
    /** Hands out a lease. What is said of a moment before may be too little to give by now, never too much: the meter's row is locked. */
    async grant(holder: string, instanceId: InstanceId, want: number): Promise<Grant> {
      await sql`insert into meters (instance_id, used, leased) values (${instanceId}, 0, 0) on conflict do nothing`;
      const [row] = await sql<Grant[]>`
        with a as (select calls_bought from accesses where instance_id = ${instanceId} and is_usable),
          m as (select used, leased from meters where instance_id = ${instanceId} for update),
          g as (
            select greatest(0, least(${want}::bigint, greatest(1, (calls_bought - used - leased) / 4), calls_bought - used - leased)) as n,
              calls_bought, used, leased from a, m),
          u as (update meters set leased = meters.leased + g.n from g where meters.instance_id = ${instanceId} and g.n > 0),
          l as (
            insert into leases (holder, instance_id, outstanding) select ${holder}, ${instanceId}, n from g where n > 0
            on conflict (holder, instance_id) do update set outstanding = leases.outstanding + excluded.outstanding)
        select n as granted, calls_bought as bought, used, leased from g`;
      return row ?? { granted: 0, bought: 0, used: 0, leased: 0 };
    },

    /**
     * Stores calls that were counted. A call is counted by the insertion of its row, so that a repetition, after an answer that was lost or
     * by whoever recovers the journal, counts nothing twice.
     */
    async settle(holder: string, entries: readonly Entry[], endings: ReadonlyMap<string, Ending>): Promise<void> {
      if (entries.length === 0) return;
      const column = <T>(of: (entry: Entry) => T): T[] => entries.map(of);
      await sql`
        with ins as (
            insert into api_calls (call_id, instance_id, account_id, secret_id, at, method, path, status, duration_ms)
            select c.call_id, c.instance_id, c.account_id, c.secret_id, c.at::timestamptz, c.method, c.path, c.status, c.duration_ms
            from unnest(
              ${column(({ callId }) => callId)}::text[], ${column(({ instanceId }) => instanceId)}::text[],
              ${column(({ accountId }) => accountId)}::text[], ${column(({ secretId }) => secretId)}::text[],
              ${column(({ atMs }) => new Date(atMs).toISOString())}::text[], ${column(({ method }) => method)}::text[],
              ${column(({ path }) => path)}::text[], ${column(({ callId }) => endings.get(callId)?.status ?? null)}::int[],
              ${column(({ callId }) => endings.get(callId)?.durationMs ?? null)}::int[]
            ) as c (call_id, instance_id, account_id, secret_id, at, method, path, status, duration_ms)
            on conflict (call_id) do nothing
            returning instance_id, secret_id, to_char(at at time zone 'Asia/Shanghai', 'YYYYMMDD') as day),
          per as materialized (select instance_id, count(*) as n from ins group by instance_id),
          locked as materialized (
            select m.instance_id from meters m where m.instance_id in (select instance_id from per) order by m.instance_id for update),
          m as (
            update meters set used = meters.used + per.n, leased = meters.leased - per.n
            from per join locked using (instance_id) where meters.instance_id = per.instance_id),
          l as (
            update leases set outstanding = leases.outstanding - per.n
            from per where leases.instance_id = per.instance_id and leases.holder = ${holder})
        insert into api_call_counts (instance_id, secret_id, day, calls)
        select instance_id, secret_id, day, count(*) from ins group by instance_id, secret_id, day order by 1, 2, 3
        on conflict (instance_id, secret_id, day) do update set calls = api_call_counts.calls + excluded.calls`;
    },

    async end(endings: readonly Ending[]): Promise<void> {
      if (endings.length === 0) return;
      await sql`
        update api_calls set status = e.status, duration_ms = e.duration_ms
        from unnest(${endings.map(({ callId }) => callId)}::text[], ${endings.map(({ status }) => status)}::int[],
          ${endings.map(({ durationMs }) => durationMs)}::int[]) as e (call_id, status, duration_ms)
        where api_calls.call_id = e.call_id`;
    },

    /** Says how many calls a process still holds of an instance; the rest is given back. The number is absolute, so that it may be said twice. */
    async hold(holder: string, instanceId: InstanceId, held: number): Promise<void> {
      await sql.begin(async (tx) => {
        await tx`select 1 from meters where instance_id = ${instanceId} for update`;
        await tx`
          with l as (
              select outstanding from leases where holder = ${holder} and instance_id = ${instanceId} and outstanding > ${held} for update),
            s as (update leases set outstanding = ${held} from l where leases.holder = ${holder} and leases.instance_id = ${instanceId})
          update meters set leased = leased - (l.outstanding - ${held}) from l where instance_id = ${instanceId}`;
      });
    },

    /** A process that is gone and whose journal is complete and stored holds nothing any more. */
    async release(holder: string): Promise<void> {
      await sql`
        with l as (delete from leases where holder = ${holder} returning instance_id, outstanding),
          locked as materialized (
            select m.instance_id from meters m where m.instance_id in (select instance_id from l) order by m.instance_id for update)
        update meters set leased = meters.leased - l.outstanding from l join locked using (instance_id) where meters.instance_id = l.instance_id`;
    },

    /** What is known of the calls of one instance: used, and what gateways hold. */
    async stateOf(instanceId: InstanceId): Promise<{ readonly used: number; readonly leased: number }> {
      const [row] = await sql<{ used: number; leased: number }[]>`select used, leased from meters where instance_id = ${instanceId}`;
      return row ?? { used: 0, leased: 0 };
    },
  };
}
