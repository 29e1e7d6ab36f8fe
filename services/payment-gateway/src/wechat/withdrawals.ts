/** Withdrawals of sub merchants as payment-gateway uses them: asked for, and asked after. */
import { Withdraw, WithdrawAccepted, type WithdrawStatus } from '@yunshi/protocols/wechat/fund';
import { MISSING_CODES } from '@yunshi/protocols/wechat/error';
import { z } from 'zod';
import { plain, refused, unknown } from '../payment/outcomes.ts';
import type { WechatClient } from './client.ts';
import { failure, unreadable } from './outcomes.ts';
import { WITHDRAWAL_CALLBACK, type Us } from './requests.ts';

export const WithdrawOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('accepted'), channelNo: z.string() }),
  refused,
  unknown,
]);
export type WithdrawOutcome = z.infer<typeof WithdrawOutcome>;

export const WithdrawQueryOutcome = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('found'),
    state: z.enum(['processing', 'paid', 'failed', 'returned']),
    amount: z.int().min(0),
    reason: z.string(),
  }),
  plain('missing'),
  refused,
  unknown,
]);
export type WithdrawQueryOutcome = z.infer<typeof WithdrawQueryOutcome>;

const states = {
  CREATE_SUCCESS: 'processing',
  INIT: 'processing',
  SUCCESS: 'paid',
  FAIL: 'failed',
  REFUND: 'returned',
  CLOSE: 'failed',
} as const satisfies Record<WithdrawStatus, string>;

type Asked = { readonly payee: string; readonly number: string; readonly amount: number };
export type WechatWithdrawals = ReturnType<typeof wechatWithdrawals>;

export const wechatWithdrawals = ({ client, us }: { readonly client: WechatClient; readonly us: Pick<Us, 'notifyBaseUrl'> }) => ({
  withdraw: async ({ payee, number, amount }: Asked, signal?: AbortSignal): Promise<WithdrawOutcome> => {
    const body = {
      sub_mchid: payee,
      out_request_no: number,
      amount,
      remark: '货款提现',
      notify_url: `${us.notifyBaseUrl}${WITHDRAWAL_CALLBACK}`,
    };
    const answer = await client.exchange({ method: 'POST', target: '/v3/ecommerce/fund/withdraw', body, signal });
    if (answer.kind !== 'done') return failure(answer);
    const read = WithdrawAccepted.safeParse(answer.body);
    return read.success ? { kind: 'accepted', channelNo: read.data.withdraw_id } : unreadable;
  },

  query: async ({ payee, number, amount }: Asked, signal?: AbortSignal): Promise<WithdrawQueryOutcome> => {
    const target = `/v3/ecommerce/fund/withdraw/out-request-no/${number}?sub_mchid=${encodeURIComponent(payee)}`;
    const answer = await client.exchange({ method: 'GET', target, signal });
    if (answer.kind === 'refused' && answer.status === 404 && MISSING_CODES.has(answer.code)) return { kind: 'missing' };
    if (answer.kind !== 'done') return failure(answer);
    const read = Withdraw.safeParse(answer.body);
    if (!read.success) return unreadable;
    const { status, sub_mchid: seenPayee, amount: seenAmount, out_request_no: seenNumber, reason = status } = read.data;
    if (seenPayee !== payee || seenAmount !== amount || seenNumber !== number)
      return { kind: 'unknown', why: 'the channel tells of another withdrawal' };
    return { kind: 'found', state: states[status], amount: seenAmount, reason };
  },
});
