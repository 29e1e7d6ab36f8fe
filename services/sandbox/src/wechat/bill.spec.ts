import { describe, expect, test } from 'vitest';
import { tradeBill, type Traded } from './bill.ts';

const day = { from: new Date('2026-03-01T00:00:00+08:00'), until: new Date('2026-03-02T00:00:00+08:00') };
const order = { number: 'C1', paidAt: day.from, createdAt: day.from, openid: 'o1', bankType: null } as Traded['order'];
const sub = { outTradeNo: 'S1', subMchid: '1', amount: 100, description: 'x', attach: 'a', transactionId: '42' } as Traded['sub'];
const refunded = (endedAt: string) =>
  ({
    outRefundNo: 'R1',
    refundId: '50',
    amount: 100,
    status: 'SUCCESS',
    createdAt: day.from,
    endedAt: new Date(endedAt),
  }) as Traded['refund'];
const statusIn = (endedAt: string) => {
  const bill = tradeBill('REFUND', [{ order, sub, refund: refunded(endedAt)! }], [], { day, mchid: '19', appid: 'wx' });
  return bill.rows.map((row) => row['退款状态']);
};

describe('a refund in a bill', () => {
  test('has the status of the end of the day on which it was accepted', () => {
    expect(statusIn('2026-03-01T23:59:59+08:00')).toEqual(['SUCCESS']);
    expect(statusIn('2026-03-02T00:00:00+08:00')).toEqual(['PROCESSING']);
  });
});
