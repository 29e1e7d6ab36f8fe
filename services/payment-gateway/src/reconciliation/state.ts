/** The reconciliation 对账 of one channel's bill of one day, and what becomes of its differences. Pure. */
import type { Channel } from '@yunshi/contracts/payment';
import { flow, type StateOf } from '@yunshi/kernel/flow';
import type { OrderId, UserId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { moved } from '../payment/state.ts';
import type { Class, Finding } from './compare.ts';

export const reconciliationFlow = flow('reconciliation', {
  /** The bill is not there yet, or could not be used; it is asked for again. */
  waiting: { match: 'matched', differ: 'differing', fail: 'failed' },
  matched: { differ: 'differing' },
  /** Differences are open. */
  differing: { match: 'matched' },
  /** The bill could not be had in many tries: somebody must look, and have it run again. */
  failed: { match: 'matched', differ: 'differing' },
});
export type ReconciliationStatus = StateOf<typeof reconciliationFlow>;

export const differenceFlow = flow('reconciliation-difference', {
  open: { propose: 'proposed', vanish: 'gone' },
  /** One operator has said how to settle it; another one decides. */
  proposed: { approve: 'resolved', reject: 'open', vanish: 'gone' },
  /** A later run did not find it any more. */
  gone: { find: 'open' },
  resolved: {},
});
export type DifferenceStatus = StateOf<typeof differenceFlow>;

/** `explained`: nothing is booked. `adjusted`: our ledger is brought to the channel's figure. */
export const resolutions = ['explained', 'adjusted'] as const;
export type Resolution = (typeof resolutions)[number];

export type Difference = {
  readonly differenceId: string;
  readonly reconciliationId: string;
  readonly class: Class;
  readonly kind: 'payment' | 'refund';
  readonly number: string;
  readonly orderId: OrderId | null;
  readonly channelNo: string | null;
  readonly ours: Fen | null;
  readonly theirs: Fen | null;
  readonly explanation: string;
  readonly status: DifferenceStatus;
  readonly foundAt: Date;
  readonly resolution: Resolution | null;
  readonly reason: string | null;
  readonly proposedBy: UserId | null;
  readonly decidedBy: UserId | null;
  readonly decidedAt: Date | null;
};

export type Reconciliation = {
  /** Channel and day. */
  readonly reconciliationId: string;
  readonly channel: Channel;
  /** China, `YYYY-MM-DD`. */
  readonly day: string;
  readonly status: ReconciliationStatus;
  /** Of the bill's file. */
  readonly hash: string | null;
  readonly lines: number;
  readonly runs: number;
  /** In a row. */
  readonly failures: number;
  readonly failure: string | null;
  readonly ranAt: Date | null;
  readonly createdAt: Date;
  readonly differences: readonly Difference[];
};

export const idOf = (channel: Channel, day: string): string => `${channel}:${day}`;

export const begun = (channel: Channel, day: string, now: Date): Reconciliation => ({
  reconciliationId: idOf(channel, day),
  channel,
  day,
  status: 'waiting',
  hash: null,
  lines: 0,
  runs: 0,
  failures: 0,
  failure: null,
  ranAt: null,
  createdAt: now,
  differences: [],
});

const FAILURES_MAX = 8;

/** The bill could not be used, or is not there yet: nothing is known of that day. */
export function unread(before: Reconciliation, why: string | null, now: Date): Reconciliation {
  const failures = why === null ? before.failures : before.failures + 1;
  const failed = before.status === 'waiting' && failures >= FAILURES_MAX;
  return {
    ...before,
    runs: before.runs + 1,
    ranAt: now,
    failures,
    failure: why,
    status: failed ? moved(reconciliationFlow, before.status, 'fail') : before.status,
  };
}

export type Compared = { readonly hash: string | null; readonly lines: number; readonly findings: readonly Finding[] };

/** Takes in what a comparison has found. The same findings again change nothing; what is found no more has settled itself. */
export function compared(
  before: Reconciliation,
  { hash, lines, findings }: Compared,
  now: Date,
): { readonly reconciliation: Reconciliation; readonly fresh: readonly Finding[] } {
  const ids = new Map(findings.map((finding) => [differenceIdOf(before, finding), finding]));
  const known = before.differences.map((difference): Difference => {
    const again = ids.get(difference.differenceId);
    if (!again) return isPending(difference) ? { ...difference, status: moved(differenceFlow, difference.status, 'vanish') } : difference;
    const seen = { ...difference, ours: again.ours, theirs: again.theirs, explanation: again.explanation };
    return difference.status === 'gone' ? { ...seen, status: moved(differenceFlow, difference.status, 'find') } : seen;
  });
  const before_ = new Set(before.differences.map(({ differenceId }) => differenceId));
  const added = [...ids].filter(([id]) => !before_.has(id));
  const differences = [...known, ...added.map(([, finding]) => differenceOf(before, finding, now))];
  const counted = { hash, lines, runs: before.runs + 1, failures: 0, failure: null, ranAt: now };
  const fresh = [...ids].filter(
    ([id]) => !before_.has(id) || before.differences.some((one) => one.differenceId === id && one.status === 'gone'),
  );
  return {
    reconciliation: settled({ ...before, ...counted, differences }),
    fresh: fresh.map(([, finding]) => finding),
  };
}

export const isPending = ({ status }: Pick<Difference, 'status'>): boolean => status === 'open' || status === 'proposed';

/** It differs as long as one of its differences is not settled. */
function settled(reconciliation: Reconciliation): Reconciliation {
  const wanted = reconciliation.differences.some(isPending) ? 'differing' : 'matched';
  if (reconciliation.status === wanted) return reconciliation;
  const status = moved(reconciliationFlow, reconciliation.status, wanted === 'matched' ? 'match' : ('differ' as never));
  return { ...reconciliation, status };
}

const differenceIdOf = ({ reconciliationId }: Reconciliation, { class: name, kind, number }: Finding): string =>
  `${reconciliationId}:${name}:${kind}:${number}`;

function differenceOf(reconciliation: Reconciliation, finding: Finding, now: Date): Difference {
  const { mendable: _, ...told } = finding;
  return {
    ...told,
    differenceId: differenceIdOf(reconciliation, finding),
    reconciliationId: reconciliation.reconciliationId,
    status: 'open',
    foundAt: now,
    resolution: null,
    reason: null,
    proposedBy: null,
    decidedBy: null,
    decidedAt: null,
  };
}

export type Unsettled = 'difference-settled' | 'difference-not-proposed' | 'second-person-needed' | 'nothing-to-adjust';
type Changed = Result<{ readonly reconciliation: Reconciliation; readonly difference: Difference }, Unsettled | 'not-found'>;

/** One operator says how to settle a difference, and why. */
export function propose(
  before: Reconciliation,
  differenceId: string,
  { resolution, reason, by }: { resolution: Resolution; reason: string; by: UserId },
): Changed {
  const found = before.differences.find((one) => one.differenceId === differenceId);
  if (!found) return no('not-found');
  if (found.status !== 'open') return no('difference-settled');
  if (resolution === 'adjusted' && (found.ours ?? 0) === (found.theirs ?? 0)) return no('nothing-to-adjust');
  return changed(before, { ...found, status: moved(differenceFlow, found.status, 'propose'), resolution, reason, proposedBy: by });
}

/** Another operator agrees, or does not. Nobody approves what they have proposed. */
export function decide(
  before: Reconciliation,
  differenceId: string,
  { verdict, by, now }: { verdict: 'approve' | 'reject'; by: UserId; now: Date },
): Changed {
  const found = before.differences.find((one) => one.differenceId === differenceId);
  if (!found) return no('not-found');
  if (found.status !== 'proposed') return no('difference-not-proposed');
  if (verdict === 'approve' && found.proposedBy === by) return no('second-person-needed');
  if (verdict === 'reject') {
    return changed(before, {
      ...found,
      status: moved(differenceFlow, found.status, 'reject'),
      resolution: null,
      reason: null,
      proposedBy: null,
    });
  }
  return changed(before, { ...found, status: moved(differenceFlow, found.status, 'approve'), decidedBy: by, decidedAt: now });
}

function changed(before: Reconciliation, difference: Difference): Changed {
  const differences = before.differences.map((one) => (one.differenceId === difference.differenceId ? difference : one));
  return ok({ reconciliation: settled({ ...before, differences }), difference });
}
