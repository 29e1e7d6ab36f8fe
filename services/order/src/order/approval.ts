import type { UserId } from '@yunshi/kernel/ids';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { OrderPolicy } from '../policy.ts';
import { awaitedOf, moved, told, type Changed, type Order } from './order.ts';

/*
 * 审批: an order above its organisation's limit waits for somebody else of the organisation. Nothing is held meanwhile, neither the
 * coupon nor the money; the purchase begins when it is approved, at the price that was frozen when it was placed.
 */

export type ApprovalRefusal = 'order-not-awaiting-approval' | 'own-order-not-approvable';
type Deciding = { readonly by: UserId; readonly note: string | null };

/** Lets the purchase begin. The time to pay begins anew. Asked again by the same person, nothing changes. */
export function approve(order: Order, { by, note }: Deciding, { payWithinMs }: OrderPolicy, now: Date): Result<Changed, ApprovalRefusal> {
  if (order.status !== 'pending_approval') return repeated(order, by, 'approved');
  if (order.userId === by) return no('own-order-not-approvable');
  const payBy = new Date(now.getTime() + payWithinMs);
  const approved: Order = { ...moved(order, 'approve'), payBy, decidedBy: by, decidedAt: now, decisionNote: note };
  return ok(told(approved, [], now, 'approved', { awaits: awaitedOf(approved) }));
}

/** Ends the order as 已取消. */
export function decline(order: Order, { by, note }: Deciding, now: Date): Result<Changed, ApprovalRefusal> {
  if (order.status !== 'pending_approval') return repeated(order, by, 'declined');
  const reason = 'approval-declined';
  const decided = { decidedBy: by, decidedAt: now, decisionNote: note, endedAt: now, endReason: reason } as const;
  return ok(told({ ...moved(order, 'cancel'), ...decided }, [], now, 'cancelled', { reason }));
}

/** The same decision of the same person changes nothing. */
function repeated(order: Order, by: UserId, decision: 'approved' | 'declined'): Result<Changed, ApprovalRefusal> {
  const stands = order.endReason === 'approval-declined' ? 'declined' : 'approved';
  return order.decidedBy === by && stands === decision ? ok({ order, entries: [] }) : no('order-not-awaiting-approval');
}

/** Nobody has decided in time: 已关闭. */
export function lapse(order: Order, now: Date): Changed {
  if (order.status !== 'pending_approval') return { order, entries: [] };
  const reason = 'approval-timeout';
  return told({ ...moved(order, 'lapse'), endedAt: now, endReason: reason }, [], now, 'closed', { reason });
}
