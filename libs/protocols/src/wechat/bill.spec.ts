import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fenOf, formatBill, readBill, tradeColumns, tradeSummary, yuanOf, type Bill } from './bill.ts';

const cell = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll(/[\r\n`]/g, ''));
const bills: fc.Arbitrary<Bill> = fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { maxLength: 8 }).map((rows) => ({
  columns: ['交易时间', '商品名称', '费率备注'],
  rows: rows.map(([a = '', b = '', c = '']) => ({ 交易时间: a, 商品名称: b, 费率备注: c })),
  summary: { 总交易单数: String(rows.length), 手续费总金额: '0.00' },
}));

describe('a bill', () => {
  test('is read as it was laid out, commas in its cells included', () => {
    fc.assert(
      fc.property(bills, (bill) => {
        expect(readBill(formatBill(bill), '总交易单数')).toEqual({ ok: true, value: bill });
      }),
    );
  });

  test('has a BOM, CRLF, and a backtick before every cell', () => {
    const bill = { columns: ['商品名称', '费率'], rows: [{ 商品名称: '云市,标准版', 费率: '0.60%' }], summary: { 总交易单数: '1' } };
    expect(formatBill(bill)).toBe('\uFEFF商品名称,费率\r\n`云市,标准版,`0.60%\r\n总交易单数\r\n`1\r\n');
  });

  test('has the 27 columns that are documented, and those of the others in their places', () => {
    expect(tradeColumns.ALL).toHaveLength(27);
    expect(tradeColumns.SUCCESS.filter((name) => name.includes('退款'))).toEqual([]);
    expect(tradeColumns.REFUND).toContain('退款成功时间');
    expect(tradeSummary).toHaveLength(7);
  });

  const whole = formatBill({ columns: ['a', 'b'], rows: [{ a: '1', b: '2' }], summary: { 总交易单数: '1' } });
  test.each([
    ['cut off in its middle', whole.slice(0, 12)],
    ['without its summary', whole.split('\r\n').slice(0, 2).join('\r\n')],
    ['with a row too few', whole.replace('`1,`2\r\n', '')],
    ['with a cell too few', whole.replace('`1,`2', '`1')],
    ['with a cell too many', whole.replace('`1,`2', '`1,`2,`3')],
    ['of another kind', '<html>busy</html>'],
    ['of nothing', ''],
  ])('is refused %s', (_, text) => expect(readBill(text, '总交易单数').ok).toBe(false));
});

describe('yuan', () => {
  test('are fen and back, to the last one', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (fen) => {
        expect(fenOf(yuanOf(fen))).toBe(fen === 0 ? 0 : fen);
      }),
    );
  });
  test.each([
    ['0.29', 29],
    ['1.1', 110],
    ['1', 100],
    ['-0.60', -60],
    ['-0.00', 0],
  ])('%s are %i fen', (yuan, fen) => expect(fenOf(yuan)).toBe(fen));
  test.each(['', '1.', '.5', '1.234', '1e3', '１', '0x1', '1,000.00'])('«%s» are none', (yuan) => expect(fenOf(yuan)).toBeUndefined());
});
