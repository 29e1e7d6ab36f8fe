import { deliveryClosed, deliveryCompleted, deliveryOpened } from '@yunshi/contracts/delivery';
import {
  deliveryRequested,
  fulfilOrder,
  instanceClosed,
  instanceExpired,
  instanceRenewed,
  instanceShipped,
  instanceShortened,
  renewInstance,
} from '@yunshi/contracts/fulfillment';
import { paymentRevoked, revocationSettled } from '@yunshi/contracts/payment';
import type { Message } from '@yunshi/contracts/define';
import type { OrderId } from '@yunshi/kernel/ids';
import { rowsOf } from '@yunshi/db/rows';
import { audited } from '@yunshi/messaging/audit';
import type { Act } from '@yunshi/messaging/audit';
import { due, handle, httpWrite, on, whenCalled, write } from '@yunshi/messaging/handle';
import type { Deadline, Decision, Handler, SagaRef, Write } from '@yunshi/messaging/handle';
import { callProvider, issueKey } from '../delivery/calls.ts';
import { callIdOf, intended, performed, redriven } from '../delivery/log.ts';
import type { LogAction } from '../delivery/log.ts';
import { providerCallRows } from '../delivery/log-book.ts';
import type { ProviderRequest } from '../delivery/request.ts';
import { accessChanged } from '../api/news.ts';
import { withFirstKey } from '../api/access.ts';
import { renewals, suspensions } from '../tables.ts';
import { ended, remind, remindersOf } from '../notification/notification.ts';
import { notificationRows } from '../notification/notifications.ts';
import { Problem } from '../problems.ts';
import {
  awaitCase,
  begin,
  caseClosed,
  caseCompleted,
  caseOpened,
  expire,
  heard,
  instanceIdOf,
  isTask,
  ofAllAttempts,
  release,
  releaseAt,
  resend,
  undeliverable,
} from './instance.ts';
import { instanceRows } from './instances.ts';
import { consequencesOf, intentsOf } from './intents.ts';
import { deliveryPolicy } from './policy.ts';
import { heardOfRenewal, renew, type RenewalEnd } from './renewal.ts';
import { disputed, suspensionsOf, type Suspension } from './suspension.ts';
import type { Instance, Refusal, Step } from './instance.ts';

const renewalRows = rowsOf(renewals, 'orderId');
const suspensionRows = rowsOf(suspensions, 'orderId');

const atExpiry = 'instance.expire';
const atRelease = 'instance.release';
/** An order's payment is in dispute: its instance is looked for, and then looked at. */
const findDisputed = 'instance.find-disputed';
const lookAtDisputes = 'instance.look-at-disputes';
const caseWanted = 'instance.case-wanted';
const reminderOf = (daysAhead: number): string => `instance.remind-${daysAhead}`;

/** People deliver it: their case is wanted until one is opened, and says how it ends. */
const caseHandlers: readonly Handler[] = [
  on(deliveryOpened, {
    of: instanceRows,
    key: ({ instanceId }) => instanceId,
    decide: ({ deliveryId, instanceId }, instance, { now }) =>
      instance === undefined
        ? {}
        : { ...effects(caseOpened(instance, deliveryId), now), cancelDeadlines: [{ kind: caseWanted, key: instanceId }] },
  }),
  on(deliveryCompleted, {
    of: instanceRows,
    key: ({ instanceId }) => instanceId,
    decide: ({ deliveryId }, instance, { now }) => (instance === undefined ? {} : effects(caseCompleted(instance, deliveryId, now), now)),
  }),
  on(deliveryClosed, {
    of: instanceRows,
    key: ({ instanceId }) => instanceId,
    decide: ({ deliveryId }, instance, { now }) => (instance === undefined ? {} : effects(caseClosed(instance, deliveryId, now), now)),
  }),
  due(caseWanted, {
    of: instanceRows,
    decide: (_id, instance, { now }) => (instance === undefined ? {} : effects(awaitCase(instance), now)),
  }),
];

