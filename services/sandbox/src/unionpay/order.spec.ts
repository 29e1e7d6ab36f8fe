import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { envelope, kinds, PayRequest, RefundRequest } from '@yunshi/protocols/unionpay/trade';
import { placeForUnionpay } from '../bank/payment.ts';
import type { BankPayment } from '../bank/tables.ts';
import { fateOf, place, queryView, refund, settled, settleDayOf } from './order.ts';
import type { UnionpayOrder, UnionpayRefund } from './tables.ts';

const noon = new Date('2026-03-01T04:00:00Z');
const hours = (count: number): Date => new Date(noon.getTime() + count * 3_600_000);
const ask = (change: object = {}): PayRequest =>
  PayRequest.parse({
    ...envelope,
    ...kinds.pay,
    merId: '777290058110101',
    orderId: 'C0123456789',
    txnTime: '20260301120000',
    txnAmt: '19900',
    currencyCode: '156',
    payTimeout: '20260303120000',
    frontUrl: 'http://127.0.0.1/back',
    backUrl: 'http://127.0.0.1/notify',
    ...change,
  });
const making = { token: 't', queryId: '202603011200001234567', traceNo: '000001', now: noon, traceparent: undefined };
const placed = (change: object = {}, now = noon) => place(undefined, ask(change), 'asked', { ...making, now });
function must<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}
const code = (result: { ok: boolean; error?: unknown }) => (result as { error?: { code: string } }).error?.code;
const open = (): UnionpayOrder => must(placed());

test('an order handed over again is the same; another one under its number is refused', () => {
  expect(place(open(), ask(), 'asked', { ...making, token: 'u' })).toEqual({ ok: true, value: open() });
  expect(code(place(open(), ask(), 'other', making))).toBe('12');
});

test.each([
  ['of a time that is none', { txnTime: '20260230120000' }, '10'],
  ['of a time that is still to come', { txnTime: '20260301130000' }, '10'],
  ['whose end is none', { payTimeout: '20260230120000' }, '10'],
  ['whose time is over', { payTimeout: '20260301115959' }, '39'],
])('an order %s is refused', (_, change, refusal) => expect(code(placed(change))).toBe(refusal));

test.each([
  ['amount', { txnAmt: '0' }],
  ['currency', { currencyCode: '840' }],
  ['version', { version: '5.0.0' }],
  ['order number', { orderId: 'C-123456789' }],
  ['reserved field', { reqReserved: 'a&b' }],
])('an order of another %s is in no shape that is read', (_, change) => expect(() => ask(change)).toThrow(ZodError));

describe('the bank’s word', () => {
  const bank = (change: Partial<BankPayment>): BankPayment => ({
    ...placeForUnionpay(
      {
        outPaymentId: 'UP1',
        amount: 19_900,
        entId: '777290058110101',
        entName: '',
        memo: '',
        bank: 'ICBC',
        returnUrl: null,
        expiresAt: hours(48),
        traceparent: null,
      },
      't',
      noon,
    ),
    ...change,
  });
  test('in time is a payment of the clearing day, which ends at eleven', () => {
    const paid = settled(open(), bank({ status: 'SUCCEEDED', paidAt: hours(11) }), hours(12));
    expect(paid).toMatchObject({ state: 'paid', settleDay: '20260302' });
    expect(fateOf(paid).code).toBe('00');
    expect(queryView(paid)).toMatchObject({ origRespCode: '00', txnAmt: '19900', traceTime: '0301230000', settleDate: '0302' });
    expect([hours(10.9), hours(11)].map(settleDayOf)).toEqual(['20260301', '20260302']);
  });
  test('after its time is given back by UnionPay, and is at work for whoever asks', () => {
    const late = settled(open(), bank({ status: 'SUCCEEDED', paidAt: hours(49) }), hours(49));
    expect([late.state, late.settleDay, fateOf(late).code]).toEqual(['returned', null, '05']);
    expect(settled({ ...open(), state: 'lapsed' }, bank({ status: 'SUCCEEDED', paidAt: hours(49) }), hours(50)).state).toBe('returned');
  });
  test('that the checker refuses ends it; silence does not say so, even when the time is over', () => {
    const refused = settled(open(), bank({ status: 'CLOSED', failedType: 'BANK_REJECTED' }), hours(1));
    expect([refused.state, fateOf(refused).code]).toEqual(['failed', '30']);
    const lapsed = settled(open(), bank({ status: 'CLOSED', failedType: 'EXPIRED' }), hours(48));
    expect([lapsed.state, fateOf(lapsed).code]).toEqual(['lapsed', '05']);
    expect(settled(open(), undefined, hours(47))).toEqual(open());
  });
});

describe('a refund', () => {
  const paid: UnionpayOrder = { ...open(), state: 'paid', paidAt: noon, settleDay: '20260301' };
  const back = (amount: number, change: object = {}) =>
    RefundRequest.parse({
      ...envelope,
      ...kinds.refund,
      merId: paid.merId,
      orderId: 'RF123456789',
      txnTime: '20260301130000',
      txnAmt: String(amount),
      origQryId: paid.queryId,
      backUrl: 'http://127.0.0.1/notify',
      ...change,
    });
  const made = { queryId: '202603011300001234567', traceNo: '000002', now: hours(1), takesMs: 2_000 };
  const first = must(refund(undefined, back(19_000), { payment: paid, others: [] }, made));
  const others: UnionpayRefund[] = [first];
  test('of no more than was paid is taken in, once', () => {
    expect(first).toMatchObject({ state: 'accepted', settlesAt: new Date(hours(1).getTime() + 2_000) });
    expect(refund(undefined, back(900), { payment: paid, others }, made).ok).toBe(true);
    expect(code(refund(undefined, back(901), { payment: paid, others }, made))).toBe('36');
    expect(refund(undefined, back(901), { payment: paid, others: [{ ...first, state: 'failed' }] }, made).ok).toBe(true);
    expect(code(refund(first, back(19_000), { payment: paid, others }, made))).toBe('12');
  });
  test('of what is unpaid, of another merchant, unknown or too old is refused', () => {
    expect(code(refund(undefined, back(1), { payment: open(), others: [] }, made))).toBe('35');
    expect(code(refund(undefined, back(1, { merId: '777290058119999' }), { payment: paid, others: [] }, made))).toBe('34');
    expect(code(refund(undefined, back(1), { payment: undefined, others: [] }, made))).toBe('34');
    expect(code(refund(undefined, back(1), { payment: paid, others: [] }, { ...made, now: hours(331 * 24) }))).toBe('39');
  });
});
