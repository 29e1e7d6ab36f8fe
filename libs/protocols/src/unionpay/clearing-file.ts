/**
 * The clearing file 对账文件: base64 of a deflated zip, in it text files of rows of fixed width, GBK. One row of the ZM file is one payment or
 * refund that has succeeded; fields have one byte between them.
 */
import { deflateSync, inflateSync } from 'node:zlib';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { unzipSync, zipSync } from 'fflate';
import { decodeBase64 } from '../wechat/base64.ts';

const widths = [
  3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32, 13, 13, 12, 2,
  1, 131,
] as const;
const starts = widths.map((_, nth) => widths.slice(0, nth).reduce((sum, width) => sum + width + 1, 0));
/** Where a row's fields stand that we read or write; counted from nought. */
const columns = {
  code: 0,
  traceNo: 3,
  time: 4,
  amount: 6,
  queryId: 9,
  orderId: 11,
  fee: 15,
  net: 16,
  merId: 18,
  txnType: 19,
  txnSubType: 20,
  bizType: 21,
  origQueryId: 26,
} as const;
/** A row is as long as its fields up to the reserved last one, which may be cut short. */
const ROW_BYTES_MIN = starts.at(-1)! - 1;
const ROW_BYTES_MAX = starts.at(-1)! + widths.at(-1)!;

/** 25,000 transactions of one merchant and day. */
const FILE_BYTES_MAX = 16 * 1_024 * 1_024;
const FILES_MAX = 32;

export type ClearedRow = {
  readonly kind: 'payment' | 'refund';
  readonly queryId: string;
  readonly orderId: string;
  readonly merId: string;
  readonly amount: number;
  /** What the merchant is charged; negative where it gets something back. */
  readonly fee: number;
};

/** The rows of all ZM files in the content of an answer. */
export function readClearingFile(content: string): Result<ClearedRow[], string> {
  const files = unpacked(content);
  if (!files.ok) return files;
  const rows: ClearedRow[] = [];
  for (const [name, bytes] of Object.entries(files.value)) {
    if (!name.includes('ZM_')) continue;
    for (const [nth, line] of linesOf(bytes).entries()) {
      const row = rowOf(line);
      if (!row) return no(`row ${nth + 1} of ${name} cannot be read`);
      rows.push(row);
    }
  }
  return ok(rows);
}

function unpacked(content: string): Result<Readonly<Record<string, Uint8Array>>, string> {
  // Line breaks are what base64 may have in it and still be the same bytes.
  const packed = decodeBase64(content.replaceAll(/[\r\n]/g, ''));
  if (!packed) return no('the file is not base64');
  try {
    let left = FILE_BYTES_MAX;
    let files = 0;
    const filter = ({ originalSize }: { originalSize: number }): boolean => {
      left -= originalSize;
      files += 1;
      if (left < 0 || files > FILES_MAX) throw new Error('the file is too large');
      return true;
    };
    return ok(unzipSync(inflateSync(packed, { maxOutputLength: FILE_BYTES_MAX }), { filter }));
  } catch (error) {
    return no(`the file cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let from = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
    lines.push(bytes.subarray(from, bytes[at - 1] === 13 ? at - 1 : at));
    from = at + 1;
  }
  return [...lines, bytes.subarray(from)].filter((line) => line.length > 0);
}

const gbk = new TextDecoder('gbk');

/** Undefined when a field that matters is not what it should be. */
function rowOf(line: Uint8Array): ClearedRow | undefined {
  if (line.length < ROW_BYTES_MIN || line.length > ROW_BYTES_MAX) return undefined;
  const cell = (name: keyof typeof columns): string => {
    const from = starts[columns[name]]!;
    return gbk.decode(line.subarray(from, from + widths[columns[name]]!)).trim();
  };
  const [amount, fee] = [cell('amount'), /^([CD])(\d{12})$/.exec(cell('fee'))];
  const kind = ({ '01': 'payment', '04': 'refund' } as const)[cell('txnType')];
  const [queryId, orderId, merId] = [cell('queryId'), cell('orderId'), cell('merId')];
  if (!kind || !fee || !/^\d{12}$/.test(amount) || !/^\d+$/.test(queryId) || orderId === '' || merId === '') return undefined;
  return { kind, queryId, orderId, merId, amount: Number(amount), fee: Number(fee[2]) * (fee[1] === 'D' ? 1 : -1) || 0 };
}

export type RowToWrite = ClearedRow & { readonly traceNo: string; readonly time: string; readonly origQueryId: string };

/** UnionPay's side. All that it writes is ASCII, so that GBK is the same. */
export function writeClearingFile(name: string, rows: readonly RowToWrite[]): string {
  const text = rows.map((row) => `${lineOf(row)}\r\n`).join('');
  return deflateSync(zipSync({ [name]: Buffer.from(text, 'latin1') })).toString('base64');
}

function lineOf(row: RowToWrite): string {
  const digits = (value: number): string => String(Math.abs(value)).padStart(12, '0');
  const isPayment = row.kind === 'payment';
  const net = isPayment ? row.amount - row.fee : -row.amount - row.fee;
  const cells: Readonly<Record<keyof typeof columns, string>> = {
    code: isPayment ? 'S22' : 'S30',
    traceNo: row.traceNo,
    time: row.time,
    amount: digits(row.amount),
    queryId: row.queryId,
    orderId: row.orderId,
    fee: `${row.fee < 0 ? 'C' : 'D'}${digits(row.fee)}`,
    net: `${net < 0 ? 'D' : 'C'}${digits(net)}`,
    merId: row.merId,
    txnType: isPayment ? '01' : '04',
    txnSubType: isPayment ? '01' : '00',
    bizType: '000202',
    origQueryId: row.origQueryId,
  };
  const at = new Map(Object.entries(columns).map(([key, nth]) => [nth as number, cells[key as keyof typeof columns]]));
  return widths.map((width, nth) => (at.get(nth) ?? '').padEnd(width)).join(' ');
}
