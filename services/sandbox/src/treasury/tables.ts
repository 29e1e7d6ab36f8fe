import { bigint, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

/** What the marketplace has asked the treasury to pay out, each number once. */
export const payouts = pgTable('treasury_payouts', {
  number: text('number').primaryKey(),
  source: text('source').notNull(),
  amount: bigint('amount', { mode: 'number' }).notNull(),
  /** Business time. */
  askedAt: timestamp('asked_at', { withTimezone: true }).notNull(),
});
