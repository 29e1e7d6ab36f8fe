/** Refunds: the bodies of `/v3/mse-pay/refunds/…`. */
import { z } from 'zod';
import { EntId, OutNo, WireFen, WireTime } from './payment.ts';

export const RefundRequest = z
  .object({
    ent_id: EntId,
    /** Asked again under the same number, it is the same refund. */
    out_refund_id: OutNo,
    payment_id: z.string().min(1).optional(),
    out_payment_id: OutNo.optional(),
    total_amount: WireFen,
    refund_amount: WireFen,
    refund_reason: z.string().max(128).optional(),
    server_notify_url: z.url().max(256).optional(),
  })
  .refine((ask) => (ask.payment_id === undefined) !== (ask.out_payment_id === undefined), 'either payment_id or out_payment_id');
export type RefundRequest = z.input<typeof RefundRequest>;

export const RefundStatus = z.enum(['INIT', 'ACCEPTED', 'CANCELLING', 'MERCHANT_SUCCEEDED', 'SUCCEEDED', 'FAILED', 'ABNORMAL']);
export type RefundStatus = z.infer<typeof RefundStatus>;

export const Refund = z.object({
  refund_id: z.string().min(1).max(64),
  out_refund_id: OutNo,
  payment_id: z.string(),
  out_payment_id: OutNo,
  refund_amount: WireFen,
  status: RefundStatus,
  refund_time: WireTime.optional(),
});
export type Refund = z.infer<typeof Refund>;
