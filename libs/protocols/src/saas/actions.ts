import { chinaTime } from '@yunshi/kernel/calendar';
import { z } from 'zod';

/**
 * The request bodies of the Tencent SaaS delivery protocol, in the field order of its examples. All actions are POSTed to one URL.
 * Schemas say what a provider must be ready to receive, constructors what the marketplace sends. No key may ever be called
 * `signature`, `timestamp` or `eventId`: providers read body and query from one merged bag.
 */

/** y year, m month (both of the calendar), d day, h hour, t times. */
export const TimeUnit = z.enum(['y', 'm', 'd', 'h', 't']);
export type TimeUnit = z.infer<typeof TimeUnit>;

/** Typed as a boolean in the table and sent as a string in every example; a PHP provider compares it with 'true'. We send strings and read both. */
const Flag = z.union([z.boolean(), z.enum(['true', 'false'])]).transform((flag) => String(flag) as 'true' | 'false');

/** Required, and empty for a trial. */
const Empty = z.literal('');

const ProductInfo = z.object({
  productName: z.string(),
  isTrial: Flag.optional(),
  spec: z.string(),
  timeSpan: z.union([z.int().min(0), Empty]),
  timeUnit: z.union([TimeUnit, Empty]),
  flowSpan: z.string().optional(),
  flowUnit: z.string().optional(),
  cycleNum: z.int().min(1).optional(),
});
export type ProductInfo = z.infer<typeof ProductInfo>;

const ExtendInfo = z.object({ comment: z.string().optional() });

/** What the buyer filled in with the order. `projectype` is spelled as the protocol spells it. */
const UserCollectionInfo = z.object({
  name: z.string().optional(),
  cellnumber: z.string().optional(),
  email: z.string().optional(),
  accountname: z.string().optional(),
  projectname: z.string().optional(),
  projectype: z.string().optional(),
  agentid: z.string().optional(),
  comments: z.string().optional(),
});
export type UserCollectionInfo = z.infer<typeof UserCollectionInfo>;

const buyer = {
  accountId: z.string(),
  /** Empty when the provider has not joined the marketplace's OAuth. */
  openId: z.string(),
  requestId: z.string(),
};
const product = { productId: z.int() };
const resource = { resourceId: z.string() };
const instance = { signId: z.string().min(1) };

export const VerifyInterface = z.object({ action: z.literal('verifyInterface'), requestId: z.string(), echoback: z.string() });

export const CreateInstance = z.object({
  action: z.literal('createInstance'),
  orderId: z.string(),
  ...buyer,
  ...product,
  ...resource,
  productInfo: ProductInfo,
  extendInfo: ExtendInfo.optional(),
  userCollectionInfo: UserCollectionInfo.optional(),
});

/** "yyyy-MM-dd HH:mm:ss", China time. */
const ExpireTime = z.string().regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/);

export const RenewInstance = z.object({
  action: z.literal('renewInstance'),
  orderId: z.string(),
  ...buyer,
  ...product,
  ...resource,
  ...instance,
  instanceExpireTime: ExpireTime,
  productInfo: ProductInfo.optional(),
  extendInfo: ExtendInfo.optional(),
  userCollectionInfo: UserCollectionInfo.optional(),
});

/** Trial to formal 转正式版, or a change of spec, which carries nothing but the new spec. */
export const ModifyInstance = z.object({
  action: z.literal('modifyInstance'),
  orderId: z.string(),
  ...buyer,
  ...product,
  ...resource,
  ...instance,
  spec: z.string(),
  timeSpan: z.int().optional(),
  timeUnit: TimeUnit.optional(),
  instanceExpireTime: ExpireTime.optional(),
  productInfo: ProductInfo.optional(),
  extendInfo: ExtendInfo.optional(),
});

/** Expiry is not the doing of an order, so there is no orderId. */
export const ExpireInstance = z.object({ action: z.literal('expireInstance'), ...buyer, ...product, ...resource, ...instance });

/** `orderId` is the refunded order's, or the one that made the instance when it was not renewed in time. */
export const DestroyInstance = z.object({
  action: z.literal('destroyInstance'),
  orderId: z.string(),
  ...buyer,
  ...product,
  ...resource,
  ...instance,
});

export const FlowQuery = z.object({ action: z.literal('flowQuery'), ...buyer, ...product, ...resource, ...instance });

/** The one action that names no product, in the table as in the example. */
export const FlowSetting = z.object({
  action: z.literal('flowSetting'),
  ...buyer,
  ...resource,
  ...instance,
  warnSpan: z.string(),
  warnUnit: z.string(),
  switch: z.enum(['ON', 'OFF']),
});

