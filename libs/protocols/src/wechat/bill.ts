/**
 * Bills 对账单: where they are, and how their files are laid out. UTF-8 with BOM, CRLF, four parts: names, rows, names of the
 * summary, one row of it. Every cell of a row begins with a backtick, and may hold commas: what parts two cells is a comma before a
 * backtick. Amounts are yuan with two decimals. Columns are read by name, because newer ones are added at the end.
 */
import { no, ok, type Result } from '@yunshi/kernel/result';
import { z } from 'zod';

const Hash = { hash_type: z.literal('SHA1'), hash_value: z.string().regex(/^[0-9a-f]{40}$/i) };

/** The hash is of the uncompressed file. The url lives five minutes, is asked with a signature, and answers without one. */
export const BillAnswer = z.object({ ...Hash, download_url: z.url() });
export type BillAnswer = z.infer<typeof BillAnswer>;

/** Sub merchants' fund flows: the file is AES-256-GCM under a key that is RSA-OAEP under the merchant's certificate. */
export const SealedBillAnswer = z.object({
  download_bill_count: z.int().min(0),
  download_bill_list: z.array(
    z.object({ ...Hash, bill_sequence: z.int().min(1), download_url: z.url(), encrypt_key: z.string(), nonce: z.string() }),
  ),
});
export type SealedBillAnswer = z.infer<typeof SealedBillAnswer>;

export const TradeBillType = z.enum(['ALL', 'SUCCESS', 'REFUND']);
export type TradeBillType = z.infer<typeof TradeBillType>;
/** A China day, `YYYY-MM-DD`. */
export const BillDate = z.iso.date();

const beforeRefund = [
  '交易时间',
  '公众账号ID',
  '商户号',
  '特约商户号',
  '设备号',
  '微信订单号',
  '商户订单号',
  '用户标识',
  '交易类型',
  '交易状态',
  '付款银行',
  '货币种类',
  '应结订单金额',
  '代金券金额',
] as const;
const refundColumns = ['微信退款单号', '商户退款单号', '退款金额', '充值券退款金额', '退款类型', '退款状态'] as const;
const afterRefund = ['商品名称', '商户数据包', '手续费', '费率', '订单金额'] as const;

/** The columns of each trade bill, in order. */
export const tradeColumns = {
  ALL: [...beforeRefund, ...refundColumns, ...afterRefund, '申请退款金额', '费率备注'],
  SUCCESS: [...beforeRefund, ...afterRefund, '费率备注'],
  REFUND: [...beforeRefund, '退款申请时间', '退款成功时间', ...refundColumns, ...afterRefund, '申请退款金额', '费率备注'],
} as const satisfies Record<TradeBillType, readonly string[]>;
export type TradeColumn = (typeof tradeColumns)[TradeBillType][number];
export const tradeSummary = [
  '总交易单数',
  '应结订单总金额',
  '退款总金额',
  '充值券退款总金额',
  '手续费总金额',
  '订单总金额',
  '申请退款总金额',
] as const;

export const flowColumns = [
  '记账时间',
  '微信支付业务单号',
  '资金流水单号',
  '业务名称',
  '业务类型',
  '收支类型',
  '收支金额(元)',
  '账户结余(元)',
  '资金变更提交申请人',
  '备注',
  '业务凭证号',
] as const;
export const flowSummary = ['资金流水总笔数', '收入笔数', '收入金额', '支出笔数', '支出金额'] as const;

export type Cells = Readonly<Record<string, string>>;
export type Bill = { readonly columns: readonly string[]; readonly rows: readonly Cells[]; readonly summary: Cells };

const BOM = '\uFEFF';
const EOL = '\r\n';

/** Lays a bill out as WeChat Pay does. */
export function formatBill({ columns, rows, summary }: Bill): string {
  const line = (names: readonly string[], of: Cells): string => names.map((name) => `\`${of[name] ?? ''}`).join(',');
  const lines = [columns.join(','), ...rows.map((row) => line(columns, row)), Object.keys(summary).join(',')];
  return `${BOM}${[...lines, line(Object.keys(summary), summary)].join(EOL)}${EOL}`;
}

/**
 * Reads a bill. Refused when it is not laid out as one: no names, a row with more or fewer cells than names, no summary, or another
 * count of rows than the summary says.
 * @param counted the column of the summary that counts the rows
 */
export function readBill(text: string, counted: '总交易单数' | '资金流水总笔数'): Result<Bill, string> {
  const lines = (text.startsWith(BOM) ? text.slice(BOM.length) : text).split(/\r?\n/).filter((line) => line !== '');
  const [head, ...rest] = lines;
  const [summaryHead, summaryRow] = rest.slice(-2);
  if (head === undefined || head.startsWith('`')) return no('no names of columns');
  if (summaryHead === undefined || summaryHead.startsWith('`') || summaryRow?.startsWith('`') !== true) return no('no summary');
  const columns = head.split(',');
  const rows: Cells[] = [];
  for (const [index, line] of rest.slice(0, -2).entries()) {
    const row = cellsOf(columns, line);
    if (!row) return no(`row ${index + 1} does not fit the columns`);
    rows.push(row);
  }
  const summary = cellsOf(summaryHead.split(','), summaryRow);
  if (!summary) return no('the summary does not fit its columns');
  const said = summary[counted]?.replace(/\.00$/, '');
  if (said !== String(rows.length)) return no(`${rows.length} rows, and the summary says ${said}`);
  return ok({ columns, rows, summary });
}

function cellsOf(columns: readonly string[], line: string): Cells | undefined {
  if (!line.startsWith('`')) return undefined;
  const cells = line.slice(1).split(',`');
  if (cells.length !== columns.length) return undefined;
  return Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? '']));
}

/** `199.00` → 19900, `-1.1` → -110. By the digits as they stand, never by way of a float. Undefined for anything else. */
export function fenOf(yuan: string): number | undefined {
  const [, sign, whole, part = ''] = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/.exec(yuan) ?? [];
  if (whole === undefined) return undefined;
  const fen = Number(whole) * 100 + Number(part.padEnd(2, '0'));
  return sign === '-' && fen !== 0 ? -fen : fen;
}

/** 19900 → `199.00`. */
export const yuanOf = (fen: number): string => {
  const digits = String(Math.abs(fen)).padStart(3, '0');
  return `${fen < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
};
