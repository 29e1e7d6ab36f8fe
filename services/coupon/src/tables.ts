import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, jsonb, pgTable, text, timestamp, unique } from 'drizzle-orm/pg-core';
import type { AccountId, ClaimId, CouponId, OrderId, ProductId, ProviderId, UserId } from '@yunshi/kernel/ids';
import type { DeliveryType, OrderKind } from '@yunshi/kernel/marketplace';
import type { Benefit, Scope } from './coupon/coupon.ts';

const time = (name: string) => timestamp(name, { withTimezone: true });
const fen = (name: string) => bigint(name, { mode: 'number' });

const terms = {
  name: text('name').notNull(),
  providerId: text('provider_id').$type<ProviderId>().notNull(),
  providerName: text('provider_name').notNull(),
  benefit: jsonb('benefit').$type<Benefit>().notNull(),
  scope: jsonb('scope').$type<Scope>().notNull(),
  scenes: jsonb('scenes').$type<OrderKind[]>().notNull(),
};

/** The offers of providers. Only `claimed` and `status` ever change; a trigger refuses anything else. */
export const coupons = pgTable(
  'coupons',
  {
    couponId: text('coupon_id').$type<CouponId>().primaryKey(),
    number: text('number').notNull(),
    ...terms,
    stock: integer('stock').notNull(),
    perBuyer: integer('per_buyer').notNull(),
    claimed: integer('claimed').notNull(),
    claimFrom: time('claim_from').notNull(),
    claimUntil: time('claim_until').notNull(),
    /** Either both moments or the number of days from the claim on. */
    validFrom: time('valid_from'),
    validUntil: time('valid_until'),
    validDays: integer('valid_days'),
    listed: boolean('listed').notNull(),
    status: text('status', { enum: ['issuing', 'paused'] }).notNull(),
    publishedAt: time('published_at').notNull(),
  },
  (table) => [
    unique('coupons_number').on(table.number),
    index('coupons_provider').on(table.providerId, table.claimUntil),
    index('coupons_newest').on(table.publishedAt, table.couponId),
    index('coupons_newest_of_provider').on(table.providerId, table.publishedAt, table.couponId),
    index('coupons_open')
      .on(table.claimUntil, table.couponId)
      .where(sql`listed`),
    check('coupons_never_more_than_the_stock', sql`claimed between 0 and stock`),
    check('coupons_one_validity', sql`(valid_days is null) = (valid_from is not null) and (valid_from is null) = (valid_until is null)`),
  ],
);

/** Claimed coupons, each with its own copy of the terms. */
export const claims = pgTable(
  'claims',
  {
    claimId: text('claim_id').$type<ClaimId>().primaryKey(),
    number: text('number').notNull(),
    couponId: text('coupon_id').$type<CouponId>().notNull(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    claimedBy: text('claimed_by').$type<UserId>().notNull(),
    ...terms,
    claimedAt: time('claimed_at').notNull(),
    validFrom: time('valid_from').notNull(),
    validUntil: time('valid_until').notNull(),
    status: text('status', { enum: ['usable', 'reserved', 'used'] }).notNull(),
    orderId: text('order_id').$type<OrderId>(),
    deduction: fen('deduction'),
    reservedAt: time('reserved_at'),
    usedAt: time('used_at'),
    releasedBy: jsonb('released_by').$type<readonly OrderId[]>().notNull(),
  },
  (table) => [
    unique('claims_number').on(table.number),
    index('claims_coupon').on(table.couponId, table.status),
    index('claims_newest').on(table.accountId, table.claimedAt, table.claimId),
    index('claims_soonest').on(table.accountId, table.validUntil, table.claimId),
    check('claims_held_by_an_order_or_usable', sql`(status = 'usable') = (order_id is null) and (order_id is null) = (deduction is null)`),
    check('claims_used_at', sql`(status = 'used') = (used_at is not null)`),
  ],
);

/**
 * How many of one coupon one buyer has claimed. Written only while the coupon's own row is locked, which is what makes counting safe:
 * the lane locks tables in the order of their names, so this one must sort behind `coupons`.
 */
export const tallies = pgTable('tallies', {
  /** `<coupon id> <account id>` */
  tallyId: text('tally_id').primaryKey(),
  claimed: integer('claimed').notNull(),
});

/** What this service knows of the catalogue's products: the newest version that it was told. */
export const products = pgTable(
  'products',
  {
    productId: text('product_id').$type<ProductId>().primaryKey(),
    productVersion: integer('product_version').notNull(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    providerName: text('provider_name').notNull(),
    /** 自营 */
    selfOperated: boolean('self_operated').notNull(),
    name: text('name').notNull(),
    deliveryType: text('delivery_type').$type<DeliveryType>().notNull(),
    published: boolean('published').notNull(),
  },
  (table) => [index('products_provider').on(table.providerId)],
);
