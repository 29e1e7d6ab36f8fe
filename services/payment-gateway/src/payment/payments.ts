/** The only SQL for payments, with their attempts and refunds. */
import { selectListOf } from '@yunshi/db/select-list';
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import type { AccountId, OrderId, PaymentId } from '@yunshi/kernel/ids';
import * as tables from '../tables.ts';
import type { Attempt, Payment, PaymentStatus, Refund } from './state.ts';

const paymentRows = rowsOf(tables.payments, 'orderId');
const attemptRows = rowsOf(tables.attempts, 'attemptId');
const refundRows = rowsOf(tables.refunds, 'refundNo');
export const taskRows = rowsOf(tables.tasks, 'taskId', { onConflict: 'keep' });
export const noticeRows = rowsOf(tables.notices, 'noticeId', { onConflict: 'keep' });

type PaymentRow = typeof tables.payments.$inferSelect;
const attemptColumns = selectListOf(tables.attempts);
const refundColumns = selectListOf(tables.refunds);

/** Statements on one connection run one after the other; none may be left running when the first of them fails. */
async function all<A, B, C>(one: PromiseLike<A>, two: PromiseLike<B>, three: PromiseLike<C>): Promise<[A, B, C]> {
  const settled = await Promise.allSettled([one, two, three]);
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed) throw failed.reason;
  return settled.map((each) => (each as PromiseFulfilledResult<unknown>).value) as [A, B, C];
}

async function withParts(tx: Tx, rows: PromiseLike<readonly PaymentRow[]>, orderIds: readonly OrderId[]): Promise<Payment[]> {
  const ids = [...orderIds];
  const [found, attempts, refunds] = await all(
    rows,
    tx<Attempt[]>`select ${tx.unsafe(attemptColumns)} from payment_attempts where order_id = any(${ids}::text[]) order by attempt_id`,
    tx<Refund[]>`select ${tx.unsafe(refundColumns)} from payment_refunds where order_id = any(${ids}::text[]) order by refund_no`,
  );
  return found.map((row) => ({
    ...row,
    attempts: attempts.filter((attempt) => attempt.orderId === row.orderId),
    refunds: refunds.filter((refund) => refund.orderId === row.orderId),
  }));
}

export const payments: Rows<OrderId, Payment> & { readonly find: (tx: Tx, keys: readonly OrderId[]) => Promise<Payment[]> } = {
  name: 'payments',
  keyOf: (payment) => payment.orderId,
  find: (tx, keys) => withParts(tx, paymentRows.find(tx, keys), keys),
  // The payment's lock guards its attempts and refunds too: nobody touches those without it.
  lock: (tx, keys) => withParts(tx, paymentRows.lock(tx, keys), keys),
  // All statements are sent before any is waited for.
  pipelined: true,
  save: (tx, changed) => {
    const attempts = changed.flatMap((payment) => payment.attempts);
    const refunds = changed.flatMap((payment) => payment.refunds);
    return all(
      paymentRows.save(tx, changed),
      attempts.length > 0 ? attemptRows.save(tx, attempts) : Promise.resolve(),
      refunds.length > 0 ? refundRows.save(tx, refunds) : Promise.resolve(),
    );
  },
};

export type PaymentSearch = {
  /** Absent for an operator, who sees all. */
  readonly accountId: AccountId | undefined;
  readonly orderId?: OrderId | undefined;
  readonly status?: PaymentStatus | undefined;
  readonly after?: { readonly at: Date; readonly paymentId: PaymentId } | undefined;
  readonly limit: number;
};

export type TaskRow = typeof tables.tasks.$inferSelect;
export type PaymentBook = ReturnType<typeof paymentBook>;

export const paymentBook = (sql: Sql) => ({
  of: async (orderId: OrderId): Promise<Payment | undefined> => (await payments.find(sql, [orderId]))[0],

  byId: async (paymentId: PaymentId): Promise<Payment | undefined> => {
    const [row] = await sql<{ orderId: OrderId }[]>`select order_id as "orderId" from payments where payment_id = ${paymentId}`;
    return row && (await payments.find(sql, [row.orderId]))[0];
  },

  /** Newest first. Payments of orders that were called off before they asked for money are nobody's concern. */
  list: async ({ accountId, orderId, status, after, limit }: PaymentSearch): Promise<Payment[]> => {
    const rows = await sql<{ orderId: OrderId }[]>`
      select order_id as "orderId" from payments
      where provider_id is not null
        ${accountId ? sql`and account_id = ${accountId}` : sql``}
        ${orderId ? sql`and order_id = ${orderId}` : sql``}
        ${status ? sql`and status = ${status}` : sql``}
        ${after ? sql`and (created_at, payment_id) < (${after.at}, ${after.paymentId})` : sql``}
      order by created_at desc, payment_id desc limit ${limit}`;
    const found = await payments.find(
      sql,
      rows.map((row) => row.orderId),
    );
    return found.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.paymentId < b.paymentId ? 1 : -1));
  },

  orderOfAttempt: async (attemptId: string): Promise<OrderId | undefined> =>
    (await sql<{ orderId: OrderId }[]>`select order_id as "orderId" from payment_attempts where attempt_id = ${attemptId}`)[0]?.orderId,

  /** What waits for a person. A refund that has gone through in the meantime needs nobody any more. */
  openTasks: async (after: { readonly at: Date; readonly taskId: string } | undefined, limit: number): Promise<TaskRow[]> =>
    sql<TaskRow[]>`
      select ${sql.unsafe(selectListOf(tables.tasks, 't'))} from payment_tasks t left join payment_refunds r on r.refund_no = t.subject
      where t.resolved_at is null and coalesce(r.status, '') <> 'succeeded'
        ${after ? sql`and (t.opened_at, t.task_id) > (${after.at}, ${after.taskId})` : sql``}
      order by t.opened_at, t.task_id limit ${limit}`,

  task: async (taskId: string): Promise<TaskRow | undefined> =>
    (await sql<TaskRow[]>`select ${sql.unsafe(selectListOf(tables.tasks))} from payment_tasks where task_id = ${taskId}`)[0],

  resolveTask: async (taskId: string, { by, at }: { readonly by: string; readonly at: Date }): Promise<boolean> =>
    (
      await sql`
        with resolved as (
          update payment_tasks set resolved_at = ${at}, resolved_by = ${by} where task_id = ${taskId} and resolved_at is null returning task_id),
        noted as (
          insert into audit (actor, action, object) select ${by}, 'payment-task.resolve', 'payment-task:' || task_id from resolved)
        select task_id from resolved`
    ).length > 0,
});
