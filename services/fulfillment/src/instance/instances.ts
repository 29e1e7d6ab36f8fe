import type { Sql } from '@yunshi/db/connect';
import type { AccountId, InstanceId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import { instances, renewals } from '../tables.ts';
import type { Instance, InstanceStatus } from './instance.ts';
import type { RenewalEnd } from './renewal.ts';

/** What buyers read of their instances: the only SQL for it. Every statement names the account. */

export const instanceRows = rowsOf(instances, 'instanceId');

export const sorts = ['-created_at', 'created_at', 'expires_at', '-expires_at'] as const;
export type Sort = (typeof sorts)[number];

export type InstanceQuery = {
  readonly accountId: AccountId;
  readonly deliveryType: DeliveryType | undefined;
  readonly status: InstanceStatus | undefined;
  /** Part of the product's name, or an instance's id, or an order number. */
  readonly search: string | undefined;
  readonly sort: Sort;
  /** The sort value (RFC 3339, or `infinity` for what never expires) and id of the last row seen. */
  readonly after: readonly [string, string] | undefined;
  readonly take: number;
};

/** What `sort` puts first of a row, as it stands in a cursor. */
export const sortValue = (sort: Sort, { createdAt, expiresAt }: Pick<Instance, 'createdAt' | 'expiresAt'>): string =>
  sort.endsWith('created_at') ? createdAt.toISOString() : (expiresAt?.toISOString() ?? 'infinity');

export const newestSeqOf = async (sql: Sql, instanceId: string): Promise<number | undefined> =>
  (await sql<{ seq: number }[]>`select call_seq as seq from instances where instance_id = ${instanceId}`)[0]?.seq;

export function instanceBook(sql: Sql) {
  return {
    async list({ accountId, deliveryType, status, search, sort, after, take }: InstanceQuery): Promise<Instance[]> {
      const by = sort.endsWith('created_at') ? sql`created_at` : sql`coalesce(expires_at, 'infinity')`;
      const down = sort.startsWith('-');
      const pattern = search === undefined ? '' : `%${search.replace(/[\\%_]/g, (sign) => `\\${sign}`)}%`;
      const ids = await sql<{ instanceId: InstanceId }[]>`
        select instance_id as "instanceId" from instances
        where account_id = ${accountId}
          ${deliveryType === undefined ? sql`` : sql`and delivery_type = ${deliveryType}`}
          ${status === undefined ? sql`` : sql`and status = ${status}`}
          ${search === undefined ? sql`` : sql`and (product_name ilike ${pattern} or instance_id = ${search} or order_number = ${search})`}
          ${after === undefined ? sql`` : sql`and (${by}, instance_id) ${down ? sql`<` : sql`>`} (${after[0]}::text::timestamptz, ${after[1]})`}
        order by ${by} ${down ? sql`desc` : sql`asc`}, instance_id ${down ? sql`desc` : sql`asc`}
        limit ${take}`;
      const rows = await instanceRows.find(
        sql,
        ids.map(({ instanceId }) => instanceId),
      );
      const found = new Map(rows.map((row) => [row.instanceId, row]));
      return ids.flatMap(({ instanceId }) => found.get(instanceId) ?? []);
    },
    /** The newest that ended, up to a hundred. */
    renewalsOf: (instanceId: InstanceId): Promise<RenewalEnd[]> => sql<RenewalEnd[]>`
      select ${sql.unsafe(selectListOf(renewals))} from renewals where instance_id = ${instanceId} order by ended_at desc, order_id desc limit 100`,
    async find(accountId: AccountId, instanceId: InstanceId): Promise<Instance | undefined> {
      const [row] = await instanceRows.find(sql, [instanceId]);
      return row?.accountId === accountId ? row : undefined;
    },
  };
}
export type InstanceBook = ReturnType<typeof instanceBook>;
