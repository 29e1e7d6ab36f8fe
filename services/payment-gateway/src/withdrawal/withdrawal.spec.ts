import { isTerminal, reachable } from '@yunshi/kernel/flow';
import type { ProviderId, UserId, WithdrawalId } from '@yunshi/kernel/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../ledger/ledger.ts';
import {
  ask,
  providerWithdrawalFlow,
  queried,
  request,
  withdrawableOf,
  withdrawn,
  type Purse,
  type PurseChange,
  type WithdrawalSeen,
  type Withdrawn,
} from './withdrawal.ts';

const noon = new Date('2026-03-01T04:00:00Z');
const days = (count: number): Date => new Date(noon.getTime() + count * 86_400_000);
const id = (nth: number): WithdrawalId => `wdr_${String(nth).padStart(32, '0')}` as WithdrawalId;
const by = 'usr_1' as UserId;
const full: Purse = { providerId: 'prv_1' as ProviderId, payee: '1900000101', balance: 10_000, withdrawals: [] };

function asked(purse = full, amount = 4_000, nth = 1): PurseChange {
  const change = request(purse, { withdrawalId: id(nth), amount, by, now: noon });
  if (!change.ok) throw new Error(change.error);
  return change.value;
}
const accepted = withdrawn(asked().purse, id(1), { kind: 'accepted', channelNo: '12' }, noon).purse;
const seen = (state: 'processing' | 'paid' | 'failed' | 'returned'): WithdrawalSeen => ({
  kind: 'found',
  state,
  amount: 4_000,
  reason: 'X',
});
const statusOf = ({ purse }: PurseChange): string => purse.withdrawals[0]!.status;
const kinds = ({ effects }: PurseChange) => effects.map((effect) => (effect.do === 'post' ? effect.entry.kind : effect.do));

test('every status of a withdrawal can be reached', () => {
  expect([...reachable(providerWithdrawalFlow, 'requested')].toSorted()).toEqual([...providerWithdrawalFlow.states].toSorted());
  const ends = providerWithdrawalFlow.states.filter((state) => isTerminal(providerWithdrawalFlow, state));
  expect(ends.toSorted()).toEqual(['failed', 'returned']);
});

describe('a provider', () => {
  test('withdraws what was released to it, and not what is on its way already', () => {
    const { purse } = asked();
    expect(withdrawableOf(purse)).toBe(6_000);
    expect(request(purse, { withdrawalId: id(2), amount: 6_001, by, now: noon })).toEqual({
      ok: false,
      error: 'provider-withdrawal-too-much',
    });
    expect(withdrawableOf({ ...full, balance: -1 })).toBe(0);
  });
  test('that the channel does not know withdraws nothing', () => {
    expect(request({ ...full, payee: null }, { withdrawalId: id(1), amount: 1, by, now: noon })).toEqual({
      ok: false,
      error: 'channel-not-signed',
    });
  });
});

describe('a withdrawal', () => {
  test('is paid by the channel’s word, and only then booked', () => {
    expect(accepted.withdrawals[0]).toMatchObject({ status: 'accepted', channelNo: '12' });
    const paid = queried(accepted, id(1), seen('paid'), days(1));
    expect([statusOf(paid), kinds(paid), paid.purse.balance]).toEqual(['paid', ['provider-withdrawal', 'query'], 6_000]);
    expect(queried(paid.purse, id(1), seen('paid'), days(2)).effects).toEqual([]);
  });
  test('that the bank sends back is the provider’s again, also when nobody had heard that it was paid', () => {
    const paid = queried(accepted, id(1), seen('paid'), days(1)).purse;
    const returned = queried(paid, id(1), seen('returned'), days(2));
    expect([statusOf(returned), kinds(returned), returned.purse.balance]).toEqual(['returned', ['provider-withdrawal-returned'], 10_000]);
    const both = queried(accepted, id(1), seen('returned'), days(2));
    expect([statusOf(both), kinds(both)]).toEqual(['returned', ['provider-withdrawal', 'provider-withdrawal-returned']]);
  });
  test('that was refused or failed leaves the balance as it was', () => {
    const refused = withdrawn(asked().purse, id(1), { kind: 'refused', code: 'NOT_ENOUGH', message: '余额不足' }, noon);
    for (const change of [refused, queried(accepted, id(1), seen('failed'), days(1))])
      expect([statusOf(change), change.effects, withdrawableOf(change.purse)]).toEqual(['failed', [], 10_000]);
  });
  test('of unknown outcome is asked for again under the same number, and one that the channel does not know is asked for anew', () => {
    const unsure = withdrawn(asked().purse, id(1), { kind: 'unknown' }, noon);
    expect(unsure.effects).toMatchObject([{ do: 'withdraw', withdrawal: { withdrawalId: id(1) } }]);
    expect(queried(unsure.purse, id(1), { kind: 'missing' }, noon).effects).toMatchObject([{ do: 'withdraw' }]);
    expect(queried(accepted, id(1), { kind: 'missing' }, noon).effects).toMatchObject([{ do: 'query' }]);
  });
  test('that is paid is asked about a last time after a week', () => {
    const paid = queried(accepted, id(1), seen('paid'), days(1)).purse;
    expect(queried(paid, id(1), seen('paid'), days(8)).purse.withdrawals[0]!.watched).toBe(false);
    expect(ask(paid, id(1)).effects).toMatchObject([{ do: 'query' }]);
  });
});

test('whatever the channel says in whatever order: the balance is what the books say, nothing is booked twice, and requests never exceed it', () => {
  const answers: readonly Withdrawn[] = [
    { kind: 'accepted', channelNo: '12' },
    { kind: 'refused', code: 'NOT_ENOUGH', message: '' },
    { kind: 'unknown' },
  ];
  const sights: readonly WithdrawalSeen[] = [
    seen('processing'),
    seen('paid'),
    seen('failed'),
    seen('returned'),
    { kind: 'missing' },
    { kind: 'unknown' },
  ];
  type Move = (purse: Purse, now: Date) => PurseChange;
  const moves = fc.oneof(
    fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 12_000 })).map<Move>(([nth, amount]) => (purse, now) => {
      const known = purse.withdrawals.some(({ withdrawalId }) => withdrawalId === id(nth));
      const change = known ? undefined : request(purse, { withdrawalId: id(nth), amount, by, now });
      return change?.ok ? change.value : { purse, effects: [] };
    }),
    fc.tuple(fc.nat(3), fc.constantFrom(...answers)).map<Move>(
      ([nth, said]) =>
        (purse, now) =>
          withdrawn(purse, id(nth), said, now),
    ),
    fc.tuple(fc.nat(3), fc.constantFrom(...sights)).map<Move>(
      ([nth, said]) =>
        (purse, now) =>
          queried(purse, id(nth), said, now),
    ),
  );
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 30 }), (story) => {
      const entries: Entry[] = [];
      let purse = full;
      for (const [hour, move] of story.entries()) {
        const change = move(purse, new Date(noon.getTime() + hour * 3_600_000));
        purse = change.purse;
        for (const effect of change.effects) if (effect.do === 'post') entries.push(effect.entry);
        const onItsWay = purse.withdrawals.filter(({ status }) => status === 'requested' || status === 'accepted');
        expect(onItsWay.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(purse.balance);
      }
      const booked = entries.flatMap(({ postings }) => postings).filter(({ account }) => account === 'provider_balance:prv_1');
      expect(10_000 - booked.reduce((sum, { amount }) => sum + amount, 0)).toBe(purse.balance);
      expect(new Set(entries.map((entry) => entry.id)).size).toBe(entries.length);
    }),
  );
});
