/** A refund that was paid out by hand: one operator says so and shows how, another one agrees. Pure. */
import { flow, type StateOf } from '@yunshi/kernel/flow';
import type { OrderId, UserId } from '@yunshi/kernel/ids';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { moved } from '../payment/state.ts';

export const offlineFlow = flow('offline-refund', {
  proposed: { approve: 'approved', reject: 'rejected' },
  rejected: { propose: 'proposed' },
  approved: {},
});

/** Keyed by the refund: it is paid out by hand once, or not at all. */
export type OfflineRefund = {
  readonly refundNo: string;
  readonly orderId: OrderId;
  readonly status: StateOf<typeof offlineFlow>;
  /** The bank's receipt, and why it was done so. */
  readonly evidence: string;
  readonly proposedBy: UserId;
  readonly proposedAt: Date;
  readonly decidedBy: UserId | null;
  readonly decidedAt: Date | null;
};

type Act = { readonly by: UserId; readonly now: Date };

export function propose(
  known: OfflineRefund | undefined,
  ask: { readonly refundNo: string; readonly orderId: OrderId; readonly evidence: string },
  { by, now }: Act,
): Result<OfflineRefund, 'offline-refund-proposed'> {
  if (known && known.status !== 'rejected') return no('offline-refund-proposed');
  return ok({ ...ask, status: 'proposed', proposedBy: by, proposedAt: now, decidedBy: null, decidedAt: null });
}

export type Undecidable = 'offline-refund-not-proposed' | 'second-person-needed';

export function decide(
  known: OfflineRefund | undefined,
  verdict: 'approve' | 'reject',
  { by, now }: Act,
): Result<OfflineRefund, Undecidable> {
  if (known?.status !== 'proposed') return no('offline-refund-not-proposed');
  if (verdict === 'approve' && known.proposedBy === by) return no('second-person-needed');
  return ok({ ...known, status: moved(offlineFlow, known.status, verdict), decidedBy: by, decidedAt: now });
}
