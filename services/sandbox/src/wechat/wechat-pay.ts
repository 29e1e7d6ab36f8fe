/** WeChat Pay as a whole: orders, the payer's side, refunds, and the callbacks that follow from them. */
import { randomBytes } from 'node:crypto';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { CombineCloseRequest, CombineNativeRequest, CombineOrder } from '@yunshi/protocols/wechat/combine';
import type { AbnormalRefundRequest, Refund, RefundAccepted, RefundRequest } from '@yunshi/protocols/wechat/refund';
import type { Page } from './book.ts';
import { digits, newNotice, type Deps, type Trace } from './deps.ts';
import { flow, fundSettling, sharingSide, withdrawalSide } from './funds.ts';
import { closeOrder, isProbed, orderView, paid, payable, placeOrder, type Order, type Unpayable } from './order.ts';
import { acceptedView, applyAbnormal, applyRefund, refundNotice, refundView } from './refund.ts';
import { refusals, type Refusal } from './refusal.ts';
import type { WechatNotice, WechatRefund, WechatSubOrder } from './tables.ts';

/** What the payer does with the code, and what becomes of the callback. */
export type Scan = { readonly outcome: 'pays' | 'fails'; readonly callback: 'at-once' | 'late' | 'lost' | 'never' };

const LATE_MS = 60_000;
/** One more than the schedule has repetitions. */
const ALL_DELIVERIES = 16;

export type WechatPay = ReturnType<typeof wechatPay>;

/** What a merchant asks, what a payer does, and what becomes of refunds. */
export const wechatPay = (deps: Deps) => ({
  ...merchantSide(deps),
  ...payerSide(deps),
  ...unseenSide(deps),
  ...refundSide(deps),
  ...sharingSide(deps),
  ...withdrawalSide(deps),
  ...fundSettling(deps),
});

const namesOf = ({ merchant }: Deps) => ({ mchid: merchant.mchid, appid: merchant.appid });

const merchantSide = (deps: Deps) => {
  const { book, switches, clock, wake } = deps;
  return {
    place: async (ask: CombineNativeRequest, { traceparent }: Trace): Promise<Result<{ code_url: string }, Refusal>> => {
      const number = ask.combine_out_trade_no;
      return book.changeOrder(number, async (page) => {
        const outTradeNos = ask.sub_orders.map((sub) => sub.out_trade_no);
        if (await page.numbersTaken({ number, outTradeNos })) return no(refusals.numberUsed);
        const making = { asked: JSON.stringify(ask), code: letters(9), now: clock.now(), traceparent };
        const placed = placeOrder(await page.order(number), ask, making);
        if (!placed.ok) return placed;
        await page.saveOrder(placed.value);
        return ok({ code_url: codeUrl(placed.value) });
      });
    },

    query: async (number: string): Promise<Result<CombineOrder, Refusal>> => {
      const order = await book.read.order(number);
      if (!order) return no(refusals.orderMissing);
      const refunds = await book.read.refundsOf(order.subOrders.map((sub) => sub.outTradeNo));
      const refunded = new Set(refunds.filter((refund) => refund.status !== 'CLOSED').map((refund) => refund.outTradeNo));
      return ok(orderView(order, namesOf(deps), refunded));
    },

    close: async (number: string, ask: CombineCloseRequest): Promise<Result<undefined, Refusal>> => {
      const closed = await book.change(number, async (page) => {
        const order = await page.order(number);
        const overtaken = order?.state === 'NOTPAY' && switches.take('paid-before-close');
        const found = overtaken ? await payOrder(page, order, fateOfCallback(deps, 'at-once'), deps) : order;
        const decided = closeOrder(found, ask, clock.now());
        if (decided.ok) await page.saveOrder(decided.value);
        return decided.ok ? ok(undefined) : decided;
      });
      wake();
      return closed;
    },
  };
};

const payerSide = (deps: Deps) => {
  const { book, switches, clock, wake } = deps;
  return {
    /** What the payer sees before paying. */
    look: async (code: string): Promise<Order | undefined> => {
      const number = await book.read.numberOfCode(code);
      return number === undefined ? undefined : book.read.order(number);
    },

    scan: async (code: string, scan: Scan): Promise<Result<Order, Unpayable | 'payment-failed'>> => {
      const number = await book.read.numberOfCode(code);
      if (number === undefined) return no('code-unknown');
      const outcome = await book.changeOrder(number, async (page) => {
        const found = await page.order(number);
        const open = payable(found?.code === code ? found : undefined, clock.now());
        if (!open.ok) return open;
        if (scan.outcome === 'fails' || switches.take('payment-fails')) {
          await page.saveOrder({ ...open.value, state: 'PAYERROR' });
          return no('payment-failed');
        }
        return ok(await payOrder(page, open.value, fateOfCallback(deps, scan.callback), deps));
      });
      wake();
      return outcome;
    },
  };
};

