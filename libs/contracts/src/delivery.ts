import { z } from 'zod';
import { AccountId, DeliveryId, InstanceId, OrderId, ProviderId } from '@yunshi/kernel/ids';
import { event, query } from './define.ts';

/*
 * Delivery cases 交付单, as those outside of the delivery supervision know them. One is opened for each instance that
 * `fulfillment.delivery-requested` names, and it ends once: completed or closed.
 */

const Time = z.iso.datetime({ offset: true });

const about = {
  deliveryId: DeliveryId,
  instanceId: InstanceId,
  orderId: OrderId,
  accountId: AccountId,
  providerId: ProviderId,
};

/** A case was opened for a paid instance; its buyer may submit the requirement 待提交需求. */
export const deliveryOpened = event('delivery.opened', 1, { data: z.object({ ...about, openedAt: Time }) });

/** What people delivered was accepted 已完成: by the buyer, by thirty days without a word, or by the operator. */
export const deliveryCompleted = event('delivery.completed', 1, { data: z.object({ ...about, completedAt: Time }) });

/** The case ended without a delivery 已关闭. An instance that still waited for it was not delivered, and what was paid for it goes back in full. */
export const deliveryClosed = event('delivery.closed', 1, { data: z.object({ ...about, closedAt: Time }) });

/** Whether cases are opened: what needs people is not sold where nobody answers this with yes. */
export const acceptsDeliveries = query('delivery.accepts', 1, { data: z.object({}), answer: z.object({ accepts: z.boolean() }) });
