/** UnionPay's own book: the only SQL for it. */
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import {
  unionpayNotices,
  unionpayOrders,
  unionpayRefunds,
  type UnionpayNotice,
  type UnionpayOrder,
  type UnionpayRefund,
} from './tables.ts';

const orders = rowsOf(unionpayOrders, 'orderKey');
const refunds = rowsOf(unionpayRefunds, 'orderKey');
const notices = rowsOf(unionpayNotices, 'noticeId');
const orderColumns = selectListOf(unionpayOrders, 'o');
const refundColumns = selectListOf(unionpayRefunds);
const noticeColumns = selectListOf(unionpayNotices);

/** A notice in hand is another process's again after this long. */
const LEASE_SECONDS = 20;
const DUE_MAX = 64;

export type Book = ReturnType<typeof openBook>;
export type Page = ReturnType<typeof openPage>;

export const openBook = (sql: Sql) => ({
  read: openPage(sql),
  /** Everything inside happens or nothing does. Requests about one order wait for each other. */
  change: async <T>(key: string, work: (page: Page) => Promise<T>): Promise<T> =>
    (await sql.begin(async (transaction) => {
      const tx = transaction as unknown as Tx;
      await tx`select pg_advisory_xact_lock(hashtextextended(${`unionpay ${key}`}, 0))`;
      return work(openPage(tx));
    })) as T,
  claimNotices: (now: Date): PromiseLike<UnionpayNotice[]> => sql<UnionpayNotice[]>`
    update unionpay_notices set lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
    where notice_id in (
      select notice_id from unionpay_notices where next_at <= ${now} and (lease_until is null or lease_until < clock_timestamp())
      order by next_at limit ${DUE_MAX} for update skip locked)
    returning ${sql.unsafe(noticeColumns)}`,
  recordDelivery: async ({ noticeId, attempts, nextAt, losses, lastAnswer }: UnionpayNotice): Promise<void> => {
    await sql`
      update unionpay_notices set attempts = ${attempts}, next_at = ${nextAt}, losses = ${losses}, last_answer = ${lastAnswer}, lease_until = null
      where notice_id = ${noticeId}`;
  },
  /** Orders about which the bank has spoken, or time; refunds whose time has come. */
  due: async (now: Date): Promise<{ readonly orders: string[]; readonly refunds: UnionpayRefund[] }> => {
    const [moved, settling] = await Promise.all([
      sql<{ key: string }[]>`
        select o.order_key as key from unionpay_orders o left join bank_payments b on b.out_payment_id = o.bank_payment_no
        where (o.state = 'open' and (b.status in ('SUCCEEDED', 'CLOSED') or o.pay_until <= ${now})
          and not (b.status = 'CLOSED' and b.failed_type <> 'BANK_REJECTED' and o.pay_until > ${now}))
          or (o.state = 'lapsed' and b.status = 'SUCCEEDED') limit ${DUE_MAX}`,
      sql<UnionpayRefund[]>`
        select ${sql.unsafe(refundColumns)} from unionpay_refunds where state = 'accepted' and settles_at <= ${now} limit ${DUE_MAX}`,
    ]);
    return { orders: moved.map(({ key }) => key), refunds: settling };
  },
  /** What was cleared for a merchant on one day. */
  cleared: async (merId: string, settleDay: string) => {
    const [paid, back] = await Promise.all([
      sql<UnionpayOrder[]>`
        select ${sql.unsafe(orderColumns)} from unionpay_orders o where mer_id = ${merId} and settle_day = ${settleDay} order by paid_at, order_key`,
      sql<UnionpayRefund[]>`
        select ${sql.unsafe(refundColumns)} from unionpay_refunds where mer_id = ${merId} and settle_day = ${settleDay} order by ended_at, order_key`,
    ]);
    return { paid, back };
  },
});

const openPage = (tx: Tx) => ({
  order: async (key: string): Promise<UnionpayOrder | undefined> => (await orders.find(tx, [key]))[0],
  orderBy: async (by: { readonly token: string } | { readonly queryId: string }): Promise<UnionpayOrder | undefined> => {
    const [column, value] = 'token' in by ? ['token', by.token] : ['query_id', by.queryId];
    return (await tx<UnionpayOrder[]>`select ${tx.unsafe(orderColumns)} from unionpay_orders o where ${tx.unsafe(column)} = ${value}`)[0];
  },
  saveOrder: async (order: UnionpayOrder): Promise<void> => void (await orders.save(tx, [order])),
  refund: async (key: string): Promise<UnionpayRefund | undefined> => (await refunds.find(tx, [key]))[0],
  refundsOf: (paymentKey: string): PromiseLike<UnionpayRefund[]> =>
    tx<UnionpayRefund[]>`select ${tx.unsafe(refundColumns)} from unionpay_refunds where payment_key = ${paymentKey}`,
  saveRefund: async (refund: UnionpayRefund): Promise<void> => void (await refunds.save(tx, [refund])),
  addNotice: async (notice: UnionpayNotice): Promise<void> => void (await notices.save(tx, [notice])),
  noticesAbout: (about: string): PromiseLike<UnionpayNotice[]> =>
    tx<UnionpayNotice[]>`select ${tx.unsafe(noticeColumns)} from unionpay_notices where about = ${about} order by notice_id`,
});
