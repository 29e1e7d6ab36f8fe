import { expect, test } from 'vitest';
import { Notice, paymentMeaning, PayRequest, refundMeaning, requestMeaning } from './trade.ts';

test('only two codes say that money has moved; what may still move is not failed', () => {
  const codes = Array.from({ length: 36 ** 2 }, (_, nth) => nth.toString(36).toUpperCase().padStart(2, '0'));
  const of = (meaning: (code: string) => string, what: string): string[] => codes.filter((code) => meaning(code) === what);
  expect(of(paymentMeaning, 'done')).toEqual(['00', 'A6']);
  expect(of(paymentMeaning, 'doing')).toEqual(['01', '03', '04', '05', '12', '34', '60']);
  expect(of(refundMeaning, 'done')).toEqual(['00', 'A6']);
  expect(of(refundMeaning, 'doing')).toEqual(['03', '04', '05']);
  expect(of(requestMeaning, 'unsure')).toEqual(['03', '04', '05', '06']);
});

test('order numbers are letters and digits, amounts whole fen', () => {
  const { shape } = PayRequest;
  for (const number of ['C-1234567', 'C_1234567', 'C123456', 'C'.repeat(41)]) expect(shape.orderId.safeParse(number).success).toBe(false);
  expect(shape.orderId.safeParse('C01234567').success).toBe(true);
  for (const amount of ['0', '1.5', '-1', '1e3', '', '1234567890123']) expect(shape.txnAmt.safeParse(amount).success).toBe(false);
  expect(Notice.shape.txnAmt.parse('000019900')).toBe(19_900);
});
