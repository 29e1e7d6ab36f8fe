/** The payment service's own book: the only SQL for it. */
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { billPage, fundPage, fundsToSettle, sharePage } from './fund-book.ts';
import { orders, ordersOf, refunds, subOrders } from './order-rows.ts';
import type { Order } from './order.ts';
import type { Payment } from './refund.ts';
import { wechatNotices, type WechatNotice, type WechatRefund, type WechatSubOrder } from './tables.ts';

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
    fundsToSettle: (now: Date, max: number) => fundsToSettle(sql, now, max),
    /** Business time of the next thing to do that is in nobody's hand, if any. */
    nextDueAt: async (): Promise<Date | undefined> => {
      const [row] = await sql<{ at: Date | null }[]>`
        select least(
          (select min(next_at) from wechat_notices
            where next_at is not null and (lease_until is null or lease_until < clock_timestamp())),
          (select min(settles_at) from wechat_refunds where status = 'PROCESSING'),
          (select min(settles_at) from wechat_shares where status = 'PROCESSING'),
          (select min(settles_at) from wechat_share_returns where result = 'PROCESSING'),
          (select min(settles_at) from wechat_withdrawals)
        ) as at`;
      return row?.at ?? undefined;
    },
  };
}

/** Reads and writes inside one transaction, or reads alone on the pool. */
export type Page = ReturnType<typeof openPage>;

const openPage = (tx: Tx) => ({
  ...orderPage(tx),
  ...paymentPage(tx),
  ...refundPage(tx),
  ...noticePage(tx),
  ...sharePage(tx),
  ...fundPage(tx),
  ...billPage(tx),
});

/** A sub order, by the merchant's number or by WeChat Pay's. */
type By = { readonly outTradeNo?: string | undefined; readonly transactionId?: string | undefined };

async function refundsOf(tx: Tx, outTradeNos: readonly string[]): Promise<WechatRefund[]> {
  const rows = await tx<{ outRefundNo: string }[]>`
    select out_refund_no as "outRefundNo" from wechat_refunds where out_trade_no = any(${[...outTradeNos]}::text[])`;
  return [
    ...(await refunds.find(
      tx,
      rows.map(({ outRefundNo }) => outRefundNo),
    )),
  ];
}

const orderPage = (tx: Tx) => ({
  order: async (number: string): Promise<Order | undefined> => (await ordersOf(tx, [number]))[0],
  numberOfCode: async (code: string): Promise<string | undefined> =>
    (await tx<{ number: string }[]>`select number from wechat_orders where code = ${code}`)[0]?.number,
  /** Which of these sub order numbers belong to another order already. */
  numbersTaken: async (number: string, outTradeNos: readonly string[]): Promise<boolean> =>
    (await tx`select 1 from wechat_sub_orders where out_trade_no = any(${[...outTradeNos]}::text[]) and order_number <> ${number} limit 1`)
      .length > 0,
  saveOrder: async ({ subOrders: subs, ...row }: Order): Promise<void> => {
    await orders.save(tx, [row]);
    await subOrders.save(tx, subs);
  },
  saveSubOrder: async (sub: WechatSubOrder): Promise<void> => void (await subOrders.save(tx, [sub])),
  latestOrders: async (max: number): Promise<Order[]> => {
    const rows = await tx<{ number: string }[]>`select number from wechat_orders order by created_at desc limit ${max}`;
    const found = await ordersOf(
      tx,
      rows.map(({ number }) => number),
    );
    return found.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime());
  },
});

const paymentPage = (tx: Tx) => ({
  numberOfPayment: async (by: By): Promise<string | undefined> => {
    const [row] = await tx<{ number: string }[]>`
      select order_number as number from wechat_sub_orders
      where out_trade_no = ${by.outTradeNo ?? null} or transaction_id = ${by.transactionId ?? null}`;
    return row?.number;
  },
  payment: async (number: string, by: By): Promise<Payment | undefined> => {
    const [found] = await ordersOf(tx, [number]);
    const isNamed = (sub: WechatSubOrder): boolean =>
      sub.outTradeNo === by.outTradeNo || (sub.transactionId !== null && sub.transactionId === by.transactionId);
    const sub = found?.subOrders.find(isNamed);
    return found && sub && { order: found, sub, refunds: await refundsOf(tx, [sub.outTradeNo]) };
  },
});

const refundPage = (tx: Tx) => ({
  refund: async (outRefundNo: string): Promise<WechatRefund | undefined> => (await refunds.find(tx, [outRefundNo]))[0],
  refundById: async (refundId: string): Promise<WechatRefund | undefined> => {
    const [row] = await tx<
      { outRefundNo: string }[]
    >`select out_refund_no as "outRefundNo" from wechat_refunds where refund_id = ${refundId}`;
    return row && (await refunds.find(tx, [row.outRefundNo]))[0];
  },
  refundsOf: (outTradeNos: readonly string[]): Promise<WechatRefund[]> => refundsOf(tx, outTradeNos),
  saveRefund: async (refund: WechatRefund): Promise<void> => void (await refunds.save(tx, [refund])),
});

const noticePage = (tx: Tx) => ({
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
});
