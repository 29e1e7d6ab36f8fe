/** Asking the channel to pay a provider out: what is asked, and every outcome. */
import { ProviderId, WithdrawalId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import { outsideCall, performs, type Performer } from '@yunshi/messaging/handle';
import { z } from 'zod';
import { WithdrawOutcome, WithdrawQueryOutcome, type WechatWithdrawals } from '../wechat/withdrawals.ts';

const Asked = z.object({ withdrawalId: WithdrawalId, providerId: ProviderId, payee: z.string().min(1).max(32), amount: Fen.min(1) });

/** Asked again under the same number, it is the same withdrawal. */
export const withdrawFunds = outsideCall('wechat.withdraw', { request: Asked, outcome: WithdrawOutcome });
export const queryWithdrawal = outsideCall('wechat.query-withdrawal', { request: Asked, outcome: WithdrawQueryOutcome });

/** The channel takes 32 digits and letters: the id without its prefix, which leads back to it. */
export const numberOf = (withdrawalId: WithdrawalId): string => withdrawalId.slice('wdr_'.length);
export const withdrawalOf = (number: string): WithdrawalId | undefined => WithdrawalId.safeParse(`wdr_${number}`).data;

export const withdrawalPerformers = (wechat: WechatWithdrawals): readonly Performer[] => [
  performs(withdrawFunds, ({ withdrawalId, payee, amount }, { signal }) =>
    wechat.withdraw({ payee, number: numberOf(withdrawalId), amount }, signal),
  ),
  performs(queryWithdrawal, ({ withdrawalId, payee, amount }, { signal }) =>
    wechat.query({ payee, number: numberOf(withdrawalId), amount }, signal),
  ),
];
