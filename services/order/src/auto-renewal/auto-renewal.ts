import { addDays } from '@yunshi/kernel/calendar';
import type { AccountId, InstanceId, OrderId, UserId } from '@yunshi/kernel/ids';
import type { Instance } from '../instance/instance.ts';
import type { AutoRenewalPolicy } from '../policy.ts';

/**
 * Auto-renewal 自动续费, as its buyer has switched it on for an instance: some days before each expiry a renewal order is placed, and its
 * buyer told. Nothing is ever paid by itself: the order waits until its buyer pays it, by whichever way he confirms then, or ends unpaid.
 */
export type AutoRenewal = {
  readonly instanceId: InstanceId;
  readonly accountId: AccountId;
  /** Who has switched it on, and is the one who orders. */
  readonly userId: UserId;
  readonly isOn: boolean;
  /** How many of the SKU's own periods each order is for. */
  readonly duration: number;
  readonly poNumber: string | null;
  /** What was accepted when it was switched on; an order that needs more is not placed. */
  readonly agreements: readonly string[];
  readonly changedAt: Date;
  /** The expiry that is looked ahead to. */
  readonly expiresAt: Date;
  /** The expiry for which an order was last placed, or could not be. */
  readonly decidedFor: Date | null;
  /** That order, or why there is none. */
  readonly orderId: OrderId | null;
  readonly refusal: string | null;
};

/** When its buyer is told that an order will be placed, and when it is: until then it can be switched off without one. */
export type Plan = { readonly announceAt: Date; readonly orderAt: Date };

export const planFor = (expiresAt: Date, { announceDays, orderDays }: AutoRenewalPolicy): Plan => ({
  announceAt: addDays(expiresAt, -announceDays),
  orderAt: addDays(expiresAt, -orderDays),
});

export const isDecided = ({ decidedFor, expiresAt }: Pick<AutoRenewal, 'decidedFor' | 'expiresAt'>): boolean =>
  decidedFor?.getTime() === expiresAt.getTime();

export type Wanted = Pick<AutoRenewal, 'instanceId' | 'accountId' | 'userId' | 'duration' | 'poNumber' | 'agreements'>;

/** Switches it on, or changes what is ordered. What was decided for the present expiry stays decided: there is one order at the most. */
export const switchedOn = (known: AutoRenewal | undefined, wanted: Wanted, expiresAt: Date, now: Date): AutoRenewal => ({
  ...wanted,
  isOn: true,
  changedAt: now,
  expiresAt,
  // An order that could not be placed is tried again with what is wanted now.
  decidedFor: known?.orderId ? known.decidedFor : null,
  orderId: known?.orderId ?? null,
  refusal: null,
});

export const switchedOff = (known: AutoRenewal, now: Date): AutoRenewal => (known.isOn ? { ...known, isOn: false, changedAt: now } : known);

/** What a look at the instance brings: an expiry that has moved is looked ahead to, and what is gone is renewed no more. */
export type Next =
  | { readonly what: 'moved'; readonly renewal: AutoRenewal }
  | { readonly what: 'over'; readonly renewal: AutoRenewal }
  | { readonly what: 'announce' }
  | { readonly what: 'order' }
  | { readonly what: 'wait'; readonly until: Date };

/**
 * Decides when a day has come. It looks at the instance as it is now, so that neither a renewal by hand nor one that was shortened needs to
 * tell anybody.
 */
export function look(renewal: AutoRenewal, instance: Instance | undefined, policy: AutoRenewalPolicy, now: Date): Next {
  const isThere = instance !== undefined && (instance.status === 'shipped' || instance.status === 'expired');
  if (!isThere || instance.expiresAt === null) return { what: 'over', renewal: switchedOff(renewal, now) };
  if (instance.expiresAt.getTime() !== renewal.expiresAt.getTime()) {
    return { what: 'moved', renewal: { ...renewal, expiresAt: instance.expiresAt } };
  }
  const { announceAt, orderAt } = planFor(renewal.expiresAt, policy);
  // Decided: looked at again when the instance expires, and when its days of grace are over.
  if (isDecided(renewal)) return { what: 'wait', until: now < renewal.expiresAt ? renewal.expiresAt : addDays(now, policy.lookAgainDays) };
  if (now >= orderAt) return { what: 'order' };
  return now >= announceAt ? { what: 'announce' } : { what: 'wait', until: announceAt };
}

export const ordered = (renewal: AutoRenewal, orderId: OrderId): AutoRenewal => ({
  ...renewal,
  decidedFor: renewal.expiresAt,
  orderId,
  refusal: null,
});
export const notOrdered = (renewal: AutoRenewal, refusal: string): AutoRenewal => ({
  ...renewal,
  decidedFor: renewal.expiresAt,
  orderId: null,
  refusal,
});

/** How long the order may be paid: until the instance expires, and a day at the least. */
export const payWithinMs = ({ expiresAt }: AutoRenewal, now: Date, atLeastMs: number): number =>
  Math.max(expiresAt.getTime() - now.getTime(), atLeastMs);
