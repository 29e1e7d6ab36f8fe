/** The payment service's own book: the only SQL for it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import { together } from '../together.ts';
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
  const change: Change = async (number, work) => changeAll([number], async (page) => work(page));
  async function changeAll<T>(numbers: readonly string[], work: (page: Page) => Promise<T>): Promise<T> {
    return (await sql.begin(async (transaction) => {
      const tx = transaction as unknown as Tx;
      await tx`select pg_advisory_xact_lock(hashtextextended(number, 0)) from unnest(${numbers.toSorted()}::text[]) as number`;
      return work(openPage(tx));
    })) as T;
  }
  return {
    sql,
    /** Everything inside happens or nothing does. Requests about one number wait for each other. */
    change,
    /** As `change`, in one transaction with others that wait, for work that looks at and writes nothing but its own order. */
    changeOrder: sharing(change, changeAll),
    read: openPage(sql),
    /** Unanswered notices whose time has come, for this process alone until the lease ends. */
    claimNotices: async (now: Date, max: number): Promise<WechatNotice[]> => {
      return sql<WechatNotice[]>`
        update wechat_notices set lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
        where id in (
          select id from wechat_notices
          where next_at <= ${now} and (lease_until is null or lease_until < clock_timestamp())
          order by next_at limit ${max} for update skip locked
        )
        returning ${sql.unsafe(noticeColumns)}`;
    },
    recordDelivery: together(async (delivered: readonly WechatNotice[]): Promise<void[]> => {
      const column = <K extends keyof WechatNotice>(name: K) => delivered.map((notice) => notice[name]);
      await sql`
        update wechat_notices w set attempts = d.attempts, next_at = d.next_at::timestamptz, losses = d.losses, state = d.state,
          last_answer = d.last_answer, probe_accepted = d.probe_accepted::boolean, lease_until = null
        from unnest(${column('id')}::text[], ${column('attempts')}::int[], ${column('nextAt').map((at) => at?.toISOString() ?? null)}::text[],
          ${column('losses')}::int[], ${column('state')}::text[], ${column('lastAnswer')}::text[], ${column('probeAccepted').map(String)}::text[])
          as d(id, attempts, next_at, losses, state, last_answer, probe_accepted)
        where w.id = d.id`;
      return delivered.map(() => undefined);
    }),
    /** Refunds whose end has come; each is settled under its payment's lock. */
    refundsToSettle: async (now: Date, max: number): Promise<WechatRefund[]> => {
      const due = await sql<{ outRefundNo: string }[]>`
        select out_refund_no as "outRefundNo" from wechat_refunds
        where status = 'PROCESSING' and settles_at <= ${now} order by settles_at limit ${max}`;
      if (due.length === 0) return [];
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

type Change = <T>(number: string, work: (page: Page) => Promise<T>) => Promise<T>;
type ChangeAll = <T>(numbers: readonly string[], work: (page: Page) => Promise<T>) => Promise<T>;

const SHARED_MAX = 64;
/** From the start of one shared transaction to that of the next, so that more than one purchase pays for it. */
const SHARED_MS = 5;

/**
 * Has the work that waits share one transaction, at most one piece for each number. Where one of them fails nothing has happened, and
 * each is done again alone.
 */
function sharing(change: Change, changeAll: ChangeAll): Change {
  type Waiting = {
    readonly number: string;
    readonly work: (page: Page) => Promise<unknown>;
    readonly settle: (done: Promise<unknown>) => void;
  };
  let waiting: Waiting[] = [];
  let isRunning = false;

  function nextBatch(): Waiting[] {
    const batch = new Map<string, Waiting>();
    const left: Waiting[] = [];
    for (const one of waiting) {
      if (batch.size < SHARED_MAX && !batch.has(one.number)) batch.set(one.number, one);
      else left.push(one);
    }
    waiting = left;
    return [...batch.values()];
  }

  async function run(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      const began = performance.now();
      const batch = nextBatch();
      const numbers = batch.map(({ number }) => number);
      const done = await changeAll(numbers, async (page) => allDone(batch.map(({ work }) => work(page)))).catch(() => undefined);
      batch.forEach(({ number, work, settle }, nth) => settle(done ? Promise.resolve(done[nth]) : change(number, work)));
      await pause(Math.max(0, SHARED_MS - (performance.now() - began)));
    }
    isRunning = false;
  }

  return (number, work) =>
    new Promise((resolve) => {
      waiting.push({ number, work, settle: (done) => resolve(done as never) });
      if (!isRunning) void run();
    });
}

/** Waits for all, because none may go on in a transaction that has ended; then throws the first error, if any. */
async function allDone<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(works);
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
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

const noticeColumns = selectListOf(wechatNotices);

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
  order: together(async (numbers: readonly string[]): Promise<(Order | undefined)[]> => {
    const found = new Map((await ordersOf(tx, numbers)).map((order) => [order.number, order]));
    return numbers.map((number) => found.get(number));
  }),
  numberOfCode: together(async (codes: readonly string[]): Promise<(string | undefined)[]> => {
    const rows = await tx<
      { number: string; code: string }[]
    >`select number, code from wechat_orders where code = any(${[...codes]}::text[])`;
    const found = new Map(rows.map(({ number, code }) => [code, number]));
    return codes.map((code) => found.get(code));
  }),
  /** Whether one of these sub order numbers belongs to another order already. */
  numbersTaken: together(async (asked: readonly { number: string; outTradeNos: readonly string[] }[]): Promise<boolean[]> => {
    const all = asked.flatMap(({ outTradeNos }) => outTradeNos);
    const rows = await tx<{ number: string; sub: string }[]>`
      select order_number as number, out_trade_no as sub from wechat_sub_orders where out_trade_no = any(${all}::text[])`;
    const owner = new Map(rows.map(({ number, sub }) => [sub, number]));
    return asked.map(({ number, outTradeNos }) => outTradeNos.some((sub) => (owner.get(sub) ?? number) !== number));
  }),
  saveOrder: together(async (changed: readonly Order[]): Promise<void[]> => {
    const subs = changed.flatMap((order) => order.subOrders);
    await allDone<unknown>([orders.save(tx, changed), subOrders.save(tx, subs)]);
    return changed.map(() => undefined);
  }),
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
  addNotice: together(async (added: readonly WechatNotice[]): Promise<void[]> => {
    await notices.save(tx, added);
    return added.map(() => undefined);
  }),
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
