import type { InstanceId, OrderId } from '@yunshi/kernel/ids';
import type { Line } from '@yunshi/kernel/marketplace';
import { again, asking, expiryOf, idle, moved, taskOf, tell } from './instance.ts';
import { kindOf } from './kinds.ts';
import { withCalls } from '../api/access.ts';
import type { Asker, Instance, Outcome, Renewal, RenewalRefusal, Step, Task } from './instance.ts';

/*
 * Renewal 续费 and trial conversion 转正式版: paid for, and then agreed by the provider or given back. A renewal prolongs from the old
 * expiry, also in the days of grace; a conversion begins when it is made.
 */

/** What became of a renewal: what a repeated order is answered with. */
export type RenewalEnd = {
  readonly orderId: OrderId;
  readonly instanceId: InstanceId;
  readonly kind: Renewal['kind'];
  readonly refusal: RenewalRefusal | null;
  readonly expiresAt: Date | null;
  /** The expiry that it prolonged. */
  readonly renewedFrom: Date | null;
  /** How many calls it topped up; null for what is not sold by calls. */
  readonly calls: number | null;
  readonly endedAt: Date;
};

export type RenewalOrder = {
  readonly orderId: OrderId;
  readonly accountId: Instance['accountId'];
  readonly kind: Renewal['kind'];
  readonly skuName: string;
  readonly line: Line;
};

/** Asks the provider, or prolongs at once where nobody has to be asked; undefined where there is nothing that could be renewed. */
export function renew(instance: Instance, order: RenewalOrder, asker: Asker, now: Date): Step | undefined {
  const { line, kind, orderId, skuName } = order;
  if (instance.renewal?.orderId === orderId) return { instance: { ...instance, renewal: { ...instance.renewal, asker } } };
  if (!isRenewable(instance, order)) return undefined;
  const from = kind === 'renewal' ? instance.expiresAt : now;
  const terms = termsOf(line);
  if (terms === undefined || from === null) return undefined;
  const expiresAt = expiryOf(terms, undefined, from);
  // A day that is renewed after three days would be over before it began.
  if (expiresAt === null || expiresAt <= now) return undefined;
  const { skuId, quantity, flow } = line;
  const renewal: Renewal = {
    kind,
    orderId,
    skuId,
    skuName,
    quantity,
    ...terms,
    ...(flow !== undefined && { flow }),
    expiresAt: expiresAt.toISOString(),
    ...(line.pack && { calls: line.pack.calls * quantity }),
    since: now.toISOString(),
    asker,
  };
  const task = taskOf(renewal);
  if (!kindOf(instance).asks(instance, task)) return renewed(instance, renewal, undefined);
  // One call at a time: a provider that heard of the renewal before an isolation that was on its way would isolate what was paid for.
  return instance.task === null ? asking({ ...instance, renewal }, task, now) : { instance: { ...instance, renewal } };
}

/** A package of calls has no period, but is good for days. */
function termsOf({ period, pack }: Line): Pick<Renewal, 'periodCount' | 'periodUnit'> | undefined {
  if (period !== undefined) return { periodCount: period.count, periodUnit: period.unit };
  return pack === undefined ? undefined : { periodCount: pack.validDays, periodUnit: 'day' };
}

/** Also in the days of grace, but never once it is released, nor while its payment is in dispute; one renewal at a time, because each starts from the expiry before it. */
function isRenewable(instance: Instance, { accountId, kind, line }: RenewalOrder): boolean {
  const isThere = (instance.status === 'shipped' || instance.status === 'expired') && instance.suspendedAt === null;
  const isFree = kindOf(instance).isRenewable(instance) && instance.renewal === null;
  const isSame = instance.accountId === accountId && instance.productId === line.productId;
  return isThere && isFree && isSame && instance.isTrial === (kind === 'trial_conversion');
}

/** Takes in what the provider said to it. The outcome of an older call is late, and says nothing any more. */
export function heardOfRenewal(instance: Instance, call: { task: Task; seq: number }, outcome: Outcome, now: Date): Step {
  const { renewal } = instance;
  if (renewal === null || call.seq !== instance.callSeq || call.task !== instance.task) return { instance };
  switch (outcome.kind) {
    case 'agreed':
    case 'delivered':
      return renewed(instance, outcome.expiresAt ? { ...renewal, expiresAt: outcome.expiresAt.toISOString() } : renewal, outcome.access);
    case 'declined':
      return refused(instance, renewal, 'provider-refused', now);
    case 'pending':
    case 'failed': {
      const { failingMsMax, backOff } = kindOf(instance).patience;
      const ends = new Date((instance.taskSince ?? now).getTime() + failingMsMax);
      return ends <= now ? refused(instance, renewal, 'provider-failed', now) : again(instance, backOff, ends, now);
    }
  }
}

function renewed(instance: Instance, renewal: Renewal, access: string | undefined): Step {
  const { skuId, skuName, quantity, periodCount, periodUnit, flow = null, asker } = renewal;
  return {
    instance: {
      ...moved(instance, 'renew'),
      ...idle,
      renewal: null,
      ...(renewal.kind === 'trial_conversion' && { isTrial: false, skuId, skuName, quantity, periodCount, periodUnit, flow }),
      // Whoever has it metered keeps it so, also where its SKU has lost the mark since.
      ...(renewal.kind === 'renewal' && flow !== null && { flow }),
      ...(access !== undefined && { access }),
      ...(renewal.calls !== undefined && withCalls(instance, renewal.calls)),
      expiresAt: new Date(renewal.expiresAt),
    },
    renewal: { ...renewal, to: asker, ...(renewal.kind === 'renewal' && { from: instance.expiresAt }) },
    happened: 'renewed',
  };
}

function refused(instance: Instance, renewal: Renewal, refusal: RenewalRefusal, now: Date): Step {
  const without: Instance = { ...instance, ...idle, renewal: null };
  // It may have expired meanwhile, when the provider was not told because all waited for its answer.
  const step = without.status === 'expired' ? tell(without, 'expire', now) : { instance: without };
  return { ...step, renewal: { ...renewal, to: renewal.asker, refused: refusal }, rearm: true };
}
