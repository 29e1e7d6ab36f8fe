import { createHash } from 'node:crypto';
import { stringify } from 'csv-stringify/sync';
import { describe, expect, test } from 'vitest';
import { billColumns, billKinds, type BillRow } from '@yunshi/protocols/mse-pay/bill';
import { msePayStatements, statementOf } from './statement.ts';

const row: BillRow = {
  交易时间: '2026-03-02 12:00:00',
  收款企业ID: '200000000001',
  业务类型: billKinds.payment,
  商企付支付单号: '4012',
  商户支付单号: 'C1',
  商企付退款单号: '',
  商户退款单号: '',
  状态: 'SUCCEEDED',
  金额: '1200.00',
  手续费: '0.00',
  付款银行: 'ICBC, "工商"',
};
const refund: BillRow = { ...row, 业务类型: billKinds.refund, 商企付退款单号: '5012', 商户退款单号: 'RF1', 状态: 'ACCEPTED', 金额: '1.05' };
const fileOf = (rows: readonly object[], columns: readonly string[] = billColumns): Buffer =>
  Buffer.from(stringify([...rows], { bom: true, header: true, columns: [...columns], record_delimiter: 'windows' }));
const read = (bytes: Buffer) => statementOf(bytes, 'hash');

describe('a bill of 商企付', () => {
  test('has its payments and refunds, in fen, in the words of the reconciliation', () => {
    expect(read(fileOf([row, refund]))).toEqual({
      kind: 'statement',
      hash: 'hash',
      lines: [
        { kind: 'payment', number: 'C1', channelNo: '4012', payee: '200000000001', amount: 120_000, fee: 0, state: 'paid' },
        { kind: 'refund', number: 'RF1', channelNo: '5012', payee: '200000000001', amount: 105, fee: 0, state: 'processing' },
      ],
    });
  });

  test.each<[string, Buffer]>([
    ['with an amount that is none', fileOf([{ ...row, 金额: '1,200' }])],
    ['with a kind of row that is unknown', fileOf([{ ...row, 业务类型: '手续费' }])],
    ['without a number', fileOf([{ ...row, 商户支付单号: '' }])],
    ['without a column', fileOf([row], billColumns.slice(1))],
    ['that breaks off', Buffer.concat([fileOf([row]), Buffer.from('"2026-03')])],
  ])('%s is unusable as a whole', (_, bytes) => expect(read(bytes)).toMatchObject({ kind: 'unusable' }));

  test('of a state that is not known is read, and differs', () => {
    expect(read(fileOf([{ ...row, 状态: 'PAUSED' }]))).toMatchObject({ lines: [{ state: 'strange' }] });
  });
});

describe('fetched', () => {
  const bytes = fileOf([row]);
  const announced = (hash_value: string) => ({
    exchange: () =>
      Promise.resolve({ kind: 'done' as const, body: { hash_type: 'SHA256', hash_value, download_url: 'https://channel.example/file' } }),
    download: () => Promise.resolve({ kind: 'file' as const, bytes }),
  });

  test('it is what was announced, or unusable', async () => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    expect(await msePayStatements(announced(hash)).fetch('2026-03-02')).toMatchObject({ kind: 'statement', hash });
    expect(await msePayStatements(announced('0'.repeat(64))).fetch('2026-03-02')).toMatchObject({ kind: 'unusable' });
  });

  test.each([
    ['BILL_NOT_EXIST', 'empty'],
    ['BILL_CREATING', 'not-yet'],
    ['SIGN_ERROR', 'unusable'],
  ])('%s means %s', async (code, kind) => {
    const client = {
      exchange: () => Promise.resolve({ kind: 'refused' as const, status: 400, code, message: '' }),
      download: () => Promise.reject(new Error('nothing to download')),
    };
    expect(await msePayStatements(client).fetch('2026-03-02')).toMatchObject({ kind });
  });
});
