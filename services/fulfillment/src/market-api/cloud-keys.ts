import type { Sql } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { ProviderId } from '@yunshi/kernel/ids';
import { cloudKeyRings, cloudKeys } from '../tables.ts';
import type { CloudKey } from './cloud-key.ts';

/** Keys of the cloud API: the only SQL that reads them. */

export const cloudKeyRows = rowsOf(cloudKeys, 'secretId');
export const keyRingRows = rowsOf(cloudKeyRings, 'providerId');

export type KeyQuery = { readonly providerId: ProviderId; readonly after: readonly [string, string] | undefined; readonly take: number };
export type CloudKeyBook = ReturnType<typeof cloudKeyBook>;

export function cloudKeyBook(sql: Sql) {
  return {
    list: ({ providerId, after, take }: KeyQuery): PromiseLike<CloudKey[]> => sql<CloudKey[]>`
      select ${sql.unsafe(selectListOf(cloudKeys))} from cloud_keys where provider_id = ${providerId}
        ${after === undefined ? sql`` : sql`and (created_at, secret_id) < (${after[0]}::text::timestamptz, ${after[1]})`}
      order by created_at desc, secret_id desc limit ${take}`,
    /** Whoever signs with it, if it is good. */
    async active(secretId: string): Promise<CloudKey | undefined> {
      const [key] = await cloudKeyRows.find(sql, [secretId]);
      return key?.status === 'active' ? key : undefined;
    },
  };
}