export const instanceHandlers: readonly Handler[] = [
  handle(fulfilOrder, {
    of: instanceRows,
    key: ({ orderId }) => instanceIdOf(orderId),
    beside: { of: suspensionRows, key: ({ orderId }) => orderId },
    decide: (order, instance, { now, reply, from, beside }) => {
      if (instance !== undefined) return answeredAgain(instance, from, reply);
      if (undeliverable(order) || beside?.outcome === 'ended') return { reply: reply.refused({ reason: 'not-deliverable' }) };
      const begun = begin(order, from, now);
      return effects(
        beside?.outcome === null ? { ...begun, instance: { ...begun.instance, suspendedAt: beside.suspendedAt } } : begun,
        now,
      );
    },
  }),
  on(paymentRevoked, {
    of: suspensionRows,
    key: ({ orderId }) => orderId,
    // It may come after the news that it is settled.
    decide: ({ orderId, revokedAt }, known, { now }) =>
      known ? {} : dispute({ orderId, suspendedAt: new Date(revokedAt), outcome: null, endedAt: null }, now),
  }),
  on(revocationSettled, {
    of: suspensionRows,
    key: ({ orderId }) => orderId,
    decide: ({ orderId, outcome, settledAt }, known, { now }) =>
      dispute({ orderId, suspendedAt: known?.suspendedAt ?? new Date(settledAt), outcome, endedAt: known?.endedAt ?? null }, now),
  }),
  // In a transaction after that of the dispute: a renewal that has not ended by then finds the dispute itself when it ends.
  due(findDisputed, {
    of: suspensionRows,
    beside: { of: renewalRows, key: (orderId: OrderId) => orderId },
    decide: (orderId: OrderId, _dispute, { now, beside: renewed }) => look(renewed?.instanceId ?? instanceIdOf(orderId), now),
  }),
  due(lookAtDisputes, {
    of: instanceRows,
    beside: { of: suspensionsOf, key: (instanceId: Instance['instanceId']) => instanceId },
    decide: (_id, instance, { now, beside }) => {
      if (instance === undefined || beside === undefined) return {};
      const { step, ended } = disputed(instance, beside.suspensions, now);
      const { writes = [], ...decision } = effects(step, now);
      return { ...decision, writes: [...writes, ...ended.map((one) => write(suspensionRows, one))] };
    },
  }),
  handle(renewInstance, {
    of: instanceRows,
    key: ({ instanceId }) => instanceId,
    beside: { of: renewalRows, key: ({ orderId }) => orderId },
    decide: (order, instance, { now, reply, from, beside: ended }) => {
      const { instanceId } = order;
      if (ended !== undefined) {
        return { reply: ended.refusal === null ? reply.renewed({ instanceId }) : reply.refused({ reason: ended.refusal }) };
      }
      const step = instance && renew(instance, order, from, now);
      return step ? effects(step, now) : { reply: reply.refused({ reason: 'not-renewable' }) };
    },
  }),
  whenCalled(callProvider, {
    of: instanceRows,
    decide: ({ request, outcome: called, attempt }, instance, { now }) => {
      if (instance === undefined) return {};
      if ('again' in called) return comesAgain(request, new Date(called.again), attempt);
      const { outcome: last, exchange } = called;
      const outcome = ofAllAttempts(last, request.unheard ? attempt + 1 : attempt);
      const isRenewal = request.task === 'renew' || request.task === 'convert';
      const step = isRenewal ? heardOfRenewal(instance, request, outcome, now) : heard(instance, request, outcome, now);
      const givenUp =
        outcome.kind === 'failed' || outcome.kind === 'declined' ? step.call === undefined && request.seq === instance.callSeq : false;
      const decision = effects(step, now);
      return { ...decision, writes: [write(providerCallRows, performed(request, outcome, exchange, givenUp)), ...(decision.writes ?? [])] };
    },
  }),
  whenCalled(issueKey, {
    of: instanceRows,
    decide: ({ request, outcome }, instance, { now }) => {
      if (instance === undefined) return {};
      const { secretId, secretKey, calls, access } = outcome;
      const keyed = withFirstKey(instance, { secretId, secretKey }, calls, now);
      const validDays = keyed.api?.validDays ?? outcome.validDays;
      const step = heard(keyed, { task: 'create', seq: request.seq }, { kind: 'delivered', access, validDays }, now);
      return step.happened === 'shipped' ? effects(step, now) : {};
    },
  }),
  ...caseHandlers,
  due(atExpiry, {
    of: instanceRows,
    decide: (_id, instance, { now }) => (instance === undefined ? {} : effects(expire(instance, now), now)),
  }),
  ...deliveryPolicy.reminderDays.map((daysAhead) =>
    due(reminderOf(daysAhead), {
      of: instanceRows,
      decide: (_id, instance, { now }) => {
        const told = instance && remind(instance, daysAhead, now);
        return told === undefined ? {} : { writes: [write(notificationRows, told)] };
      },
    }),
  ),
  due(atRelease, {
    of: instanceRows,
    decide: (_id, instance, { now }) => (instance === undefined ? {} : effects(release(instance, now), now)),
  }),
];

