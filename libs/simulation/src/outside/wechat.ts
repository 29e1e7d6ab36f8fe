import { NOTICE_RETRY_MS } from '@yunshi/protocols/wechat/notice';
import type { CombineCloseRequest, CombineNativeRequest } from '@yunshi/protocols/wechat/combine';
import type { RefundRequest } from '@yunshi/protocols/wechat/refund';
import type { Callback } from '@yunshi/payment-gateway/wechat/callback';
import type { Exchange, WechatClient } from '@yunshi/payment-gateway/wechat/client';
import { orderSeen, refundNoticeSeen } from '@yunshi/payment-gateway/wechat/wechat-pay';
import { closeOrder, orderView, paid, payable, placeOrder, type Order } from '@yunshi/sandbox/wechat/order';
import { acceptedView, applyRefund, refundNotice, refundView, type Payment } from '@yunshi/sandbox/wechat/refund';
import { refusals, type Refusal } from '@yunshi/sandbox/wechat/refusal';
import type { WechatRefund, WechatSubOrder } from '@yunshi/sandbox/wechat/tables';
import { never } from '../ports/never.ts';
import type { Process } from '../process.ts';
import type { World } from '../world.ts';
import { Sharing } from './sharing.ts';

/** Who the marketplace is to WeChat Pay. */
export const us = { mchid: '1900000100', appid: 'wx0000000000000001', notifyBaseUrl: 'https://yunshi.test' };

/** The client gives up after this long. */
const heardMsMax = 8_000;
const slowMsMax = 45_000;

type Ask = Parameters<WechatClient['exchange']>[0];
/** Hands a callback to the marketplace; answers whether it was accepted. */
export type TakeCallback = (callback: Callback) => Promise<boolean>;

/**
 * WeChat Pay: the decisions of the sandbox, on books of its own, at the other end of a bad line. What it knows is the truth about the
 * money, and nobody can ask it but by its API.
 */
export class Wechat {
  readonly orders = new Map<string, Order>();
  readonly refunds = new Map<string, WechatRefund>();
  readonly sharing: Sharing;
  readonly #world: World;
  readonly #take: TakeCallback;
  /** Codes that a payer has seen: nobody pays a code that was never shown. */
  readonly #shown = new Set<string>();
  #count = 0;

  constructor(world: World, take: TakeCallback) {
    this.#world = world;
    this.#take = take;
    this.sharing = new Sharing(world, {
      paymentOf: (transactionId) => this.#paymentWith((sub) => sub.transactionId === transactionId),
      save: (sub) => this.#saveSub(sub),
      number: (prefix) => this.#number(prefix),
    });
  }

  /** The way from one process to WeChat Pay and back. */
  clientFor(process: Process): WechatClient {
    return { exchange: (ask) => this.#exchange(process, ask), close: () => Promise.resolve() };
  }

  #exchange(process: Process, ask: Ask): Promise<Exchange> {
    const { world } = process;
    const { dice, loop } = world;
    const what = `${ask.method} ${ask.target.split('?')[0]!.split('/').slice(2, 4).join('/')}`;
    if (process.dies('outside call, before')) return never;
    return new Promise((resolve) => {
      let isAnswered = false;
      const answer = (exchange: Exchange): void => {
        if (isAnswered || process.dies('outside call, after')) return;
        isAnswered = true;
        world.tell(() => `${process.name} hears of ${what}: ${JSON.stringify(exchange).slice(0, 160)}`);
        resolve(exchange);
      };
      const giveUp = loop.after(heardMsMax, () => answer({ kind: 'unknown', why: 'no answer' }));
      if (dice.chance(world.mix.outsideLost)) return world.strike('outside call lost', () => what);
      const slow = dice.chance(world.mix.outsideSlow) ? dice.spread(1_000, slowMsMax) : world.latency();
      loop.after(slow, () => {
        const { mix } = world;
        if (dice.chance(mix.outsideRefuses)) {
          giveUp();
          return answer({ kind: 'unknown', why: '500 SYSTEM_ERROR' });
        }
        const exchange = this.#serve(ask);
        if (dice.chance(mix.outsideUnheard)) return world.strike('outside call carried out, answer lost', () => what);
        loop.after(world.latency(), () => {
          giveUp();
          answer(exchange);
        });
      });
    });
  }

