/** Withdrawals 提现 of providers: what was released to one leaves the channel for its bank. Pure. */
import { flow, move, type ActionOf, type StateOf } from '@yunshi/kernel/flow';
import type { ProviderId, UserId, WithdrawalId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import * as ledger from '../ledger/ledger.ts';
import type { Entry } from '../ledger/ledger.ts';

export const providerWithdrawalFlow = flow('provider-withdrawal', {
  /** Asked of the channel, not yet answered. */
  requested: { accept: 'accepted', pay: 'paid', fail: 'failed' },
  accepted: { pay: 'paid', fail: 'failed' },
  /** The bank has taken it. It may still send it back 退票. */
  paid: { return: 'returned' },
  /** Nothing has left the account. */
  failed: {},
  returned: {},
});
export type ProviderWithdrawalStatus = StateOf<typeof providerWithdrawalFlow>;

export type ProviderWithdrawal = {
  readonly withdrawalId: WithdrawalId;
  readonly providerId: ProviderId;
  /** The provider's number at the channel. */
  readonly payee: string;
  readonly amount: Fen;
  readonly status: ProviderWithdrawalStatus;
  readonly requestedBy: UserId;
  /** The channel's own number. */
  readonly channelNo: string | null;
  readonly failure: string | null;
  readonly createdAt: Date;
  readonly paidAt: Date | null;
  readonly endedAt: Date | null;
  /** How often in a row the channel was asked without learning anything. */
  readonly checks: number;
  /** Whether the channel will be asked about it again. */
  readonly watched: boolean;
};

/** What a provider has at the channel, as our books say, with its withdrawals that are watched. */
export type Purse = {
  readonly providerId: ProviderId;
  /** Null for a provider that is not signed up there. */
  readonly payee: string | null;
  /** Released, and not withdrawn. Negative: owed. */
  readonly balance: number;
  readonly withdrawals: readonly ProviderWithdrawal[];
};

const isOnItsWay = ({ status }: ProviderWithdrawal): boolean => status === 'requested' || status === 'accepted';

export const withdrawableOf = ({ balance, withdrawals }: Purse): Fen =>
  Math.max(balance - withdrawals.filter(isOnItsWay).reduce((sum, { amount }) => sum + amount, 0), 0);

export type PurseEffect =
  | { readonly do: 'withdraw' | 'query'; readonly withdrawal: ProviderWithdrawal; readonly at?: Date }
  | { readonly do: 'post'; readonly entry: Entry };
export type PurseChange = { readonly purse: Purse; readonly effects: readonly PurseEffect[] };

type Wish = { readonly withdrawalId: WithdrawalId; readonly amount: Fen; readonly by: UserId; readonly now: Date };

/** What is on its way counts as gone, so that requests that come together never exceed the balance. */
export function request(
  purse: Purse,
  { withdrawalId, amount, by, now }: Wish,
): Result<PurseChange, 'channel-not-signed' | 'provider-withdrawal-too-much'> {
  const { providerId, payee } = purse;
  if (payee === null) return no('channel-not-signed');
  if (amount > withdrawableOf(purse)) return no('provider-withdrawal-too-much');
  const open = { status: 'requested', channelNo: null, failure: null, paidAt: null, endedAt: null, checks: 0, watched: true } as const;
  const asked: ProviderWithdrawal = { withdrawalId, providerId, payee, amount, requestedBy: by, createdAt: now, ...open };
  return ok({ purse: put(purse, asked), effects: [{ do: 'withdraw', withdrawal: asked }] });
}

export type Withdrawn =
  | { readonly kind: 'accepted'; readonly channelNo: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'unknown' };

/** Seconds before the channel is asked again; the last one repeats. */
const CHECK_S = [30, 60, 300, 900, 1_800, 3_600] as const;
/** Days after which a bank that has taken the money is asked about for the last time. */
const WATCH_DAYS = 7;
const DAY_MS = 86_400_000;

/** The channel's answer to the request. An unknown one is asked for again under the same number. */
export function withdrawn(purse: Purse, withdrawalId: WithdrawalId, answer: Withdrawn, now: Date): PurseChange {
  const found = purse.withdrawals.find((one) => one.withdrawalId === withdrawalId);
  if (found?.status !== 'requested') return { purse, effects: [] };
  switch (answer.kind) {
    case 'accepted':
      return again(purse, { ...step(found, 'accept'), channelNo: answer.channelNo, checks: 0 }, 'query', now);
    case 'refused':
      return failed(purse, found, `${answer.code} ${answer.message}`.trim(), now);
    case 'unknown':
      return again(purse, found, 'withdraw', now);
  }
}

export type WithdrawalSeen =
  | { readonly kind: 'found'; readonly state: 'processing' | 'paid' | 'failed' | 'returned'; readonly amount: Fen; readonly reason: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unknown' };

/** What a verified query says. A notice only has the query made: it may be late, or come out of order. */
export function queried(purse: Purse, withdrawalId: WithdrawalId, seen: WithdrawalSeen, now: Date): PurseChange {
  const found = purse.withdrawals.find((one) => one.withdrawalId === withdrawalId);
  if (!found?.watched) return { purse, effects: [] };
  if (seen.kind === 'unknown') return found.status === 'paid' ? lastLook(purse, found, now) : again(purse, found, 'query', now);
  if (seen.kind === 'missing') return again(purse, found, found.status === 'requested' ? 'withdraw' : 'query', now);
  const known: ProviderWithdrawal = { ...found, checks: 0 };
  switch (seen.state) {
    case 'processing':
      return found.status === 'paid' ? { purse, effects: [] } : again(purse, { ...known, checks: found.checks }, 'query', now);
    case 'failed':
      return found.status === 'paid' ? { purse, effects: [] } : failed(purse, known, seen.reason, now);
    case 'paid':
      return found.status === 'paid' ? lastLook(purse, known, now) : paid(purse, known, now);
    case 'returned': {
      const left = found.status === 'paid' ? { purse, effects: [] } : paid(purse, known, now);
      const current = left.purse.withdrawals.find((one) => one.withdrawalId === withdrawalId)!;
      const returned = { ...step(current, 'return'), failure: seen.reason, endedAt: now, watched: false };
      const entry = ledger.providerWithdrawalReturned(withdrawalId, movementOf(current, now));
      const posts = left.effects.filter((effect) => effect.do === 'post');
      return { purse: put(withBalance(left.purse, current.amount), returned), effects: [...posts, { do: 'post', entry }] };
    }
  }
}

/** Somebody has heard something: the channel is asked now. */
export function ask(purse: Purse, withdrawalId: WithdrawalId): PurseChange {
  const found = purse.withdrawals.find((one) => one.withdrawalId === withdrawalId);
  return { purse, effects: found ? [{ do: 'query', withdrawal: found }] : [] };
}

function paid(purse: Purse, found: ProviderWithdrawal, now: Date): PurseChange {
  const gone = { ...step(found, 'pay'), paidAt: now, endedAt: now };
  const look = new Date(now.getTime() + WATCH_DAYS * DAY_MS);
  return {
    purse: put(withBalance(purse, -found.amount), gone),
    effects: [
      { do: 'post', entry: ledger.providerWithdrawal(found.withdrawalId, movementOf(found, now)) },
      { do: 'query', withdrawal: gone, at: look },
    ],
  };
}

/** Banks send back within days, and a notice tells: this is for the case that it does not. */
function lastLook(purse: Purse, found: ProviderWithdrawal, now: Date): PurseChange {
  const isOver = found.paidAt !== null && now.getTime() - found.paidAt.getTime() >= WATCH_DAYS * DAY_MS;
  return { purse: isOver ? put(purse, { ...found, watched: false }) : purse, effects: [] };
}

const failed = (purse: Purse, found: ProviderWithdrawal, failure: string, now: Date): PurseChange => ({
  purse: put(purse, { ...step(found, 'fail'), failure, endedAt: now, watched: false }),
  effects: [],
});

function again(purse: Purse, found: ProviderWithdrawal, what: 'withdraw' | 'query', now: Date): PurseChange {
  const seconds = CHECK_S[Math.min(found.checks, CHECK_S.length - 1)] ?? 0;
  const waiting = { ...found, checks: found.checks + 1 };
  return {
    purse: put(purse, waiting),
    effects: [{ do: what, withdrawal: waiting, at: new Date(now.getTime() + seconds * 1_000) }],
  };
}

const movementOf = ({ providerId, amount }: ProviderWithdrawal, at: Date) =>
  ({ providerId, amount, channel: 'wechat_native', at }) as const;
const withBalance = (purse: Purse, change: number): Purse => ({ ...purse, balance: purse.balance + change });
const put = (purse: Purse, changed: ProviderWithdrawal): Purse => ({
  ...purse,
  withdrawals: [...purse.withdrawals.filter((one) => one.withdrawalId !== changed.withdrawalId), changed],
});
function step(found: ProviderWithdrawal, action: ActionOf<typeof providerWithdrawalFlow>): ProviderWithdrawal {
  const to = move(providerWithdrawalFlow, found.status, action);
  if (!to.ok) throw new Error(`a withdrawal of ${found.providerId} that is ${found.status} cannot ${action}`);
  return { ...found, status: to.value };
}
