import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';
import type { Purchasing } from './purchasing.ts';

export const purchasings: Rows<AccountId, Purchasing> = rowsOf(tables.purchasing, 'accountId');

const selected = selectListOf(tables.purchasing);

export async function findPurchasing(sql: Sql, accountId: AccountId): Promise<Purchasing | undefined> {
  const [found] = await sql<Purchasing[]>`select ${sql.unsafe(selected)} from purchasing where account_id = ${accountId}`;
  return found;
}
