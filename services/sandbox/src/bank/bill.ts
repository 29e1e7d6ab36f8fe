/** The daily bill of 商企付, as it is laid out. Pure, but for the CSV library. */
import { stringify } from 'csv-stringify/sync';
import { chinaTime } from '@yunshi/kernel/calendar';
import { billColumns, billKinds, type BillRow, type BillType } from '@yunshi/protocols/mse-pay/bill';
import { yuanOf } from '@yunshi/protocols/wechat/bill';
import type { BankBillMistake, BankPayment, BankRefund } from './tables.ts';

export type Day = { readonly from: Date; readonly until: Date };
/** What was paid on a day, and what was accepted to go back on it. */
export type Moved = {
  readonly payments: readonly BankPayment[];
  readonly refunds: readonly { readonly refund: BankRefund; readonly of: BankPayment }[];
};

type Line = { readonly number: string; readonly row: BillRow };

/** The file of a day, mistakes included; undefined where nothing moved on it. */
export function billFile(type: BillType, { payments, refunds }: Moved, mistakes: readonly BankBillMistake[], day: Day): string | undefined {
  const lines = [
    ...(type === 'REFUND' ? [] : payments.map((payment) => paid(payment, day))),
    ...(type === 'SUCCEEDED' ? [] : refunds.map(({ refund, of }) => givenBack(refund, of, day))),
  ];
  const strangers = type === 'REFUND' ? [] : mistakes.filter(({ what }) => what === 'stranger').map(({ about }) => strangerIn(about, day));
  const rows = [...lines.flatMap((line) => mistaken(line, mistakes)), ...strangers];
  if (rows.length === 0) return undefined;
  return stringify(rows, { bom: true, header: true, columns: [...billColumns], record_delimiter: 'windows' });
}

const time = (at: Date): string => chinaTime(at).slice(0, 19).replace('T', ' ');
const nothing: BillRow = Object.fromEntries(billColumns.map((name) => [name, ''])) as BillRow;

const paid = (payment: BankPayment, { until }: Day): Line => ({
  number: payment.outPaymentId,
  row: {
    ...nothing,
    ...about(payment),
    交易时间: time(payment.paidAt ?? payment.createdAt),
    业务类型: billKinds.payment,
    状态: payment.status === 'REVOKED' && payment.endedAt !== null && payment.endedAt < until ? 'REVOKED' : 'SUCCEEDED',
    金额: yuanOf(payment.amount),
  },
});

const givenBack = (refund: BankRefund, payment: BankPayment, { until }: Day): Line => ({
  number: refund.outRefundId,
  row: {
    ...nothing,
    ...about(payment),
    交易时间: time(refund.acceptedAt),
    业务类型: billKinds.refund,
    商企付退款单号: refund.refundId,
    商户退款单号: refund.outRefundId,
    状态: refund.endedAt !== null && refund.endedAt < until ? refund.status : 'ACCEPTED',
    金额: yuanOf(refund.amount),
  },
});

const about = (payment: BankPayment) => ({
  收款企业ID: payment.entId,
  商企付支付单号: payment.paymentId,
  商户支付单号: payment.outPaymentId,
  手续费: yuanOf(0),
  付款银行: payment.bank,
});

const strangerIn = (number: string, { from }: Day): BillRow => ({
  ...nothing,
  交易时间: time(from),
  收款企业ID: '100000000000',
  业务类型: billKinds.payment,
  商企付支付单号: `40${'9'.repeat(26)}`,
  商户支付单号: number,
  状态: 'SUCCEEDED',
  金额: yuanOf(100),
  手续费: yuanOf(0),
});

function mistaken({ number, row }: Line, mistakes: readonly BankBillMistake[]): BillRow[] {
  const made = mistakes.filter(({ about: meant }) => meant === number).map(({ what }) => what);
  if (made.includes('missing')) return [];
  return [
    {
      ...row,
      ...(made.includes('amount') && { 金额: `${row.金额.slice(0, -1)}${(Number(row.金额.at(-1)) + 1) % 10}` }),
      ...(made.includes('state') && { 状态: row.业务类型 === billKinds.refund ? 'FAILED' : 'REVOKED' }),
      ...(made.includes('fee') && { 手续费: yuanOf(12) }),
    },
  ];
}
