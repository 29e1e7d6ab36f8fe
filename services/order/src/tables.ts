import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, jsonb, pgTable, text, timestamp, unique, uniqueIndex } from 'drizzle-orm/pg-core';
import type { SkuSnapshot } from '@yunshi/contracts/catalog';
import type { InstanceStatus } from '@yunshi/contracts/fulfillment';
import type { OrderEnd } from '@yunshi/contracts/order';
import type { Channel } from '@yunshi/contracts/payment';
import type { BankCode } from '@yunshi/kernel/banks';
import type { AccountId, ClaimId, InstanceId, OrderId, PaymentId, ProductId, ProviderId, SkuId, UserId } from '@yunshi/kernel/ids';
import type { DeliveryType, Line, OrderKind } from '@yunshi/kernel/marketplace';
import type { Awaited, OrderStatus, PriceChange, What } from './order/order.ts';
import type { ServerSale } from './quote/server.ts';

const time = (name: string) => timestamp(name, { withTimezone: true });
const fen = (name: string) => bigint(name, { mode: 'number' });

/** What a partial index must be asked for in the same words. */
const notCompleted = sql`status <> 'completed'`;
const notNew = sql`kind <> 'new_purchase'`;

export const orders = pgTable(
  'orders',
  {
    orderId: text('order_id').$type<OrderId>().primaryKey(),
    orderNumber: text('order_number').notNull(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    userId: text('user_id').$type<UserId>().notNull(),
    kind: text('kind').$type<OrderKind>().notNull(),
    status: text('status').$type<OrderStatus>().notNull(),
    version: integer('version').notNull(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    providerName: text('provider_name').notNull(),
    productId: text('product_id').$type<ProductId>().notNull(),
    productName: text('product_name').notNull(),
    skuId: text('sku_id').$type<SkuId>().notNull(),
    skuName: text('sku_name').notNull(),
    deliveryType: text('delivery_type').$type<DeliveryType>().notNull(),
    humanDelivery: boolean('human_delivery').notNull().default(false),
    isTrial: boolean('is_trial').notNull(),
    forInstanceId: text('for_instance_id').$type<InstanceId>(),
    line: jsonb('line').$type<Line>().notNull(),
    server: jsonb('server').$type<ServerSale>(),
    total: fen('total').notNull(),
    claimId: text('claim_id').$type<ClaimId>(),
    couponName: text('coupon_name'),
    deduction: fen('deduction').notNull(),
    payable: fen('payable').notNull(),
    /** What it cost when it was placed; a provider may have lowered it since. */
    firstTotal: fen('first_total').notNull(),
    firstPayable: fen('first_payable').notNull(),
    priceChanges: integer('price_changes').notNull().default(0),
    priceChange: jsonb('price_change').$type<PriceChange>(),
    poNumber: text('po_number'),
    approveBy: time('approve_by'),
    decidedBy: text('decided_by').$type<UserId>(),
    decidedAt: time('decided_at'),
    decisionNote: text('decision_note'),
    agreements: jsonb('agreements').$type<readonly string[]>().notNull(),
    placedAt: time('placed_at').notNull(),
    payBy: time('pay_by').notNull(),
    cancelRequestedAt: time('cancel_requested_at'),
    paymentId: text('payment_id').$type<PaymentId>(),
    channel: text('channel').$type<Channel>(),
    paidAt: time('paid_at'),
    instanceId: text('instance_id').$type<InstanceId>(),
    endedAt: time('ended_at'),
    endReason: text('end_reason').$type<OrderEnd>(),
    refunded: fen('refunded').notNull(),
    /** Since when its buyer does not want to see it any more. It stays for the provider, the operator and the audit. */
    deletedAt: time('deleted_at'),
  },
  (table) => [
    // Reads numbers from their beginning, too.
    uniqueIndex('orders_number').on(table.orderNumber.op('text_pattern_ops')),
    index('orders_newest').on(table.accountId, table.placedAt, table.orderId),
    index('orders_by_product').on(table.accountId, table.productId, table.placedAt, table.orderId),
    index('orders_of_provider').on(table.providerId, table.placedAt, table.orderId),
    index('orders_of_product').on(table.productId, table.placedAt, table.orderId),
    index('orders_of_user').on(table.userId, table.placedAt, table.orderId),
    // Nearly all orders are completed new purchases: who looks for those finds them along the lists above, and the rest is short.
    index('orders_by_status').on(table.accountId, table.status, table.placedAt, table.orderId).where(notCompleted),
    index('orders_of_provider_by_status').on(table.providerId, table.status, table.placedAt, table.orderId).where(notCompleted),
    index('orders_in_status').on(table.status, table.orderId).where(notCompleted),
    index('orders_by_kind').on(table.accountId, table.kind, table.placedAt, table.orderId).where(notNew),
    index('orders_of_provider_by_kind').on(table.providerId, table.kind, table.placedAt, table.orderId).where(notNew),
    index('orders_of_kind').on(table.kind, table.orderId).where(notNew),
    index('orders_of_sku')
      .on(table.accountId, table.skuId)
      .where(sql`kind <> 'renewal' and status not in ('cancelled', 'closed', 'failed')`),
    index('orders_instance')
      .on(table.instanceId)
      .where(sql`instance_id is not null`),
    check('orders_renewal_of_an_instance', sql`(kind = 'new_purchase') = (for_instance_id is null)`),
    check('orders_payable', sql`payable = total - deduction and deduction between 0 and total`),
    check('orders_never_dearer', sql`total <= first_total and payable <= first_payable`),
    check('orders_never_give_back_more_than_was_paid', sql`refunded between 0 and payable`),
    check('orders_image_with_a_server', sql`(delivery_type = 'image') = (server is not null)`),
    check('orders_ended', sql`(ended_at is not null) = (status in ('completed', 'cancelled', 'closed', 'failed'))`),
    check('orders_deleted', sql`deleted_at is null or (status in ('cancelled', 'closed') and paid_at is null)`),
    check('orders_completed_with_an_instance', sql`(status = 'completed') = (instance_id is not null)`),
  ],
);

/** What happened to each order, for its buyer to read. Only ever added to. */
export const timeline = pgTable(
  'timeline',
  {
    entryId: text('entry_id').primaryKey(),
    orderId: text('order_id').$type<OrderId>().notNull(),
    version: integer('version').notNull(),
    at: time('at').notNull(),
    what: text('what').$type<What>().notNull(),
    status: text('status').$type<OrderStatus>().notNull(),
    reason: text('reason').$type<OrderEnd>(),
    amount: fen('amount'),
    bank: text('bank').$type<BankCode>(),
    awaits: jsonb('awaits').$type<Awaited>(),
  },
  (table) => [unique('timeline_version').on(table.orderId, table.version)],
);

/** Which order holds the one trial that a buyer may have of a product. A row without an order is one that was given back. */
export const trials = pgTable('trials', {
  /** `<account id> <product id>` */
  trialId: text('trial_id').primaryKey(),
  orderId: text('order_id').$type<OrderId>(),
});

/** One row for each account and SKU with a limit per account, to be locked while the account's orders of it are counted. */
export const allowances = pgTable('allowances', {
  /** `<account id> <sku id>` */
  allowanceId: text('allowance_id').primaryKey(),
});

/** What organisations have decided about the orders of their people. */
export const purchasing = pgTable('purchasing', {
  accountId: text('account_id').$type<AccountId>().primaryKey(),
  approvalAbove: fen('approval_above'),
  poNumberRequired: boolean('po_number_required').notNull(),
  changedBy: text('changed_by').$type<UserId>().notNull(),
  changedAt: time('changed_at').notNull(),
});

/** What this service knows of instances, to price their renewals. */
export const instances = pgTable('instances', {
  instanceId: text('instance_id').$type<InstanceId>().primaryKey(),
  instanceVersion: integer('instance_version').notNull(),
  accountId: text('account_id').$type<AccountId>().notNull(),
  orderId: text('order_id').$type<OrderId>().notNull(),
  productId: text('product_id').$type<ProductId>().notNull(),
  skuId: text('sku_id').$type<SkuId>().notNull(),
  quantity: integer('quantity').notNull(),
  isTrial: boolean('is_trial').notNull(),
  deliveryType: text('delivery_type').$type<DeliveryType>().notNull(),
  status: text('status').$type<InstanceStatus>().notNull(),
  expiresAt: time('expires_at'),
});

/** Which instances are renewed by themselves 自动续费, and what was last ordered for them. */
export const autoRenewals = pgTable(
  'auto_renewals',
  {
    instanceId: text('instance_id').$type<InstanceId>().primaryKey(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    userId: text('user_id').$type<UserId>().notNull(),
    isOn: boolean('is_on').notNull(),
    duration: integer('duration').notNull(),
    poNumber: text('po_number'),
    agreements: jsonb('agreements').$type<readonly string[]>().notNull(),
    changedAt: time('changed_at').notNull(),
    expiresAt: time('expires_at').notNull(),
    decidedFor: time('decided_for'),
    orderId: text('order_id').$type<OrderId>(),
    refusal: text('refusal'),
  },
  (table) => [
    index('auto_renewals_of_account').on(table.accountId, table.instanceId),
    check('auto_renewals_decided', sql`order_id is null or refusal is null`),
  ],
);

/** What this service knows of the catalogue's products: the newest version that it was told. */
export const products = pgTable('products', {
  productId: text('product_id').$type<ProductId>().primaryKey(),
  productVersion: integer('product_version').notNull(),
  providerId: text('provider_id').$type<ProviderId>().notNull(),
  providerName: text('provider_name').notNull(),
  name: text('name').notNull(),
  deliveryType: text('delivery_type').$type<DeliveryType>().notNull(),
  humanDelivery: boolean('human_delivery').notNull().default(false),
  published: boolean('published').notNull(),
  skus: jsonb('skus').$type<readonly SkuSnapshot[]>().notNull(),
});

/** Which product a SKU belongs to. */
export const skus = pgTable('skus', {
  skuId: text('sku_id').$type<SkuId>().primaryKey(),
  productId: text('product_id').$type<ProductId>().notNull(),
});
