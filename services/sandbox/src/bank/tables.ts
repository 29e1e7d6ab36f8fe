import type { PayStatus } from '@yunshi/protocols/mse-pay/payment';
import { bigint, index, integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const fen = (name: string) => bigint(name, { mode: 'number' });

/** Payments of companies, with the voucher 凭证 that their maker hands in and their checker approves. */
export const bankPayments = pgTable(
  'bank_payments',
  {
    outPaymentId: text('out_payment_id').primaryKey(),
    /** Through whom the payee is paid: the banks serve 商企付 and UnionPay alike. */
    acquirer: text('acquirer').$type<'mse-pay' | 'unionpay'>().notNull().default('mse-pay'),
    paymentId: text('payment_id').notNull().unique(),
    /** The parameters of the first request, to tell a repetition from another payment under the same number. */
    asked: text('asked').notNull(),
    amount: fen('amount').notNull(),
    entId: text('ent_id').notNull(),
    entName: text('ent_name').notNull(),
    memo: text('memo').notNull(),
    attachment: text('attachment').notNull(),
    bank: text('bank').notNull(),
    notifyUrl: text('notify_url').notNull(),
    returnUrl: text('return_url'),
    status: text('status').$type<PayStatus>().notNull(),
    /** Names the page that the buyer is sent to. */
    token: text('token').notNull().unique(),
    tokenUntil: at('token_until').notNull(),
    createdAt: at('created_at').notNull(),
    expiresAt: at('expires_at').notNull(),
    voucherNo: text('voucher_no').unique(),
    customerNo: text('customer_no'),
    maker: text('maker'),
    checker: text('checker'),
    acceptedAt: at('accepted_at'),
    approveUntil: at('approve_until'),
    paidAt: at('paid_at'),
    endedAt: at('ended_at'),
    failedType: text('failed_type'),
    failedDetail: text('failed_detail'),
    traceparent: text('traceparent'),
  },
  (table) => [index('bank_payments_of_checker').on(table.customerNo, table.checker), index('bank_payments_paid').on(table.paidAt)],
);
export type BankPayment = typeof bankPayments.$inferSelect;

export const bankRefunds = pgTable('bank_refunds', {
  outRefundId: text('out_refund_id').primaryKey(),
  refundId: text('refund_id').notNull().unique(),
  outPaymentId: text('out_payment_id').notNull(),
  asked: text('asked').notNull(),
  amount: fen('amount').notNull(),
  status: text('status').$type<'ACCEPTED' | 'SUCCEEDED' | 'FAILED'>().notNull(),
  acceptedAt: at('accepted_at').notNull().defaultNow(),
  settlesAt: at('settles_at').notNull(),
  endedAt: at('ended_at'),
  notifyUrl: text('notify_url'),
});
export type BankRefund = typeof bankRefunds.$inferSelect;

/** Mistakes that the bill of a day shall have, however often it is made. */
export const bankBillMistakes = pgTable('bank_bill_mistakes', {
  mistakeId: text('mistake_id').primaryKey(),
  /** `YYYY-MM-DD`, China. */
  day: text('day').notNull(),
  what: text('what').$type<'missing' | 'stranger' | 'amount' | 'state' | 'fee'>().notNull(),
  /** The platform's number of a payment or a refund; of a stranger, any. */
  about: text('about').notNull(),
});
export type BankBillMistake = typeof bankBillMistakes.$inferSelect;

/** Notices on their way. The schedule of repetitions is our own choice: the channel's is not documented. */
export const bankNotices = pgTable(
  'bank_notices',
  {
    eventId: text('event_id').primaryKey(),
    about: text('about').notNull(),
    url: text('url').notNull(),
    body: text('body').notNull(),
    attempts: integer('attempts').notNull(),
    nextAt: at('next_at'),
    /** Wall time until which one process has it in hand. */
    leaseUntil: at('lease_until'),
    /** The next deliveries that shall get lost on the way. */
    losses: integer('losses').notNull(),
    lastAnswer: text('last_answer'),
    traceparent: text('traceparent'),
  },
  (table) => [index('bank_notices_due').on(table.nextAt)],
);
export type BankNotice = typeof bankNotices.$inferSelect;
