import { bigint, index, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import type { Fields } from '@yunshi/protocols/unionpay/message';

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const fen = (name: string) => bigint(name, { mode: 'number' });

/**
 * - `open`: handed over, and not settled
 * - `failed`: the company's checker has refused it
 * - `lapsed`: nobody has finished it in time
 * - `returned`: the bank has paid it after its time, and UnionPay has given that back by itself
 */
export type OrderState = 'open' | 'paid' | 'failed' | 'lapsed' | 'returned';

export const unionpayOrders = pgTable(
  'unionpay_orders',
  {
    /** Merchant and number. */
    orderKey: text('order_key').primaryKey(),
    merId: text('mer_id').notNull(),
    orderId: text('order_id').notNull(),
    txnTime: text('txn_time').notNull(),
    /** What was signed the first time, to tell a repetition from another order under the same number. */
    asked: text('asked').notNull(),
    amount: fen('amount').notNull(),
    payUntil: at('pay_until').notNull(),
    frontUrl: text('front_url').notNull(),
    backUrl: text('back_url').notNull(),
    /** Names the page where the buyer chooses a bank. */
    token: text('token').notNull().unique(),
    queryId: text('query_id').notNull().unique(),
    traceNo: text('trace_no').notNull(),
    /** Of the payment at the bank, once a bank is chosen. */
    bankPaymentNo: text('bank_payment_no'),
    state: text('state').$type<OrderState>().notNull(),
    createdAt: at('created_at').notNull(),
    paidAt: at('paid_at'),
    /** `MMDD` of the clearing day, with its year in front: `YYYYMMDD`. */
    settleDay: text('settle_day'),
    traceparent: text('traceparent'),
  },
  (table) => [index('unionpay_orders_of_state').on(table.state), index('unionpay_orders_settled').on(table.merId, table.settleDay)],
);
export type UnionpayOrder = typeof unionpayOrders.$inferSelect;

export const unionpayRefunds = pgTable(
  'unionpay_refunds',
  {
    orderKey: text('order_key').primaryKey(),
    merId: text('mer_id').notNull(),
    orderId: text('order_id').notNull(),
    txnTime: text('txn_time').notNull(),
    /** Of the payment that it gives back. */
    paymentKey: text('payment_key').notNull(),
    origQueryId: text('orig_query_id').notNull(),
    amount: fen('amount').notNull(),
    backUrl: text('back_url').notNull(),
    queryId: text('query_id').notNull().unique(),
    traceNo: text('trace_no').notNull(),
    state: text('state').$type<'accepted' | 'succeeded' | 'failed'>().notNull(),
    settlesAt: at('settles_at').notNull(),
    endedAt: at('ended_at'),
    settleDay: text('settle_day'),
  },
  (table) => [
    index('unionpay_refunds_of_payment').on(table.paymentKey),
    index('unionpay_refunds_settled').on(table.merId, table.settleDay),
  ],
);
export type UnionpayRefund = typeof unionpayRefunds.$inferSelect;

/** Notices on their way. They are signed when they are sent. */
export const unionpayNotices = pgTable(
  'unionpay_notices',
  {
    noticeId: text('notice_id').primaryKey(),
    about: text('about').notNull(),
    url: text('url').notNull(),
    fields: jsonb('fields').$type<Fields>().notNull(),
    attempts: integer('attempts').notNull(),
    nextAt: at('next_at'),
    /** Wall time until which one process has it in hand. */
    leaseUntil: at('lease_until'),
    losses: integer('losses').notNull(),
    lastAnswer: text('last_answer'),
    traceparent: text('traceparent'),
  },
  (table) => [index('unionpay_notices_due').on(table.nextAt)],
);
export type UnionpayNotice = typeof unionpayNotices.$inferSelect;
