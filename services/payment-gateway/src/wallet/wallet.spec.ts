import { isTerminal, reachable } from '@yunshi/kernel/flow';
import type { AccountId, UserId, WithdrawalId } from '@yunshi/kernel/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../ledger/ledger.ts';
import {
  check,
  decide,
  paidOut,
  partOf,
  propose,
  request,
  SOURCES,
  totalOf,
  withdrawableOf,
  withdrawalFlow,
  type Source,
  type Wallet,
  type WalletChange,
} from './wallet.ts';

const noon = new Date('2026-03-02T04:00:00Z');
const hours = (count: number): Date => new Date(noon.getTime() + count * 3_600_000);
const [maker, checker] = ['usr_1' as UserId, 'usr_2' as UserId];
const id = (nth: number) => `wdr_${nth}` as WithdrawalId;
const wallet: Wallet = {
  accountId: 'acc_1' as AccountId,
  wechat: 12_000,
  qqWallet: 1_000,
  eBanking: 5_000,
  offline: 30_000,
  frozen: 0,
  owed: 0,
  bankAccount: { name: '青禾便利连锁', bank: '招商银行', last4: '0001', sealed: 'sealed' },
  withdrawals: [],
};
const wish = (source: Source, amount: number, nth = 1) => ({
  withdrawalId: id(nth),
  source,
  amount,
  by: maker,
  now: noon,
  originalOpen: true,
});
function must<T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T {
  if (!result.ok) throw new Error(String(result.error));
  return result.value;
}
const done = ({ effects }: WalletChange) => effects.map((effect) => effect.do);

test('every status of a withdrawal can be reached', () => {
  expect([...reachable(withdrawalFlow, 'processing')].toSorted()).toEqual([...withdrawalFlow.states].toSorted());
  expect(withdrawalFlow.states.filter((state) => isTerminal(withdrawalFlow, state)).toSorted()).toEqual(['failed', 'succeeded']);
});

describe('withdrawable', () => {
  test('is the original-route part and the offline part, less what is frozen and owed, which is kept back from the slowest part first', () => {
    expect(withdrawableOf(wallet)).toEqual({ offline: 30_000, e_banking: 5_000, qq_wallet: 1_000, wechat: 12_000 });
    expect(withdrawableOf({ ...wallet, frozen: 20_000, owed: 12_000 })).toEqual({
      offline: 0,
      e_banking: 3_000,
      qq_wallet: 1_000,
      wechat: 12_000,
    });
    expect(withdrawableOf({ ...wallet, frozen: 99_999, owed: 1 })).toEqual({ offline: 0, e_banking: 0, qq_wallet: 0, wechat: 0 });
  });
  test.each([
    ['more than the part holds', wallet, wish('qq_wallet', 1_001), 'withdrawal-too-much'],
    ['what is frozen', { ...wallet, frozen: 29_000 }, wish('offline', 1_001), 'withdrawal-too-much'],
    ['by bank transfer without a bank account', { ...wallet, bankAccount: null }, wish('offline', 1), 'bank-account-missing'],
    ['by a route that nobody serves', wallet, { ...wish('wechat', 1), originalOpen: false }, 'withdrawal-route-closed'],
  ])('is not %s', (_, of, asked, error) => {
    expect(request(of, asked)).toEqual({ ok: false, error });
  });
});

describe('a withdrawal by the original route', () => {
  const asked = must(request(wallet, wish('wechat', 2_000)));
  test('leaves the balance at once, is asked of the treasury and expected within two hours', () => {
    expect(done(asked)).toEqual(['post', 'pay-out', 'check']);
    expect(asked.wallet).toMatchObject({ wechat: 10_000, withdrawals: [{ status: 'processing', expectedBy: hours(2) }] });
  });
  test('whose outcome is unknown is asked for again under the same number', () => {
    const again = paidOut(asked.wallet, id(1), { kind: 'unknown' }, noon);
    expect(again.effects).toMatchObject([{ do: 'pay-out', withdrawal: { withdrawalId: id(1) } }]);
  });
  test('that is refused is a balance again', () => {
    const refused = paidOut(asked.wallet, id(1), { kind: 'refused', code: 'FAILED', message: 'closed' }, hours(1));
    expect(refused.wallet).toMatchObject({ wechat: 12_000, withdrawals: [{ status: 'failed', failure: 'FAILED closed' }] });
  });
  test('is settled once, whatever is said afterwards', () => {
    const paid = paidOut(asked.wallet, id(1), { kind: 'paid' }, hours(1));
    expect(paid.wallet).toMatchObject({ wechat: 10_000, withdrawals: [{ status: 'succeeded' }] });
    for (const kind of ['paid', 'processing', 'unknown'] as const)
      expect(paidOut(paid.wallet, id(1), { kind }, hours(1)).effects).toEqual([]);
  });
  test('is nobody’s to settle by hand', () => {
    expect(propose(asked.wallet, id(1), { outcome: 'paid', note: 'x', by: maker })).toEqual({ ok: false, error: 'withdrawal-not-open' });
  });
  test('that is late is told to an operator, once', () => {
    expect(done(check(asked.wallet, hours(1)))).toEqual(['check']);
    const late = check(asked.wallet, hours(2));
    expect(done(late)).toEqual(['task']);
    expect(check(late.wallet, hours(3)).effects).toEqual([]);
  });
});

