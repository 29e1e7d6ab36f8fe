/** Balances and withdrawals of sub merchants: the bodies of `/v3/ecommerce/fund/…`. Amounts are fen. */
import { z } from 'zod';
import { NotifyUrl, WireAmount, WireTime } from './combine.ts';

const MchId = z.string().min(1).max(32);
const AccountType = z.enum(['BASIC', 'OPERATION', 'FEES']);
/** Kept over every retry: a new number is a second withdrawal. */
export const OutRequestNo = z.string().regex(/^[0-9A-Za-z]{1,32}$/);

export const Balance = z.object({
  sub_mchid: MchId,
  available_amount: z.int().min(0),
  /** Frozen, of orders that are not shared yet. */
  pending_amount: z.int().min(0).optional(),
  account_type: AccountType.optional(),
});
export type Balance = z.infer<typeof Balance>;

export const WithdrawRequest = z.object({
  sub_mchid: MchId,
  out_request_no: OutRequestNo,
  amount: WireAmount,
  remark: z.string().max(56).optional(),
  bank_memo: z.string().max(32).optional(),
  account_type: AccountType.optional(),
  notify_url: NotifyUrl.optional(),
});
export type WithdrawRequest = z.infer<typeof WithdrawRequest>;

export const WithdrawAccepted = z.object({ sub_mchid: MchId, withdraw_id: z.string().min(1).max(128), out_request_no: OutRequestNo });
export type WithdrawAccepted = z.infer<typeof WithdrawAccepted>;

/**
 * CREATE_SUCCESS and INIT: on its way. SUCCESS: the bank has taken it. FAIL: nothing left the account. REFUND: the bank sent it back
 * after a success (退票). CLOSE: closed before it began.
 */
export const WithdrawStatus = z.enum(['CREATE_SUCCESS', 'INIT', 'SUCCESS', 'FAIL', 'REFUND', 'CLOSE']);
export type WithdrawStatus = z.infer<typeof WithdrawStatus>;

/** The answer to a query, and the plaintext of MCHWITHDRAW.CHANGE. Where the money went is not read: nobody here needs to know. */
export const Withdraw = z.object({
  sub_mchid: MchId,
  sp_mchid: MchId,
  status: WithdrawStatus,
  withdraw_id: z.string(),
  out_request_no: OutRequestNo,
  amount: z.int().min(0),
  create_time: WireTime.optional(),
  update_time: WireTime.optional(),
  reason: z.string().optional(),
  remark: z.string().optional(),
});
export type Withdraw = z.infer<typeof Withdraw>;
