import { sql } from 'drizzle-orm';
import { bigserial, boolean, index, integer, numeric, pgTable, text, timestamp, uniqueIndex } from 'drizzle-orm/pg-core';

// What the played SaaS providers remember. They know nothing of the marketplace but what its calls told them.

const time = (name: string) => timestamp(name, { withTimezone: true });

/** One row for each order that a provider has made an instance for. */
export const providerInstances = pgTable(
  'provider_instances',
  {
    signId: text('sign_id').primaryKey(),
    providerId: text('provider_id').notNull(),
    orderId: text('order_id').notNull(),
    accountId: text('account_id').notNull(),
    resourceId: text('resource_id').notNull(),
    productNumber: integer('product_number').notNull(),
    productName: text('product_name').notNull(),
    spec: text('spec').notNull(),
    isTrial: boolean('is_trial').notNull(),
    status: text('status', { enum: ['active', 'isolated', 'reclaimed'] }).notNull(),
    /** As the marketplace wrote it; empty until it is renewed or converted, because createInstance says only how long. */
    expiresAt: text('expires_at').notNull(),
    login: text('login').notNull(),
    password: text('password').notNull(),
    /** What the single-sign-on address carries in place of a password. */
    ticket: text('ticket').notNull(),
    /** Of what is metered 计量类: how much there is, and how much was used. */
    flowTotal: numeric('flow_total', { precision: 21, scale: 6 }),
    flowUsed: numeric('flow_used', { precision: 21, scale: 6 }).notNull().default('0'),
    flowUnit: text('flow_unit'),
    /** What the marketplace wants to be reminded at, counted in `flow_unit`; null where it does not. */
    warnAt: numeric('warn_at', { precision: 21, scale: 6 }),
    /** The marketplace was reminded, and need not be again. */
    isWarned: boolean('is_warned').notNull().default(false),
    createdAt: time('created_at')
      .notNull()
      .default(sql`now()`),
    changedAt: time('changed_at')
      .notNull()
      .default(sql`now()`),
  },
  (table) => [
    uniqueIndex('provider_instances_order').on(table.providerId, table.orderId),
    index('provider_instances_created').on(table.providerId, table.createdAt),
  ],
);

/** What a provider signs its calls of the marketplace's cloud API with, and where that is. */
export const providerCloudKeys = pgTable('provider_cloud_keys', {
  providerId: text('provider_id').primaryKey(),
  secretId: text('secret_id').notNull(),
  secretKey: text('secret_key').notNull(),
  endpoint: text('endpoint').notNull(),
});

/** How a provider will misbehave: the oldest script that matches a call is played. */
export const providerScripts = pgTable(
  'provider_scripts',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    providerId: text('provider_id').notNull(),
    action: text('action').notNull(),
    behaviour: text('behaviour').notNull(),
    /** Null: for every product of the provider. */
    productNumber: integer('product_number'),
    /** Null: until it is taken away. */
    remaining: integer('remaining'),
  },
  (table) => [index('provider_scripts_provider').on(table.providerId, table.id)],
);

/** Every call that arrived, genuine or not, and what was said to it. */
export const providerRequests = pgTable(
  'provider_requests',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    providerId: text('provider_id').notNull(),
    verdict: text('verdict').notNull(),
    action: text('action').notNull(),
    orderId: text('order_id'),
    body: text('body').notNull(),
    answer: text('answer').notNull(),
    at: time('at').notNull(),
  },
  (table) => [index('provider_requests_newest').on(table.providerId, table.id)],
);