  #serve({ method, target, body }: Ask): Exchange {
    const [, , area, , number = '', last] = target.split('?')[0]!.split('/');
    if (area === 'combine-transactions') {
      if (method === 'GET') return this.#query(decodeURIComponent(number));
      return last === 'close'
        ? this.#close(decodeURIComponent(number), body as CombineCloseRequest)
        : this.#place(body as CombineNativeRequest);
    }
    if (target.startsWith('/v3/ecommerce/profitsharing/')) return this.sharing.serve(number, body ?? {});
    return method === 'GET' ? this.#queryRefund(decodeURIComponent(last ?? '')) : this.#refund(body as RefundRequest);
  }

  #place(ask: CombineNativeRequest): Exchange {
    const code = this.#number('code');
    const making = { asked: JSON.stringify(ask), code, now: this.#world.now(), traceparent: undefined };
    const placed = placeOrder(this.orders.get(ask.combine_out_trade_no), ask, making);
    if (!placed.ok) return refused(placed.error);
    this.orders.set(placed.value.number, placed.value);
    return { kind: 'done', body: { code_url: code } };
  }

  #query(number: string): Exchange {
    const order = this.orders.get(number);
    return order ? { kind: 'done', body: this.#view(order) } : refused(refusals.orderMissing);
  }

  #close(number: string, ask: CombineCloseRequest): Exchange {
    const { dice, mix } = this.#world;
    const order = this.orders.get(number);
    if (order?.state === 'NOTPAY' && this.#shown.has(order.code) && dice.chance(mix.paidBeforeClose)) {
      this.#world.strike('paid in the moment of closing', () => number);
      this.#pay(order);
    }
    const closed = closeOrder(this.orders.get(number), ask, this.#world.now());
    if (!closed.ok) return refused(closed.error);
    this.orders.set(number, closed.value);
    if (order?.state === 'NOTPAY' && this.#shown.has(order.code) && dice.chance(mix.paidAfterClose)) this.#payAfterAll(order);
    return { kind: 'done', body: undefined };
  }

  /** The bank takes its time: the channel finds out that there was money in an order that it has just said is closed. */
  #payAfterAll(order: Order): void {
    this.#world.strike('paid after the close', () => order.number);
    this.#world.appoint(this.#world.dice.spread(10, 86_400_000), () => this.#pay(order, 'tells'));
  }

  /** A payer has the code on the screen. */
  show(code: string): void {
    this.#shown.add(code);
  }

  /** The payer scans the code and pays. Answers whether the money is gone. */
  scan(code: string): boolean {
    const order = [...this.orders.values()].find((one) => one.code === code);
    const open = payable(order, this.#world.now());
    if (!open.ok) {
      this.#world.tell(() => `the payer cannot pay ${code}: ${open.error}`);
      return false;
    }
    this.#pay(open.value);
    return true;
  }

  #pay(order: Order, telling: 'tells' | 'may tell' = 'may tell'): void {
    const done = paid(order, this.#world.now(), { openid: 'openid', transactionId: () => this.#number('42000') });
    this.orders.set(order.number, done);
    this.#world.tell(() => `the payer has paid ${order.number}`);
    const view = this.#view(done);
    if (telling === 'may tell' && this.#world.dice.chance(this.#world.mix.callbackNever))
      return this.#world.strike('callback that never comes');
    this.#notify({ id: this.#number('EV-'), kind: 'order', order: orderSeen(view), attach: view.sub_orders[0]?.attach });
  }

  #refund(ask: RefundRequest): Exchange {
    const { dice, mix } = this.#world;
    const payment = this.#paymentOf(ask.out_trade_no ?? '');
    const known = this.refunds.get(ask.out_refund_no);
    if (!known && dice.chance(mix.refundUnfunded)) {
      this.#world.strike('refund refused for lack of funds');
      return refused(refusals.noBalance);
    }
    const endsAs = dice.chance(mix.refundAbnormal) ? 'ABNORMAL' : dice.chance(mix.refundClosed) ? 'CLOSED' : 'SUCCESS';
    const now = this.#world.now();
    const takesMs = dice.spread(500, 3 * 86_400_000);
    const making = {
      asked: JSON.stringify(ask),
      refundId: this.#number('50300'),
      now,
      settlesAt: new Date(now.getTime() + takesMs),
      endsAs,
      traceparent: undefined,
    } as const;
    const applied = applyRefund(known, payment, ask, making);
    if (!applied.ok) return refused(applied.error);
    if (!known) {
      this.refunds.set(applied.value.outRefundNo, applied.value);
      const isTold = !dice.chance(mix.callbackNever);
      this.#world.appoint(takesMs, () => this.#settle(applied.value.outRefundNo, endsAs, isTold));
    }
    return { kind: 'done', body: acceptedView(applied.value) };
  }

  #settle(refundNo: string, as: WechatRefund['endsAs'], isTold: boolean): void {
    const refund = this.refunds.get(refundNo);
    if (refund?.status !== 'PROCESSING' && refund?.status !== 'ABNORMAL') return;
    const ended = { ...refund, status: as, endedAt: this.#world.now() };
    this.refunds.set(refundNo, ended);
    this.#world.reach(`refund ended ${as}`);
    if (!isTold) return this.#world.strike('callback that never comes');
    const sub = this.#paymentOf(refund.outTradeNo)!.sub;
    const notice = refundNotice(ended, sub, us.mchid);
    this.#notify({ id: this.#number('EV-'), kind: 'refund', refund: refundNoticeSeen(notice), mchid: us.mchid, subNumber: sub.outTradeNo });
  }

  /** The merchant's operator finds another way for money whose card is dead. */
  settleAbnormal(): void {
    for (const [refundNo, { status }] of this.refunds) if (status === 'ABNORMAL') this.#settle(refundNo, 'SUCCESS', false);
  }

  #queryRefund(refundNo: string): Exchange {
    const refund = this.refunds.get(refundNo);
    const payment = refund && this.#paymentOf(refund.outTradeNo);
    return refund && payment ? { kind: 'done', body: refundView(refund, payment.sub) } : refused(refusals.refundMissing);
  }

  #view(order: Order) {
    const refunded = new Set([...this.refunds.values()].filter(({ status }) => status !== 'CLOSED').map(({ outTradeNo }) => outTradeNo));
    return orderView(order, us, refunded);
  }

  #paymentOf = (outTradeNo: string): Payment | undefined => this.#paymentWith((sub) => sub.outTradeNo === outTradeNo);

  #paymentWith(isIt: (sub: WechatSubOrder) => boolean): Payment | undefined {
    for (const order of this.orders.values()) {
      const sub = order.subOrders.find(isIt);
      if (sub) return { order, sub, refunds: [...this.refunds.values()].filter((refund) => refund.outTradeNo === sub.outTradeNo) };
    }
    return undefined;
  }

  #saveSub(changed: WechatSubOrder): void {
    const { order } = this.#paymentOf(changed.outTradeNo)!;
    const subOrders = order.subOrders.map((sub) => (sub.outTradeNo === changed.outTradeNo ? changed : sub));
    this.orders.set(order.number, { ...order, subOrders });
  }

  /** Calls back until it is accepted, by the schedule; perhaps once more than that. */
  #notify(callback: Callback): void {
    const { dice, mix } = this.#world;
    if (dice.chance(mix.callbackTwice)) {
      this.#world.strike('callback twice');
      this.#world.appoint(dice.spread(1, 3_600_000), () => void this.#call(callback));
    }
    const attempt = async (nth: number): Promise<void> => {
      if (await this.#call(callback)) return;
      const waitMs = NOTICE_RETRY_MS[nth];
      if (waitMs !== undefined) this.#world.appoint(waitMs, () => void attempt(nth + 1));
    };
    this.#world.appoint(dice.spread(1, 2_000), () => void attempt(0));
  }

  #call(callback: Callback): Promise<boolean> {
    if (this.#world.dice.chance(this.#world.mix.callbackLost)) {
      this.#world.strike('callback lost');
      return Promise.resolve(false);
    }
    return this.#take(callback);
  }

  #number(prefix: string): string {
    return `${prefix}${String(++this.#count).padStart(8, '0')}`;
  }
}

const refused = ({ status, body: { code, message } }: Refusal): Exchange => ({ kind: 'refused', status, code, message });
