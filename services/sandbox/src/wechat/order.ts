/** What the payment service decides about orders: pure. */
import { createHash } from 'node:crypto';
import { chinaTime } from '@yunshi/kernel/calendar';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { CombineCloseRequest, CombineNativeRequest, CombineOrder } from '@yunshi/protocols/wechat/combine';
import { refusals, type Refusal } from './refusal.ts';
import type { WechatOrder, WechatSubOrder } from './tables.ts';

export type Order = WechatOrder & { readonly subOrders: readonly WechatSubOrder[] };

const CODE_LIFE_MS = 2 * 3_600_000;
const DEFAULT_LIFE_MS = 7 * 86_400_000;
const NOTICE_MS = 60_000;

/**
 * The same number with the same parameters is the same order with a fresh code; with others it is refused.
 * @param asked the request's parameters in one fixed spelling
 */
export function placeOrder(
  known: Order | undefined,
  ask: CombineNativeRequest,
  { asked, code, now, traceparent }: { asked: string; code: string; now: Date; traceparent: string | undefined },
): Result<Order, Refusal> {
  const codeUntil = new Date(now.getTime() + CODE_LIFE_MS);
  if (known) {
    if (known.asked !== asked) return no(refusals.otherParameters);
    if (known.state === 'SUCCESS') return no(refusals.orderPaid);
    if (known.state === 'CLOSED') return no(refusals.orderClosed);
    return ok({ ...known, code, codeUntil });
  }
  const expiresAt = ask.time_expire === undefined ? new Date(now.getTime() + DEFAULT_LIFE_MS) : new Date(ask.time_expire);
  if (expiresAt.getTime() < now.getTime() + NOTICE_MS) return no(refusals.expiresTooSoon);
  return ok({
    number: ask.combine_out_trade_no,
    asked,
    code,
    codeUntil,
    state: 'NOTPAY',
    notifyUrl: ask.notify_url,
    expiresAt,
    createdAt: now,
    paidAt: null,
    closedAt: null,
    openid: null,
    bankType: null,
    traceparent: traceparent ?? null,
    subOrders: ask.sub_orders.map((sub, position) => ({
      outTradeNo: sub.out_trade_no,
      orderNumber: ask.combine_out_trade_no,
      position,
      subMchid: sub.sub_mchid,
      amount: sub.amount.total_amount,
      description: sub.description,
      attach: sub.attach,
      transactionId: null,
      profitSharing: sub.settle_info?.profit_sharing ?? false,
      frozen: 0,
    })),
  });
}

export type Unpayable = 'code-unknown' | 'code-expired' | 'order-paid' | 'order-closed' | 'order-expired';

/** Whether a payer who scans this code now may pay. An order whose time is over stays open, but nobody can pay it. */
export function payable(order: Order | undefined, now: Date): Result<Order, Unpayable> {
  if (!order) return no('code-unknown');
  if (order.state === 'SUCCESS') return no('order-paid');
  if (order.state === 'CLOSED') return no('order-closed');
  if (order.expiresAt <= now) return no('order-expired');
  if (order.codeUntil <= now) return no('code-expired');
  return ok(order);
}

/** @param names makes the numbers that WeChat Pay gives: of the payer, and of each sub order's transaction */
export function paid(order: Order, now: Date, names: { openid: string; transactionId: () => string }): Order {
  return {
    ...order,
    state: 'SUCCESS',
    paidAt: now,
    openid: names.openid,
    bankType: 'OTHERS',
    subOrders: order.subOrders.map((sub) => ({
      ...sub,
      transactionId: names.transactionId(),
      frozen: sub.profitSharing ? sub.amount : 0,
    })),
  };
}

/** Closing twice is closing once. */
export function closeOrder(order: Order | undefined, ask: CombineCloseRequest, now: Date): Result<Order, Refusal> {
  if (!order) return no(refusals.orderMissing);
  const named = new Set(ask.sub_orders.map((sub) => `${sub.sub_mchid} ${sub.out_trade_no}`));
  if (named.size !== order.subOrders.length || order.subOrders.some((sub) => !named.has(`${sub.subMchid} ${sub.outTradeNo}`))) {
    return no(refusals.otherSubOrders);
  }
  if (order.state === 'SUCCESS') return no(refusals.orderPaid);
  return ok(order.state === 'CLOSED' ? order : { ...order, state: 'CLOSED', closedAt: now });
}

/** How a query answers, and what a payment callback has inside. */
export function orderView(order: Order, merchant: { mchid: string; appid: string }, refunded: ReadonlySet<string>): CombineOrder {
  return {
    combine_appid: merchant.appid,
    combine_mchid: merchant.mchid,
    combine_out_trade_no: order.number,
    sub_orders: order.subOrders.map((sub) => ({
      mchid: merchant.mchid,
      sub_mchid: sub.subMchid,
      out_trade_no: sub.outTradeNo,
      attach: sub.attach,
      trade_type: 'NATIVE',
      trade_state: refunded.has(sub.outTradeNo) ? 'REFUND' : order.state,
      ...(order.paidAt && sub.transactionId
        ? {
            bank_type: order.bankType ?? 'OTHERS',
            success_time: chinaTime(order.paidAt),
            transaction_id: sub.transactionId,
            amount: { total_amount: sub.amount, currency: 'CNY', payer_amount: sub.amount, payer_currency: 'CNY' },
          }
        : { amount: { total_amount: sub.amount, currency: 'CNY' } }),
    })),
    ...(order.openid ? { combine_payer_info: { openid: order.openid } } : {}),
  };
}

/** One order number in eight is tested with a wrong signature before its callback comes: always the same ones. */
export function isProbed(number: string): boolean {
  return (createHash('sha256').update(number).digest()[0] ?? 0) % 8 === 0;
}

/** While a merchant moves from certificates to the public key, half of the callbacks are signed by either. */
export function signedByCertificate(number: string): boolean {
  return (createHash('sha256').update(number).digest()[1] ?? 0) % 2 === 0;
}