const look = (instanceId: Instance['instanceId'], now: Date): Decision<never> => ({
  deadlines: [{ kind: lookAtDisputes, key: instanceId, dueAt: now }],
});
const dispute = (save: Suspension, now: Date): Decision<Suspension> => ({
  save,
  deadlines: [{ kind: findDisputed, key: save.orderId, dueAt: now }],
});
/** The provider's line was full: the same call again, at the moment that it was given. */
function comesAgain(asked: ProviderRequest, at: Date, attempt: number): Decision<Instance> {
  const request = { ...asked, dueAt: at.toISOString(), ...(attempt > 1 && { unheard: true as const }) };
  return {
    calls: [callProvider.intent(request.instanceId, request, { notBefore: at })],
    writes: [write(providerCallRows, intended(request))],
  };
}

export type Resending = { readonly instanceId: Instance['instanceId']; readonly action: LogAction; readonly callId: string } & Act;

/** A person has a call made again. What can no longer be made leaves the list of what is to be re-driven, too. */
export const resendCall = httpWrite('resend-call', {
  of: instanceRows,
  key: (ask: Resending) => ask.instanceId,
  beside: { of: providerCallRows, key: ({ callId }) => callId },
  decide: ({ action, callId, actor, reason }, instance, { now, beside: call }) => {
    const settled = (by: string | null) => (call === undefined ? [] : [write(providerCallRows, redriven(call, by, now))]);
    const step = instance === undefined || !isTask(action) ? undefined : resend(instance, action, now);
    if (step === undefined) return { response: Problem.response('call-not-resendable'), writes: call?.givenUp ? settled(null) : [] };
    const made = callIdOf(step.instance.instanceId, step.instance.callSeq);
    const decision = effects(step, now);
    return {
      ...decision,
      writes: [
        ...(decision.writes ?? []),
        ...settled(made),
        audited({ actor, action: 'provider-call.resend', object: `provider-call:${callId}`, reason }),
      ],
      response: { status: 202, body: { call_id: made } },
    };
  },
});

/** Asked again, by another saga or after the answer was lost: the answer is what has become of the instance. */
function answeredAgain(instance: Instance, from: SagaRef, reply: typeof fulfilOrder.reply): Decision<Instance> {
  if (instance.status === 'shipping') return { save: { ...instance, awaitedBy: from } };
  if (instance.failure !== null) return { reply: reply.refused({ reason: instance.failure }) };
  return { reply: reply.fulfilled({ instanceId: instance.instanceId }) };
}

/** What a step means outside the instance itself. */
export function effects(step: Step, now: Date): Decision<Instance> {
  const { instance, call, answer, happened, rearm, wantsCase } = step;
  const intended = call === undefined ? {} : intentsOf(instance, call, now);
  const own = consequencesOf(step, now);
  const renewal = renewalEnded(step, now);
  return {
    save: instance,
    calls: [...(intended.calls ?? []), ...(own.calls ?? [])],
    writes: [...(intended.writes ?? []), ...(own.writes ?? []), ...(renewal.writes ?? []), ...noticesOf(step, now)],
    answers: [...(answer === undefined ? [] : [{ to: answer.to, reply: answerOf(instance, answer.refused) }]), ...(renewal.answers ?? [])],
    events: [
      ...(happened === undefined ? [] : [eventOf(step, happened, now)]),
      ...(wantsCase ? [requestOfCase(instance)] : []),
      ...accessChanged(instance),
    ],
    deadlines: [
      ...(happened !== undefined || rearm ? deadlinesOf(instance, now) : []),
      ...(renewal.deadlines ?? []),
      ...(wantsCase ? [{ kind: caseWanted, key: instance.instanceId, dueAt: new Date(now.getTime() + deliveryPolicy.caseWantedMs) }] : []),
    ],
  };
}

