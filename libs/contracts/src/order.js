import { z } from 'zod';
import { AccountId, InstanceId, OrderId } from '@yunshi/kernel/ids';
import { OrderKind } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { command, event } from './define.ts';
export const OrderEnd = z.enum(['payment-timeout', 'cancelled', 'not-delivered', 'coupon-refused', 'payment-refused', 'unanswered']);
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
export const orderPlaced = event('order.placed', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId, kind: OrderKind, payable: Fen }),
});
export const orderCompleted = event('order.completed', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId, instanceId: InstanceId }),
});
export const orderRejected = event('order.rejected', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId, reason: OrderEnd, refunded: Fen }),
});
