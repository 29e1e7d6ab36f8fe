import { boolean, index, integer, pgTable, text, timestamp, bigint } from 'drizzle-orm/pg-core';

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const fen = (name: string) => bigint(name, { mode: 'number' });

/** Combined orders. `code` is what the current QR code names; asking for the order again makes a new one. */
export const wechatOrders = pgTable('wechat_orders', {
  number: text('number').primaryKey(),
  /** The parameters of the first request, to tell a repetition from another order under the same number. */
  asked: text('asked').notNull(),
  code: text('code').notNull().unique(),
  codeUntil: at('code_until').notNull(),
  state: text('state').$type<'NOTPAY' | 'SUCCESS' | 'CLOSED' | 'PAYERROR'>().notNull(),
  notifyUrl: text('notify_url').notNull(),
  /** Absent: seven days. */
  expiresAt: at('expires_at').notNull(),
  createdAt: at('created_at').notNull(),
  paidAt: at('paid_at'),
  closedAt: at('closed_at'),
  openid: text('openid'),
  bankType: text('bank_type'),
  /** The trace that the order was placed in: its callbacks continue it. */
  traceparent: text('traceparent'),
});
export type WechatOrder = typeof wechatOrders.$inferSelect;

export const wechatSubOrders = pgTable(
  'wechat_sub_orders',
  {
    outTradeNo: text('out_trade_no').primaryKey(),
    orderNumber: text('order_number').notNull(),
    position: integer('position').notNull(),
    subMchid: text('sub_mchid').notNull(),
    amount: fen('amount').notNull(),
    description: text('description').notNull(),
    attach: text('attach').notNull(),
    transactionId: text('transaction_id').unique(),
  },
  (table) => [index('wechat_sub_orders_by_order').on(table.orderNumber)],
);
export type WechatSubOrder = typeof wechatSubOrders.$inferSelect;

export const wechatRefunds = pgTable(
  'wechat_refunds',
  {
    outRefundNo: text('out_refund_no').primaryKey(),
    refundId: text('refund_id').notNull().unique(),
    outTradeNo: text('out_trade_no').notNull(),
    asked: text('asked').notNull(),
    amount: fen('amount').notNull(),
    status: text('status').$type<'PROCESSING' | 'SUCCESS' | 'ABNORMAL' | 'CLOSED'>().notNull(),
    /** What it will become when `settlesAt` has come. */
    endsAs: text('ends_as').$type<'SUCCESS' | 'ABNORMAL' | 'CLOSED'>().notNull(),
    settlesAt: at('settles_at').notNull(),
    createdAt: at('created_at').notNull(),
    endedAt: at('ended_at'),
    notifyUrl: text('notify_url'),
    traceparent: text('traceparent'),
  },
  (table) => [index('wechat_refunds_by_payment').on(table.outTradeNo), index('wechat_refunds_due').on(table.status, table.settlesAt)],
);
export type WechatRefund = typeof wechatRefunds.$inferSelect;

/** Callbacks. The same id in every repetition, sealed and signed anew each time. */
export const wechatNotices = pgTable(
  'wechat_notices',
  {
    id: text('id').primaryKey(),
    /** The order's or the refund's number. */
    about: text('about').notNull(),
    eventType: text('event_type').notNull(),
    originalType: text('original_type').notNull(),
    summary: text('summary').notNull(),
    content: text('content').notNull(),
    url: text('url').notNull(),
    createdAt: at('created_at').notNull(),
    /** Deliveries so far, those lost on the way included. */
    attempts: integer('attempts').notNull(),
    /** Business time; null when it was accepted or given up. */
    nextAt: at('next_at'),
    /** Wall time until which one process has it in hand. */
    leaseUntil: at('lease_until'),
    /** The next deliveries that shall get lost on the way. */
    losses: integer('losses').notNull(),
    /** Whether a deliberately wrong signature goes out before the right one. */
    probe: boolean('probe').notNull(),
    probeAccepted: boolean('probe_accepted').notNull(),
    state: text('state').$type<'waiting' | 'accepted' | 'given-up'>().notNull(),
    lastAnswer: text('last_answer'),
    traceparent: text('traceparent'),
  },
  (table) => [index('wechat_notices_due').on(table.nextAt)],
);
export type WechatNotice = typeof wechatNotices.$inferSelect;

/** What shall go wrong next, and how often. */
export const wechatSwitches = pgTable('wechat_switches', {
  what: text('what').primaryKey(),
  times: integer('times').notNull(),
});

/** How far the shared test clock had been moved when this service last heard of it. */
export const testClock = pgTable('test_clock', {
  id: integer('id').primaryKey(),
  offsetMs: bigint('offset_ms', { mode: 'number' }).notNull(),
});
