import { autoRenewalAnnounced, autoRenewalOrdered, autoRenewalRefused } from '@yunshi/contracts/order';
import type { InstanceId } from '@yunshi/kernel/ids';
import { on, write, type Decision, type Handler } from '@yunshi/messaging/handle';
import type { Instance } from '../instance/instance.ts';
import { instanceRows } from '../instance/instances.ts';
import { autoRenewal, type AutoRenewalTold } from './notification.ts';
import { notificationRows } from './notifications.ts';

const told = (instance: Instance | undefined, what: AutoRenewalTold, expiresAt: string, now: Date): Decision<Instance> =>
  instance === undefined ? {} : { writes: [write(notificationRows, autoRenewal(instance, what, new Date(expiresAt), now))] };

const about = { of: instanceRows, key: ({ instanceId }: { readonly instanceId: InstanceId }) => instanceId };

/** Buyers are told of what the order service does for instances that renew themselves 自动续费. */
export const notificationHandlers: readonly Handler[] = [
  on(autoRenewalAnnounced, {
    ...about,
    decide: ({ ordersAt, expiresAt }, instance, { now }) => told(instance, { what: 'announced', ordersAt }, expiresAt, now),
  }),
  on(autoRenewalOrdered, {
    ...about,
    decide: ({ orderId, payable, payBy, expiresAt }, instance, { now }) =>
      told(instance, { what: 'ordered', orderId, payable, payBy }, expiresAt, now),
  }),
  on(autoRenewalRefused, {
    ...about,
    decide: ({ reason, expiresAt }, instance, { now }) => told(instance, { what: 'refused', reason }, expiresAt, now),
  }),
];
