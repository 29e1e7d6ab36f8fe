import type { Sql, Tx } from '@yunshi/db/connect';
import type { Rows } from '@yunshi/db/rows';
import type { AccountId, SkuId } from '@yunshi/kernel/ids';

/** How often an account has bought a SKU that its provider limits per account 每账号限购. */
export type Allowance = { readonly allowanceId: string; readonly bought: number };
type Of = { readonly accountId: AccountId; readonly skuId: SkuId };
export const allowanceId = ({ accountId, skuId }: Of): string => `${accountId} ${skuId}`;

/** What ended unpaid or undelivered does not count, nor what was refunded in full, nor a renewal of what was bought. */
const counting = (sql: Sql | Tx) => sql`
  kind <> 'renewal' and status not in ('cancelled', 'closed', 'failed') and not (payable > 0 and refunded = payable)`;

/**
 * The orders themselves are what is counted, so that nothing has to be counted back when one of them comes to nothing. Whoever orders locks
 * a row first, which stands for the pair of account and SKU and is made by locking: what another has ordered is committed by the time
 * the orders are counted.
 */
export const allowances: Rows<string, Allowance> = {
  name: 'allowances',
  keyOf: (allowance) => allowance.allowanceId,
  async lock(tx, keys) {
    const ids = [...keys];
    const settled = await Promise.allSettled([
      tx`insert into allowances (allowance_id) select unnest(${ids}::text[]) on conflict do nothing`.execute(),
      tx`select from allowances where allowance_id = any(${ids}::text[]) order by allowance_id for update`.execute(),
      tx<Allowance[]>`
        select id as "allowanceId", (
          select count(*)::int from orders
          where account_id = split_part(id, ' ', 1) and sku_id = split_part(id, ' ', 2) and ${counting(tx)}) as bought
        from unnest(${ids}::text[]) as t(id)`.execute(),
    ]);
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    return (settled[2] as PromiseFulfilledResult<Allowance[]>).value;
  },
  // The order is saved beside it, and is what the next one counts.
  save: () => Promise.resolve(),
};

export async function countBought(sql: Sql, { accountId, skuId }: Of): Promise<number> {
  const [row] = await sql<{ bought: number }[]>`
    select count(*)::int as bought from orders where account_id = ${accountId} and sku_id = ${skuId} and ${counting(sql)}`;
  return row?.bought ?? 0;
}
