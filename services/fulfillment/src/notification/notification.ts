import type { AccountId, InstanceId, OrderId } from '@yunshi/kernel/ids';
import type { FlowUnit } from '@yunshi/kernel/marketplace';
import type { Fen } from '@yunshi/kernel/money';
import { addDays } from '@yunshi/kernel/calendar';
import type { Instance } from '../instance/instance.ts';
import { deliveryPolicy } from '../instance/policy.ts';

/** What the buyer of an instance is told: about its end, that little is left of what is metered, and how it renews itself. */
export const notificationKinds = [
  'instance-expiring',
  'instance-expired',
  'instance-closed',
  'usage-low',
  'auto-renewal-announced',
  'auto-renewal-ordered',
  'auto-renewal-refused',
] as const;
export type NotificationKind = (typeof notificationKinds)[number];

export type Notification = {
  /** `ntf_`, the instance's digits, and what it is about: the same thing is never told twice. */
  readonly notificationId: string;
  readonly accountId: AccountId;
  readonly instanceId: InstanceId;
  readonly kind: NotificationKind;
  readonly productName: string;
  readonly expiresAt: Date | null;
  readonly daysAhead: number | null;
  readonly usage: UsageTold | null;
  readonly autoRenewal: AutoRenewalTold | null;
  readonly createdAt: Date;
  readonly readAt: Date | null;
};

/** The provider's own figures. */
export type UsageTold = { readonly total: string; readonly left: string; readonly unit: FlowUnit };

/** What of a renewal that nobody ordered by hand 自动续费: when it will be ordered; or the order, and until when it can be paid; or why there is none. */
export type AutoRenewalTold =
  | { readonly what: 'announced'; readonly ordersAt: string }
  | { readonly what: 'ordered'; readonly orderId: OrderId; readonly payable: Fen; readonly payBy: string }
  | { readonly what: 'refused'; readonly reason: string };

type Subject = Pick<Instance, 'instanceId' | 'accountId' | 'productName' | 'expiresAt' | 'status'>;

function notification(of: Subject, kind: NotificationKind, about: string, now: Date, daysAhead: number | null = null): Notification {
  const { instanceId, accountId, productName, expiresAt } = of;
  const notificationId = `ntf_${instanceId.slice(4)}-${about}`;
  const nothingElse = { usage: null, autoRenewal: null, readAt: null };
  return { notificationId, accountId, instanceId, kind, productName, expiresAt, daysAhead, ...nothingElse, createdAt: now };
}

/** One period has one end, and is told of once for each reminder. */
const periodOf = (expiresAt: Date): string => String(Math.floor(expiresAt.getTime() / 1_000));

export type Reminder = { readonly daysAhead: number; readonly at: Date };

/** The reminders of an expiry that are still to come. What was bought for a week is not reminded of a month ahead. */
export const remindersOf = (expiresAt: Date, now: Date): Reminder[] =>
  deliveryPolicy.reminderDays.map((daysAhead) => ({ daysAhead, at: addDays(expiresAt, -daysAhead) })).filter(({ at }) => at > now);

/** Reminds of the expiry, if it still stands: a renewal moves it and sets reminders of its own. Told late rather than not at all. */
export function remind(instance: Subject, daysAhead: number, now: Date): Notification | undefined {
  const { status, expiresAt } = instance;
  if (expiresAt === null || (status !== 'shipped' && status !== 'expired') || addDays(expiresAt, -daysAhead) > now) return undefined;
  return notification(instance, 'instance-expiring', `${periodOf(expiresAt)}-${daysAhead}`, now, daysAhead);
}

/** An instance was isolated, or released. */
export function ended(instance: Subject, how: 'expired' | 'closed', now: Date): Notification {
  const period = instance.expiresAt === null ? 'once' : periodOf(instance.expiresAt);
  return notification(instance, `instance-${how}`, `${period}-${how}`, now);
}

/** The provider has told that little is left of what is metered 用量提醒. */
export function usageLow(instance: Subject, told: UsageTold & { readonly flowId: string }, now: Date): Notification {
  const { total, left, unit, flowId } = told;
  return { ...notification(instance, 'usage-low', `usage-${flowId}`, now), expiresAt: null, usage: { total, left, unit } };
}

/** What the order service has told about a renewal of its own making, once for each end. */
export function autoRenewal(instance: Subject, told: AutoRenewalTold, expiresAt: Date, now: Date): Notification {
  const about = `${periodOf(expiresAt)}-auto-${told.what === 'ordered' ? told.orderId.slice(4) : told.what}`;
  return { ...notification(instance, `auto-renewal-${told.what}`, about, now), expiresAt, autoRenewal: told };
}
