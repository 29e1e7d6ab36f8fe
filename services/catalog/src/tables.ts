import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import type { SkuSnapshot } from '@yunshi/contracts/catalog';
import type { AccountId, OrderId, ProductId, ProviderId, ReviewId, UserId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';

const time = (name: string) => timestamp(name, { withTimezone: true });
const fen = (name: string) => bigint(name, { mode: 'number' });

export const categories = pgTable('categories', {
  categoryId: text('category_id').primaryKey(),
  name: text('name').notNull(),
  nameEn: text('name_en').notNull(),
  /** Where it stands in the list. */
  position: integer('position').notNull(),
});

export const providers = pgTable('providers', {
  providerId: text('provider_id').$type<ProviderId>().primaryKey(),
  name: text('name').notNull(),
  nameEn: text('name_en').notNull(),
  about: text('about').notNull(),
  aboutEn: text('about_en').notNull(),
  /** 自营 */
  selfOperated: boolean('self_operated').notNull(),
  phone: text('phone').notNull(),
  email: text('email').notNull(),
  serviceHours: text('service_hours').notNull(),
  joinedAt: time('joined_at').notNull(),
});

/** A product with its SKUs is one row, because it is changed, versioned and told to others as a whole. */
export const products = pgTable(
  'products',
  {
    productId: text('product_id').$type<ProductId>().primaryKey(),
    productVersion: integer('product_version').notNull(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    categoryId: text('category_id').notNull(),
    name: text('name').notNull(),
    nameEn: text('name_en'),
    summary: text('summary').notNull(),
    summaryEn: text('summary_en'),
    description: text('description').notNull(),
    guide: text('guide').notNull(),
    deliveryType: text('delivery_type').$type<DeliveryType>().notNull(),
    humanDelivery: boolean('human_delivery').notNull(),
    status: text('status', { enum: ['draft', 'published', 'withdrawn'] }).notNull(),
    skus: jsonb('skus').$type<SkuSnapshot[]>().notNull(),
    publishedAt: time('published_at').notNull(),
    changedAt: time('changed_at').notNull(),
    priceFrom: fen('price_from').notNull(),
    hasTrial: boolean('has_trial').notNull().default(false),
    /** Normalised text to compare a search with, and its grams for the index, separated by spaces. */
    searchText: text('search_text').notNull(),
    searchGrams: text('search_grams').notNull(),
  },
  (table) => [
    index('products_price').on(table.priceFrom, table.productId),
    index('products_newest').on(table.publishedAt, table.productId),
    index('products_provider').on(table.providerId, table.changedAt, table.productId),
    index('products_category').on(table.categoryId),
    index('products_delivery').on(table.deliveryType),
    // Finds the product of a SKU.
    index('products_skus').using('gin', sql`skus jsonb_path_ops`),
    index('products_search').using('gin', sql`string_to_array(search_grams, ' ')`),
  ],
);

/** Products whose interface 接口 has passed its online check and is published, as fulfillment tells: a replica, newest version wins. */
export const publishedEndpoints = pgTable('published_endpoints', {
  productId: text('product_id').$type<ProductId>().primaryKey(),
  endpointVersion: integer('endpoint_version').notNull(),
  publishedAt: time('published_at').notNull(),
  /** It was seen to answer for metered SKUs. */
  isMetering: boolean('is_metering').notNull().default(false),
});

/**
 * Completed sales 交易成功 of each product. Apart from the product, so that selling locks and rewrites neither its texts nor its version.
 * The row is made when the product is published: counting needs a row to lock.
 */
export const saleCounts = pgTable(
  'sale_counts',
  {
    productId: text('product_id').$type<ProductId>().primaryKey(),
    completed: bigint('completed', { mode: 'number' }).notNull(),
  },
  (table) => [index('sale_counts_most').on(table.completed, table.productId), check('sale_counts_not_negative', sql`completed >= 0`)],
);

/** One row for each completed order: what makes a sale count once, and what lets a buyer review. */
export const sales = pgTable(
  'sales',
  {
    orderId: text('order_id').$type<OrderId>().primaryKey(),
    productId: text('product_id').$type<ProductId>().notNull(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    quantity: integer('quantity').notNull(),
    recordedAt: time('recorded_at').notNull(),
  },
  (table) => [index('sales_buyer').on(table.accountId, table.productId)],
);

/** One review of a buyer for a product, whose id follows from both. A hidden one is seen by its author, its provider and the operator. */
export const reviews = pgTable(
  'reviews',
  {
    reviewId: text('review_id').$type<ReviewId>().primaryKey(),
    productId: text('product_id').$type<ProductId>().notNull(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    userId: text('user_id').$type<UserId>().notNull(),
    stars: integer('stars').notNull(),
    text: text('text').notNull(),
    writtenAt: time('written_at').notNull(),
    answer: text('answer'),
    answeredAt: time('answered_at'),
    status: text('status', { enum: ['shown', 'hidden'] }).notNull(),
    hiddenReason: text('hidden_reason'),
  },
  (table) => [
    index('reviews_of_product').on(table.productId, table.writtenAt, table.reviewId),
    index('reviews_by_stars').on(table.productId, table.stars, table.writtenAt, table.reviewId),
    index('reviews_of_provider').on(table.providerId, table.writtenAt, table.reviewId),
    index('reviews_by_author').on(table.accountId, table.writtenAt, table.reviewId),
    index('reviews_newest').on(table.writtenAt, table.reviewId),
    check('reviews_stars', sql`stars between 1 and 5`),
    check('reviews_answered', sql`(answer is null) = (answered_at is null)`),
    check('reviews_hidden', sql`(status = 'hidden') = (hidden_reason is not null)`),
  ],
);

/** What the shown reviews of a product come to. A row of its own, so that a review neither rewrites the product nor waits for its sales. */
export const ratings = pgTable(
  'ratings',
  {
    productId: text('product_id').$type<ProductId>().primaryKey(),
    reviews: integer('reviews').notNull(),
    /** The sum of their stars. */
    stars: integer('stars').notNull(),
  },
  () => [check('ratings_one_to_five', sql`stars between reviews and 5 * reviews`)],
);
