import { write } from '@yunshi/messaging/handle';
import type { Decision } from '@yunshi/messaging/handle';
import { callCloud, drawServerPassword } from '../cloud/calls.ts';
import { callProvider, issueKey } from '../delivery/calls.ts';
import type { ProviderRequest } from '../delivery/request.ts';
import { intended } from '../delivery/log.ts';
import { providerCallRows } from '../delivery/log-book.ts';
import { monthsOf } from '@yunshi/kernel/marketplace';
import { expiryOf } from './instance.ts';
import type { Instance, NextCall, Step } from './instance.ts';
import { kindNameOf } from './kinds.ts';
import type { KindName } from './kinds.ts';

/** The intent of a call, and the rows that are stored with it. What it brings comes back as an `Outcome` with the call's `seq`. */
export type Intent = Pick<Decision<Instance>, 'calls' | 'writes'>;

/** Whom each kind asks. Only what `Kind` lets be asked gets here. */
const intents: Readonly<Record<KindName, (instance: Instance, call: NextCall, now: Date) => Intent>> = {
  saas: toProvider,
  api: toKeyIssuer,
  image: toCloud,
  human_service: asksNobody,
};

export const intentsOf = (instance: Instance, call: NextCall, now: Date): Intent => intents[kindNameOf(instance)](instance, call, now);

/**
 * What a turn in an instance's life (`step.happened`) means for rows that only its kind has, stored in the same transaction: the keys of an API
 * product, the server of an image.
 */
const consequences: Readonly<Record<KindName, (step: Step, now: Date) => Intent>> = {
  saas: () => ({}),
  api: () => ({}),
  image: () => ({}),
  human_service: () => ({}),
};

export const consequencesOf = (step: Step, now: Date): Intent => consequences[kindNameOf(step.instance)](step, now);

function asksNobody({ instanceId }: Instance, { task }: NextCall): never {
  throw new Error(`instance ${instanceId}: there is nobody to ask to ${task}`);
}

/** The cloud, once there is a password to make the server with: every try makes it with the same one. */
function toCloud(instance: Instance, { task, notBefore }: NextCall): Intent {
  const { instanceId, signId, callSeq: seq, server, renewal, expiresAt } = instance;
  if (server === null) throw new Error(`instance ${instanceId}: there is no server to ${task}`);
  const { configuration, password } = server;
  if (task === 'create' && password === null) return { calls: [drawServerPassword.intent(instanceId, { instanceId, use: 'create', seq })] };
  const paid = renewal && task === 'renew' ? monthsOf({ count: renewal.periodCount, unit: renewal.periodUnit }) : undefined;
  const request = {
    task,
    seq,
    instanceId,
    configuration,
    months: paid ?? server.months,
    ...(task === 'create' && password !== null && { password }),
    ...(signId !== null && { serverId: signId }),
    ...(expiresAt !== null && { paidUntil: expiresAt.toISOString() }),
  };
  return { calls: [callCloud.intent(instanceId, request, notBefore === undefined ? {} : { notBefore })] };
}

function toKeyIssuer({ instanceId, productId, skuId, callSeq: seq }: Instance): Intent {
  return { calls: [issueKey.intent(instanceId, { seq, instanceId, productId, skuId })] };
}

/** The provider's endpoint, with a line in the delivery log. */
function toProvider(instance: Instance, call: NextCall, now: Date): Intent {
  const request = requestOf(instance, call, now);
  return {
    calls: [callProvider.intent(instance.instanceId, request, call.notBefore === undefined ? {} : { notBefore: call.notBefore })],
    writes: [write(providerCallRows, intended(request))],
  };
}

function requestOf(instance: Instance, { task, notBefore }: NextCall, now: Date): ProviderRequest {
  const { signId, renewal } = instance;
  const isRenewal = renewal !== null && (task === 'renew' || task === 'convert');
  const { orderId, skuId, skuName, quantity, periodCount, periodUnit, flow } = isRenewal ? renewal : instance;
  const ifNow = task === 'create' ? expiryOf(instance, undefined, notBefore ?? now)?.toISOString() : undefined;
  const expiresAt = isRenewal ? renewal.expiresAt : ifNow;
  return {
    task,
    seq: instance.callSeq,
    attempt: instance.tries,
    createdAt: now.toISOString(),
    dueAt: (notBefore ?? now).toISOString(),
    instanceId: instance.instanceId,
    orderId,
    accountId: instance.accountId,
    providerId: instance.providerId,
    productId: instance.productId,
    productName: instance.productName,
    skuName,
    skuId,
    isTrial: instance.isTrial && !isRenewal,
    quantity,
    ...(periodCount !== null && periodUnit !== null && { period: { count: periodCount, unit: periodUnit } }),
    ...(flow && { flow }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(signId !== null && { signId }),
  };
}