/** Money that came although nobody could know: the order was closed, or its callbacks are never sent. */
const unseenSide = (deps: Deps) => ({
  payUnseen: async (number: string): Promise<Result<Order, Unpayable>> =>
    deps.book.change(number, async (page) => {
      const order = await page.order(number);
      if (!order) return no('code-unknown');
      if (order.state === 'SUCCESS') return no('order-paid');
      return ok(await payOrder(page, order, 'never', deps));
    }),
});

const refundSide = (deps: Deps) => {
  const { book, switches, clock, wake, settlesMs } = deps;
  return {
    refund: async (ask: RefundRequest, { traceparent }: Trace): Promise<Result<RefundAccepted, Refusal>> => {
      const by = { outTradeNo: ask.out_trade_no, transactionId: ask.transaction_id };
      const number = await book.read.numberOfPayment(by);
      if (number === undefined) return no(refusals.transactionMissing);
      if (switches.take('refund-unfunded')) return no(refusals.noBalance);
      const endsAs = switches.take('refund-abnormal') ? 'ABNORMAL' : switches.take('refund-closed') ? 'CLOSED' : 'SUCCESS';
      const accepted = await book.change(number, async (page) => {
        const now = clock.now();
        const settlesAt = new Date(now.getTime() + settlesMs);
        const making = { asked: JSON.stringify(ask), refundId: `50300${digits(23)}`, now, settlesAt, endsAs, traceparent } as const;
        const [known, payment] = [await page.refund(ask.out_refund_no), await page.payment(number, by)];
        const decided = applyRefund(known, payment, ask, making);
        if (!decided.ok || known || !payment) return decided.ok ? ok(acceptedView(decided.value)) : decided;
        const taken = await takeFor(decided.value, payment.sub, page);
        if (!taken) return no(refusals.noBalance);
        await page.saveRefund(decided.value);
        return ok(acceptedView(decided.value));
      });
      wake();
      return accepted;
    },

    /** @param opens whether a sealed field can be opened with the key that the request names */
    applyAbnormal: async (
      refundId: string,
      ask: AbnormalRefundRequest,
      opens: (sealed: string) => boolean,
    ): Promise<Result<Refund, Refusal>> => {
      const known = await book.read.refundById(refundId);
      const number = known && (await book.read.numberOfPayment(known));
      if (!known || number === undefined) return no(refusals.refundMissing);
      const settlesAt = new Date(clock.now().getTime() + settlesMs);
      const applied = await book.change(number, async (page) => {
        const payment = await page.payment(number, known);
        const endsAs = switches.take('refund-abnormal') ? 'ABNORMAL' : 'SUCCESS';
        const decided = applyAbnormal(await page.refund(known.outRefundNo), payment, ask, { settlesAt, endsAs, opens });
        if (decided.ok) await page.saveRefund(decided.value);
        return decided.ok && payment ? ok(refundView(decided.value, payment.sub)) : (decided as Result<never, Refusal>);
      });
      wake();
      return applied;
    },

    queryRefund: async (by: { outRefundNo: string } | { refundId: string }, subMchid: string): Promise<Result<Refund, Refusal>> => {
      const refund = 'outRefundNo' in by ? await book.read.refund(by.outRefundNo) : await book.read.refundById(by.refundId);
      const number = refund && (await book.read.numberOfPayment(refund));
      const payment = refund && number !== undefined ? await book.read.payment(number, refund) : undefined;
      if (!refund || !payment || payment.sub.subMchid !== subMchid) return no(refusals.refundMissing);
      return ok(refundView(refund, payment.sub));
    },

    /** Ends a refund whose time has come, once, and tells the merchant. */
    settle: async (due: WechatRefund): Promise<void> => {
      const number = await book.read.numberOfPayment(due);
      if (number === undefined) return;
      await book.change(number, async (page) => {
        const refund = await page.refund(due.outRefundNo);
        const payment = await page.payment(number, due);
        if (refund?.status !== 'PROCESSING' || !payment) return;
        const ended = { ...refund, status: refund.endsAs, endedAt: clock.now() };
        await page.saveRefund(ended);
        if (ended.status === 'CLOSED') await page.addFlows([flowOfRefund('退款关闭', ended, payment.sub, ended.amount, clock.now())]);
        if (ended.notifyUrl !== null) await page.addNotice(noticeOfRefund(ended, ended.notifyUrl, payment.sub, deps));
      });
    },
  };
};