describe('a withdrawal by bank transfer', () => {
  const asked = must(request(wallet, wish('offline', 10_000)));
  const proposed = must(propose(asked.wallet, id(1), { outcome: 'paid', note: '20260305-0001', by: maker }));
  test('is expected within 15 working days, and waits for an operator', () => {
    expect(done(asked)).toEqual(['post', 'check']);
    expect(asked.wallet.withdrawals).toMatchObject([{ expectedBy: new Date('2026-03-23T16:00:00Z') }]);
  });
  test('is done when a second operator confirms what the first has done, not before, and not by the first', () => {
    expect(proposed.effects).toEqual([]);
    expect(decide(proposed.wallet, id(1), { by: maker, approved: true, now: noon })).toEqual({ ok: false, error: 'second-person-needed' });
    const confirmed = must(decide(proposed.wallet, id(1), { by: checker, approved: true, now: noon }));
    expect(confirmed.wallet).toMatchObject({ offline: 20_000, withdrawals: [{ status: 'succeeded' }] });
    expect(decide(confirmed.wallet, id(1), { by: checker, approved: true, now: noon })).toEqual({ ok: false, error: 'withdrawal-unknown' });
  });
  test('goes on when the second rejects what the first says', () => {
    const rejected = must(decide(proposed.wallet, id(1), { by: checker, approved: false, now: noon }));
    expect(rejected).toMatchObject({ wallet: { withdrawals: [{ status: 'processing', proposal: null }] }, effects: [] });
  });
  test('that cannot be made is a balance again, once two operators say so', () => {
    const failed = must(propose(asked.wallet, id(1), { outcome: 'failed', note: '账户已销户', by: maker }));
    expect(failed.wallet.offline).toBe(20_000);
    const back = must(decide(failed.wallet, id(1), { by: checker, approved: true, now: noon }));
    expect(back.wallet).toMatchObject({ offline: 30_000, withdrawals: [{ status: 'failed', failure: '账户已销户' }] });
  });
});

test('whatever happens in whatever order: the balance is what the ledger says, never less than nothing, and everything adds up', () => {
  const source = fc.constantFrom(...SOURCES);
  const which = fc.integer({ min: 1, max: 8 });
  type Move = (held: Wallet, nth: number) => WalletChange | undefined;
  const of = (change: ReturnType<typeof request> | ReturnType<typeof propose>) => (change.ok ? change.value : undefined);
  const moves = fc.oneof(
    fc.tuple(source, fc.integer({ min: 1, max: 20_000 })).map(
      ([from, amount]): Move =>
        (held, nth) =>
          of(request(held, wish(from, amount, nth))),
    ),
    fc.tuple(which, fc.constantFrom('paid' as const, 'processing' as const, 'unknown' as const)).map(
      ([nth, kind]): Move =>
        (held) =>
          paidOut(held, id(nth), { kind }, noon),
    ),
    which.map(
      (nth): Move =>
        (held) =>
          paidOut(held, id(nth), { kind: 'refused', code: 'FAILED', message: '' }, noon),
    ),
    fc.tuple(which, fc.constantFrom('paid' as const, 'failed' as const)).map(
      ([nth, outcome]): Move =>
        (held) =>
          of(propose(held, id(nth), { outcome, note: 'x', by: maker })),
    ),
    fc.tuple(which, fc.boolean(), fc.constantFrom(maker, checker)).map(
      ([nth, approved, by]): Move =>
        (held) =>
          of(decide(held, id(nth), { by, approved, now: noon })),
    ),
    fc.constant<Move>((held) => check(held, hours(2_000))),
    fc.nat(30_000).map((frozen): Move => (held) => ({ wallet: { ...held, frozen }, effects: [] })),
  );
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 30 }), (story) => {
      let held = wallet;
      let asked = 0;
      const entries = new Map<string, Entry>();
      for (const move of story) {
        const change = move(held, asked + 1);
        if (!change) continue;
        asked = Math.max(asked, change.wallet.withdrawals.length);
        const before = held;
        held = change.wallet;
        for (const effect of change.effects) {
          if (effect.do !== 'post') continue;
          expect(entries.has(effect.entry.id)).toBe(false);
          entries.set(effect.entry.id, effect.entry);
        }
        for (const old of before.withdrawals.filter(({ endedAt }) => endedAt))
          expect(held.withdrawals.find(({ withdrawalId }) => withdrawalId === old.withdrawalId)).toEqual(old);
        const sums = new Map<string, number>();
        for (const posting of [...entries.values()].flatMap(({ postings }) => postings))
          sums.set(posting.account, (sums.get(posting.account) ?? 0) + posting.amount);
        for (const one of SOURCES) {
          expect(partOf(held, one)).toBeGreaterThanOrEqual(0);
          expect(partOf(held, one)).toBe(partOf(wallet, one) - (sums.get(`wallet:acc_1/${one}`) ?? 0));
        }
        const open = held.withdrawals.reduce((sum, one) => sum + (one.endedAt ? 0 : one.amount), 0);
        expect(open + (sums.get('wallet_payouts:acc_1') ?? 0)).toBe(0);
        expect([...sums.values()].reduce((sum, one) => sum + one, 0)).toBe(0);
        expect(totalOf(held) + open).toBeLessThanOrEqual(totalOf(wallet));
      }
    }),
    { numRuns: 1_000 },
  );
});
