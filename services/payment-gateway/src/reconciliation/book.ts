/** The only SQL for reconciliations. */
import type { Channel } from '@yunshi/contracts/payment';
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AttemptId, OrderId } from '@yunshi/kernel/ids';
import { orderNumber } from '../payment/numbers.ts';
import type { AttemptStatus, RefundStatus } from '../payment/state.ts';
import * as tables from '../tables.ts';
import { keyOf } from './calls.ts';
import type { Class, Ours } from './compare.ts';
import type { Difference, DifferenceStatus, Reconciliation, ReconciliationStatus } from './state.ts';
import type { Line } from './statement.ts';

const reconciliationRows = rowsOf(tables.reconciliations, 'reconciliationId');
const differenceRows = rowsOf(tables.differences, 'differenceId');
export const lineRows = rowsOf(tables.statementLines, 'lineId');

type Row = Omit<Reconciliation, 'differences'>;

async function withDifferences(tx: Tx, rows: PromiseLike<readonly Row[]>, ids: readonly string[]): Promise<Reconciliation[]> {
  const [found, differences] = await Promise.all([
    rows,
    tx<Difference[]>`
      select ${tx.unsafe(selectListOf(tables.differences))} from reconciliation_differences
      where reconciliation_id = any(${[...ids]}::text[]) order by difference_id`,
  ]);
  return found.map((row) => ({ ...row, differences: differences.filter((one) => one.reconciliationId === row.reconciliationId) }));
}

export const reconciliations: Rows<string, Reconciliation> = {
  name: 'reconciliations',
  keyOf: ({ reconciliationId }) => reconciliationId,
  // The reconciliation's lock guards its differences too.
  lock: (tx, keys) => withDifferences(tx, reconciliationRows.lock(tx, keys), keys),
  save: async (tx, changed) => {
    await reconciliationRows.save(tx, changed);
    const differences = changed.flatMap((one) => one.differences);
    if (differences.length > 0) await differenceRows.save(tx, differences);
  },
};

/** A refund that we asked for shortly before midnight may have been accepted after it: it may stand in either day's bill. */
const MIDNIGHT_MS = 10 * 60_000;

type PaymentRow = {
  readonly attemptId: AttemptId;
  readonly orderId: OrderId;
  readonly payee: string;
  readonly received: number | null;
  readonly status: AttemptStatus;
  readonly booked: number | null;
  readonly expected: boolean;
};
type RefundRow = {
  readonly refundNo: string;
  readonly orderId: OrderId;
  readonly attemptId: AttemptId;
  readonly payee: string;
  readonly amount: number;
  readonly status: RefundStatus;
  readonly booked: number | null;
  readonly byHand: boolean | null;
  readonly expected: boolean;
};

/** Of which day, and from when until when that day lasts. */
type Bill = { readonly channel: Channel; readonly day: string; readonly from: Date; readonly until: Date };

export type ReconciliationBook = ReturnType<typeof reconciliationBook>;

