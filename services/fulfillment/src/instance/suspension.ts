/**
 * What becomes of an instance while a bank has taken back the payment 退票 of the order that made it, or of one that renewed it: it is
 * suspended, until two persons have settled the case. Pure, but for how its cases are found.
 */
import type { Tx } from '@yunshi/db/connect';
import type { Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { InstanceId } from '@yunshi/kernel/ids';
import { withCalls } from '../api/access.ts';
import { suspensions } from '../tables.ts';
import { failed, idle, moved, tell, type Instance, type Step } from './instance.ts';

export type Suspension = typeof suspensions.$inferSelect;
/** With what the order brought, where it was a renewal. */
export type Disputed = Suspension & {
  readonly kind: 'renewal' | 'trial_conversion' | null;
  readonly broughtMs: number | null;
  readonly broughtCalls?: number | null;
};

/** All cases of an instance, found through its own order and through those that renewed it. Read only. */
export const suspensionsOf: Rows<InstanceId, { readonly instanceId: InstanceId; readonly suspensions: readonly Disputed[] }> = {
  name: 'suspensions of instances',
  keyOf: ({ instanceId }) => instanceId,
  lock: async (tx: Tx, keys) => {
    const ids = [...keys];
    const found = await tx<(Disputed & { readonly instanceId: InstanceId })[]>`
      select ${tx.unsafe(selectListOf(suspensions, 's'))}, i.instance_id as "instanceId", r.kind,
        (extract(epoch from r.expires_at - r.renewed_from) * 1000)::float8 as "broughtMs", r.calls as "broughtCalls"
      from suspensions s left join renewals r on r.order_id = s.order_id and r.refusal is null
      join instances i on i.order_id = s.order_id or i.instance_id = r.instance_id
      where i.instance_id = any(${ids}::text[]) order by s.order_id for update of s`;
    return ids.map((instanceId) => ({ instanceId, suspensions: found.filter((one) => one.instanceId === instanceId) }));
  },
  save: () => Promise.reject(new Error('suspensions are saved by their orders')),
};

/** Brings an instance to where its cases want it, however often it is looked at. The cases that it has done with are `ended`. */
export function disputed(
  instance: Instance,
  cases: readonly Disputed[],
  now: Date,
): { readonly step: Step; readonly ended: readonly Suspension[] } {
  const open = cases.filter(({ outcome }) => outcome === null);
  const since = open.length === 0 ? null : new Date(Math.min(...open.map(({ suspendedAt }) => suspendedAt.getTime())));
  const isOver = instance.status === 'failed' || instance.status === 'closed';
  const held = isOver || instance.suspendedAt?.getTime() === since?.getTime() ? instance : changed(instance, { suspendedAt: since });
  // A renewal in hand is answered first; its end has the instance looked at again.
  const unpaid = instance.renewal === null ? cases.filter(({ outcome, endedAt }) => outcome === 'ended' && endedAt === null) : [];
  if (unpaid.length === 0) return { step: { instance: held }, ended: [] };
  const ended = unpaid.map(({ orderId, suspendedAt, outcome }) => ({ orderId, suspendedAt, outcome, endedAt: now }));
  if (isOver) return { step: { instance: held }, ended };
  if (unpaid.some(({ kind }) => kind !== 'renewal')) return { step: close(held, now), ended };
  return {
    step: shortened(
      held,
      unpaid.reduce((sum, { broughtMs }) => sum + (broughtMs ?? 0), 0),
      unpaid.reduce((sum, { broughtCalls }) => sum + (broughtCalls ?? 0), 0),
    ),
    ended,
  };
}

const changed = (instance: Instance, change: Partial<Instance>): Instance => ({ ...instance, ...change, version: instance.version + 1 });

/** It was never paid for: it is gone at once, without the days of grace. */
function close(instance: Instance, now: Date): Step {
  if (instance.status === 'shipping') return failed(instance, 'not-deliverable', now);
  const closed: Instance = { ...moved(instance, 'close'), ...idle, closedAt: now, access: null, suspendedAt: null };
  return { ...tell(closed, 'destroy', now), happened: 'closed' };
}

/** The time and the calls that a renewal had brought are taken back; what was paid for before is kept. */
function shortened(instance: Instance, byMs: number, calls: number): Step {
  if (instance.expiresAt === null || (byMs === 0 && calls === 0)) return { instance };
  const expiresAt = new Date(instance.expiresAt.getTime() - byMs);
  return { instance: changed(instance, { expiresAt, ...withCalls(instance, -calls) }), happened: 'shortened' };
}
