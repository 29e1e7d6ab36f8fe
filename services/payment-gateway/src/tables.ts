import type { Channel } from '@yunshi/contracts/payment';
import type { BankCode } from '@yunshi/kernel/banks';
import type { AccountId, AttemptId, OrderId, PaymentId, ProviderId, UserId, WithdrawalId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';
import { sql } from 'drizzle-orm';
import { bigint, boolean, index, integer, jsonb, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';
import type { OfflineRefund } from './abnormal/settlement.ts';
import type { EntryKind, LedgerAccount } from './ledger/ledger.ts';
import type { Asker, AttemptStatus, OrphanReason, Pause, PaymentStatus, Refund, RefundStatus, Task } from './payment/state.ts';
import type { Difference, ReconciliationStatus } from './reconciliation/state.ts';
import type { Line } from './reconciliation/statement.ts';
import type { Revocation } from './revocation/settlement.ts';
import type { SettlementStatus } from './settlement/flow.ts';
import type { BankAccount, Proposal, Source, WithdrawalStatus } from './wallet/wallet.ts';
import type { ProviderWithdrawalStatus } from './withdrawal/withdrawal.ts';

/** The lines of an entry that a buyer sees as 收支明细: what the payer really paid or got. */
export const LINES_OF_BUYERS = `(account like 'channel\\_clearing:%' or account like 'wallet:%')`;

const at = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const fen = (name: string) => bigint(name, { mode: 'number' });

export const payments = pgTable(
  'payments',
  {
    orderId: text('order_id').$type<OrderId>().primaryKey(),
    paymentId: text('payment_id').$type<PaymentId>().notNull().unique(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    providerId: text('provider_id').$type<ProviderId>(),
    amount: fen('amount').notNull(),
    serverAmount: fen('server_amount').notNull().default(0),
    description: text('description').notNull(),
    status: text('status').$type<PaymentStatus>().notNull(),
    payBy: at('pay_by').notNull(),
    payees: jsonb('payees').$type<Partial<Record<Channel, string>>>().notNull(),
    collector: jsonb('collector').$type<Asker>(),
    returners: jsonb('returners').$type<readonly Asker[]>().notNull(),
    pause: jsonb('pause').$type<Pause>(),
    createdAt: at('created_at').notNull(),
    paidAt: at('paid_at'),
    deliveryType: text('delivery_type').$type<DeliveryType>().notNull().default('saas'),
    soldAt: at('sold_at'),
    settlement: text('settlement').$type<SettlementStatus>(),
    releaseAt: at('release_at'),
    releasedAt: at('released_at'),
  },
  (table) => [index('payments_of_account').on(table.accountId, table.createdAt, table.paymentId)],
);

export const attempts = pgTable(
  'payment_attempts',
  {
    attemptId: text('attempt_id').$type<AttemptId>().primaryKey(),
    orderId: text('order_id').$type<OrderId>().notNull(),
    channel: text('channel').$type<Channel>().notNull(),
    payee: text('payee').notNull(),
    amount: fen('amount').notNull(),
    description: text('description').notNull(),
    status: text('status').$type<AttemptStatus>().notNull(),
    bank: text('bank').$type<BankCode>(),
    channelNo: text('channel_no'),
    codeUrl: text('code_url'),
    redirectUrl: text('redirect'),
    shownAt: at('code_at'),
    approvingSince: at('approving_since'),
    failure: text('failure'),
    orphanReason: text('orphan_reason').$type<OrphanReason>(),
    transactionId: text('transaction_id'),
    received: fen('received'),
    paidAt: at('paid_at'),
    expiresAt: at('expires_at').notNull(),
    createdAt: at('created_at').notNull(),
    checks: integer('checks').notNull(),
    missed: integer('missed').notNull(),
    askedAt: at('asked_at'),
  },
  (table) => [index('payment_attempts_of_order').on(table.orderId)],
);

export const refunds = pgTable(
  'payment_refunds',
  {
    refundNo: text('refund_no').primaryKey(),
    orderId: text('order_id').$type<OrderId>().notNull(),
    attemptId: text('attempt_id').$type<AttemptId>().notNull(),
    generation: integer('generation').notNull(),
    amount: fen('amount').notNull(),
    commission: fen('commission').notNull().default(0),
    server: fen('server').notNull().default(0),
    shareBack: text('share_back').$type<Refund['shareBack']>().notNull().default('none'),
    reason: text('reason'),
    status: text('status').$type<RefundStatus>().notNull(),
    /** The channel's number. */
    refundId: text('refund_id'),
    failure: text('failure'),
    checks: integer('checks').notNull(),
    checkAt: at('check_at'),
    createdAt: at('created_at').notNull(),
    endedAt: at('ended_at'),
  },
  (table) => [index('payment_refunds_of_order').on(table.orderId)],
);

/** Verified callbacks as they came, each once: what a dispute is settled with. The content stays encrypted. */
export const notices = pgTable('channel_notices', {
  noticeId: text('notice_id').primaryKey(),
  channel: text('channel').$type<Channel>().notNull(),
  kind: text('kind').notNull(),
  /** What it is about, where we know it. */
  orderId: text('order_id').$type<OrderId>(),
  headers: jsonb('headers').$type<Readonly<Record<string, string>>>().notNull(),
  body: text('body').notNull(),
  receivedAt: at('received_at').notNull(),
  /** Whether a decision was made on it. One that broke waits here for an operator. */
  worked: boolean('worked').notNull(),
});

/** What only a person can settle. */
export const tasks = pgTable('payment_tasks', {
  taskId: text('task_id').primaryKey(),
  kind: text('kind').$type<Task['kind']>().notNull(),
  orderId: text('order_id').$type<OrderId>(),
  subject: text('subject').notNull(),
  detail: text('detail').notNull(),
  openedAt: at('opened_at').notNull(),
  resolvedAt: at('resolved_at'),
  resolvedBy: text('resolved_by'),
});

/** Which channels a provider can be paid through, and its number there. */
export const merchants = pgTable('merchants', {
  providerId: text('provider_id').$type<ProviderId>().primaryKey(),
  payees: jsonb('payees').$type<Partial<Record<Channel, string>>>().notNull(),
  /** The company's name, as channels want it. */
  company: text('company'),
});

/** Orders of UnionPay. The page that hands one over is ours: the first time it does, the order gets its time, which is half of its name there. */
export const unionpayForms = pgTable('unionpay_forms', {
  number: text('number').primaryKey(),
  /** Whoever knows it may open the page. */
  token: text('token').notNull().unique(),
  orderId: text('order_id').$type<OrderId>().notNull(),
  merId: text('mer_id').notNull(),
  amount: fen('amount').notNull(),
  description: text('description').notNull(),
  endsAt: at('ends_at').notNull(),
  /** `YYYYMMDDhhmmss`. From then on UnionPay may know the order, and nobody can close it. */
  txnTime: text('txn_time'),
  /** It was closed before it was ever handed over, and never will be. */
  voidedAt: at('voided_at'),
  createdAt: at('created_at').notNull(),
});

/** When a refund was asked of UnionPay: the other half of its name there. */
export const unionpayRefunds = pgTable('unionpay_refunds', {
  refundNo: text('refund_no').primaryKey(),
  txnTime: text('txn_time').notNull(),
});

/** Immutable: triggers refuse to change or delete a posting, to insert an entry that is out of balance, or one into a time that is closed. */
export const postings = pgTable(
  'ledger_postings',
  {
    /** Entry and line, so that an entry can be posted only once. */
    postingId: text('posting_id').primaryKey(),
    entryId: text('entry_id').notNull(),
    kind: text('kind').$type<EntryKind>().notNull(),
    account: text('account').$type<LedgerAccount>().notNull(),
    /** Positive: debit. Negative: credit. */
    amount: fen('amount').notNull(),
    orderId: text('order_id').$type<OrderId>(),
    accountId: text('account_id').$type<AccountId>(),
    providerId: text('provider_id').$type<ProviderId>(),
    at: at('at').notNull(),
  },
  (table) => [
    // The amount lies in the index, so that a balance is summed without reading a row.
    index('ledger_postings_of_account').on(table.account, table.at, table.amount),
    index('ledger_postings_by_time').on(table.at, table.postingId),
    index('ledger_postings_of_buyer').on(table.accountId, table.at, table.postingId).where(sql.raw(LINES_OF_BUYERS)),
  ],
);

/** What every account held at the time that the ledger is closed through; see `ledger_closing`. */
export const balances = pgTable('ledger_balances', {
  account: text('account').$type<LedgerAccount>().primaryKey(),
  debit: fen('debit').notNull(),
  credit: fen('credit').notNull(),
});

/**
 * One row. No entry may be posted before `through` any more, so that the balances of then need never be summed again. Of all months in
 * China before `issuedThrough` the statements have been issued.
 */
export const closing = pgTable('ledger_closing', {
  ledger: text('ledger').primaryKey(),
  through: at('through').notNull(),
  issuedThrough: at('issued_through').notNull().default(new Date('2000-01-01T00:00:00Z')),
});

/** A provider's month 结算单, final: nothing can be posted into it any more. All amounts are fen and positive; see the view `provider_movements`. */
export const statements = pgTable(
  'provider_statements',
  {
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    /** In China, such as `2026-03`. */
    month: text('month').notNull(),
    sales: integer('sales').notNull(),
    sold: fen('sold').notNull(),
    commission: fen('commission').notNull(),
    refunds: integer('refunds').notNull(),
    refunded: fen('refunded').notNull(),
    commissionBack: fen('commission_back').notNull(),
    released: fen('released').notNull(),
    withdrawn: fen('withdrawn').notNull(),
  },
  (table) => [primaryKey({ columns: [table.providerId, table.month] })],
);

/** Account balances 账户余额 of older accounts, by where they were topped up from. */
export const wallets = pgTable('wallets', {
  accountId: text('account_id').$type<AccountId>().primaryKey(),
  wechat: fen('wechat').notNull(),
  qqWallet: fen('qq_wallet').notNull(),
  eBanking: fen('e_banking').notNull(),
  offline: fen('offline').notNull(),
  frozen: fen('frozen').notNull(),
  owed: fen('owed').notNull(),
  bankAccount: jsonb('bank_account').$type<BankAccount>(),
});

export const withdrawals = pgTable(
  'wallet_withdrawals',
  {
    withdrawalId: text('withdrawal_id').$type<WithdrawalId>().primaryKey(),
    accountId: text('account_id').$type<AccountId>().notNull(),
    source: text('source').$type<Source>().notNull(),
    amount: fen('amount').notNull(),
    status: text('status').$type<WithdrawalStatus>().notNull(),
    requestedBy: text('requested_by').$type<UserId>().notNull(),
    createdAt: at('created_at').notNull(),
    expectedBy: at('expected_by').notNull(),
    late: boolean('late').notNull(),
    proposal: jsonb('proposal').$type<Proposal>(),
    failure: text('failure'),
    endedAt: at('ended_at'),
  },
  (table) => [
    index('wallet_withdrawals_of_account').on(table.accountId, table.createdAt, table.withdrawalId),
    index('wallet_withdrawals_by_time').on(table.createdAt, table.withdrawalId),
    index('wallet_withdrawals_open').on(table.accountId).where(sql.raw('ended_at is null')),
  ],
);

/** Channels' bills, day by day, laid beside our books. */
export const reconciliations = pgTable('reconciliations', {
  reconciliationId: text('reconciliation_id').primaryKey(),
  channel: text('channel').$type<Channel>().notNull(),
  /** China, `YYYY-MM-DD`. */
  day: text('day').notNull(),
  status: text('status').$type<ReconciliationStatus>().notNull(),
  hash: text('hash'),
  lines: integer('lines').notNull(),
  runs: integer('runs').notNull(),
  failures: integer('failures').notNull(),
  failure: text('failure'),
  ranAt: at('ran_at'),
  createdAt: at('created_at').notNull(),
});

export const differences = pgTable(
  'reconciliation_differences',
  {
    differenceId: text('difference_id').primaryKey(),
    reconciliationId: text('reconciliation_id').notNull(),
    class: text('class').$type<Difference['class']>().notNull(),
    kind: text('kind').$type<Difference['kind']>().notNull(),
    number: text('number').notNull(),
    orderId: text('order_id').$type<OrderId>(),
    channelNo: text('channel_no'),
    ours: fen('ours'),
    theirs: fen('theirs'),
    explanation: text('explanation').notNull(),
    status: text('status').$type<Difference['status']>().notNull(),
    foundAt: at('found_at').notNull(),
    resolution: text('resolution').$type<Difference['resolution'] & string>(),
    reason: text('reason'),
    proposedBy: text('proposed_by').$type<UserId>(),
    decidedBy: text('decided_by').$type<UserId>(),
    decidedAt: at('decided_at'),
  },
  (table) => [
    index('reconciliation_differences_of').on(table.reconciliationId),
    index('reconciliation_differences_by_status').on(table.status, table.foundAt),
  ],
);

/** What the bills say, line by line: which day's bill has a refund is not ours to decide. */
export const statementLines = pgTable(
  'statement_lines',
  {
    lineId: text('line_id').primaryKey(),
    channel: text('channel').$type<Channel>().notNull(),
    day: text('day').notNull(),
    kind: text('kind').$type<Line['kind']>().notNull(),
    number: text('number').notNull(),
    channelNo: text('channel_no').notNull(),
    payee: text('payee').notNull(),
    amount: fen('amount').notNull(),
    fee: fen('fee').notNull(),
    state: text('state').$type<Line['state']>().notNull(),
  },
  (table) => [index('statement_lines_by_number').on(table.number)],
);

/** Refunds that were paid out by hand, by two persons' word. */
export const offlineRefunds = pgTable('refund_offline', {
  refundNo: text('refund_no').primaryKey(),
  orderId: text('order_id').$type<OrderId>().notNull(),
  status: text('status').$type<OfflineRefund['status']>().notNull(),
  evidence: text('evidence').notNull(),
  proposedBy: text('proposed_by').$type<UserId>().notNull(),
  proposedAt: at('proposed_at').notNull(),
  decidedBy: text('decided_by').$type<UserId>(),
  decidedAt: at('decided_at'),
});

/** What becomes of payments that a bank took back, by two persons' word. */
export const revocations = pgTable('payment_revocations', {
  orderId: text('order_id').$type<OrderId>().primaryKey(),
  status: text('status').$type<Revocation['status']>().notNull(),
  outcome: text('outcome').$type<Revocation['outcome']>().notNull(),
  evidence: text('evidence').notNull(),
  proposedBy: text('proposed_by').$type<UserId>().notNull(),
  proposedAt: at('proposed_at').notNull(),
  decidedBy: text('decided_by').$type<UserId>(),
  decidedAt: at('decided_at'),
});

/** What providers take out of the channel. */
export const providerWithdrawals = pgTable(
  'provider_withdrawals',
  {
    withdrawalId: text('withdrawal_id').$type<WithdrawalId>().primaryKey(),
    providerId: text('provider_id').$type<ProviderId>().notNull(),
    payee: text('payee').notNull(),
    amount: fen('amount').notNull(),
    status: text('status').$type<ProviderWithdrawalStatus>().notNull(),
    requestedBy: text('requested_by').$type<UserId>().notNull(),
    channelNo: text('channel_no'),
    failure: text('failure'),
    createdAt: at('created_at').notNull(),
    paidAt: at('paid_at'),
    endedAt: at('ended_at'),
    checks: integer('checks').notNull(),
    watched: boolean('watched').notNull(),
  },
  (table) => [
    index('provider_withdrawals_of').on(table.providerId, table.createdAt, table.withdrawalId),
    index('provider_withdrawals_watched').on(table.providerId).where(sql.raw('watched')),
  ],
);