export const SaasRequest = z.discriminatedUnion('action', [
  VerifyInterface,
  CreateInstance,
  RenewInstance,
  ModifyInstance,
  ExpireInstance,
  DestroyInstance,
  FlowQuery,
  FlowSetting,
]);
export type SaasRequest = z.infer<typeof SaasRequest>;
export type SaasAction = SaasRequest['action'];

/** Who bought what, known to every call about an instance. */
export type Subject = { accountId: string; openId?: string; requestId: string; productId: number; resourceId: string };

/** The bought product as the provider's answer desk needs it. A trial has neither spec nor duration. */
export type Terms = {
  productName: string;
  trial: boolean;
  spec: string;
  span: number;
  unit: TimeUnit;
  /** Metered products only. The document swaps the two descriptions; flowQuery's answer settles that flowUnit is the unit. */
  flow?: { span: string; unit: string };
  /** How many of the spec were bought at once. */
  quantity: number;
};

export function verifyInterface(requestId: string, echoback: string): SaasRequest {
  return { action: 'verifyInterface', requestId, echoback };
}

export function createInstance(
  subject: Subject,
  order: { orderId: string; terms: Terms; comment?: string; contact?: UserCollectionInfo },
): SaasRequest {
  return {
    action: 'createInstance',
    orderId: order.orderId,
    ...asked(subject),
    productInfo: {
      ...productInfo(order.terms, { isTrial: order.terms.trial ? 'true' : 'false' }),
      cycleNum: order.terms.quantity,
    },
    ...extras(order),
  };
}

export function renewInstance(
  subject: Subject,
  order: { orderId: string; signId: string; expires: Date; terms: Terms; comment?: string; contact?: UserCollectionInfo },
): SaasRequest {
  return {
    action: 'renewInstance',
    orderId: order.orderId,
    ...asked(subject),
    signId: order.signId,
    instanceExpireTime: wireTime(order.expires),
    productInfo: productInfo(order.terms, {}),
    ...extras(order),
  };
}

/** Trial to formal. The outer fields and productInfo say the same. */
export function convertInstance(
  subject: Subject,
  order: { orderId: string; signId: string; expires: Date; terms: Terms; comment?: string },
): SaasRequest {
  const { spec, span, unit } = order.terms;
  return {
    action: 'modifyInstance',
    orderId: order.orderId,
    ...asked(subject),
    signId: order.signId,
    spec,
    timeSpan: span,
    timeUnit: unit,
    instanceExpireTime: wireTime(order.expires),
    productInfo: productInfo(order.terms, {}),
    ...extras(order),
  };
}

export function respecInstance(subject: Subject, order: { orderId: string; signId: string; spec: string }): SaasRequest {
  return { action: 'modifyInstance', orderId: order.orderId, ...asked(subject), signId: order.signId, spec: order.spec };
}

export function expireInstance(subject: Subject, signId: string): SaasRequest {
  return { action: 'expireInstance', ...asked(subject), signId };
}

export function destroyInstance(subject: Subject, order: { orderId: string; signId: string }): SaasRequest {
  return { action: 'destroyInstance', orderId: order.orderId, ...asked(subject), signId: order.signId };
}

export function flowQuery(subject: Subject, signId: string): SaasRequest {
  return { action: 'flowQuery', ...asked(subject), signId };
}

export function flowSetting(subject: Subject, alert: { signId: string; warnSpan: string; warnUnit: string; on: boolean }): SaasRequest {
  const { productId: _unnamed, ...named } = asked(subject);
  return {
    action: 'flowSetting',
    ...named,
    signId: alert.signId,
    warnSpan: alert.warnSpan,
    warnUnit: alert.warnUnit,
    switch: alert.on ? 'ON' : 'OFF',
  };
}

function asked({ accountId, openId, requestId, productId, resourceId }: Subject) {
  return { accountId, openId: openId ?? '', requestId, productId, resourceId };
}

function productInfo(terms: Terms, flag: { isTrial?: 'true' | 'false' }): ProductInfo {
  const { productName, trial, spec, span, unit, flow } = terms;
  const bought = trial ? { spec: '', timeSpan: '' as const, timeUnit: '' as const } : { spec, timeSpan: span, timeUnit: unit };
  return { productName, ...flag, ...bought, ...(flow && { flowSpan: flow.span, flowUnit: flow.unit }) };
}

function extras({ comment, contact }: { comment?: string; contact?: UserCollectionInfo }) {
  return {
    ...(comment !== undefined && { extendInfo: { comment } }),
    ...(contact !== undefined && { userCollectionInfo: contact }),
  };
}

/** "yyyy-MM-dd HH:mm:ss" in China time. */
export const wireTime = (at: Date): string => chinaTime(at).slice(0, 19).replace('T', ' ');
