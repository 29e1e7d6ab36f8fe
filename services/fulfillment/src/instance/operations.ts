import type { Instance, InstanceStatus } from './instance.ts';
import { isMetered, mayBeSet } from '../usage/usage.ts';
import { kindNameOf, kindOf } from './kinds.ts';

/**
 * What its buyer can do with an instance now 操作: 管理, 续费, 提需求单, 转正式版, 查看用量, 设置用量提醒, 评价, 联系服务商. Whatever is said here is there to be done;
 * what it costs to go on, the quote says.
 */
export const operations = [
  'manage',
  'renew',
  'submit-requirement',
  'convert',
  'view-usage',
  'set-usage-reminder',
  'review',
  'contact',
] as const;
export type Operation = (typeof operations)[number];

const ofStatus: Readonly<Record<InstanceStatus, readonly Operation[]>> = {
  shipping: ['submit-requirement', 'contact'],
  shipped: ['manage', 'renew', 'convert', 'view-usage', 'set-usage-reminder', 'review', 'contact'],
  expired: ['renew', 'convert', 'view-usage', 'review', 'contact'],
  closed: ['view-usage', 'review', 'contact'],
  failed: ['contact'],
};

export const operationsOf = (instance: Instance): Operation[] =>
  ofStatus[instance.status].filter((operation) => allows[operation](instance));

const goesOn = (instance: Instance): boolean =>
  instance.expiresAt !== null && instance.renewal === null && instance.suspendedAt === null && kindOf(instance).isRenewable(instance);

const allows: Readonly<Record<Operation, (instance: Instance) => boolean>> = {
  // What people have done is not managed, and what is suspended must not be used.
  manage: (instance) => instance.suspendedAt === null && kindNameOf(instance) !== 'human_service',
  renew: (instance) => !instance.isTrial && goesOn(instance),
  convert: (instance) => instance.isTrial && goesOn(instance),
  // Of what is closed or suspended the last that was known.
  'view-usage': isMetered,
  'set-usage-reminder': mayBeSet,
  'submit-requirement': ({ caseId }) => caseId !== null,
  // Something that was never delivered cannot be judged.
  review: ({ shippedAt }) => shippedAt !== null,
  contact: () => true,
};
