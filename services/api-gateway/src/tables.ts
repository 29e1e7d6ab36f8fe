import { bigint, boolean, index, integer, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import type { AccountId, InstanceId, ProductId, ProviderId } from '@yunshi/kernel/ids';

const time = (name: string) => timestamp(name, { withTimezone: true });
const count = (name: string) => bigint(name, { mode: 'number' });

/** What fulfillment last said of each API instance: a replica, newest version wins. */
export const accesses = pgTable('accesses', {
  instanceId: text('instance_id').$type<InstanceId>().primaryKey(),
  version: integer('version').notNull(),
  accountId: text('account_id').$type<AccountId>().notNull(),
  providerId: text('provider_id').$type<ProviderId>().notNull(),
  productId: text('product_id').$type<ProductId>().notNull(),
  isUsable: boolean('is_usable').notNull(),
  callsBought: count('calls_bought').notNull(),
  expiresAt: time('expires_at'),
});

/** The key pairs of the instances: part of the same replica. */
export const apiKeys = pgTable(
  'api_keys',
  {
    secretId: text('secret_id').primaryKey(),
    instanceId: text('instance_id').$type<InstanceId>().notNull(),
    /** Sealed, bound to the secretId; null once its instance is closed. */
    secretKey: text('secret_key'),
    status: text('status', { enum: ['active', 'disabled'] }).notNull(),
    validUntil: time('valid_until'),
  },
  (table) => [index('api_keys_by_instance').on(table.instanceId)],
);

/** Where calls of each product go: a replica. */
export const upstreams = pgTable('upstreams', {
  productId: text('product_id').$type<ProductId>().primaryKey(),
  version: integer('version').notNull(),
  url: text('url').notNull(),
  /** Sealed, bound to the product's id. */
  token: text('token').notNull(),
});

/** What has become of the calls of each instance. Never `used + leased` above what was bought. */
export const meters = pgTable('meters', {
  instanceId: text('instance_id').$type<InstanceId>().primaryKey(),
  /** Calls that an upstream got. */
  used: count('used').notNull(),
  /** Calls that gateways hold, and have not said yet what became of. */
  leased: count('leased').notNull(),
});

/** The part of `meters.leased` that one process of the gateway holds. */
export const leases = pgTable(
  'leases',
  {
    holder: text('holder').notNull(),
    instanceId: text('instance_id').$type<InstanceId>().notNull(),
    outstanding: count('outstanding').notNull(),
  },
  (table) => [primaryKey({ columns: [table.holder, table.instanceId] })],
);

/** Every call that was counted, once (the core has a table `calls` of its own). Kept for 90 days. */
export const calls = pgTable(
  'api_calls',
  {
    callId: text('call_id').primaryKey(),
    instanceId: text('instance_id').$type<InstanceId>().notNull(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    secretId: text('secret_id').notNull(),
    at: time('at').notNull(),
    method: text('method').notNull(),
    /** Without the query, which may hold what is nobody's business. */
    path: text('path').notNull(),
    /** What the caller was answered; null while it runs, and for ever where the process died over it. */
    status: integer('status'),
    durationMs: integer('duration_ms'),
  },
  (table) => [index('api_calls_by_instance').on(table.instanceId, table.at, table.callId), index('api_calls_by_time').on(table.at)],
);

/** How many calls were counted per key and day, for charts. Kept as long as the instance. */
export const counts = pgTable(
  'api_call_counts',
  {
    instanceId: text('instance_id').$type<InstanceId>().notNull(),
    secretId: text('secret_id').notNull(),
    /** `yyyyMMdd` in China time. */
    day: text('day').notNull(),
    calls: count('calls').notNull(),
  },
  (table) => [primaryKey({ columns: [table.instanceId, table.secretId, table.day] })],
);
