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

/** One change of an order's price 改价. Its digits are those of the saga that carries it through. */
export const PriceChangeId = z.string().regex(/^sag_[0-9a-f]{32}$/);

export const PriceKept = z.enum(['paid', 'ended', 'bank-holds-voucher', 'unanswered']);
export type PriceKept = z.infer<typeof PriceKept>;

/** Puts the price that its provider wants in the place of the old one, in the order and in its purchase, where that still waits for its payment. */
export const changePrice = command('order.change-price', 1, {
  data: z.object({ orderId: OrderId, changeId: PriceChangeId }),
  replies: { changed: z.object({}), refused: z.object({ reason: z.enum(['paid', 'ended']) }) },
});

/** The old price stays. */
export const keepPrice = command('order.keep-price', 1, {
  data: z.object({ orderId: OrderId, changeId: PriceChangeId, reason: PriceKept }),
  replies: { kept: z.object({}) },
});

/** The new price can be paid: another change may come. */
export const settlePrice = command('order.settle-price', 1, {
  data: z.object({ orderId: OrderId, changeId: PriceChangeId }),
  replies: { settled: z.object({}) },
});

/** Grows with each change of an order, so that a listener knows which of two events is the newer. */
const OrderVersion = z.int().min(1);

export const orderPlaced = event('order.placed', 1, {
  data: z.object({ orderId: OrderId, orderVersion: OrderVersion, accountId: AccountId, kind: OrderKind, payable: Fen }),
});
/** The provider has changed what an unpaid order costs 改价. */
export const orderRepriced = event('order.repriced', 1, {
  data: z.object({ orderId: OrderId, orderVersion: OrderVersion, accountId: AccountId, total: Fen, payable: Fen }),
});
export const orderCompleted = event('order.completed', 1, {
  data: z.object({ orderId: OrderId, orderVersion: OrderVersion, accountId: AccountId, instanceId: InstanceId }),
});
export const orderRejected = event('order.rejected', 1, {
  data: z.object({ orderId: OrderId, orderVersion: OrderVersion, accountId: AccountId, reason: OrderEnd, refunded: Fen }),
});

const AutoRenewed = z.object({ instanceId: InstanceId, accountId: AccountId, expiresAt: z.iso.datetime({ offset: true }) });

/** An instance that renews itself 自动续费 ends soon: an order will be placed at that time, unless it is switched off before. */
export const autoRenewalAnnounced = event('order.auto-renewal-announced', 1, {
  data: z.object({ ...AutoRenewed.shape, ordersAt: z.iso.datetime({ offset: true }) }),
});
/** The order is placed, and waits for its buyer to pay it. */
export const autoRenewalOrdered = event('order.auto-renewal-ordered', 1, {
  data: z.object({ ...AutoRenewed.shape, orderId: OrderId, payable: Fen, payBy: z.iso.datetime({ offset: true }) }),
});
/** No order could be placed: `reason` is the code of the problem that ordering by hand would have. */
export const autoRenewalRefused = event('order.auto-renewal-refused', 1, {
  data: z.object({ ...AutoRenewed.shape, reason: z.string().max(100) }),
});
