/**
 * Profit sharing 分账 of e-commerce orders: the bodies of `/v3/ecommerce/profitsharing/…`. Amounts are fen.
 * An order with `settle_info.profit_sharing` keeps its money frozen until it is shared out or finished, 180 days at most.
 */
import { z } from 'zod';
import { WireAmount, WireTime } from './combine.ts';

const MchId = z.string().min(1).max(32);
const TransactionId = z.string().min(1).max(32);
const Description = z.string().min(1).max(80);
/** Kept over every retry: a new number is a second share. */
export const OutOrderNo = z.string().regex(/^[0-9A-Za-z_\-|*@]{1,64}$/);

export const ReceiverType = z.enum(['MERCHANT_ID', 'PERSONAL_OPENID']);
const Receiver = z.object({
  type: ReceiverType,
  receiver_account: z.string().min(1).max(64),
  amount: WireAmount,
  description: Description,
  /** Encrypted; `Wechatpay-Serial` names the key. */
  receiver_name: z.string().max(10_240).optional(),
});

/** Repeated with the same number and the same body it is the same share. `finish` frees what is left for the sub merchant. */
export const SharingRequest = z.object({
  appid: z.string().max(32).optional(),
  sub_mchid: MchId,
  transaction_id: TransactionId,
  out_order_no: OutOrderNo,
  receivers: z.array(Receiver).min(1).max(50),
  finish: z.boolean(),
});
export type SharingRequest = z.infer<typeof SharingRequest>;

/** FINISHED is carried out, not succeeded: each receiver has a result of its own. */
export const Sharing = z.object({
  sub_mchid: MchId,
  transaction_id: TransactionId,
  out_order_no: OutOrderNo,
  order_id: z.string().max(64),
  status: z.enum(['PROCESSING', 'FINISHED']),
  receivers: z.array(
    z.object({
      type: ReceiverType,
      receiver_account: z.string(),
      amount: z.int().min(0),
      description: z.string().optional(),
      result: z.enum(['PENDING', 'SUCCESS', 'CLOSED']),
      fail_reason: z.string().optional(),
      finish_time: WireTime.optional(),
      detail_id: z.string().optional(),
    }),
  ),
  finish_amount: z.int().min(0).optional(),
  finish_description: z.string().optional(),
});
export type Sharing = z.infer<typeof Sharing>;

/** Frees what is left without sharing any of it. */
export const FinishRequest = z.object({
  sub_mchid: MchId,
  transaction_id: TransactionId,
  out_order_no: OutOrderNo,
  description: Description,
});
export type FinishRequest = z.infer<typeof FinishRequest>;
export const Finished = FinishRequest.omit({ description: true }).extend({ order_id: z.string().max(64) });
export type Finished = z.infer<typeof Finished>;

export const Unsplit = z.object({ transaction_id: TransactionId, unsplit_amount: z.int().min(0) });
export type Unsplit = z.infer<typeof Unsplit>;

/** Gives a share back to the sub merchant. `transaction_id` is required for orders older than six months. */
export const ShareReturnRequest = z
  .object({
    sub_mchid: MchId,
    order_id: z.string().max(64).optional(),
    out_order_no: OutOrderNo.optional(),
    out_return_no: OutOrderNo,
    return_mchid: MchId,
    amount: WireAmount,
    description: Description,
    transaction_id: TransactionId.optional(),
  })
  .refine((ask) => (ask.order_id === undefined) !== (ask.out_order_no === undefined), 'either order_id or out_order_no');
export type ShareReturnRequest = z.infer<typeof ShareReturnRequest>;

/** Some pages write FAIL where others write FAILED. */
export const ShareReturn = z.object({
  sub_mchid: MchId,
  order_id: z.string(),
  out_order_no: OutOrderNo,
  out_return_no: OutOrderNo,
  return_no: z.string(),
  return_mchid: MchId,
  amount: z.int().min(0),
  result: z.enum(['PROCESSING', 'SUCCESS', 'FAILED', 'FAIL']).transform((result) => (result === 'FAIL' ? 'FAILED' : result)),
  fail_reason: z.string().optional(),
  finish_time: WireTime.optional(),
  transaction_id: z.string().optional(),
});
export type ShareReturn = z.infer<typeof ShareReturn>;

/** The platform itself is a receiver from the start; anybody else is added first. */
export const ReceiverAdding = z.object({
  appid: z.string().max(32).optional(),
  type: ReceiverType,
  account: z.string().min(1).max(64),
  /** Encrypted. */
  name: z.string().max(1_024).optional(),
  relation_type: z.enum(['SUPPLIER', 'DISTRIBUTOR', 'SERVICE_PROVIDER', 'PLATFORM', 'OTHERS']),
});
export type ReceiverAdding = z.infer<typeof ReceiverAdding>;
export const ReceiverDeleting = ReceiverAdding.pick({ appid: true, type: true, account: true });
export type ReceiverDeleting = z.infer<typeof ReceiverDeleting>;
export const ReceiverNamed = z.object({ type: ReceiverType, account: z.string() });
export type ReceiverNamed = z.infer<typeof ReceiverNamed>;

/** Money must rest this long after the payment before it can be shared. */
export const SHARE_AFTER_MS = 60_000;
export const SHARES_PER_ORDER_MAX = 50;
