/**
 * The treasury 资金系统 that pays out by the original route. Its protocol is ours, there being no common one for WeChat, QQ wallet and
 * e-banking: `PUT /payouts/{number}` with source and amount; asked again under the same number, it is the same payout, and answers how far
 * it is. The sandbox plays it.
 */
import { Fen } from '@yunshi/kernel/money';
import { WithdrawalId } from '@yunshi/kernel/ids';
import { outsideCall } from '@yunshi/messaging/handle';
import { z } from 'zod';
import { jsonOf } from '../answers.ts';

const TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 16_384;

const PayoutRequest = z.object({ withdrawalId: WithdrawalId, source: z.enum(['wechat', 'qq_wallet', 'e_banking']), amount: Fen.min(1) });
type PayoutRequest = z.infer<typeof PayoutRequest>;
const PayoutOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('paid') }),
  z.object({ kind: z.literal('processing') }),
  z.object({ kind: z.literal('refused'), code: z.string(), message: z.string() }),
  z.object({ kind: z.literal('unknown'), why: z.string() }),
]);
export type PayoutOutcome = z.infer<typeof PayoutOutcome>;

export const payOut = outsideCall('wallet.pay-out', { request: PayoutRequest, outcome: PayoutOutcome });

const Answer = z.object({ status: z.enum(['processing', 'paid', 'failed']), reason: z.string().max(200).optional() });

export type Treasury = { readonly payOut: (request: PayoutRequest, signal: AbortSignal) => Promise<PayoutOutcome> };

export const treasury = ({ url, token }: { readonly url: string; readonly token: string }): Treasury => ({
  async payOut({ withdrawalId, source, amount }, signal) {
    let response: Response;
    try {
      response = await fetch(`${url}/payouts/${encodeURIComponent(withdrawalId)}`, {
        method: 'PUT',
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ source, amount, currency: 'CNY' }),
      });
    } catch (error) {
      return { kind: 'unknown', why: error instanceof Error ? error.name : 'no answer' };
    }
    const text = await response.text().catch(() => '');
    // Whoever refuses has done nothing; whoever is in trouble, or tells us to slow down, may have.
    if (response.status >= 400 && response.status < 500 && response.status !== 408 && response.status !== 429)
      return { kind: 'refused', code: `HTTP_${response.status}`, message: 'The treasury refused the payout.' };
    const read = response.ok && text.length <= ANSWER_BYTES_MAX ? Answer.safeParse(jsonOf(text)) : undefined;
    if (!read?.success) return { kind: 'unknown', why: `status ${response.status}` };
    if (read.data.status === 'failed') return { kind: 'refused', code: 'FAILED', message: read.data.reason ?? '' };
    return { kind: read.data.status };
  },
});
