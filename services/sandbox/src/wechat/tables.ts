import { boolean, index, integer, jsonb, pgTable, text, timestamp, bigint } from 'drizzle-orm/pg-core';

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
    /** Whether the money stays frozen until it is shared out. */
    profitSharing: boolean('profit_sharing').notNull().default(false),
    /** What of the money is frozen now. */
    frozen: fen('frozen').notNull().default(0),
  },
  (table) => [index('wechat_sub_orders_by_order').on(table.orderNumber), index('wechat_sub_orders_by_merchant').on(table.subMchid)],
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

export type SharedWith = {
  readonly type: 'MERCHANT_ID' | 'PERSONAL_OPENID';
  readonly account: string;
  readonly amount: number;
  readonly description: string;
  readonly detailId: string;
  readonly result: 'PENDING' | 'SUCCESS' | 'CLOSED';
};

/** Requests to share an order's money out, and those that only free what is left. */
export const wechatShares = pgTable(
  'wechat_shares',
  {
    outOrderNo: text('out_order_no').primaryKey(),
    orderId: text('order_id').notNull().unique(),
    outTradeNo: text('out_trade_no').notNull(),
    transactionId: text('transaction_id').notNull(),
    subMchid: text('sub_mchid').notNull(),
    asked: text('asked').notNull(),
    receivers: jsonb('receivers').$type<readonly SharedWith[]>().notNull(),
    finish: boolean('finish').notNull(),
    /** What was freed for the sub merchant. */
    finishAmount: fen('finish_amount').notNull(),
    status: text('status').$type<'PROCESSING' | 'FINISHED'>().notNull(),
    /** Whether the receivers will get their parts when `settlesAt` has come. */
    endsAs: text('ends_as').$type<'SUCCESS' | 'CLOSED'>().notNull(),
    createdAt: at('created_at').notNull(),
    settlesAt: at('settles_at').notNull(),
    endedAt: at('ended_at'),
  },
  (table) => [index('wechat_shares_by_payment').on(table.outTradeNo), index('wechat_shares_due').on(table.status, table.settlesAt)],
);
export type WechatShare = typeof wechatShares.$inferSelect;

/** Parts that were given back to the sub merchant. */
export const wechatShareReturns = pgTable(
  'wechat_share_returns',
  {
    outReturnNo: text('out_return_no').primaryKey(),
    returnNo: text('return_no').notNull().unique(),
    outOrderNo: text('out_order_no').notNull(),
    outTradeNo: text('out_trade_no').notNull(),
    returnMchid: text('return_mchid').notNull(),
    asked: text('asked').notNull(),
    amount: fen('amount').notNull(),
    result: text('result').$type<'PROCESSING' | 'SUCCESS' | 'FAILED'>().notNull(),
    endsAs: text('ends_as').$type<'SUCCESS' | 'FAILED'>().notNull(),
    createdAt: at('created_at').notNull(),
    settlesAt: at('settles_at').notNull(),
    endedAt: at('ended_at'),
  },
  (table) => [
    index('wechat_share_returns_by_share').on(table.outOrderNo),
    index('wechat_share_returns_due').on(table.result, table.settlesAt),
  ],
);
export type WechatShareReturn = typeof wechatShareReturns.$inferSelect;

/** Who may be shared with, beside the platform itself. */
export const wechatReceivers = pgTable('wechat_receivers', {
  /** Type and account. */
  receiver: text('receiver').primaryKey(),
  relation: text('relation').notNull(),
});

export type Business = '交易' | '退款' | '分账' | '分账回退' | '提现' | '提现退回' | '退款关闭';

/** Every movement of money of every account: what balances and fund-flow bills are made of. Never changed. */
export const wechatFlows = pgTable(
  'wechat_flows',
  {
    flowNo: text('flow_no').primaryKey(),
    /** The merchant whose account it is. */
    account: text('account').notNull(),
    at: at('at').notNull(),
    business: text('business').$type<Business>().notNull(),
    /** Positive: income. */
    amount: fen('amount').notNull(),
    /** WeChat Pay's number of what caused it, and the merchant's. */
    businessNo: text('business_no').notNull(),
    proof: text('proof').notNull(),
  },
  (table) => [index('wechat_flows_of_account').on(table.account, table.at)],
);
export type WechatFlow = typeof wechatFlows.$inferSelect;

/** Sub merchants' money on its way to their banks. */
export const wechatWithdrawals = pgTable(
  'wechat_withdrawals',
  {
    outRequestNo: text('out_request_no').primaryKey(),
    withdrawId: text('withdraw_id').notNull().unique(),
    subMchid: text('sub_mchid').notNull(),
    amount: fen('amount').notNull(),
    remark: text('remark'),
    asked: text('asked').notNull(),
    status: text('status').$type<'INIT' | 'SUCCESS' | 'FAIL' | 'REFUND'>().notNull(),
    /** REFUND: the bank takes it first and sends it back an hour later. */
    endsAs: text('ends_as').$type<'SUCCESS' | 'FAIL' | 'REFUND'>().notNull(),
    createdAt: at('created_at').notNull(),
    changedAt: at('changed_at').notNull(),
    /** When its status changes next; null when it never will. */
    settlesAt: at('settles_at'),
    notifyUrl: text('notify_url'),
    traceparent: text('traceparent'),
  },
  (table) => [index('wechat_withdrawals_due').on(table.settlesAt)],
);
export type WechatWithdrawal = typeof wechatWithdrawals.$inferSelect;

/** Mistakes that the bill of a day shall have, however often it is made. */
export const wechatBillMistakes = pgTable(
  'wechat_bill_mistakes',
  {
    mistakeId: text('mistake_id').primaryKey(),
    /** `YYYY-MM-DD`, China. */
    day: text('day').notNull(),
    what: text('what').$type<'missing' | 'stranger' | 'amount' | 'state' | 'fee'>().notNull(),
    /** The payment's or refund's number of the merchant; of a stranger, any. */
    about: text('about').notNull(),
  },
  (table) => [index('wechat_bill_mistakes_of_day').on(table.day)],
);
export type WechatBillMistake = typeof wechatBillMistakes.$inferSelect;

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
