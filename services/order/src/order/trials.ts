import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { AccountId, OrderId, ProductId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';

/** The one trial of a product that a buyer may have, and the order that holds it. */
export type Trial = { readonly trialId: string; readonly orderId: OrderId | null };
export const trialId = (of: { readonly accountId: AccountId; readonly productId: ProductId }): string => `${of.accountId} ${of.productId}`;

const rows = rowsOf(tables.trials, 'trialId');

/**
 * Two orders for the same trial may come at once, when there is no row yet that one of them could lock.
 * So locking makes the row first: the second one waits for it, and then finds the trial taken.
 */
export const trials: Rows<string, Trial> = {
  ...rows,
  async lock(tx: Tx, keys: readonly string[]) {
    const [made, locked] = await Promise.allSettled([
      tx`insert into trials (trial_id) select unnest(${keys as string[]}::text[]) on conflict do nothing`.execute(),
      rows.lock(tx, keys),
    ]);
    if (made.status === 'rejected') throw made.reason;
    if (locked.status === 'rejected') throw locked.reason;
    return locked.value;
  },
};

export async function isTrialTaken(sql: Sql, of: { readonly accountId: AccountId; readonly productId: ProductId }): Promise<boolean> {
  const [found] = await sql<Trial[]>`select order_id as "orderId" from trials where trial_id = ${trialId(of)}`;
  return found !== undefined && found.orderId !== null;
}