/** Answers the saga of a renewal, and keeps what became of it. */
function renewalEnded({ instance, renewal }: Step, now: Date): Pick<Decision<Instance>, 'answers' | 'writes' | 'deadlines'> {
  if (renewal === undefined) return {};
  const { instanceId } = instance;
  const { orderId, kind, to, refused } = renewal;
  const end: RenewalEnd = {
    orderId,
    instanceId,
    kind,
    refusal: refused ?? null,
    expiresAt: refused === undefined ? new Date(renewal.expiresAt) : null,
    renewedFrom: renewal.from ?? null,
    calls: renewal.calls ?? null,
    endedAt: now,
  };
  const { reply } = renewInstance;
  return {
    answers: [{ to, reply: refused === undefined ? reply.renewed({ instanceId }) : reply.refused({ reason: refused }) }],
    writes: [write(renewalRows, end)],
    ...look(instanceId, now),
  };
}

const answerOf = ({ instanceId }: Instance, refused: Refusal | undefined) =>
  refused === undefined ? fulfilOrder.reply.fulfilled({ instanceId }) : fulfilOrder.reply.refused({ reason: refused });

function eventOf({ instance, renewal }: Step, happened: NonNullable<Step['happened']>, now: Date): Message {
  const { instanceId, version: instanceVersion, orderId, accountId, expiresAt } = instance;
  const about = { instanceId, instanceVersion, orderId, accountId };
  switch (happened) {
    case 'shipped':
      return instanceShipped({ ...about, shippedAt: now.toISOString(), ...(expiresAt !== null && { expiresAt: expiresAt.toISOString() }) });
    case 'renewed': {
      if (!renewal || !expiresAt) throw new Error(`instance ${instanceId} was renewed by nothing`);
      const { kind, orderId: renewedBy } = renewal;
      const { skuId, quantity } = instance;
      return instanceRenewed({ ...about, renewedBy, kind, skuId, quantity, expiresAt: expiresAt.toISOString() });
    }
    case 'shortened':
      if (!expiresAt) throw new Error(`instance ${instanceId} ends at no time`);
      return instanceShortened({ ...about, expiresAt: expiresAt.toISOString() });
    case 'expired':
      return instanceExpired({ ...about, expiredAt: now.toISOString() });
    case 'closed':
      return instanceClosed({ ...about, closedAt: now.toISOString() });
  }
}

function requestOfCase(instance: Instance): Message {
  const { instanceId, version: instanceVersion, orderId, accountId, orderNumber, userId, providerId, productId, productName } = instance;
  const { skuId, skuName, deliveryType, quantity, createdAt } = instance;
  const about = { instanceId, instanceVersion, orderId, accountId, orderNumber, userId, providerId, productId, productName };
  return deliveryRequested({ ...about, skuId, skuName, deliveryType, quantity, paidAt: createdAt.toISOString() });
}

/** What the buyer is told of it. */
const noticesOf = ({ instance, happened }: Step, now: Date): Write[] =>
  happened === 'expired' || happened === 'closed' ? [write(notificationRows, ended(instance, happened, now))] : [];

/** What time will bring next. */
function deadlinesOf({ instanceId, status, expiresAt }: Instance, now: Date): Deadline[] {
  if (expiresAt === null) return [];
  if (status === 'shipped') {
    const reminders = remindersOf(expiresAt, now).map(({ daysAhead, at }) => ({ kind: reminderOf(daysAhead), key: instanceId, dueAt: at }));
    return [...reminders, { kind: atExpiry, key: instanceId, dueAt: expiresAt }];
  }
  if (status === 'expired') return [{ kind: atRelease, key: instanceId, dueAt: releaseAt(expiresAt) }];
  return [];
}
