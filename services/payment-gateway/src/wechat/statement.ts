/** WeChat Pay's trade bill in the words of the reconciliation. */
import { fenOf, type Cells } from '@yunshi/protocols/wechat/bill';
import type { Line, Statement, StatementSource } from '../reconciliation/statement.ts';
import type { FetchedBill, WechatBills } from './bills.ts';

export const wechatStatements = (bills: WechatBills): StatementSource => ({
  channel: 'wechat_native',
  fetch: async (day, signal) => statementOf(await bills.trades(day, 'ALL', signal)),
  // The platform's merchants pay no fee: what a bill charges all the same is a difference.
  feeOf: () => 0,
});

export function statementOf(fetched: FetchedBill): Statement {
  switch (fetched.kind) {
    case 'none':
      return { kind: 'empty' };
    case 'making':
      return { kind: 'not-yet' };
    case 'bill': {
      const lines = fetched.bill.rows.map(lineOf);
      const bad = lines.findIndex((line) => line === undefined);
      if (bad >= 0) return { kind: 'unusable', why: `row ${bad + 1} cannot be read` };
      return { kind: 'statement', hash: fetched.hash, lines: lines.filter((line) => line !== undefined) };
    }
    case 'refused':
      return { kind: 'unusable', why: `${fetched.code} ${fetched.message}` };
    case 'damaged':
    case 'unknown':
      return { kind: 'unusable', why: fetched.why };
  }
}

const refundStates: Readonly<Record<string, Line['state']>> = {
  SUCCESS: 'succeeded',
  PROCESSING: 'processing',
  CHANGE: 'abnormal',
  ABNORMAL: 'abnormal',
  CLOSED: 'closed',
  CLOSE: 'closed',
  FAIL: 'closed',
};
const tradeStates: Readonly<Record<string, Line['state']>> = { SUCCESS: 'paid', REVOKED: 'revoked' };

/** Undefined when a cell that matters is missing or is not what it should be. */
function lineOf(row: Cells): Line | undefined {
  const isRefund = row['交易状态'] === 'REFUND';
  const number = row[isRefund ? '商户退款单号' : '商户订单号'];
  const channelNo = row[isRefund ? '微信退款单号' : '微信订单号'];
  const amount = fenOf(row[isRefund ? '申请退款金额' : '订单金额'] ?? '');
  const fee = fenOf(row['手续费'] ?? '');
  const payee = row['特约商户号'];
  if (!number || !channelNo || payee === undefined || amount === undefined || amount < 0 || fee === undefined) return undefined;
  const state = (isRefund ? refundStates[row['退款状态'] ?? ''] : tradeStates[row['交易状态'] ?? '']) ?? 'strange';
  return { kind: isRefund ? 'refund' : 'payment', number, channelNo, payee, amount, fee, state };
}