export const reconciliationBook = (sql: Sql) => ({
  /** All that the lines name and we know, and all that we would expect in the bill of that day. */
  ours: async ({ channel, day, from, until }: Bill, lines: readonly Line[]): Promise<Ours[]> => {
    const attemptIds = lines.filter(({ kind }) => kind === 'payment').map(keyOf);
    const refundNos = lines.filter(({ kind }) => kind === 'refund').map(({ number }) => number);
    const clearing = `channel_clearing:${channel}`;
    const [payments, refunds] = await Promise.all([
      sql<PaymentRow[]>`
        select a.attempt_id as "attemptId", a.order_id as "orderId", a.payee, a.received, a.status, p.booked,
          a.received is not null and a.paid_at >= ${from} and a.paid_at < ${until} as expected
        from payment_attempts a
        left join lateral (
          select sum(amount)::bigint as booked from ledger_postings
          where entry_id in ('receipt:' || a.attempt_id, 'revocation:' || a.attempt_id) and account = ${clearing}) p on true
        where a.channel = ${channel}
          and ((a.received is not null and a.paid_at >= ${from} and a.paid_at < ${until}) or a.attempt_id = any(${attemptIds}::text[]))`,
      sql<RefundRow[]>`
        select r.refund_no as "refundNo", r.order_id as "orderId", r.attempt_id as "attemptId", a.payee, r.amount, r.status, p.booked, p."byHand",
          r.refund_id is not null
            and r.created_at >= ${new Date(from.getTime() - MIDNIGHT_MS)} and r.created_at < ${new Date(until.getTime() - MIDNIGHT_MS)}
            and not exists (
              select 1 from statement_lines l where l.number = r.refund_no and l.channel = ${channel} and l.day <> ${day}) as expected
        from payment_refunds r join payment_attempts a on a.attempt_id = r.attempt_id
        left join lateral (
          select -sum(amount) filter (where account = ${clearing})::bigint as booked, bool_or(kind = 'offline-refund') as "byHand"
          from ledger_postings where entry_id in ('refund:' || r.refund_no, 'refund-offline:' || r.refund_no)) p on true
        where a.channel = ${channel}
          and ((r.created_at >= ${new Date(from.getTime() - MIDNIGHT_MS)} and r.created_at < ${new Date(until.getTime() - MIDNIGHT_MS)})
            or r.refund_no = any(${refundNos}::text[]))`,
    ]);
    return [...payments.map(paymentOf), ...refunds.map(refundOf)];
  },

  find: async (reconciliationId: string): Promise<Reconciliation | undefined> =>
    (await withDifferences(sql, reconciliationRows.find(sql, [reconciliationId]), [reconciliationId]))[0],

  /** Newest day first. */
  list: async (by: {
    readonly channel?: Channel | undefined;
    readonly status?: ReconciliationStatus | undefined;
    readonly after?: string | undefined;
    readonly limit: number;
  }): Promise<(Row & { readonly open: number })[]> =>
    sql<(Row & { readonly open: number })[]>`
      select ${sql.unsafe(selectListOf(tables.reconciliations, 'r'))}, (
        select count(*)::int from reconciliation_differences d
        where d.reconciliation_id = r.reconciliation_id and d.status in ('open', 'proposed')) as open
      from reconciliations r
      where true ${by.channel ? sql`and r.channel = ${by.channel}` : sql``} ${by.status ? sql`and r.status = ${by.status}` : sql``}
        ${by.after === undefined ? sql`` : sql`and r.day || r.reconciliation_id < ${by.after}`}
      order by r.day || r.reconciliation_id desc limit ${by.limit}`,

  /** Oldest first: what has waited longest comes first. */
  differences: async (by: {
    readonly status?: DifferenceStatus | undefined;
    readonly class?: Class | undefined;
    readonly after?: { readonly at: Date; readonly differenceId: string } | undefined;
    readonly limit: number;
  }): Promise<Difference[]> =>
    sql<Difference[]>`
      select ${sql.unsafe(selectListOf(tables.differences))} from reconciliation_differences
      where true ${by.status ? sql`and status = ${by.status}` : sql``} ${by.class ? sql`and class = ${by.class}` : sql``}
        ${by.after ? sql`and (found_at, difference_id) > (${by.after.at}, ${by.after.differenceId})` : sql``}
      order by found_at, difference_id limit ${by.limit}`,

  difference: async (differenceId: string): Promise<Difference | undefined> => (await differenceRows.find(sql, [differenceId]))[0],

  /** How many wait to be settled, by class. */
  open: async (): Promise<Readonly<Record<string, number>>> => {
    const rows = await sql<{ class: Class; count: number }[]>`
      select class, count(*)::int as count from reconciliation_differences where status in ('open', 'proposed') group by class`;
    return Object.fromEntries(rows.map((row) => [row.class, row.count]));
  },
});

const paymentOf = ({ attemptId, orderId, payee, received, status, booked, expected }: PaymentRow): Ours => ({
  kind: 'payment',
  number: orderNumber(attemptId),
  orderId,
  attemptId,
  payee,
  amount: received,
  booked,
  state: received === null ? (status === 'closed' || status === 'failed' ? 'closed' : 'unpaid') : 'paid',
  expected,
});

const refundStates = {
  requested: 'processing',
  blocked: 'processing',
  processing: 'processing',
  abnormal: 'abnormal',
  succeeded: 'succeeded',
  closed: 'closed',
  replaced: 'closed',
} as const satisfies Record<RefundStatus, Ours['state']>;

const refundOf = ({ refundNo, orderId, attemptId, payee, amount, status, booked, byHand, expected }: RefundRow): Ours => ({
  kind: 'refund',
  number: refundNo,
  orderId,
  attemptId,
  payee,
  amount,
  booked,
  // What we paid out by hand the channel has not.
  state: byHand === true ? 'abnormal' : refundStates[status],
  // One that the channel has closed may be left out of its bill as well.
  expected: expected && status !== 'closed' && status !== 'replaced',
});
