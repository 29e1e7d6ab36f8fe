import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { InstanceId, OrderId } from '@yunshi/kernel/ids';
import { FlowUnit } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { z } from 'zod';
import { notificationKinds } from './notification.ts';
import type { AutoRenewalTold, Notification } from './notification.ts';
import type { NotificationBook } from './notifications.ts';

/** 消息: what the caller's account is told about its instances. */

const Time = z.iso.datetime({ offset: true });
const NotificationId = z.string().regex(/^ntf_[0-9a-f]{32}-[a-z0-9-]{1,64}$/);
/** Marked as read in one request. */
const idsMax = 100;

const ShownNotification = z
  .object({
    notification_id: NotificationId,
    kind: z.enum(notificationKinds).meta({ description: '即将到期, 已过期, 已释放, 用量提醒, 自动续费: 将下单, 已下单, 未能下单' }),
    instance_id: InstanceId,
    product_name: z.string(),
    expires_at: Time.nullable().meta({ description: 'The expiry that it is about' }),
    days_ahead: z.int().nullable().meta({ description: 'Of a reminder: 30, 7 or 1' }),
    usage: z
      .object({ total: z.string(), left: z.string(), unit: FlowUnit })
      .nullable()
      .meta({ description: "Of `usage-low`: the provider's own figures, as decimals" }),
    auto_renewal: z
      .object({
        orders_at: Time.nullable().meta({ description: 'When the order will be placed, unless it is switched off before' }),
        order_id: OrderId.nullable(),
        payable: Fen.nullable(),
        pay_by: Time.nullable(),
        reason: z.string().nullable().meta({ description: 'Why there is no order: the code of the problem that ordering by hand has' }),
      })
      .nullable()
      .meta({ description: 'Of `auto-renewal-…`' }),
    created_at: Time,
    read_at: Time.nullable(),
  })
  .meta({ id: 'Notification' });

const ListQuery = z.strictObject({
  ...listQuery,
  unread: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional(),
  instance_id: InstanceId.optional(),
});

const byNewest = keyset(z.tuple([Time, NotificationId]));

export const notificationRoutes =
  ({ notifications, now }: { readonly notifications: NotificationBook; readonly now: () => Date }): Routes =>
  async (app) => {
    app.get(
      '/v1/notifications',
      {
        config: { access: ['buyer'] },
        schema: { summary: 'List what you were told', querystring: ListQuery, response: { 200: pageOf(ShownNotification) } },
      },
      async (request) => {
        const { limit, unread, instance_id: instanceId } = request.query;
        const after = byNewest.after(request.query.cursor);
        const rows = await notifications.list({
          accountId: callerOf(request).accountId,
          unread,
          instanceId,
          after,
          take: limit + 1,
        });
        return byNewest.page(rows, limit, (row) => [row.createdAt.toISOString(), row.notificationId], shown);
      },
    );
    app.post(
      '/v1/notifications/read',
      {
        config: { access: ['buyer'] },
        schema: {
          summary: 'Mark notifications as read',
          description: 'What is not yours is passed over. Marking again changes nothing.',
          body: z.strictObject({ notification_ids: z.array(NotificationId).min(1).max(idsMax) }),
          response: {
            200: z.object({ marked: z.int().meta({ description: 'How many were unread until now' }) }).meta({ id: 'MarkedRead' }),
          },
        },
      },
      async (request) => ({
        marked: await notifications.read(callerOf(request).accountId, request.body.notification_ids, now()),
      }),
    );
  };

function shown(told: Notification): z.infer<typeof ShownNotification> {
  return {
    notification_id: told.notificationId,
    kind: told.kind,
    instance_id: told.instanceId,
    product_name: told.productName,
    expires_at: told.expiresAt?.toISOString() ?? null,
    days_ahead: told.daysAhead,
    usage: told.usage,
    auto_renewal: told.autoRenewal && shownAutoRenewal(told.autoRenewal),
    created_at: told.createdAt.toISOString(),
    read_at: told.readAt?.toISOString() ?? null,
  };
}

const nothingOrdered = { orders_at: null, order_id: null, payable: null, pay_by: null, reason: null };

function shownAutoRenewal(told: AutoRenewalTold): NonNullable<z.infer<typeof ShownNotification>['auto_renewal']> {
  switch (told.what) {
    case 'announced':
      return { ...nothingOrdered, orders_at: told.ordersAt };
    case 'ordered':
      return { ...nothingOrdered, order_id: told.orderId, payable: told.payable, pay_by: told.payBy };
    case 'refused':
      return { ...nothingOrdered, reason: told.reason };
  }
}
