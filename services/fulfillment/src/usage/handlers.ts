import { httpWrite, whenCalled, write } from '@yunshi/messaging/handle';
import type { Decision, Handler } from '@yunshi/messaging/handle';
import type { AccountId, InstanceId, ProviderId } from '@yunshi/kernel/ids';
import { meteringAsked, meteringPerformed } from '../delivery/log.ts';
import type { MeteringAction } from '../delivery/log.ts';
import { providerCallRows } from '../delivery/log-book.ts';
import { instanceRows } from '../instance/instances.ts';
import type { Instance } from '../instance/instance.ts';
import { usageLow } from '../notification/notification.ts';
import { notificationRows } from '../notification/notifications.ts';
import { Problem } from '../problems.ts';
import { callMeter, type MeteringRequest } from './calls.ts';
import {
  alertOff,
  answered,
  ask,
  fits,
  isMetered,
  isNews,
  isToBeAsked,
  mayBeAsked,
  mayBeSet,
  reminded,
  set,
  settled,
  unknown,
} from './usage.ts';
import type { Alert, Reminder, Usage } from './usage.ts';
import { usageRows } from './usages.ts';

export const usageHandlers: readonly Handler[] = [
  whenCalled(callMeter, {
    of: usageRows,
    decide: ({ request, outcome: called }, usage, { now }): Decision<Usage> => {
      if (usage === undefined) return {};
      if ('again' in called) return calling({ ...request, dueAt: called.again }, new Date(called.again));
      const { outcome, exchange } = called;
      const heard = request.action === 'query-usage' ? answered : settled;
      return {
        save: heard(usage, request.seq, outcome, now),
        writes: [write(providerCallRows, meteringPerformed(request, outcome.kind, exchange))],
      };
    },
  }),
];

/** The intent of a call, with its line in the delivery log. */
function calling(request: MeteringRequest, notBefore?: Date): Pick<Decision<Usage>, 'calls' | 'writes'> {
  return {
    calls: [callMeter.intent(request.instanceId, request, notBefore === undefined ? {} : { notBefore })],
    writes: [write(providerCallRows, meteringAsked(request))],
  };
}

type About = { readonly instanceId: InstanceId; readonly accountId: AccountId };

function requestOf(instance: Instance, action: MeteringAction, seq: number, now: Date, alert?: Alert): MeteringRequest {
  const { instanceId, orderId, accountId, providerId, productId, signId } = instance;
  if (signId === null) throw new Error(`instance ${instanceId}: its provider knows nothing of it`);
  const at = now.toISOString();
  const about = { instanceId, orderId, accountId, providerId, productId, signId };
  return { action, seq, createdAt: at, dueAt: at, ...about, ...(alert !== undefined && { alert }) };
}

/** A buyer looks: the provider is asked, unless it was asked just now or is being asked. */
export const askUsage = httpWrite('ask usage', {
  of: usageRows,
  key: ({ instanceId }: About) => instanceId,
  beside: { of: instanceRows, key: ({ instanceId }) => instanceId },
  decide: ({ instanceId, accountId }, known, { now, beside: instance }): Decision<Usage> => {
    if (instance?.accountId !== accountId) return { response: Problem.response('not-found') };
    if (!mayBeAsked(instance) || !isToBeAsked(known, now)) return { response: { status: 200, body: null } };
    const usage = ask(known ?? unknown(instanceId), now);
    return { save: usage, ...calling(requestOf(instance, 'query-usage', usage.callSeq, now)), response: { status: 200, body: null } };
  },
});

/** `alert` without figures switches off what is set. Answers the number of the call. */
export type Setting = About & { readonly alert: Alert | { readonly on: false } };
export const setUsageReminder = httpWrite('set usage reminder', {
  of: usageRows,
  key: ({ instanceId }: Setting) => instanceId,
  beside: { of: instanceRows, key: ({ instanceId }) => instanceId },
  decide: ({ instanceId, accountId, alert: wanted }, known, { now, beside: instance }): Decision<Usage> => {
    if (instance?.accountId !== accountId) return { response: Problem.response('not-found') };
    if (!isMetered(instance)) return { response: Problem.response('usage-not-metered') };
    if (!mayBeSet(instance)) return { response: Problem.response('usage-reminder-not-settable') };
    const usage = known ?? unknown(instanceId);
    const alert = 'span' in wanted ? wanted : alertOff(usage, instance.flow);
    if (!fits(alert.unit, instance.flow.unit)) {
      const detail = `What this product counts is told in ${instance.flow.unit}, and cannot be warned of in ${alert.unit}.`;
      return { response: Problem.response('usage-unit-not-fitting', { detail }) };
    }
    const change = set(usage, alert, now);
    if (!change.ok) return { response: Problem.response('usage-reminder-in-hand') };
    const { callSeq: seq } = change.value;
    return {
      save: change.value,
      ...calling(requestOf(instance, 'set-usage-reminder', seq, now, alert)),
      response: { status: 200, body: { seq } },
    };
  },
});

/** What a provider tells of its own accord 用量提醒. The call's signature has been checked. */
export type Remind = {
  readonly providerId: ProviderId;
  readonly instanceId: InstanceId;
  readonly signId: string;
  readonly reminder: Omit<Reminder, 'at'>;
};
export type RemindRefusal = 'not-found' | 'not-metered' | 'closed' | 'replayed' | 'too-often';
const refusedRemind = (refusal: RemindRefusal): Decision<Usage> => ({ response: { status: 409, body: { refusal } } });

export const takeUsageReminder = httpWrite('take usage reminder', {
  of: usageRows,
  key: ({ instanceId }: Remind) => instanceId,
  beside: { of: instanceRows, key: ({ instanceId }) => instanceId },
  decide: ({ providerId, instanceId, signId, reminder: heard }, known, { now, beside: instance }): Decision<Usage> => {
    if (instance?.providerId !== providerId || instance.signId !== signId) return refusedRemind('not-found');
    if (!isMetered(instance)) return refusedRemind('not-metered');
    if (instance.status === 'closed' || instance.status === 'failed') return refusedRemind('closed');
    const usage = known ?? unknown(instanceId);
    const reminder = { ...heard, at: now.toISOString() };
    const taken = reminded(usage, reminder);
    if (!taken.ok) return refusedRemind(taken.error);
    return {
      save: taken.value,
      writes: isNews(usage, reminder) ? [write(notificationRows, usageLow(instance, reminder, now))] : [],
      response: { status: 200, body: { flowId: reminder.flowId } },
    };
  },
});
