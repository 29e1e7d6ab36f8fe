/** Refunds of e-commerce orders: the bodies of `/v3/ecommerce/refunds/…`. Amounts are fen. */
import { z } from 'zod';
import { NotifyUrl, OutTradeNo, WireAmount, WireTime } from './combine.ts';

/** Kept over every retry: a new number is a second refund. */
export const OutRefundNo = z.string().regex(/^[0-9A-Za-z_\-|*@]{1,64}$/);
const Currency = z.literal('CNY');

export const RefundRequest = z
  .object({
    sub_mchid: z.string().min(1).max(32),
    sp_appid: z.string().min(1).max(32),
    sub_appid: z.string().max(32).optional(),
    transaction_id: z.string().max(32).optional(),
    /** Of the sub order, not of the combined one. */
    out_trade_no: OutTradeNo.optional(),
    out_refund_no: OutRefundNo,
    reason: z.string().max(80).optional(),
    amount: z.object({ refund: WireAmount, total: WireAmount, currency: Currency }),
    notify_url: NotifyUrl.optional(),
  })
  .refine((ask) => (ask.transaction_id === undefined) !== (ask.out_trade_no === undefined), 'either transaction_id or out_trade_no');
export type RefundRequest = z.infer<typeof RefundRequest>;

/** Accepted, no more: the answer carries no status. */
export const RefundAccepted = z.object({
  refund_id: z.string().min(1).max(32),
  out_refund_no: OutRefundNo,
  create_time: WireTime,
  amount: z.object({
    refund: z.int().min(0),
    payer_refund: z.int().min(0),
    discount_refund: z.int().min(0),
    currency: z.string().optional(),
  }),
  refund_account: z.string().optional(),
});
export type RefundAccepted = z.infer<typeof RefundAccepted>;

/** Old pages write CLOSE where newer ones write CLOSED. */
export const RefundStatus = z
  .enum(['PROCESSING', 'SUCCESS', 'ABNORMAL', 'CLOSED', 'CLOSE'])
  .transform((status) => (status === 'CLOSE' ? 'CLOSED' : status));
export type RefundStatus = z.infer<typeof RefundStatus>;

/** The answer to a refund query. */
export const Refund = z.object({
  refund_id: z.string().min(1).max(32),
  out_refund_no: OutRefundNo,
  transaction_id: z.string().max(32),
  out_trade_no: OutTradeNo,
  channel: z.string().optional(),
  user_received_account: z.string().optional(),
  success_time: WireTime.optional(),
  create_time: WireTime,
  status: RefundStatus,
  amount: z.object({
    refund: z.int().min(0),
    payer_refund: z.int().min(0),
    discount_refund: z.int().min(0),
    currency: z.string().optional(),
  }),
});
export type Refund = z.infer<typeof Refund>;

/**
 * Where the money of a refund goes that ended ABNORMAL: to another card of the payer's, or to the merchant's own, to be paid out from there.
 * Account and name are encrypted; `Wechatpay-Serial` names the key.
 */
export const AbnormalRefundRequest = z
  .object({
    sub_mchid: z.string().min(1).max(32),
    out_refund_no: OutRefundNo,
    type: z.enum(['USER_BANK_CARD', 'MERCHANT_BANK_CARD']),
    bank_type: z.string().max(16).optional(),
    bank_account: z.string().max(1_024).optional(),
    real_name: z.string().max(1_024).optional(),
  })
  .refine(
    (ask) =>
      ask.type === 'MERCHANT_BANK_CARD' || (ask.bank_type !== undefined && ask.bank_account !== undefined && ask.real_name !== undefined),
    "the payer's card needs its bank, its number and its owner",
  );
export type AbnormalRefundRequest = z.infer<typeof AbnormalRefundRequest>;

/** The plaintext of a refund callback. */
export const RefundNotice = z.object({
  sp_mchid: z.string(),
  sub_mchid: z.string(),
  out_trade_no: OutTradeNo,
  transaction_id: z.string(),
  out_refund_no: OutRefundNo,
  refund_id: z.string(),
  refund_status: RefundStatus,
  success_time: WireTime.optional(),
  user_received_account: z.string().optional(),
  amount: z.object({
    total: z.int().min(0),
    refund: z.int().min(0),
    payer_total: z.int().min(0),
    payer_refund: z.int().min(0),
  }),
});
export type RefundNotice = z.infer<typeof RefundNotice>;
