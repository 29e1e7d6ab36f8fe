/** The payment service's own book: the only SQL for it. */
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import type { Order } from './order.ts';
import type { Payment } from './refund.ts';
import {
  wechatNotices,
  wechatOrders,
  wechatRefunds,
  wechatSubOrders,
  type WechatNotice,
  type WechatRefund,
  type WechatSubOrder,
} from './tables.ts';

const orders = rowsOf(wechatOrders, 'number');
const subOrders = rowsOf(wechatSubOrders, 'outTradeNo');
const refunds = rowsOf(wechatRefunds, 'outRefundNo');
const notices = rowsOf(wechatNotices, 'id');

/** A notice in hand is another process's again after this long: longer than one delivery, its probe and their time limits. */
const LEASE_SECONDS = 15;

export type Book = ReturnType<typeof openBook>;

export function openBook(sql: Sql) {
  return {
    sql,
    /** Everything inside happens or nothing does. Requests about one number wait for each other. */
    change: async <T>(number: string, work: (page: Page) => Promise<T>): Promise<T> =>
      (await sql.begin(async (transaction) => {
        const tx = transaction as unknown as Tx;
        await tx`select pg_advisory_xact_lock(hashtextextended(${number}, 0))`;
        return work(openPage(tx));
      })) as T,
    read: openPage(sql),
    /** Unanswered notices whose time has come, for this process alone until the lease ends. */
    claimNotices: async (now: Date, max: number): Promise<WechatNotice[]> => {
      const claimed = await sql<{ id: string }[]>`
        update wechat_notices set lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
        where id in (
          select id from wechat_notices
          where next_at <= ${now} and (lease_until is null or lease_until < clock_timestamp())
          order by next_at limit ${max} for update skip locked
        )
        returning id`;
      return [
        ...(await notices.find(
          sql,
          claimed.map(({ id }) => id),
        )),
      ];
    },
    recordDelivery: async ({ id, attempts, nextAt, losses, state, lastAnswer, probeAccepted }: WechatNotice): Promise<void> => {
      await sql`
        update wechat_notices set attempts = ${attempts}, next_at = ${nextAt}, losses = ${losses}, state = ${state},
          last_answer = ${lastAnswer}, probe_accepted = ${probeAccepted}, lease_until = null
        where id = ${id}`;
    },
    /** Refunds whose end has come; each is settled under its payment's lock. */
    refundsToSettle: async (now: Date, max: number): Promise<WechatRefund[]> => {
      const due = await sql<{ outRefundNo: string }[]>`
        select out_refund_no as "outRefundNo" from wechat_refunds
        where status = 'PROCESSING' and settles_at <= ${now} order by settles_at limit ${max}`;
      return [
        ...(await refunds.find(
          sql,
          due.map(({ outRefundNo }) => outRefundNo),
        )),
      ];
    },
    /** Business time of the next thing to do that is in nobody's hand, if any. */
    nextDueAt: async (): Promise<Date | undefined> => {
      const [row] = await sql<{ at: Date | null }[]>`
        select least(
          (select min(next_at) from wechat_notices
            where next_at is not null and (lease_until is null or lease_until < clock_timestamp())),
          (select min(settles_at) from wechat_refunds where status = 'PROCESSING')
        ) as at`;
      return row?.at ?? undefined;
    },
  };
}

/** Reads and writes inside one transaction, or reads alone on the pool. */
export type Page = ReturnType<typeof openPage>;

function openPage(tx: Tx) {
  const ordersOf = async (numbers: readonly string[]): Promise<Order[]> => {
    const [rows, subs] = await Promise.all([
      orders.find(tx, numbers),
      tx<WechatSubOrder[]>`
        select out_trade_no as "outTradeNo", order_number as "orderNumber", position, sub_mchid as "subMchid", amount, description, attach,
          transaction_id as "transactionId"
        from wechat_sub_orders where order_number = any(${[...numbers]}) order by order_number, position`,
    ]);
    return rows.map((row) => ({ ...row, subOrders: subs.filter((sub) => sub.orderNumber === row.number) }));
  };
  const order = async (number: string): Promise<Order | undefined> => (await ordersOf([number]))[0];
  const refundsOf = async (outTradeNos: readonly string[]): Promise<WechatRefund[]> => {
    const rows = await tx<{ outRefundNo: string }[]>`
      select out_refund_no as "outRefundNo" from wechat_refunds where out_trade_no = any(${[...outTradeNos]})`;
    return [
      ...(await refunds.find(
        tx,
        rows.map(({ outRefundNo }) => outRefundNo),
      )),
    ];
  };
  return {
    order,
    numberOfCode: async (code: string): Promise<string | undefined> =>
      (await tx<{ number: string }[]>`select number from wechat_orders where code = ${code}`)[0]?.number,
    /** Of a sub order, by the merchant's number or by WeChat Pay's. */
    numberOfPayment: async (by: { outTradeNo?: string | undefined; transactionId?: string | undefined }): Promise<string | undefined> =>
      (
        await tx<{ number: string }[]>`
          select order_number as number from wechat_sub_orders
          where out_trade_no = ${by.outTradeNo ?? null} or transaction_id = ${by.transactionId ?? null}`
      )[0]?.number,
    payment: async (
      number: string,
      by: { outTradeNo?: string | undefined; transactionId?: string | undefined },
    ): Promise<Payment | undefined> => {
      const found = await order(number);
      const sub = found?.subOrders.find(
        (one) => one.outTradeNo === by.outTradeNo || (one.transactionId !== null && one.transactionId === by.transactionId),
      );
      return found && sub && { order: found, sub, refunds: await refundsOf([sub.outTradeNo]) };
    },
    /** Which of these sub order numbers belong to another order already. */
    numbersTaken: async (number: string, outTradeNos: readonly string[]): Promise<boolean> =>
      (await tx`select 1 from wechat_sub_orders where out_trade_no = any(${[...outTradeNos]}) and order_number <> ${number} limit 1`)
        .length > 0,
    saveOrder: async ({ subOrders: subs, ...row }: Order): Promise<void> => {
      await orders.save(tx, [row]);
      await subOrders.save(tx, subs);
    },
    refund: async (outRefundNo: string): Promise<WechatRefund | undefined> => (await refunds.find(tx, [outRefundNo]))[0],
    refundById: async (refundId: string): Promise<WechatRefund | undefined> => {
      const [row] = await tx<
        { outRefundNo: string }[]
      >`select out_refund_no as "outRefundNo" from wechat_refunds where refund_id = ${refundId}`;
      return row && (await refunds.find(tx, [row.outRefundNo]))[0];
    },
    refundsOf,
    saveRefund: async (refund: WechatRefund): Promise<void> => void (await refunds.save(tx, [refund])),
    addNotice: async (notice: WechatNotice): Promise<void> => void (await notices.save(tx, [notice])),
    noticesAbout: async (about: string): Promise<WechatNotice[]> => {
      const rows = await tx<{ id: string }[]>`select id from wechat_notices where about = ${about} order by created_at`;
      return [
        ...(await notices.find(
          tx,
          rows.map(({ id }) => id),
        )),
      ];
    },
    /** Of one number, or the latest of all. */
    latestOrders: async (max: number): Promise<Order[]> => {
      const rows = await tx<{ number: string }[]>`select number from wechat_orders order by created_at desc limit ${max}`;
      return (await ordersOf(rows.map(({ number }) => number))).toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
    },
  };
}
