/**
 * Bills 对账单 of 商企付: `POST /v3/mse-pay/bill-downloads`, then `GET` of the url that it answers. How they are asked for stands in the
 * official SDK; the layout of the file and the codes for a day without one stand nowhere in public, so those are ours: CSV (RFC 4180, UTF-8
 * with byte order mark), amounts in yuan with two decimals, columns read by name.
 */
import { z } from 'zod';

export const BillType = z.enum(['ALL', 'SUCCEEDED', 'REFUND']);
export type BillType = z.infer<typeof BillType>;

/** `bill_date` is a China day, `YYYY-MM-DD`; without `ent_id` all payees of the platform. */
export const BillRequest = z.object({ bill_date: z.iso.date(), bill_type: BillType, ent_id: z.string().min(1).max(32).optional() });
export type BillRequest = z.infer<typeof BillRequest>;

/** The hash is of the file as it is downloaded. The url is asked for with a signature; the answer is signed over nothing, so the hash vouches for it. */
export const BillAnswer = z.object({
  hash_type: z.enum(['SHA1', 'SHA256']),
  hash_value: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i),
  download_url: z.url(),
});
export type BillAnswer = z.infer<typeof BillAnswer>;

export const billCodes = { none: 'BILL_NOT_EXIST', making: 'BILL_CREATING' } as const;

export const billColumns = [
  '交易时间',
  '收款企业ID',
  '业务类型',
  '商企付支付单号',
  '商户支付单号',
  '商企付退款单号',
  '商户退款单号',
  '状态',
  '金额',
  '手续费',
  '付款银行',
] as const;
export type BillRow = Readonly<Record<(typeof billColumns)[number], string>>;

/** What `业务类型` says. A refund stands on the day on which it was accepted, in the state that it had when the day ended. */
export const billKinds = { payment: '收款', refund: '退款' } as const;
