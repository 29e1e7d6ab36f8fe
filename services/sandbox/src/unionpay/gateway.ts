/** UnionPay's gateway as a whole: what merchants ask, what buyers choose, what the banks have said, and the notices that follow. */
import { randomBytes, randomInt } from 'node:crypto';
import { isBank } from '@yunshi/kernel/banks';
import type { Clock } from '@yunshi/kernel/clock';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { writeClearingFile, type RowToWrite } from '@yunshi/protocols/unionpay/clearing-file';
import { signedText, type Fields } from '@yunshi/protocols/unionpay/message';
import { readShortTime, wireTime } from '@yunshi/protocols/unionpay/time';
import { FileRequest, PayRequest, QueryRequest, RefundRequest } from '@yunshi/protocols/unionpay/trade';
import type { BankChannel } from '../bank/channel.ts';
import type { BankPayment } from '../bank/tables.ts';
import type { Book, Page } from './book.ts';
import { said, type Said } from './codes.ts';
import { keyOf, noticeView, place, queryView, refund, settled, settleDayOf } from './order.ts';
import type { UnionpayNotice, UnionpayOrder, UnionpayRefund } from './tables.ts';

type Deps = {
  readonly book: Book;
  readonly bank: BankChannel;
  readonly bankPayment: (number: string) => Promise<BankPayment | undefined>;
  readonly clock: Clock;
  readonly refundTakesMs: number;
  readonly refundFails: () => boolean;
  readonly losses: () => number;
};
export type UnionpayGateway = ReturnType<typeof unionpayGateway>;
export type Handed = { readonly fields: Fields; readonly traceparent: string | undefined };

export const unionpayGateway = (deps: Deps) => ({ ...orders(deps), ...refunds(deps), ...files(deps), sweep: () => sweep(deps) });

const digits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('');
/** 21 digits: the time, and a number. */
const newQueryId = (now: Date): string => `${wireTime(now)}${digits(7)}`;

const orders = (deps: Deps) => {
  const { book, bank, clock } = deps;
  return {
    /** @returns the page where the buyer chooses a bank */
    handOver: async ({ fields, traceparent }: Handed): Promise<Result<UnionpayOrder, Said>> => {
      const ask = PayRequest.safeParse(fields);
      if (!ask.success) return no(said.format);
      return book.change(keyOf(ask.data), async (page) => {
        const now = clock.now();
        const making = { token: randomBytes(12).toString('hex'), queryId: newQueryId(now), traceNo: digits(6), now, traceparent };
        // Whatever certificate signs it, it is the same order.
        const { certId: _, ...asked } = fields;
        const placed = place(await page.order(keyOf(ask.data)), ask.data, signedText(asked), making);
        if (placed.ok) await page.saveOrder(placed.value);
        return placed;
      });
    },
    orderOf: (token: string) => book.read.orderBy({ token }),
    bankPaymentOf: (order: UnionpayOrder) => atBank(order, deps),
    /** The buyer's bank collects it. Chosen once. */
    choose: async (token: string, bankCode: string, base: string): Promise<BankPayment | undefined> => {
      const found = await book.read.orderBy({ token });
      if (!found || found.state !== 'open' || !isBank(bankCode)) return undefined;
      const payment = await bank.openForUnionpay({
        outPaymentId: `UP${found.queryId}`,
        amount: found.amount,
        entId: found.merId,
        entName: '银联商户',
        memo: `银联订单 ${found.orderId}`,
        bank: bankCode,
        returnUrl: `${base}/gateway/cashier/${token}/return`,
        expiresAt: found.payUntil,
        traceparent: found.traceparent,
      });
      await book.change(found.orderKey, async (page) => {
        const order = await page.order(found.orderKey);
        if (order && order.bankPaymentNo === null) await page.saveOrder({ ...order, bankPaymentNo: payment.outPaymentId });
      });
      return payment;
    },
    query: async (fields: Fields): Promise<Result<Fields, Said>> => {
      const ask = QueryRequest.safeParse(fields);
      if (!ask.success) return no(said.format);
      const key = keyOf(ask.data);
      const known = (await book.read.order(key)) ?? (await book.read.refund(key));
      if (known?.txnTime !== ask.data.txnTime) return no(said.missing);
      return ok(queryView('paidAt' in known ? settled(known, await atBank(known, deps), clock.now()) : known));
    },
  };
};

const atBank = async ({ bankPaymentNo }: UnionpayOrder, { bankPayment }: Deps): Promise<BankPayment | undefined> =>
  bankPaymentNo === null ? undefined : bankPayment(bankPaymentNo);

