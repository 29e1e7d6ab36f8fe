/** Combined Native orders: the bodies of `/v3/combine-transactions/…`. Amounts are fen. */
import { z } from 'zod';

/** Numbers that we choose. Unique per merchant, over all sub merchants, for ever. */
export const OutTradeNo = z.string().regex(/^[0-9A-Za-z_\-|*]{6,32}$/);
/** RFC 3339 with an offset, `+08:00` in everything WeChat Pay writes. */
export const WireTime = z.iso.datetime({ offset: true });
export const NotifyUrl = z
  .url()
  .max(256)
  .refine((url) => !url.includes('?'), 'a notify url carries no query');
/** One sub order costs at most ten million yuan. */
export const WireAmount = z.int().min(1).max(1_000_000_000);
const Currency = z.literal('CNY');
const AppId = z.string().min(1).max(32);
const MchId = z.string().min(1).max(32);

export const CombineNativeRequest = z.object({
  combine_appid: AppId,
  combine_mchid: MchId,
  combine_out_trade_no: OutTradeNo,
  sub_orders: z
    .array(
      z.object({
        mchid: MchId,
        sub_mchid: MchId,
        out_trade_no: OutTradeNo,
        attach: z.string().min(1).max(128),
        description: z.string().min(1).max(127),
        amount: z.object({ total_amount: WireAmount, currency: Currency }),
        settle_info: z.object({ profit_sharing: z.boolean().optional(), subsidy_amount: z.int().min(0).optional() }).optional(),
      }),
    )
    .min(1)
    .max(50),
  /** The last moment to pay, at least a minute ahead. Counts at the first order only. */
  time_expire: WireTime.optional(),
  notify_url: NotifyUrl,
  scene_info: z.object({ payer_client_ip: z.string().min(1).max(45), device_id: z.string().max(32).optional() }).optional(),
});
export type CombineNativeRequest = z.infer<typeof CombineNativeRequest>;

/** `code_url` is text to draw as a QR code. It lives two hours, whatever `time_expire` says. */
export const CombineNativeAnswer = z.object({ code_url: z.string().min(1).max(512) });
export type CombineNativeAnswer = z.infer<typeof CombineNativeAnswer>;

export const TradeState = z.enum(['NOTPAY', 'USERPAYING', 'SUCCESS', 'REFUND', 'CLOSED', 'PAYERROR']);
export type TradeState = z.infer<typeof TradeState>;

/** The answer to a query, and the plaintext of a payment callback. */
export const CombineOrder = z.object({
  combine_appid: AppId,
  combine_mchid: MchId,
  combine_out_trade_no: OutTradeNo,
  sub_orders: z
    .array(
      z.object({
        mchid: MchId,
        sub_mchid: MchId,
        out_trade_no: OutTradeNo,
        trade_type: z.string().optional(),
        trade_state: TradeState,
        bank_type: z.string().optional(),
        attach: z.string().optional(),
        amount: z.object({
          total_amount: z.int().min(0),
          currency: z.string().optional(),
          /** Lower than the total when the payer used a coupon of WeChat's own. */
          payer_amount: z.int().min(0).optional(),
          payer_currency: z.string().optional(),
        }),
        success_time: WireTime.optional(),
        transaction_id: z.string().max(32).optional(),
      }),
    )
    .min(1)
    .max(50),
  combine_payer_info: z.object({ openid: z.string().max(128) }).optional(),
});
export type CombineOrder = z.infer<typeof CombineOrder>;

/** Must name exactly the sub orders of the order. Answered by 204; may be repeated. */
export const CombineCloseRequest = z.object({
  combine_appid: AppId,
  sub_orders: z
    .array(z.object({ mchid: MchId, sub_mchid: MchId, out_trade_no: OutTradeNo }))
    .min(1)
    .max(50),
});
export type CombineCloseRequest = z.infer<typeof CombineCloseRequest>;
