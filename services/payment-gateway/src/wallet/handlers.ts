/** What changes wallets: buyers' wishes, the treasury's answers, operators' decisions, and time. The decisions are in wallet.ts. */
import type { AccountId, UserId, WithdrawalId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import type { Result } from '@yunshi/kernel/result';
import { audited } from '@yunshi/messaging/audit';
import { due, httpWrite, performs, whenCalled, write, type Decision, type Handler, type Performer } from '@yunshi/messaging/handle';
import { postingRows, rowsOfEntry } from '../ledger/entries.ts';
import { taskRows } from '../payment/payments.ts';
import { Problem } from '../problems.ts';
import { payOut, type Treasury } from './payouts.ts';
import {
  check,
  decide,
  paidOut,
  propose,
  request,
  type Proposal,
  type Source,
  type Undecidable,
  type Wallet,
  type WalletChange,
} from './wallet.ts';
import { wallets } from './wallets.ts';
import { shownWithdrawal } from './wire.ts';

const CHECK = 'wallet.check';

export const walletHandlers = (): readonly Handler[] => [
  whenCalled(payOut, {
    of: wallets,
    decide: ({ request: { withdrawalId }, outcome }, wallet, { now }) =>
      wallet ? decisionOf(paidOut(wallet, withdrawalId, outcome, now)) : {},
  }),
  due(CHECK, { of: wallets, decide: (_key: AccountId, wallet, { now }) => (wallet ? decisionOf(check(wallet, now)) : {}) }),
];

export const walletPerformers = (treasury: Treasury | undefined): readonly Performer[] => [
  performs(
    payOut,
    (asked, { signal }) =>
      treasury?.payOut(asked, signal) ?? Promise.resolve({ kind: 'unknown' as const, why: 'no treasury is configured' }),
  ),
];

type Asking = {
  readonly withdrawalId: WithdrawalId;
  readonly accountId: AccountId;
  readonly source: Source;
  readonly amount: Fen;
  readonly by: UserId;
};
type Handled = { readonly accountId: AccountId; readonly withdrawalId: WithdrawalId; readonly by: UserId };

export const walletWrites = ({ originalOpen }: { readonly originalOpen: boolean }) => ({
  /** A refusal is thrown, so that it is not stored under the Idempotency-Key: the balance may be enough later. */
  withdraw: httpWrite('wallet.withdraw', {
    of: wallets,
    key: (asked: Asking) => asked.accountId,
    decide: (asked, wallet, { now }) => {
      if (!wallet) throw new Problem('withdrawal-too-much');
      const change = request(wallet, { ...asked, now, originalOpen });
      if (!change.ok) throw new Problem(change.error);
      const made = change.value.wallet.withdrawals.find((one) => one.withdrawalId === asked.withdrawalId)!;
      return { ...decisionOf(change.value), response: { status: 201, body: shownWithdrawal(made) } };
    },
  }),

  propose: httpWrite('wallet.propose', {
    of: wallets,
    key: (asked: Handled & { readonly proposal: Proposal }) => asked.accountId,
    decide: ({ withdrawalId, proposal, by }, wallet) =>
      handled(withdrawalId, wallet && propose(wallet, withdrawalId, proposal), {
        by,
        action: `propose-${proposal.outcome}`,
        reason: proposal.note,
      }),
  }),

  noteReveal: httpWrite('wallet.note-reveal', {
    of: wallets,
    key: (asked: Handled) => asked.accountId,
    decide: ({ withdrawalId, by }): Decision<Wallet> => ({
      writes: [audited({ actor: by, action: 'withdrawal.reveal-account', object: `withdrawal:${withdrawalId}`, reason: undefined })],
      response: { status: 204, body: null },
    }),
  }),

  decide: httpWrite('wallet.decide', {
    of: wallets,
    key: (asked: Handled & { readonly approved: boolean }) => asked.accountId,
    decide: ({ withdrawalId, approved, by }, wallet, { now }) =>
      handled(withdrawalId, wallet && decide(wallet, withdrawalId, { by, approved, now }), {
        by,
        action: approved ? 'approve' : 'reject',
        reason: undefined,
      }),
  }),
});

type Act = { readonly by: UserId; readonly action: string; readonly reason: string | undefined };

function handled(
  withdrawalId: WithdrawalId,
  change: Result<WalletChange, Undecidable> | undefined,
  { by, action, reason }: Act,
): Decision<Wallet> {
  if (!change?.ok) throw new Problem(!change || change.error === 'withdrawal-unknown' ? 'not-found' : change.error);
  const { writes = [], ...decision } = decisionOf(change.value);
  const act = audited({ actor: by, action: `withdrawal.${action}`, object: `withdrawal:${withdrawalId}`, reason });
  const after = change.value.wallet.withdrawals.find((one) => one.withdrawalId === withdrawalId)!;
  return { ...decision, writes: [...writes, act], response: { status: 200, body: shownWithdrawal(after) } };
}

/** A change in the words of the core. */
function decisionOf({ wallet, effects }: WalletChange): Decision<Wallet> {
  const { accountId } = wallet;
  return {
    save: wallet,
    writes: effects.flatMap((effect) => {
      if (effect.do === 'post') return rowsOfEntry(effect.entry).map((row) => write(postingRows, row));
      if (effect.do !== 'task') return [];
      return [write(taskRows, { ...effect.task, kind: 'withdrawal-late' as const, orderId: null, resolvedAt: null, resolvedBy: null })];
    }),
    deadlines: effects.flatMap((effect) => (effect.do === 'check' ? [{ kind: CHECK, key: accountId, dueAt: effect.at }] : [])),
    calls: effects.flatMap((effect) => {
      if (effect.do !== 'pay-out') return [];
      const { withdrawalId, source, amount } = effect.withdrawal;
      if (source === 'offline') throw new Error(`${withdrawalId} is paid out by hand`);
      return [payOut.intent(accountId, { withdrawalId, source, amount }, effect.at && { notBefore: effect.at })];
    }),
  };
}
