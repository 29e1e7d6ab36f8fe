/** A payment as the tests begin with it. */
import type { AccountId, AttemptId, OrderId, PaymentId, ProviderId } from '@yunshi/kernel/ids';
import { collect, type Bill } from './payment.ts';
import { orderNumber, subOrderNumber } from './numbers.ts';
import type { Asker, Change, Effect, Payment } from './state.ts';
import type { Seen } from './attempts.ts';

export const noon = new Date('2026-03-01T04:00:00Z');
export const minutes = (count: number, from = noon): Date => new Date(from.getTime() + count * 60_000);
export const asker = (step: string, direction: 'do' | 'undo' = 'do'): Asker => ({
  sagaId: '01930e6c-7b1a-7c3e-9f0a-1b2c3d4e5f60',
  step,
  direction,
  replyTo: 'order',
});
export const paymentId = 'pay_01930e6c7b1a7c3e9f0a1b2c3d4e5f60' as PaymentId;
export const attemptId = (nth: number): AttemptId => `pat_01930e6c7b1a7c3e9f0a${String(nth).padStart(12, '0')}` as AttemptId;

export const bill: Bill = {
  orderId: 'ord_01930e6c7b1a7c3e9f0a1b2c3d4e5f60' as OrderId,
  accountId: 'acc_01930e6c7b1a7c3e9f0a1b2c3d4e5f60' as AccountId,
  providerId: 'prv_01930e6c7b1a7c3e9f0a1b2c3d4e5f60' as ProviderId,
  amount: 19_900,
  description: '云市 标准版 1 年',
  deliveryType: 'saas',
  payBy: minutes(24 * 60),
  payees: { wechat_native: '1900000109' },
};

export function opened(): Payment {
  const change = collect(undefined, bill, { now: noon, from: asker('collect payment'), paymentId });
  if (!change.ok) throw new Error(change.error);
  return change.value.payment;
}

/** What the channel says of an attempt of the bill. */
export const order = (nth: number, state: Seen['state'], change: Partial<Seen> = {}): Seen => ({
  number: orderNumber(attemptId(nth)),
  subNumber: subOrderNumber(attemptId(nth)),
  subMchid: '1900000109',
  subOrders: 1,
  state,
  amount: bill.amount,
  currency: 'CNY',
  ...(state === 'paid' ? { transactionId: '4200001', paidAt: minutes(5).toISOString() } : {}),
  ...change,
});

export const done = ({ effects }: Change): Effect['do'][] => effects.map((effect) => effect.do);
