/**
 * Account balances 账户余额 of older accounts: they can only be withdrawn 提现. What was topped up by WeChat, QQ wallet or e-banking goes
 * back by the original route 原路, the rest offline to the company's bank account 对公. Pure.
 */
import { flow, move, type ActionOf, type StateOf } from '@yunshi/kernel/flow';
import type { AccountId, UserId, WithdrawalId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import * as ledger from '../ledger/ledger.ts';
import type { Entry } from '../ledger/ledger.ts';
import { addWorkingDays } from './working-days.ts';

/** In the order in which frozen and owed amounts are kept back: what takes longest to pay out comes first. */
export const SOURCES = ['offline', 'e_banking', 'qq_wallet', 'wechat'] as const;
export type Source = (typeof SOURCES)[number];
export type Route = 'original' | 'offline';
export const routeOf = (source: Source): Route => (source === 'offline' ? 'offline' : 'original');

/** marketplace.md, section 4: by the original route within 2 hours, offline in 7 to 15 working days. */
const PROMISED = { originalMs: 2 * 3_600_000, offlineWorkingDays: 15 } as const;
const ASK_AGAIN_MS = { least: 60_000, most: 600_000 } as const;

export const withdrawalFlow = flow('wallet-withdrawal', {
  /** On its way: the route was asked, or an operator has to make a transfer. */
  processing: { succeed: 'succeeded', fail: 'failed', propose: 'approving' },
  /** An operator says that it has been transferred, or cannot be; a second one has to confirm it. */
  approving: { confirm: 'succeeded', giveUp: 'failed', reject: 'processing' },
  succeeded: {},
  /** The money is in the balance again. */
  failed: {},
});
export type WithdrawalStatus = StateOf<typeof withdrawalFlow>;

/** What an operator has found, before a second one has confirmed it. */
export type Proposal = { readonly outcome: 'paid' | 'failed'; readonly note: string; readonly by: UserId };

export type Withdrawal = {
  readonly withdrawalId: WithdrawalId;
  readonly accountId: AccountId;
  readonly source: Source;
  readonly amount: Fen;
  readonly status: WithdrawalStatus;
  readonly requestedBy: UserId;
  readonly createdAt: Date;
  /** When it should have arrived. */
  readonly expectedBy: Date;
  /** Whether an operator has been told that it is late. */
  readonly late: boolean;
  readonly proposal: Proposal | null;
  readonly failure: string | null;
  readonly endedAt: Date | null;
};

/** The number itself is sealed: what is shown of it are its last four digits. */
export type BankAccount = { readonly name: string; readonly bank: string; readonly last4: string; readonly sealed: string };

export type Wallet = {
  readonly accountId: AccountId;
  readonly wechat: Fen;
  readonly qqWallet: Fen;
  readonly eBanking: Fen;
  readonly offline: Fen;
  readonly frozen: Fen;
  readonly owed: Fen;
  /** Where the offline part came from, and goes back to. */
  readonly bankAccount: BankAccount | null;
  /** Those that have not ended. */
  readonly withdrawals: readonly Withdrawal[];
};

const fieldOf = { offline: 'offline', e_banking: 'eBanking', qq_wallet: 'qqWallet', wechat: 'wechat' } as const satisfies Record<
  Source,
  keyof Wallet
>;
export const partOf = (wallet: Wallet, source: Source): Fen => wallet[fieldOf[source]];
export const totalOf = (wallet: Wallet): Fen => SOURCES.reduce((sum, source) => sum + partOf(wallet, source), 0);

/** Of each part, what is neither frozen nor owed. */
export function withdrawableOf(wallet: Wallet): Readonly<Record<Source, Fen>> {
  let keptBack = wallet.frozen + wallet.owed;
  const free = { offline: 0, e_banking: 0, qq_wallet: 0, wechat: 0 };
  for (const source of SOURCES) {
    const kept = Math.min(keptBack, partOf(wallet, source));
    free[source] = partOf(wallet, source) - kept;
    keptBack -= kept;
  }
  return free;
}

export type WalletTask = { readonly taskId: string; readonly subject: WithdrawalId; readonly detail: string; readonly openedAt: Date };
export type WalletEffect =
  | { readonly do: 'post'; readonly entry: Entry }
  /** Asks the original route; again with the same number, it is the same payout. */
  | { readonly do: 'pay-out'; readonly withdrawal: Withdrawal; readonly at?: Date }
  | { readonly do: 'check'; readonly at: Date }
  | { readonly do: 'task'; readonly task: WalletTask };
export type WalletChange = { readonly wallet: Wallet; readonly effects: readonly WalletEffect[] };

export type Unwithdrawable = 'withdrawal-too-much' | 'withdrawal-route-closed' | 'bank-account-missing';
type Wish = {
  readonly withdrawalId: WithdrawalId;
  readonly source: Source;
  readonly amount: Fen;
  readonly by: UserId;
  readonly now: Date;
  /** Whether there is anybody who pays out by the original route. */
  readonly originalOpen: boolean;
};

/** Takes the amount out of the balance at once, so that nothing can be withdrawn twice. */
export function request(
  wallet: Wallet,
  { withdrawalId, source, amount, by, now, originalOpen }: Wish,
): Result<WalletChange, Unwithdrawable> {
  const route = routeOf(source);
  if (route === 'original' && !originalOpen) return no('withdrawal-route-closed');
  if (route === 'offline' && !wallet.bankAccount) return no('bank-account-missing');
  if (amount > withdrawableOf(wallet)[source]) return no('withdrawal-too-much');
  const expectedBy =
    route === 'original' ? new Date(now.getTime() + PROMISED.originalMs) : addWorkingDays(now, PROMISED.offlineWorkingDays);
  const { accountId } = wallet;
  const nothing = { late: false, proposal: null, failure: null, endedAt: null };
  const asked: Withdrawal = {
    withdrawalId,
    accountId,
    source,
    amount,
    status: 'processing',
    requestedBy: by,
    createdAt: now,
    expectedBy,
    ...nothing,
  };
  const changed = put(add(wallet, source, -amount), asked);
  return ok({
    wallet: changed,
    effects: [
      { do: 'post', entry: ledger.walletWithdrawal(withdrawalId, { accountId, source, amount, at: now }) },
      ...(route === 'original' ? [{ do: 'pay-out' as const, withdrawal: asked }] : []),
      ...nextCheck(changed),
    ],
  });
}

export type PaidOut =
  { readonly kind: 'paid' | 'processing' | 'unknown' } | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** What the original route says. An unknown outcome is asked for again under the same number. */
export function paidOut(wallet: Wallet, withdrawalId: WithdrawalId, answer: PaidOut, now: Date): WalletChange {
  const found = openOf(wallet, withdrawalId);
  if (found?.status !== 'processing' || routeOf(found.source) !== 'original') return { wallet, effects: [] };
  switch (answer.kind) {
    case 'paid':
      return settled(wallet, found, 'succeed', null, now);
    case 'refused':
      return settled(wallet, found, 'fail', `${answer.code} ${answer.message}`, now);
    case 'processing':
    case 'unknown': {
      const takenMs = now.getTime() - found.createdAt.getTime();
      const again = new Date(now.getTime() + Math.min(Math.max(takenMs, ASK_AGAIN_MS.least), ASK_AGAIN_MS.most));
      return { wallet, effects: [{ do: 'pay-out', withdrawal: found, at: again }] };
    }
  }
}

export type Undecidable = 'withdrawal-unknown' | 'withdrawal-not-open' | 'second-person-needed';

/** One operator has made the transfer, or has seen that it cannot be made. Nothing moves yet. */
export function propose(wallet: Wallet, withdrawalId: WithdrawalId, proposal: Proposal): Result<WalletChange, Undecidable> {
  const found = openOf(wallet, withdrawalId);
  if (!found) return no('withdrawal-unknown');
  if (found.status !== 'processing' || routeOf(found.source) !== 'offline') return no('withdrawal-not-open');
  return ok({ wallet: put(wallet, step({ ...found, proposal }, 'propose')), effects: [] });
}

/** Another operator confirms or rejects what the first one says. */
export function decide(
  wallet: Wallet,
  withdrawalId: WithdrawalId,
  { by, approved, now }: { readonly by: UserId; readonly approved: boolean; readonly now: Date },
): Result<WalletChange, Undecidable> {
  const found = openOf(wallet, withdrawalId);
  if (!found) return no('withdrawal-unknown');
  if (found.status !== 'approving' || !found.proposal) return no('withdrawal-not-open');
  if (!approved) return ok({ wallet: put(wallet, step({ ...found, proposal: null }, 'reject')), effects: [] });
  if (found.proposal.by === by) return no('second-person-needed');
  const paid = found.proposal.outcome === 'paid';
  return ok(settled(wallet, found, paid ? 'confirm' : 'giveUp', paid ? null : found.proposal.note, now));
}

/** The promised time of a withdrawal has come: if it is still on its way, an operator is told. */
export function check(wallet: Wallet, now: Date): WalletChange {
  const late = wallet.withdrawals.filter((one) => !one.late && one.expectedBy <= now && one.endedAt === null);
  const changed = late.reduce((before, one) => put(before, { ...one, late: true }), wallet);
  const tasks = late.map((one): WalletEffect => ({
    do: 'task',
    task: {
      taskId: `withdrawal-late:${one.withdrawalId}`,
      subject: one.withdrawalId,
      detail: `A withdrawal of ${one.amount} fen (${one.source}) should have arrived by now.`,
      openedAt: now,
    },
  }));
  return { wallet: changed, effects: [...tasks, ...nextCheck(changed)] };
}

function settled(
  wallet: Wallet,
  found: Withdrawal,
  action: ActionOf<typeof withdrawalFlow>,
  failure: string | null,
  now: Date,
): WalletChange {
  const ended = { ...step(found, action), failure, endedAt: now };
  const { accountId, withdrawalId, source, amount } = ended;
  const movement = { accountId, source, amount, at: now };
  const back = ended.status === 'failed';
  const changed = put(back ? add(wallet, source, amount) : wallet, ended);
  const entry = back ? ledger.walletReturned(withdrawalId, movement) : ledger.walletPaidOut(withdrawalId, movement);
  return { wallet: changed, effects: [{ do: 'post', entry }] };
}

/** One deadline serves all withdrawals of an account: the earliest of their times. */
function nextCheck(wallet: Wallet): WalletEffect[] {
  const times = wallet.withdrawals.flatMap((one) => (one.endedAt === null && !one.late ? one.expectedBy.getTime() : []));
  return times.length === 0 ? [] : [{ do: 'check', at: new Date(Math.min(...times)) }];
}

const add = (wallet: Wallet, source: Source, amount: number): Wallet => ({ ...wallet, [fieldOf[source]]: partOf(wallet, source) + amount });
const put = (wallet: Wallet, changed: Withdrawal): Wallet => ({
  ...wallet,
  withdrawals: [...wallet.withdrawals.filter((one) => one.withdrawalId !== changed.withdrawalId), changed],
});
const openOf = (wallet: Wallet, withdrawalId: WithdrawalId): Withdrawal | undefined =>
  wallet.withdrawals.find((one) => one.withdrawalId === withdrawalId && one.endedAt === null);

function step(withdrawal: Withdrawal, action: ActionOf<typeof withdrawalFlow>): Withdrawal {
  const to = move(withdrawalFlow, withdrawal.status, action);
  if (!to.ok) throw new Error(`a withdrawal that is ${withdrawal.status} cannot ${action}`);
  return { ...withdrawal, status: to.value };
}
