/** What changes a provider's withdrawals: its wish, the channel's answers, and the channel's notice. The decisions are in withdrawal.ts. */
import type { ProviderId, UserId, WithdrawalId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { audited } from '@yunshi/messaging/audit';
import type { Core } from '@yunshi/messaging/core';
import { httpWrite, whenCalled, write, type Decision, type Handler } from '@yunshi/messaging/handle';
import { postingRows, rowsOfEntry } from '../ledger/entries.ts';
import { noticeRows } from '../payment/payments.ts';
import { Problem } from '../problems.ts';
import type * as tables from '../tables.ts';
import { queryWithdrawal, withdrawFunds, withdrawalOf } from './calls.ts';
import { purseRows, type PurseBook } from './purses.ts';
import { ask, queried, request, withdrawn, type Purse, type PurseChange } from './withdrawal.ts';
import { shownWithdrawal } from './wire.ts';

export const withdrawalHandlers: readonly Handler[] = [
  whenCalled(withdrawFunds, {
    of: purseRows,
    decide: ({ request: { withdrawalId }, outcome }, purse, { now }) =>
      purse ? decisionOf(withdrawn(purse, withdrawalId, outcome, now)) : {},
  }),
  whenCalled(queryWithdrawal, {
    of: purseRows,
    decide: ({ request: { withdrawalId }, outcome }, purse, { now }) => {
      const seen = outcome.kind === 'refused' ? ({ kind: 'unknown' } as const) : outcome;
      return purse ? decisionOf(queried(purse, withdrawalId, seen, now)) : {};
    },
  }),
];

type Asking = { readonly withdrawalId: WithdrawalId; readonly providerId: ProviderId; readonly amount: Fen; readonly by: UserId };
type Hearing = {
  readonly withdrawalId: WithdrawalId;
  readonly providerId: ProviderId;
  readonly notice: typeof tables.notices.$inferSelect;
};

export const withdrawalWrites = {
  /** A refusal is thrown, so that it is not stored under the Idempotency-Key: the balance may be enough later. */
  withdraw: httpWrite('provider-withdrawal.ask', {
    of: purseRows,
    key: (asked: Asking) => asked.providerId,
    decide: (asked, purse, { now }) => {
      if (!purse) throw new Problem('channel-not-signed');
      const change = request(purse, { ...asked, now });
      if (!change.ok) throw new Problem(change.error);
      const made = change.value.purse.withdrawals.find((one) => one.withdrawalId === asked.withdrawalId)!;
      const { writes = [], ...decision } = decisionOf(change.value);
      const act = audited({
        actor: asked.by,
        action: 'provider-withdrawal.ask',
        object: `withdrawal:${asked.withdrawalId}`,
        reason: undefined,
      });
      return { ...decision, writes: [...writes, act], response: { status: 201, body: shownWithdrawal(made) } };
    },
  }),

  /** The channel has told of something, in a verified notice, which is kept: it is asked what. */
  hear: httpWrite('provider-withdrawal.hear', {
    of: purseRows,
    key: ({ providerId }: Hearing) => providerId,
    decide: ({ withdrawalId, notice }, purse) => {
      const { writes = [], ...decision } = purse ? decisionOf(ask(purse, withdrawalId)) : {};
      return { ...decision, writes: [...writes, write(noticeRows, notice)] };
    },
  }),
};

/** Keeps a channel's notice of a withdrawal that is one of ours, and has the channel asked about it. */
export const hearer =
  (core: Pick<Core, 'write' | 'clock'>, purses: Pick<PurseBook, 'find'>) =>
  async (number: string, notice: Pick<Hearing['notice'], 'noticeId' | 'channel' | 'headers' | 'body'>): Promise<void> => {
    const withdrawalId = withdrawalOf(number);
    const found = withdrawalId && (await purses.find(withdrawalId));
    if (!found) return;
    const kept = { ...notice, kind: 'withdrawal', orderId: null, receivedAt: core.clock.now(), worked: true };
    await core.write(withdrawalWrites.hear, { withdrawalId: found.withdrawalId, providerId: found.providerId, notice: kept });
  };

function decisionOf({ purse, effects }: PurseChange): Decision<Purse> {
  const { providerId } = purse;
  return {
    save: purse,
    writes: effects.flatMap((effect) => (effect.do === 'post' ? rowsOfEntry(effect.entry).map((row) => write(postingRows, row)) : [])),
    calls: effects.flatMap((effect) => {
      if (effect.do === 'post') return [];
      const { withdrawalId, payee, amount } = effect.withdrawal;
      const call = effect.do === 'withdraw' ? withdrawFunds : queryWithdrawal;
      return [call.intent(providerId, { withdrawalId, providerId, payee, amount }, effect.at && { notBefore: effect.at })];
    }),
  };
}
