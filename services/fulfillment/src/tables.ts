import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import type { SkuSnapshot } from '@yunshi/contracts/catalog';
import type { AccountId, CheckId, DeliveryId, InstanceId, OrderId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import type { Flow, FlowUnit } from '@yunshi/kernel/marketplace';
import type { Check, CheckStep, StepResult } from './endpoint/check.ts';
import type { LogAction } from './delivery/log.ts';
import type { AutoRenewalTold, NotificationKind, UsageTold } from './notification/notification.ts';
import type { Asker, Refusal, Renewal, RenewalRefusal, Task } from './instance/instance.ts';
import type { Server } from './server/server.ts';
import type { Asking, Reminder, ReminderSetting, Trouble } from './usage/usage.ts';
import type { ApiAccess } from './api/access.ts';

const time = (name: string) => timestamp(name, { withTimezone: true });

/** What paid orders made 资源实例. Keyed by the order's own digits, so one order cannot have two. */
export const instances = pgTable(
  'instances',
  {
    instanceId: text('instance_id').$type<InstanceId>().primaryKey(),
    version: integer('version').notNull(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    userId: text('user_id').$type<UserId>().notNull(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    productId: text('product_id').$type<ProductId>().notNull(),
    skuId: text('sku_id').$type<SkuId>().notNull(),
    orderId: text('order_id').$type<OrderId>().notNull().unique(),
    orderNumber: text('order_number').notNull(),
    deliveryType: text('delivery_type', { enum: ['image', 'human_service', 'saas', 'api'] }).notNull(),
    humanDelivery: boolean('human_delivery').notNull().default(false),
    caseId: text('case_id').$type<DeliveryId>(),
    productName: text('product_name').notNull(),
    skuName: text('sku_name').notNull(),
    isTrial: boolean('is_trial').notNull(),
    quantity: integer('quantity').notNull(),
    periodCount: integer('period_count'),
    periodUnit: text('period_unit', { enum: ['month', 'year', 'day'] }),
    status: text('status', { enum: ['shipping', 'shipped', 'expired', 'closed', 'failed'] }).notNull(),
    failure: text('failure').$type<Refusal>(),
    createdAt: time('created_at').notNull(),
    shippedAt: time('shipped_at'),
    expiresAt: time('expires_at'),
    closedAt: time('closed_at'),
    awaitedBy: jsonb('awaited_by').$type<Asker>(),
    task: text('task').$type<Task>(),
    taskSince: time('task_since'),
    tries: integer('tries').notNull(),
    callSeq: integer('call_seq').notNull(),
    pendingSince: time('pending_since'),
    failingSince: time('failing_since'),
    /** Since when its buyer cannot use it, because the bank has taken the payment back. */
    suspendedAt: time('suspended_at'),
    mayExist: boolean('may_exist').notNull(),
    signId: text('sign_id'),
    /** Encrypted; bound to the instance's id. */
    access: text('access'),
    renewal: jsonb('renewal').$type<Renewal>(),
    server: jsonb('server').$type<Server>(),
    /** What a metered SKU holds; null where nothing is metered. */
    flow: jsonb('flow').$type<Flow>(),
    api: jsonb('api').$type<ApiAccess>(),
  },
  (table) => [
    index('instances_by_account').on(table.accountId, table.createdAt, table.instanceId),
    index('instances_by_expiry').on(table.accountId, table.expiresAt, table.instanceId),
  ],
);

/** What became of the orders that renewed an instance. */
export const renewals = pgTable(
  'renewals',
  {
    orderId: text('order_id').$type<OrderId>().primaryKey(),
    instanceId: text('instance_id').$type<InstanceId>().notNull(),
    kind: text('kind').$type<Renewal['kind']>().notNull(),
    refusal: text('refusal').$type<RenewalRefusal>(),
    /** The expiry that it brought, and the one that it prolonged; null where there was none, as of a trial's. */
    expiresAt: time('expires_at'),
    renewedFrom: time('renewed_from'),
    calls: integer('calls'),
    endedAt: time('ended_at').notNull(),
  },
  (table) => [index('renewals_by_instance').on(table.instanceId)],
);

/** What the buyers of instances are told. Written once under an id that follows from what it is about. */
export const notifications = pgTable(
  'notifications',
  {
    notificationId: text('notification_id').primaryKey(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    instanceId: text('instance_id').$type<InstanceId>().notNull(),
    kind: text('kind').$type<NotificationKind>().notNull(),
    productName: text('product_name').notNull(),
    /** The expiry that it is about. */
    expiresAt: time('expires_at'),
    /** How many days ahead it was to be told, for a reminder. */
    daysAhead: integer('days_ahead'),
    /** What was left, for a usage reminder. */
    usage: jsonb('usage').$type<UsageTold>(),
    autoRenewal: jsonb('auto_renewal').$type<AutoRenewalTold>(),
    createdAt: time('created_at').notNull(),
    readAt: time('read_at'),
  },
  (table) => [
    index('notifications_by_account').on(table.accountId, table.createdAt, table.notificationId),
    index('notifications_unread')
      .on(table.accountId, table.createdAt, table.notificationId)
      .where(sql`read_at is null`),
    index('notifications_by_instance').on(table.instanceId, table.createdAt),
  ],
);

/** Orders whose payment a bank has taken back 退票, and what has become of each. */
export const suspensions = pgTable('suspensions', {
  orderId: text('order_id').$type<OrderId>().primaryKey(),
  suspendedAt: time('suspended_at').notNull(),
  /** Null until two persons have settled it. */
  outcome: text('outcome').$type<'repaid' | 'ended'>(),
  /** When its instance was ended, or the time taken back that it had brought. */
  endedAt: time('ended_at'),
});

/** The delivery log: every call to a provider, from the intent to the answer, without token, signature or credentials. */
export const providerCalls = pgTable(
  'provider_calls',
  {
    callId: text('call_id').primaryKey(),
    instanceId: text('instance_id').$type<InstanceId>().notNull(),
    orderId: text('order_id').$type<OrderId>().notNull(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    productId: text('product_id').$type<ProductId>().notNull(),
    action: text('action').$type<LogAction>().notNull(),
    /** How often the provider had been asked for this, this call included. */
    attempt: integer('attempt').notNull(),
    state: text('state', { enum: ['waiting', 'succeeded', 'pending', 'declined', 'failed'] }).notNull(),
    /** Nobody will ask again unless a person does. */
    givenUp: boolean('given_up').notNull(),
    /** The call that a person had made in its place, and when. */
    redrivenBy: text('redriven_by'),
    redrivenAt: time('redriven_at'),
    createdAt: time('created_at').notNull(),
    dueAt: time('due_at').notNull(),
    performedAt: time('performed_at'),
    durationMs: integer('duration_ms'),
    url: text('url'),
    request: text('request'),
    httpStatus: integer('http_status'),
    answer: text('answer'),
    note: text('note'),
  },
  (table) => [
    index('provider_calls_newest').on(table.createdAt, table.callId),
    index('provider_calls_by_provider').on(table.providerId, table.createdAt, table.callId),
    index('provider_calls_by_instance').on(table.instanceId),
    index('provider_calls_given_up')
      .on(table.providerId)
      .where(sql`given_up`),
  ],
);

/**
 * Where a SaaS product's provider wants to be called: the debug address 调试 URL, which is checked, and the one for deliveries 发货 URL,
 * which is what has been checked and published. Where both are missing but `publishedAt` is set, the sandbox plays the provider.
 */
export const endpoints = pgTable(
  'endpoints',
  {
    productId: text('product_id').$type<ProductId>().primaryKey(),
    version: integer('version').notNull(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    debugDialect: text('debug_dialect'),
    debugUrl: text('debug_url'),
    /** Encrypted, as `token` is; bound to the product's id. */
    debugToken: text('debug_token'),
    /** Grows each time the debug address is set. */
    debugSeq: integer('debug_seq').notNull(),
    /** When the debug address last proved that it knows the token. */
    verifiedAt: time('verified_at'),
    /** The `debugSeq` that has passed the online check. */
    passedSeq: integer('passed_seq'),
    /** Whether the check that passed asked for what is metered, too. */
    passedMetering: boolean('passed_metering').notNull().default(false),
    /** The online check that runs now. */
    check: jsonb('running_check').$type<Check>(),
    dialect: text('dialect'),
    url: text('url'),
    token: text('token'),
    publishedAt: time('published_at'),
    /** Whether what is published was seen to answer for metered SKUs. */
    isMetering: boolean('is_metering').notNull().default(false),
    probedAt: time('probed_at'),
    failingSince: time('failing_since'),
    probeNote: text('probe_note'),
  },
  (table) => [
    index('endpoints_by_provider').on(table.providerId, table.productId),
    index('endpoints_failing')
      .on(table.productId)
      .where(sql`failing_since is not null`),
  ],
);

/** The online checks 在线接口调试 that were ever run. */
export const endpointChecks = pgTable(
  'endpoint_checks',
  {
    checkId: text('check_id').$type<CheckId>().primaryKey(),
    productId: text('product_id').$type<ProductId>().notNull(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    state: text('state', { enum: ['running', 'passed', 'failed'] }).notNull(),
    startedBy: text('started_by').$type<UserId>().notNull(),
    startedAt: time('started_at').notNull(),
    endedAt: time('ended_at'),
    steps: jsonb('steps').$type<readonly CheckStep[]>().notNull(),
    results: jsonb('results').$type<readonly StepResult[]>().notNull(),
  },
  (table) => [index('endpoint_checks_newest').on(table.productId, table.startedAt, table.checkId)],
);

/** The provider protocols know products by number, and keep it for ever. */
export const productNumbers = pgTable('product_numbers', {
  productId: text('product_id').$type<ProductId>().primaryKey(),
  number: integer('number').generatedAlwaysAsIdentity({ startWith: 10_001 }).notNull().unique(),
});

/** What the catalogue last said of each product: a replica, newest version wins. */
export const products = pgTable('products', {
  productId: text('product_id').$type<ProductId>().primaryKey(),
  productVersion: integer('product_version').notNull(),
  providerId: text('provider_id').$type<ProviderId>().notNull(),
  providerName: text('provider_name').notNull(),
  name: text('name').notNull(),
  deliveryType: text('delivery_type', { enum: ['image', 'human_service', 'saas', 'api'] }).notNull(),
  humanDelivery: boolean('human_delivery').notNull(),
  skus: jsonb('skus').$type<readonly SkuSnapshot[]>().notNull(),
});

/** What is known of the usage of a metered instance 用量: the provider's last figures, what is being asked, and what it was told to warn at. */
export const usages = pgTable('usages', {
  instanceId: text('instance_id').$type<InstanceId>().primaryKey(),
  /** Number of the newest call about usage: they are counted apart from those that deliver. */
  callSeq: integer('call_seq').notNull(),
  /** The provider's own figures, as decimals. */
  total: text('total'),
  used: text('used'),
  unit: text('unit').$type<FlowUnit>(),
  asOf: time('as_of'),
  /** When the provider was last asked, and what went wrong since it last answered. */
  askedAt: time('asked_at'),
  trouble: jsonb('trouble').$type<Trouble>(),
  /** The calls that are on their way: one question, one setting. */
  query: jsonb('query').$type<Asking>(),
  setting: jsonb('setting').$type<ReminderSetting>(),
  /** What the provider has agreed to warn at. */
  reminder: jsonb('reminder').$type<ReminderSetting>(),
  /** What came of the last setting that it did not agree to. */
  refused: jsonb('refused').$type<ReminderSetting & Trouble>(),
  /** What the provider has told of its own accord, the newest first. */
  reminders: jsonb('reminders').$type<readonly Reminder[]>().notNull(),
});

/** Which keys of a provider are active. Apart from the keys, because those that do not exist yet cannot be locked, and so not be counted. */
export const cloudKeyRings = pgTable('cloud_key_rings', {
  providerId: text('provider_id').$type<ProviderId>().primaryKey(),
  active: jsonb('active').$type<readonly string[]>().notNull(),
});

/** What providers sign their calls of the cloud API with. */
export const cloudKeys = pgTable(
  'cloud_keys',
  {
    secretId: text('secret_id').primaryKey(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    /** Encrypted; bound to the secretId. */
    secretKey: text('secret_key').notNull(),
    status: text('status', { enum: ['active', 'disabled'] }).notNull(),
    createdBy: text('created_by').$type<UserId>().notNull(),
    createdAt: time('created_at').notNull(),
    disabledAt: time('disabled_at'),
  },
  (table) => [index('cloud_keys_by_provider').on(table.providerId, table.createdAt, table.secretId)],
);

/** Where an API product's provider wants calls forwarded to 后端地址: what answered when it was set. */
export const upstreams = pgTable('upstreams', {
  productId: text('product_id').$type<ProductId>().primaryKey(),
  version: integer('version').notNull(),
  providerId: text('provider_id').$type<ProviderId>().notNull(),
  url: text('url').notNull(),
  /** Encrypted; bound to the product's id. Sent with each call, so that the upstream knows the gateway. */
  token: text('token').notNull(),
  checkedAt: time('checked_at').notNull(),
});
