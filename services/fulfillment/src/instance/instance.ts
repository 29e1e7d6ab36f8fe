import { flow, move } from '@yunshi/kernel/flow';
import type { ActionOf, StateOf } from '@yunshi/kernel/flow';
import { addDays, addMonths } from '@yunshi/kernel/calendar';
import type { AccountId, DeliveryId, InstanceId, OrderId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import { InstanceId as InstanceIdShape } from '@yunshi/kernel/ids';
import { monthsOf, type DeliveryType, type Flow, type Line, type PeriodUnit } from '@yunshi/kernel/marketplace';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import { boughtWith, withoutSecrets, type ApiAccess } from '../api/access.ts';
import { serverFor, type Server } from '../server/server.ts';
import { kindNameOf, kindOf } from './kinds.ts';
import { deliveryPolicy, waitMs } from './policy.ts';
import type { BackOff } from './policy.ts';

/** An instance 资源实例: what a paid order made. 发货中 → 已发货 → 已过期 → 已关闭; or failed, and the money goes back. */
export const instanceFlow = flow('instance', {
  shipping: { ship: 'shipped', fail: 'failed' },
  shipped: { expire: 'expired', renew: 'shipped', close: 'closed' },
  expired: { renew: 'shipped', close: 'closed' },
  closed: {},
  failed: {},
});
export type InstanceStatus = StateOf<typeof instanceFlow>;

/** What the provider is being asked to do now; asked again until it has. */
export const tasks = ['create', 'renew', 'convert', 'expire', 'destroy'] as const;
export type Task = (typeof tasks)[number];
export const isTask = (action: string): action is Task => (tasks as readonly string[]).includes(action);

export type Instance = {
  instanceId: InstanceId;
  version: number;
  accountId: AccountId;
  userId: UserId;
  providerId: ProviderId;
  productId: ProductId;
  skuId: SkuId;
  orderId: OrderId;
  orderNumber: string;
  deliveryType: DeliveryType;
  /** People deliver it 人工交付, whatever the delivery type is. */
  humanDelivery: boolean;
  /** Its delivery case 交付单, once that is known to be opened. */
  caseId: DeliveryId | null;
  productName: string;
  skuName: string;
  isTrial: boolean;
  quantity: number;
  periodCount: number | null;
  periodUnit: PeriodUnit | null;
  status: InstanceStatus;
  failure: Refusal | null;
  createdAt: Date;
  shippedAt: Date | null;
  expiresAt: Date | null;
  closedAt: Date | null;
  /** The step of the saga that waits for the answer; null once it has been given. */
  awaitedBy: Asker | null;
  task: Task | null;
  /** When the task was set, and how often the provider was asked for it. */
  taskSince: Date | null;
  tries: number;
  /** Number of the newest call ever made for the instance: an outcome of an older one is late. */
  callSeq: number;
  pendingSince: Date | null;
  failingSince: Date | null;
  /** Since when its buyer cannot use it, because the bank has taken the payment back 退票. It keeps its status and its period. */
  suspendedAt: Date | null;
  /** The provider may have made something although we never heard so. */
  mayExist: boolean;
  signId: string | null;
  /** Account, website, single-sign-on address: encrypted. */
  access: string | null;
  /** A paid renewal or conversion that the provider has not answered yet. */
  renewal: Renewal | null;
  /** Of an image: the cloud server. */
  server: Server | null;
  /** What each piece of a metered SKU 计量类 holds. */
  flow: Flow | null;
  /** Of an API product: the calls that were bought, and the keys. */
  api: ApiAccess | null;
};

/** Who asked for the delivery: opaque here, answered later. */
export type Asker = { readonly sagaId: string; readonly step: string; readonly direction: 'do' | 'undo'; readonly replyTo: string };

export type Refusal = 'provider-failed' | 'provider-never-delivered' | 'not-deliverable' | 'delivery-closed' | 'server-not-made';

/** A paid order that changes an instance, until its provider has answered. */
export type Renewal = {
  readonly kind: 'renewal' | 'trial_conversion';
  readonly orderId: OrderId;
  readonly skuId: SkuId;
  readonly skuName: string;
  readonly quantity: number;
  readonly periodCount: number;
  readonly periodUnit: PeriodUnit;
  readonly flow?: Flow | undefined;
  /** The new expiry, RFC 3339. */
  readonly expiresAt: string;
  /** Of an API package: how many calls it tops up. */
  readonly calls?: number;
  /** When it came, RFC 3339; not known of those that were in hand before it was kept. */
  readonly since?: string;
  readonly asker: Asker;
};
export type RenewalRefusal = 'not-renewable' | 'provider-refused' | 'provider-failed';

export type Order = {
  orderId: OrderId;
  orderNumber: string;
  accountId: AccountId;
  userId: UserId;
  kind: 'new_purchase' | 'renewal' | 'trial_conversion';
  productName: string;
  skuName: string;
  isTrial: boolean;
  humanDelivery: boolean;
  line: Line;
  server?: ServerConfiguration | undefined;
};

/** What came back from the provider, or from the issuer of API keys. `sent` is false only where nobody can have seen the call. */
export type Outcome =
  | { kind: 'delivered'; signId?: string | undefined; access: string; validDays?: number | undefined; expiresAt?: Date | undefined }
  | { kind: 'pending' }
  | { kind: 'agreed'; access?: string | undefined; expiresAt?: Date | undefined }
  /** Asked to make something, the other side says that it will not, and has not. */
  | { kind: 'declined'; refusal?: Refusal }
  | { kind: 'failed'; sent: boolean };

/** The next call to make, not before the given time. Its number in the instance's life is `instance.callSeq`. */
export type NextCall = { task: Task; notBefore: Date | undefined };

export type Step = {
  instance: Instance;
  call?: NextCall;
  /** Given once, to the saga that waits. */
  answer?: { to: Asker; refused?: Refusal };
  /** How a renewal ended, for the saga that waits. */
  renewal?: Renewal & { to: Asker; refused?: RenewalRefusal; from?: Date | null };
  happened?: 'shipped' | 'renewed' | 'shortened' | 'expired' | 'closed';
  /** A delivery case is wanted, and was not heard of yet. */
  wantsCase?: true;
  /** Deadlines that passed while something else was waited for are set again. */
  rearm?: true;
};

/** One order makes one instance: the id is the order's with another prefix, so a second one cannot even be named. */
export const instanceIdOf = (orderId: OrderId): InstanceId => InstanceIdShape.parse(`ins_${orderId.slice(4)}`);

/** Why a paid order cannot be delivered at all, if so. */
export function undeliverable({ kind, line, humanDelivery, server }: Pick<Order, 'kind' | 'line' | 'humanDelivery' | 'server'>): boolean {
  if (line.deliveryType === 'image' && (server === undefined || monthsOf(line.period) === undefined)) return true;
  // Renewals have a saga of their own.
  return kind !== 'new_purchase' || !kindOf({ deliveryType: line.deliveryType, humanDelivery }).isDeliverable;
}

/** Begins a delivery: it is asked for at once, or waits for its delivery case 交付单. */
export function begin(order: Order, awaitedBy: Asker, now: Date): Step {
  const { line } = order;
  const fresh: Instance = {
    instanceId: instanceIdOf(order.orderId),
    version: 1,
    accountId: order.accountId,
    userId: order.userId,
    providerId: line.providerId,
    productId: line.productId,
    skuId: line.skuId,
    orderId: order.orderId,
    orderNumber: order.orderNumber,
    deliveryType: line.deliveryType,
    humanDelivery: order.humanDelivery,
    caseId: null,
    productName: order.productName,
    skuName: order.skuName,
    isTrial: order.isTrial,
    quantity: line.quantity,
    periodCount: line.period?.count ?? null,
    periodUnit: line.period?.unit ?? null,
    status: 'shipping',
    failure: null,
    createdAt: now,
    shippedAt: null,
    expiresAt: null,
    closedAt: null,
    awaitedBy,
    task: null,
    taskSince: null,
    tries: 0,
    callSeq: 0,
    pendingSince: null,
    failingSince: null,
    suspendedAt: null,
    mayExist: false,
    signId: null,
    access: null,
    renewal: null,
    server: order.server === undefined ? null : serverFor(order.server, monthsOf(line.period) ?? 1),
    flow: line.flow ?? null,
    api: kindNameOf({ deliveryType: line.deliveryType, humanDelivery: order.humanDelivery }) === 'api' ? boughtWith(line) : null,
  };
  return kindOf(fresh).begins === 'case' ? awaitCase(fresh) : asking(fresh, 'create', now);
}

/** Wants a case opened, for as long as none is known. */
export const awaitCase = (instance: Instance): Step =>
  instance.status === 'shipping' && instance.caseId === null && kindOf(instance).begins === 'case'
    ? { instance, wantsCase: true }
    : { instance };

/** A case was opened for it; the news may come after that of its end. */
export const caseOpened = (instance: Instance, caseId: DeliveryId): Step => ({
  instance: instance.caseId === null ? { ...instance, caseId } : instance,
});

/** What people delivered was accepted 验收: 已发货, and the period that was bought begins. */
export function caseCompleted(instance: Instance, caseId: DeliveryId, now: Date): Step {
  if (!awaitsCase(instance, caseId)) return { instance };
  return shipped({ ...instance, caseId }, { access: null }, now);
}

/** The case ended without a delivery: what was paid goes back in full. */
export const caseClosed = (instance: Instance, caseId: DeliveryId, now: Date): Step =>
  awaitsCase(instance, caseId) ? failed({ ...instance, caseId }, 'delivery-closed', now) : { instance };

const awaitsCase = (instance: Instance, caseId: DeliveryId): boolean =>
  instance.status === 'shipping' && kindOf(instance).begins === 'case' && (instance.caseId ?? caseId) === caseId;

/** An attempt of which nothing is known, because the process died over it, may have arrived although the last one was never sent. */
export const ofAllAttempts = (last: Outcome, attempt: number): Outcome =>
  last.kind === 'failed' && attempt > 1 ? { kind: 'failed', sent: true } : last;

/** Takes in what a call has brought. An outcome of an older call counts only where it says that something exists. */
export function heard(instance: Instance, call: { task: Task; seq: number }, outcome: Outcome, now: Date): Step {
  const current = call.seq === instance.callSeq && call.task === instance.task;
  if (call.task === 'create') return created(instance, outcome, current, now);
  return current ? told(instance, outcome, now) : { instance };
}

function created(instance: Instance, outcome: Outcome, current: boolean, now: Date): Step {
  if (instance.status === 'failed') return takeBack(instance, outcome, now);
  if (instance.status !== 'shipping') return { instance };
  if (outcome.kind === 'delivered') return shipped(instance, outcome, now);
  const marks = marked(instance, outcome);
  if (!current) return { instance: marks };
  if (outcome.kind === 'declined' && outcome.refusal !== undefined) return failed(marks, outcome.refusal, now);
  const waiting = outcome.kind === 'pending';
  const next: Instance = {
    ...marks,
    pendingSince: waiting ? (marks.pendingSince ?? now) : marks.pendingSince,
    // A provider that answers is not failing, whatever it did before.
    failingSince: waiting ? null : (marks.failingSince ?? now),
  };
  const ends = endOfPatience(next);
  if (ends.at <= now) return failed(next, ends.refusal, now);
  const { pendingBackOff, backOff } = kindOf(instance).patience;
  return again(next, waiting ? pendingBackOff : backOff, ends.at, now);
}

/** An answer that comes after we had given up: the buyer has the money back, so the provider takes back what it made. */
function takeBack(instance: Instance, outcome: Outcome, now: Date): Step {
  const marks = marked(instance, outcome);
  if (outcome.kind === 'delivered' && outcome.signId !== undefined && instance.signId === null) {
    return asking({ ...marks, signId: outcome.signId }, 'destroy', now);
  }
  return marks.mayExist && !instance.mayExist ? asking(marks, 'destroy', now) : { instance };
}

/** Whether the provider can have made something: it was reached, and did not say that there is nothing. */
const marked = (instance: Instance, outcome: Outcome): Instance =>
  (outcome.kind === 'failed' && !outcome.sent) || outcome.kind === 'declined' ? instance : { ...instance, mayExist: true };

function endOfPatience(instance: Instance): { at: Date; refusal: Refusal } {
  const { pendingSince, failingSince } = instance;
  const { patience } = kindOf(instance);
  const pendingEnds = pendingSince === null ? Infinity : pendingSince.getTime() + patience.pendingMsMax;
  const failingEnds = failingSince === null ? Infinity : failingSince.getTime() + patience.failingMsMax;
  return pendingEnds <= failingEnds
    ? { at: new Date(pendingEnds), refusal: patience.refusals.pending }
    : { at: new Date(failingEnds), refusal: patience.refusals.failing };
}

type Delivered = {
  signId?: string | undefined;
  access: string | null;
  validDays?: number | undefined;
  expiresAt?: Date | undefined;
};

function shipped(instance: Instance, delivered: Delivered, now: Date): Step {
  return {
    instance: {
      ...moved(instance, 'ship'),
      ...idle,
      shippedAt: now,
      expiresAt: delivered.expiresAt ?? expiryOf(instance, delivered.validDays, now),
      mayExist: true,
      signId: delivered.signId ?? null,
      access: delivered.access,
      awaitedBy: null,
    },
    ...(instance.awaitedBy !== null && { answer: { to: instance.awaitedBy } }),
    happened: 'shipped',
  };
}

export function failed(instance: Instance, refusal: Refusal, now: Date): Step {
  const ended: Instance = { ...moved(instance, 'fail'), ...idle, failure: refusal, closedAt: now, awaitedBy: null };
  // One instance or one refund: what may exist at the provider is taken back.
  const step = ended.mayExist ? asking(ended, 'destroy', now) : { instance: ended };
  return { ...step, ...(instance.awaitedBy !== null && { answer: { to: instance.awaitedBy, refused: refusal } }) };
}

function told(instance: Instance, outcome: Outcome, now: Date): Step {
  // Paid for meanwhile: whatever came of the isolation, the provider is now asked for the opposite.
  if (instance.renewal !== null) return asking({ ...instance, ...idle }, taskOf(instance.renewal), now);
  if (outcome.kind === 'agreed' || outcome.kind === 'delivered') return { instance: { ...instance, ...idle } };
  const { tellingMsMax, backOff } = kindOf(instance).patience;
  const ends = new Date((instance.taskSince ?? now).getTime() + tellingMsMax);
  // The last call stands in the log as failed, from where a person can re-drive it.
  if (ends <= now) return { instance: { ...instance, ...idle } };
  return again(instance, backOff, ends, now);
}

/** What a provider is asked for so that a renewal becomes true. */
export const taskOf = ({ kind }: Renewal): 'renew' | 'convert' => (kind === 'renewal' ? 'renew' : 'convert');

/** At its expiry an instance is isolated 隔离. */
export function expire(instance: Instance, now: Date): Step {
  if (instance.status !== 'shipped' || instance.expiresAt === null || instance.expiresAt > now) return { instance };
  const ended = moved(instance, 'expire');
  // A renewal in hand decides whether the provider is to be told at all.
  if (instance.renewal !== null) return { instance: ended, happened: 'expired' };
  return { ...tell(ended, 'expire', now), happened: 'expired' };
}

/** Seven days after its expiry, not renewed, it is released 释放. */
export function release(instance: Instance, now: Date): Step {
  // What is being renewed is not taken away: its answer sets the deadline again.
  if (instance.renewal !== null) return { instance };
  if (instance.status !== 'expired' || instance.expiresAt === null || releaseAt(instance.expiresAt) > now) return { instance };
  const ended: Instance = { ...moved(instance, 'close'), closedAt: now, access: null };
  return { ...tell(ended, 'destroy', now), happened: 'closed' };
}

export const releaseAt = (expiresAt: Date): Date => new Date(expiresAt.getTime() + deliveryPolicy.graceMs);

/** Asks for it where there is somebody to be asked. */
export const tell = (instance: Instance, task: 'expire' | 'destroy', now: Date): Step =>
  kindOf(instance).asks(instance, task) ? asking(instance, task, now) : { instance };

/** A person wants a call made again now: the task in hand at once, or one that was given up anew. */
export function resend(instance: Instance, task: Task, now: Date): Step | undefined {
  if (!resendable(instance, task)) return undefined;
  return instance.task === task ? asked(instance, undefined) : asking(instance, task, now);
}

function resendable(instance: Instance, task: Task): boolean {
  if (!kindOf(instance).isResendable) return false;
  switch (task) {
    case 'create':
      return instance.status === 'shipping';
    case 'renew':
    case 'convert':
      return instance.task === task;
    case 'expire':
      return instance.status === 'expired' && instance.renewal === null;
    case 'destroy':
      return (instance.status === 'closed' || instance.status === 'failed') && instance.mayExist;
  }
}

/** Sets a task and makes its first call. */
export const asking = (instance: Instance, task: Task, now: Date): Step =>
  asked({ ...instance, task, taskSince: now, tries: 0 }, undefined);

export function again(instance: Instance, backOff: BackOff, latest: Date, now: Date): Step {
  const wanted = new Date(now.getTime() + waitMs(backOff, instance.tries, instance.instanceId));
  // The last try falls on the limit itself, so that the limit is neither missed nor overrun.
  return asked(instance, wanted < latest ? wanted : latest);
}

function asked(instance: Instance, notBefore: Date | undefined): Step {
  const { task } = instance;
  if (task === null) return { instance };
  return { instance: { ...instance, tries: instance.tries + 1, callSeq: instance.callSeq + 1 }, call: { task, notBefore } };
}

export const idle = { task: null, taskSince: null, tries: 0, pendingSince: null, failingSince: null } as const;

export function moved(instance: Instance, action: ActionOf<typeof instanceFlow>): Instance {
  const next = move(instanceFlow, instance.status, action);
  if (!next.ok) throw new Error(`instance ${instance.instanceId}: no «${action}» from ${instance.status}`);
  const moving = { ...instance, status: next.value, version: instance.version + 1 };
  return next.value === 'closed' ? { ...moving, ...withoutSecrets(instance) } : moving;
}

/** Calendar months and years in China time, from the moment of delivery; null where what was bought does not end. */
export function expiryOf(
  { periodCount, periodUnit }: Pick<Instance, 'periodCount' | 'periodUnit'>,
  validDays: number | undefined,
  from: Date,
): Date | null {
  if (periodCount === null || periodUnit === null) return validDays === undefined ? null : addDays(from, validDays);
  switch (periodUnit) {
    case 'day':
      return addDays(from, periodCount);
    case 'month':
      return addMonths(from, periodCount);
    case 'year':
      return addMonths(from, 12 * periodCount);
  }
}
