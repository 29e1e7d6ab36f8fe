import { autoRenewalAnnounced, autoRenewalOrdered, autoRenewalRefused } from '@yunshi/contracts/order';
import type { InstanceId } from '@yunshi/kernel/ids';
import { due, httpWrite, whenCalled, write, type Deadline, type Decision, type Handler } from '@yunshi/messaging/handle';
import { instances } from '../instance/instances.ts';
import { place } from '../order/order.ts';
import { orders } from '../order/orders.ts';
import { begun } from '../order/writes.ts';
import { autoRenewalPolicy, orderPolicy } from '../policy.ts';
import { Problem } from '../problems.ts';
import { look, notOrdered, ordered, payWithinMs, planFor, switchedOff, switchedOn, type AutoRenewal, type Wanted } from './auto-renewal.ts';
import { autoRenewals } from './auto-renewals.ts';
import { prepareRenewal } from './calls.ts';
import { shownAutoRenewal } from './wire.ts';

const dayHasCome = 'order.look-at-auto-renewal';
const lookAt = (instanceId: InstanceId, dueAt: Date): readonly Deadline[] => [{ kind: dayHasCome, key: instanceId, dueAt }];

export const autoRenewalHandlers: readonly Handler[] = [
  due(dayHasCome, {
    of: autoRenewals,
    beside: { of: instances, key: (instanceId: InstanceId) => instanceId },
    decide: (_id: InstanceId, renewal, { now, beside }) =>
      renewal?.isOn ? looked(renewal, look(renewal, beside, autoRenewalPolicy, now), now) : {},
  }),
  whenCalled(prepareRenewal, {
    of: autoRenewals,
    decide: ({ request, outcome }, renewal, { now }) => {
      // Switched off meanwhile, or the instance goes on without it.
      if (!renewal?.isOn || renewal.expiresAt.toISOString() !== request.expiresAt) return {};
      if ('refused' in outcome) return refused(renewal, outcome.refused);
      const { orderId, wish, facts } = outcome.prepared;
      const { accountId, userId, agreements, poNumber, instanceId, expiresAt } = renewal;
      const asked = {
        orderId,
        accountId,
        userId,
        wish,
        coupon: 'best',
        acceptedAgreements: agreements,
        poNumber: poNumber ?? undefined,
      } as const;
      const policy = { ...orderPolicy, payWithinMs: payWithinMs(renewal, now, orderPolicy.payWithinMs) };
      const placed = place(asked, facts, policy, now);
      if (!placed.ok) return refused(renewal, placed.error.code);
      const { order } = placed.value;
      const { save: _order, writes = [], events = [], deadlines = [], ...more } = begun(placed.value);
      const about = { ...aboutOf(renewal), orderId, payable: order.payable, payBy: order.payBy.toISOString() };
      return {
        ...more,
        save: ordered(renewal, orderId),
        writes: [write(orders, order), ...writes],
        events: [...events, autoRenewalOrdered(about)],
        deadlines: [...deadlines, ...lookAt(instanceId, expiresAt)],
      };
    },
  }),
];

const aboutOf = ({ instanceId, accountId, expiresAt }: AutoRenewal) => ({ instanceId, accountId, expiresAt: expiresAt.toISOString() });

function looked(renewal: AutoRenewal, next: ReturnType<typeof look>, now: Date): Decision<AutoRenewal> {
  const { instanceId, accountId, duration, expiresAt } = renewal;
  switch (next.what) {
    case 'over':
      return { save: next.renewal };
    case 'moved':
      return { save: next.renewal, deadlines: lookAt(instanceId, now) };
    case 'wait':
      return { deadlines: lookAt(instanceId, next.until) };
    case 'announce': {
      const { orderAt } = planFor(expiresAt, autoRenewalPolicy);
      return {
        events: [autoRenewalAnnounced({ ...aboutOf(renewal), ordersAt: orderAt.toISOString() })],
        deadlines: lookAt(instanceId, orderAt),
      };
    }
    case 'order':
      return { calls: [prepareRenewal.intent(instanceId, { instanceId, accountId, duration, expiresAt: expiresAt.toISOString() })] };
  }
}

const refused = (renewal: AutoRenewal, reason: string): Decision<AutoRenewal> => ({
  save: notOrdered(renewal, reason),
  events: [autoRenewalRefused({ ...aboutOf(renewal), reason })],
  deadlines: lookAt(renewal.instanceId, renewal.expiresAt),
});

export const switchOn = httpWrite('auto-renewal.switch-on', {
  of: autoRenewals,
  key: ({ wanted }: { readonly wanted: Wanted; readonly expiresAt: Date }) => wanted.instanceId,
  decide: ({ wanted, expiresAt }, known, { now }) => {
    const renewal = switchedOn(known, wanted, expiresAt, now);
    const { announceAt, orderAt } = planFor(expiresAt, autoRenewalPolicy);
    // Who switches it on in the days between has been told by that.
    const next = now < announceAt ? announceAt : orderAt;
    return {
      save: renewal,
      deadlines: lookAt(wanted.instanceId, next > now ? next : now),
      response: { status: 200, body: shownAutoRenewal({ ...renewal, expiresNow: expiresAt }) },
    };
  },
});

export const switchOff = httpWrite('auto-renewal.switch-off', {
  of: autoRenewals,
  key: ({ instanceId }: Pick<AutoRenewal, 'instanceId' | 'accountId'>) => instanceId,
  decide: ({ instanceId, accountId }, known, { now }) => {
    if (known?.accountId !== accountId) return { response: Problem.response('not-found') };
    return {
      save: switchedOff(known, now),
      cancelDeadlines: [{ kind: dayHasCome, key: instanceId }],
      response: { status: 204, body: undefined },
    };
  },
});