/** A refund takes from what is frozen of the order first, then from what the sub merchant can dispose of. */
async function takeFor(refund: WechatRefund, sub: WechatSubOrder, page: Page): Promise<boolean> {
  await page.lockAccount(sub.subMchid);
  const fromFrozen = Math.min(sub.frozen, refund.amount);
  const { total, frozen } = await page.holding(sub.subMchid);
  if (refund.amount - fromFrozen > total - frozen) return false;
  await page.saveSubOrder({ ...sub, frozen: sub.frozen - fromFrozen });
  await page.addFlows([flowOfRefund('退款', refund, sub, -refund.amount, refund.createdAt)]);
  return true;
}

const flowOfRefund = (business: '退款' | '退款关闭', refund: WechatRefund, sub: WechatSubOrder, amount: number, at: Date) =>
  flow(business, { account: sub.subMchid, amount, at, businessNo: refund.refundId, proof: refund.outRefundNo });

async function payOrder(page: Page, order: Order, callback: Scan['callback'], deps: Deps): Promise<Order> {
  const done = paid(order, deps.clock.now(), { openid: `o${letters(27)}`, transactionId: () => `42000${digits(23)}` });
  await page.saveOrder(done);
  await page.addFlows(
    done.subOrders.map(({ subMchid: account, amount, transactionId, outTradeNo: proof }) =>
      flow('交易', { account, amount, at: done.paidAt ?? done.createdAt, businessNo: transactionId ?? '', proof }),
    ),
  );
  await page.addNotice(noticeOfPayment(done, callback, deps));
  return done;
}

/** A mishap that was armed comes before what the payer chose. */
function fateOfCallback({ switches }: Deps, chosen: Scan['callback']): Scan['callback'] {
  const fates = [
    ['callback-never', 'never'],
    ['callback-lost', 'lost'],
    ['callback-late', 'late'],
  ] as const;
  for (const [mishap, fate] of fates) if (switches.take(mishap)) return fate;
  return chosen;
}

function noticeOfPayment(order: Order, callback: Scan['callback'], deps: Deps): WechatNotice {
  const losses = callback === 'lost' ? 1 : callback === 'never' ? ALL_DELIVERIES : 0;
  return {
    ...newNotice(
      deps,
      { about: order.number, url: order.notifyUrl, traceparent: order.traceparent },
      orderView(order, namesOf(deps), new Set()),
    ),
    eventType: 'TRANSACTION.SUCCESS',
    originalType: 'transaction',
    summary: '支付成功',
    nextAt: new Date(deps.clock.now().getTime() + (callback === 'late' ? LATE_MS : 0)),
    losses,
    probe: isProbed(order.number),
  };
}

const refundEvents = {
  SUCCESS: { eventType: 'REFUND.SUCCESS', summary: '退款成功' },
  ABNORMAL: { eventType: 'REFUND.ABNORMAL', summary: '退款异常' },
  CLOSED: { eventType: 'REFUND.CLOSED', summary: '退款关闭' },
} as const;

function noticeOfRefund(refund: WechatRefund, url: string, sub: WechatSubOrder, deps: Deps): WechatNotice {
  const content = refundNotice(refund, sub, deps.merchant.mchid);
  const envelope = newNotice(deps, { about: refund.outRefundNo, url, traceparent: refund.traceparent }, content);
  return { ...envelope, ...refundEvents[refund.endsAs], originalType: 'refund' };
}

const CODE_PREFIX = 'weixin://wxpay/bizpayurl?pr=';
export const codeUrl = (order: Pick<Order, 'code'>): string => `${CODE_PREFIX}${order.code}`;
export const codeOf = (url: string): string | undefined => (url.startsWith(CODE_PREFIX) ? url.slice(CODE_PREFIX.length) : undefined);

const ALPHABET = '0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz';
const letters = (count: number): string => [...randomBytes(count)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