const refunds = ({ book, clock, refundTakesMs: takesMs }: Deps) => ({
  refund: async (fields: Fields): Promise<Result<Fields, Said>> => {
    const ask = RefundRequest.safeParse(fields);
    if (!ask.success) return no(said.format);
    const found = await book.read.orderBy({ queryId: ask.data.origQryId });
    return book.change(found?.orderKey ?? keyOf(ask.data), async (page) => {
      const now = clock.now();
      const [known, payment] = [await page.refund(keyOf(ask.data)), found && (await page.order(found.orderKey))];
      const others = found ? await page.refundsOf(found.orderKey) : [];
      const made = refund(known, ask.data, { payment, others }, { queryId: newQueryId(now), traceNo: digits(6), now, takesMs });
      if (!made.ok) return made;
      await page.saveRefund(made.value);
      return ok({ queryId: made.value.queryId, traceNo: made.value.traceNo, origQryId: made.value.origQueryId });
    });
  },
});

const files = ({ book, clock }: Deps) => ({
  file: async (fields: Fields): Promise<Result<Fields, Said>> => {
    const ask = FileRequest.safeParse(fields);
    if (!ask.success) return no(said.format);
    const { merId, settleDate } = ask.data;
    const day = dayOf(settleDate, clock.now());
    // Files are made until ten the next morning.
    const ready = day && new Date(`${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00+08:00`).getTime() + 34 * 3_600_000;
    if (day === undefined || ready === undefined || clock.now().getTime() < Number(ready)) return no(said.noFile);
    const { paid, back } = await book.cleared(merId, day);
    if (paid.length + back.length === 0) return no(said.noFile);
    const name = `INN${day.slice(2)}88ZM_${merId}`;
    const fileContent = writeClearingFile(name, [...paid.map(paidRow), ...back.map(refundRow)]);
    return ok({ settleDate, fileName: `${merId}_${day}.zip`, fileContent });
  },
});

/** Clearing days are named without their year: the last one that has begun. */
function dayOf(settleDate: string, now: Date): string | undefined {
  const yearAgo = new Date(now.getTime() - 364 * 86_400_000);
  const at = readShortTime(`${settleDate}000000`, yearAgo);
  return at && at <= now ? settleDayOf(at) : undefined;
}

// The played merchants pay no fee.
const paidRow = ({ queryId, orderId, merId, amount, traceNo, paidAt }: UnionpayOrder): RowToWrite => ({
  kind: 'payment',
  queryId,
  orderId,
  merId,
  amount,
  traceNo,
  fee: 0,
  origQueryId: '',
  time: wireTime(paidAt!).slice(4),
});
const refundRow = ({ queryId, orderId, merId, amount, traceNo, endedAt, origQueryId }: UnionpayRefund): RowToWrite => ({
  kind: 'refund',
  queryId,
  orderId,
  merId,
  amount,
  traceNo,
  fee: 0,
  origQueryId,
  time: wireTime(endedAt!).slice(4),
});

/** What the banks have said, and what time alone does. */
async function sweep(deps: Deps): Promise<void> {
  const { book, clock, refundFails } = deps;
  const due = await book.due(clock.now());
  for (const key of due.orders)
    await book.change(key, async (page) => {
      const order = await page.order(key);
      const after = order && settled(order, await atBank(order, deps), clock.now());
      if (!after || after.state === order.state) return;
      await page.saveOrder(after);
      // Only successes are told.
      if (after.state === 'paid') await tell(deps, page, after, after.traceparent);
    });
  for (const { orderKey, paymentKey } of due.refunds)
    await book.change(paymentKey, async (page) => {
      const found = await page.refund(orderKey);
      if (found?.state !== 'accepted') return;
      const now = clock.now();
      const ended: UnionpayRefund = refundFails()
        ? { ...found, state: 'failed', endedAt: now }
        : { ...found, state: 'succeeded', endedAt: now, settleDay: settleDayOf(now) };
      await page.saveRefund(ended);
      if (ended.state === 'succeeded') await tell(deps, page, ended, null);
    });
}

const tell = ({ losses, clock }: Deps, page: Page, about: UnionpayOrder | UnionpayRefund, traceparent: string | null): Promise<void> => {
  const onItsWay = { attempts: 0, nextAt: clock.now(), leaseUntil: null, losses: losses(), lastAnswer: null, traceparent };
  const notice: UnionpayNotice = {
    noticeId: `N${about.queryId}`,
    about: about.orderKey,
    url: about.backUrl,
    fields: noticeView(about),
    ...onItsWay,
  };
  return page.addNotice(notice);
};
