import type { Sql } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, InstanceId } from '@yunshi/kernel/ids';
import { notifications } from '../tables.ts';
import type { Notification } from './notification.ts';

/** What buyers read of their notifications: the only SQL for it. Every statement names the account. */

/** Told once: a row that is there keeps its mark of having been read. */
export const notificationRows = rowsOf(notifications, 'notificationId', { onConflict: 'keep' });

export type NotificationQuery = {
  readonly accountId: AccountId;
  readonly unread: boolean | undefined;
  readonly instanceId: InstanceId | undefined;
  readonly after: readonly [string, string] | undefined;
  readonly take: number;
};

export type NotificationBook = ReturnType<typeof notificationBook>;

export function notificationBook(sql: Sql) {
  const selected = sql.unsafe(selectListOf(notifications));
  return {
    list: ({ accountId, unread, instanceId, after, take }: NotificationQuery): Promise<Notification[]> => sql<Notification[]>`
      select ${selected} from notifications
      where account_id = ${accountId}
        ${unread === undefined ? sql`` : unread ? sql`and read_at is null` : sql`and read_at is not null`}
        ${instanceId === undefined ? sql`` : sql`and instance_id = ${instanceId}`}
        ${after === undefined ? sql`` : sql`and (created_at, notification_id) < (${after[0]}::text::timestamptz, ${after[1]})`}
      order by created_at desc, notification_id desc limit ${take}`,
    /** Marks those of the account; answers how many were unread until now. */
    async read(accountId: AccountId, ids: readonly string[], now: Date): Promise<number> {
      const marked = await sql`
        update notifications set read_at = ${now}
        where notification_id = any(${ids as string[]}) and account_id = ${accountId} and read_at is null`;
      return marked.count;
    },
  };
}
