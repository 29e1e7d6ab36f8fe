import { deflateSync } from 'node:zlib';
import { strToU8, zipSync } from 'fflate';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readClearingFile, writeClearingFile, type RowToWrite } from './clearing-file.ts';

const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`));
const row: fc.Arbitrary<RowToWrite> = fc.record({
  kind: fc.constantFrom('payment' as const, 'refund' as const),
  queryId: digits(21),
  orderId: fc.stringMatching(/^[0-9A-Za-z]{8,32}$/),
  merId: digits(15),
  amount: fc.nat(99_999_999_999),
  fee: fc.integer({ min: -99_999, max: 99_999 }),
  traceNo: digits(6),
  time: digits(10),
  origQueryId: fc.oneof(fc.constant(''), digits(21)),
});
const read = ({ kind, queryId, orderId, merId, amount, fee }: RowToWrite) => ({ kind, queryId, orderId, merId, amount, fee });
const packed = (files: Readonly<Record<string, string>>): string =>
  deflateSync(zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text, true)])))).toString('base64');

test('rows that are written are read again', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      expect(readClearingFile(writeClearingFile('INN26030188ZM_777290058110048', rows))).toEqual({ ok: true, value: rows.map(read) });
    }),
    { numRuns: 50 },
  );
});

/** As the layout counts: field 7 is the amount, 10 UnionPay's number, 12 the order's, 16 the fee, 19 the merchant's, 20 the kind. */
const byHand = (change: Readonly<Record<number, string>> = {}): string => {
  const widths = '3,11,11,6,10,19,12,4,2,21,2,32,2,6,10,13,13,4,15,2,2,6,2,4,32,1,21,15,1,15,32,13,13,8,32,13,13,12,2,1,131'
    .split(',')
    .map(Number);
  const cells: Readonly<Record<number, string>> = {
    1: 'S22',
    7: '000000019900',
    10: '202603011200000000010',
    12: 'C0123456789',
    16: 'D000000000100',
    19: '777290058110048',
    20: '01',
    ...change,
  };
  return widths.map((width, nth) => (cells[nth + 1] ?? '').padEnd(width)).join(' ');
};

describe('a file', () => {
  test('is read by its columns, wherever the lines end, and its other files are left alone', () => {
    const payment = {
      kind: 'payment',
      queryId: '202603011200000000010',
      orderId: 'C0123456789',
      merId: '777290058110048',
      amount: 19_900,
      fee: 100,
    };
    const refund = { ...payment, kind: 'refund', fee: -100 };
    const content = packed({
      INN26030188ZM_777290058110048: `${byHand()}\r\n${byHand({ 16: 'C000000000100', 20: '04' })}\n${byHand().slice(0, -131)}`,
      INN26030188ZME_777290058110048: 'of another layout',
      RD1_777290058110048: '',
    });
    expect(readClearingFile(content)).toEqual({ ok: true, value: [payment, refund, payment] });
    expect(readClearingFile(content.replaceAll(/(.{60})/g, '$1\r\n')).ok).toBe(true);
  });
  test.each([
    ['an amount that is none', byHand({ 7: '0000000199.0' })],
    ['a fee without its sign', byHand({ 16: '0000000000100' })],
    ['another kind of transaction', byHand({ 20: '31' })],
    ['no order number', byHand({ 12: '' })],
    ['a row cut short', byHand().slice(0, 300)],
    ['a row too long', `${byHand()}x`],
  ])('with %s is refused', (_, line) => {
    expect(readClearingFile(packed({ INN26030188ZM_1: line }))).toEqual({ ok: false, error: 'row 1 of INN26030188ZM_1 cannot be read' });
  });
  test('that is no base64, no deflate or no zip is refused, cut off anywhere or much too large when unpacked', () => {
    const content = packed({ INN26030188ZM_1: byHand() });
    for (const bad of ['?', 'AAAA', deflateSync('no zip').toString('base64')]) expect(readClearingFile(bad).ok).toBe(false);
    const bytes = Buffer.from(content, 'base64');
    for (let length = 0; length < bytes.length; length += 7)
      expect(readClearingFile(bytes.subarray(0, length).toString('base64')).ok, `cut off at ${length}`).toBe(false);
    // What it says of its own size is in the directory at the end of a zip.
    const zip = Buffer.from(zipSync({ INN26030188ZM_1: strToU8(byHand()) }));
    zip.writeUInt32LE(0x7f_ff_ff_ff, zip.indexOf('PK\x01\x02') + 24);
    const large = { ok: false, error: 'the file cannot be unpacked: the file is too large' };
    expect(readClearingFile(deflateSync(zip).toString('base64'))).toEqual(large);
    expect(readClearingFile(deflateSync(Buffer.alloc(17 * 1_024 * 1_024)).toString('base64')).ok).toBe(false);
  });
});
