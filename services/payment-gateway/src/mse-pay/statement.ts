/** The bill of 商企付, fetched, compared with its hash, and read in the words of the reconciliation. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import { BillAnswer, billCodes, billColumns, billKinds, type BillRow } from '@yunshi/protocols/mse-pay/bill';
import { fenOf } from '@yunshi/protocols/wechat/bill';
import type { Line, Statement, StatementSource } from '../reconciliation/statement.ts';
import type { MsePayClient } from './client.ts';

export const msePayStatements = (client: Pick<MsePayClient, 'exchange' | 'download'>): StatementSource => ({
  channel: 'corporate_bank',
  fetch: async (day, signal) => {
    const asked = { method: 'POST', target: '/v3/mse-pay/bill-downloads', body: { bill_date: day, bill_type: 'ALL' }, signal } as const;
    const answer = await client.exchange(asked);
    if (answer.kind === 'refused' && answer.code === billCodes.none) return { kind: 'empty' };
    if (answer.kind === 'refused' && answer.code === billCodes.making) return { kind: 'not-yet' };
    if (answer.kind !== 'done')
      return { kind: 'unusable', why: answer.kind === 'refused' ? `${answer.code} ${answer.message}` : answer.why };
    const read = BillAnswer.safeParse(answer.body);
    if (!read.success) return { kind: 'unusable', why: 'an answer of another shape' };
    const file = await client.download(read.data.download_url, signal);
    if (file.kind !== 'file') return { kind: 'unusable', why: file.why };
    return sameHash(file.bytes, read.data)
      ? statementOf(file.bytes, read.data.hash_value)
      : { kind: 'unusable', why: `its hash is not ${read.data.hash_value}` };
  },
  // As with the other channels, what a bill charges is a difference.
  feeOf: () => 0,
});

function sameHash(bytes: Buffer, { hash_type: type, hash_value: value }: BillAnswer): boolean {
  const [ours, theirs] = [createHash(type.toLowerCase()).update(bytes).digest(), Buffer.from(value, 'hex')];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}

/** A file that is no bill, or has a row that cannot be read, is unusable as a whole: a bill that is read in part proves nothing. */
export function statementOf(bytes: Buffer, hash: string): Statement {
  try {
    const rows: Partial<BillRow>[] = parse(bytes, { bom: true, columns: true, skip_empty_lines: true });
    const missing = billColumns.filter((name) => rows.length > 0 && rows[0]![name] === undefined);
    if (missing.length > 0) return { kind: 'unusable', why: `it has no columns ${missing.join(', ')}` };
    const lines = rows.map((row) => lineOf(row as BillRow));
    const bad = lines.findIndex((line) => line === undefined);
    if (bad >= 0) return { kind: 'unusable', why: `row ${bad + 1} cannot be read` };
    return { kind: 'statement', hash, lines: lines.filter((line) => line !== undefined) };
  } catch (error) {
    return { kind: 'unusable', why: error instanceof Error ? error.message : String(error) };
  }
}

const states = {
  payment: { SUCCEEDED: 'paid', CLEARING: 'paid', REVOKED: 'revoked' },
  refund: {
    INIT: 'processing',
    ACCEPTED: 'processing',
    MERCHANT_SUCCEEDED: 'processing',
    SUCCEEDED: 'succeeded',
    ABNORMAL: 'abnormal',
    CANCELLING: 'processing',
    FAILED: 'closed',
  },
} as const satisfies Record<Line['kind'], Readonly<Record<string, Line['state']>>>;

function lineOf(row: BillRow): Line | undefined {
  const kind = row.业务类型 === billKinds.payment ? 'payment' : row.业务类型 === billKinds.refund ? 'refund' : undefined;
  if (kind === undefined) return undefined;
  const number = kind === 'payment' ? row.商户支付单号 : row.商户退款单号;
  const channelNo = kind === 'payment' ? row.商企付支付单号 : row.商企付退款单号;
  const [amount, fee] = [fenOf(row.金额), fenOf(row.手续费)];
  if (!number || !channelNo || amount === undefined || amount < 0 || fee === undefined) return undefined;
  const known: Readonly<Record<string, Line['state']>> = states[kind];
  return { kind, number, channelNo, payee: row.收款企业ID, amount, fee, state: known[row.状态] ?? 'strange' };
}
