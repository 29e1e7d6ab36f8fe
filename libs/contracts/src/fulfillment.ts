import { z } from 'zod';
import { AccountId, InstanceId, OrderId, UserId } from '@yunshi/kernel/ids';
import { Line, OrderKind } from '@yunshi/kernel/marketplace';
import { command, event } from './define.ts';

const Time = z.iso.datetime({ offset: true });

/** Delivers what was paid: makes the instance and asks its provider. Answered when it is delivered, or when it never will be. */
export const fulfilOrder = command('fulfillment.fulfil', 1, {
  data: z.object({
    orderId: OrderId,
    orderNumber: z.string(),
    accountId: AccountId,
    userId: UserId,
    kind: OrderKind,
    productName: z.string(),
    skuName: z.string(),
    isTrial: z.boolean(),
    line: Line,
  }),
  replies: {
    fulfilled: z.object({ instanceId: InstanceId }),
    /** Nothing was delivered and nothing will be: the buyer gets the money back. */
    refused: z.object({ reason: z.enum(['provider-failed', 'provider-never-delivered', 'not-deliverable']) }),
  },
});

const about = { instanceId: InstanceId, instanceVersion: z.int().min(1), orderId: OrderId, accountId: AccountId };

/** An instance 资源实例 is 已发货. */
export const instanceShipped = event('fulfillment.instance-shipped', 1, {
  data: z.object({ ...about, shippedAt: Time, expiresAt: Time.optional() }),
});

/** It was not renewed in time: isolated 隔离, and kept for the days of grace. */
export const instanceExpired = event('fulfillment.instance-expired', 1, { data: z.object({ ...about, expiredAt: Time }) });

/** It is released and gone 已关闭. */
export const instanceClosed = event('fulfillment.instance-closed', 1, { data: z.object({ ...about, closedAt: Time }) });
