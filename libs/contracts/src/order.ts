import { z } from 'zod';
import { AccountId, InstanceId, OrderId } from '@yunshi/kernel/ids';
import { OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { command, event } from './define.ts';

export const OrderEnd = z.enum([
  'payment-timeout',
  'cancelled',
  'approval-declined',
  'approval-timeout',
  'not-delivered',
  'coupon-refused',
  'payment-refused',
  'unanswered',
]);
export type OrderEnd = z.infer<typeof OrderEnd>;

/** Ends an order whose purchase was undone: 已取消, 已关闭 or failed, by the reason. */
export const rejectOrder = command('order.reject', 1, {
  data: z.object({ orderId: OrderId, reason: OrderEnd, refunded: Fen }),
  replies: { rejected: z.object({}) },
});

/** Ends an order as 交易成功. */
export const completeOrder = command('order.complete', 1, {
  data: z.object({ orderId: OrderId, instanceId: InstanceId }),
  replies: { completed: z.object({}) },
});

/** Grows with each change of an order, so that a listener knows which of two events is the newer. */
const OrderVersion = z.int().min(1);

export const orderPlaced = event('order.placed', 1, {
  data: z.object({ orderId: OrderId, orderVersion: OrderVersion, accountId: AccountId, kind: OrderKind, payable: Fen }),
});
export const orderCompleted = event('order.completed', 1, {
  data: z.object({ orderId: OrderId, orderVersion: OrderVersion, accountId: AccountId, instanceId: InstanceId }),
});
export const orderRejected = event('order.rejected', 1, {
  data: z.object({ orderId: OrderId, orderVersion: OrderVersion, accountId: AccountId, reason: OrderEnd, refunded: Fen }),
});
