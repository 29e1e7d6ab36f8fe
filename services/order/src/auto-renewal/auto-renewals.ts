import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, InstanceId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';
import type { AutoRenewal } from './auto-renewal.ts';

export const autoRenewals: Rows<InstanceId, AutoRenewal> = rowsOf(tables.autoRenewals, 'instanceId');

const selected = selectListOf(tables.autoRenewals, 'r');

/** As it is shown: with the expiry that the instance has now, which the row learns when it is next looked at. */
export type Seen = AutoRenewal & { readonly expiresNow: Date | null };

export async function findAutoRenewals(
  sql: Sql,
  {
    accountId,
    instanceId,
    after,
    take,
  }: { readonly accountId: AccountId; readonly instanceId?: InstanceId; readonly after?: InstanceId | undefined; readonly take: number },
): Promise<Seen[]> {
  return sql<Seen[]>`
    select ${sql.unsafe(selected)}, i.expires_at as "expiresNow" from auto_renewals r join instances i using (instance_id)
    where r.account_id = ${accountId} ${instanceId === undefined ? sql`` : sql`and r.instance_id = ${instanceId}`}
      ${after === undefined ? sql`` : sql`and r.instance_id > ${after}`}
    order by r.instance_id limit ${take}`;
}
