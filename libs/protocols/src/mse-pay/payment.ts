/** Payments: the bodies of `/v3/mse-pay/payments/…`. Amounts are fen. */
import { z } from 'zod';

/** The official SDK writes every scalar as a string; both spellings are read. */
export const WireFen = z.union([
  z.int().min(0),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);
export const WireTime = z.iso.datetime({ offset: true });
/** A number that the platform chooses. Unique for ever. */
export const OutNo = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/);
export const EntId = z.string().min(1).max(64);
const Currency = z.literal('CNY');

/** One bank, and the company's e-banking: what a marketplace asks for whose buyer has chosen the bank already. */
const ChannelOptions = z.object({
  include_bank_snames: z.array(z.string()).optional(),
  exclude_bank_snames: z.array(z.string()).optional(),
  include_pay_channels: z.array(z.string()).optional(),
});

/** `POST /payments/pc-pay`. The same number with the same parameters is the same payment; with others it is refused. */
export const PaymentRequest = z.object({
  out_payment_id: OutNo,
  amount: WireFen,
  currency: Currency,
  /** The last moment for the buyer to hand it in. */
  expire_time: WireTime,
  /** `ent_name` is encrypted, `ent_id` is not. */
  payee: z.object({ ent_id: EntId, ent_name: z.string().min(1) }),
  memo: z.string().max(256).optional(),
  goods: z
    .array(z.object({ good_name: z.string().max(128), good_number: z.union([z.int(), z.string()]), good_amount: WireFen }))
    .max(50)
    .optional(),
  attachment: z.string().max(128).optional(),
  notify_url: z.object({
    server_notify_url: z.url().max(256),
    front_callback_url: z.object({ pc_url: z.url().optional() }).optional(),
  }),
  profit_allocation_flag: z.enum(['NO_PROFIT_ALLOCATION', 'API_PROFIT_ALLOCATION', 'AUTO_PROFIT_ALLOCATION']).optional(),
  channel_options: ChannelOptions.optional(),
});
export type PaymentRequest = z.input<typeof PaymentRequest>;

/** `BANK_ACCEPTED`: the bank holds the maker's voucher. `REVOKED` 退票: the money went back after success. */
export const PayStatus = z.enum(['PROCESSING', 'BANK_ACCEPTED', 'SUCCEEDED', 'CLEARING', 'REVOKED', 'CLOSED']);
export type PayStatus = z.infer<typeof PayStatus>;

export const Payment = z.object({
  payment_id: z.string().min(1).max(64),
  out_payment_id: OutNo,
  amount: WireFen,
  currency: z.string(),
  payee: z.object({ ent_id: EntId }),
  payer: z.object({ payer_bank_sname: z.string().optional(), payer_acct_type: z.string().optional() }).optional(),
  pay_status: PayStatus,
  attachment: z.string().optional(),
  failed_reason: z.object({ failed_type: z.string(), failed_detail: z.string().optional() }).optional(),
  pay_time: WireTime.optional(),
  fee_amount: WireFen.optional(),
  settle_status: z.enum(['INIT', 'SETTLING', 'SETTLED']).optional(),
  /** Of a payment that is not paid: where the buyer's browser goes. */
  redirect: z.object({ pc_web: z.object({ url: z.url(), expire_time: WireTime }).optional() }).optional(),
});
export type Payment = z.infer<typeof Payment>;

export const CloseRequest = z.object({ close_reason: z.string().min(1).max(128) });
export type CloseRequest = z.infer<typeof CloseRequest>;
export const Closed = z.object({ payment_id: z.string(), out_payment_id: OutNo, status: PayStatus, close_time: WireTime.optional() });
export type Closed = z.infer<typeof Closed>;

/** `POST /redirects`: a fresh page for an unpaid payment. */
export const RedirectRequest = z.object({ payment_id: z.string().min(1) });

/** `GET /bank/support_banks` */
export const SupportBanks = z.array(
  z.object({
    bank_sname: z.string(),
    bank_name: z.string(),
    under_maintenance: z.boolean(),
    maintenance_info: z.string().optional(),
    /** The most that one payment may be, fen. The official SDK sends numbers as text. */
    quota: z.coerce.number().pipe(z.int().min(0)).optional(),
  }),
);
export type SupportBanks = z.infer<typeof SupportBanks>;
