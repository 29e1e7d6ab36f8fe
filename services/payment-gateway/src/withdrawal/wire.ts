/** Withdrawals of providers as the API shows them. */
import { ProviderId, WithdrawalId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import { z } from 'zod';
import { providerWithdrawalFlow, type ProviderWithdrawal } from './withdrawal.ts';

const Time = z.iso.datetime({ offset: true });

export const Status = z.enum(providerWithdrawalFlow.states).meta({
  description:
    'requested, accepted: on its way; what is on its way is not withdrawable any more. paid: the bank has taken it. returned 退票: the bank has sent it back, and it is withdrawable again. failed: nothing has left',
});

export const ShownWithdrawal = z
  .object({
    withdrawal_id: WithdrawalId,
    provider_id: ProviderId,
    amount: Fen,
    status: Status,
    failure: z.string().nullable(),
    created_at: Time,
    paid_at: Time.nullable(),
    ended_at: Time.nullable(),
  })
  .meta({ id: 'ProviderWithdrawal' });

export const shownWithdrawal = (of: ProviderWithdrawal): z.infer<typeof ShownWithdrawal> => ({
  withdrawal_id: of.withdrawalId,
  provider_id: of.providerId,
  amount: of.amount,
  status: of.status,
  failure: of.failure,
  created_at: of.createdAt.toISOString(),
  paid_at: of.paidAt?.toISOString() ?? null,
  ended_at: of.endedAt?.toISOString() ?? null,
});
