/** A payment as the tests begin with it. */
import type { AccountId, AttemptId, OrderId, PaymentId, ProviderId } from '@yunshi/kernel/ids';
import { collect, type Bill } from './payment.ts';
import type { OrderSeen } from './channel.ts';
import { orderNumber } from './numbers.ts';
import type { Asker, Change, Effect, Payment } from './state.ts';

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
  serverAmount: 0,
  description: '云市 标准版 1 年',
  deliveryType: 'saas',
  payBy: minutes(24 * 60),
  payees: { wechat_native: '1900000109', corporate_bank: '1900000109', unionpay_b2b: '1900000109' },
};

export function opened(): Payment {
  const change = collect(undefined, bill, { now: noon, from: asker('collect payment'), paymentId });
  if (!change.ok) throw new Error(change.error);
  return change.value.payment;
}

/** What the channel says of an attempt of the bill. */
export const order = (nth: number, state: OrderSeen['state'], change: Partial<OrderSeen> = {}): OrderSeen => ({
  number: orderNumber(attemptId(nth)),
  payee: '1900000109',
  state,
  amount: bill.amount,
  currency: 'CNY',
  ...(state === 'paid' ? { transactionId: '4200001', paidAt: minutes(5).toISOString() } : {}),
  ...change,
});

export const done = ({ effects }: Change): Effect['do'][] => effects.map((effect) => effect.do);

/** What the other side may say to anything. */
export const unknown = { kind: 'unknown', why: 'no answer' } as const;
export const refused = (code: string) => ({ kind: 'refused', code, message: '' }) as const;
export const shownCode = { kind: 'placed', means: { kind: 'code', codeUrl: 'weixin://wxpay/bizpayurl?pr=1' } } as const;
export const shownPage = { kind: 'placed', means: { kind: 'page', url: 'https://bank.example.com/1' }, channelNo: '1' } as const;
