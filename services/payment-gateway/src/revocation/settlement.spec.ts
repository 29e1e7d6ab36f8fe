import type { UserId } from '@yunshi/kernel/ids';
import { isTerminal, reachable } from '@yunshi/kernel/flow';
import { describe, expect, test } from 'vitest';
import { attempt, placed, seen } from '../payment/attempts.ts';
import { sell } from '../payment/payment.ts';
import type { Payment } from '../payment/state.ts';
import { attemptId, bill, minutes, noon, opened, order, shownPage } from '../payment/stories.ts';
import { release } from '../settlement/settlement.ts';
import { decide, propose, revocationFlow, type RevocationOutcome } from './settlement.ts';

const [lin, zhao] = ['usr_1', 'usr_2'] as [UserId, UserId];

function paid(): Payment {
  const begun = attempt(opened(), { channel: 'corporate_bank', bank: 'ICBC', attemptId: attemptId(1), now: noon });
  if (!begun.ok) throw new Error(begun.error);
  const shown = placed(begun.value.payment, attemptId(1), shownPage, noon).payment;
  return seen(shown, attemptId(1), order(1, 'paid'), minutes(5)).payment;
}
const takenBack = (payment: Payment): Payment => seen(payment, attemptId(1), order(1, 'revoked'), minutes(600)).payment;
const sold = (payment: Payment): Payment => sell(payment, minutes(9))!.payment;
const now = minutes(900);

function settled(payment: Payment, outcome: RevocationOutcome) {
  const proposed = propose(payment, undefined, { outcome, evidence: '回单 20260302' }, { by: lin, now });
  return proposed.ok ? decide(payment, proposed.value, 'approve', { by: zhao, now }) : proposed;
}
function changeOf(payment: Payment, outcome: RevocationOutcome) {
  const decided = settled(payment, outcome);
  if (!decided.ok || !decided.value.change) throw new Error('it was not settled');
  return decided.value.change;
}

test('every status of a revocation can be reached', () => {
  expect([...reachable(revocationFlow, 'proposed')].toSorted()).toEqual([...revocationFlow.states].toSorted());
  expect(revocationFlow.states.filter((state) => isTerminal(revocationFlow, state))).toEqual(['settled']);
});

describe('a payment that a bank took back', () => {
  test('and that came again is where it was, and the provider gets its share once the review period is over', () => {
    const { payment, effects } = changeOf(takenBack(sold(paid())), 'repaid');
    expect(payment).toMatchObject({ status: 'restored', settlement: 'reviewing' });
    expect(effects).toMatchObject([
      {
        do: 'post',
        entry: {
          kind: 'repayment',
          postings: [
            { account: 'channel_clearing:own_bank', amount: 19_900 },
            { account: `provider_payable:${bill.providerId}`, amount: -17_910 },
            { account: `platform_fee:${bill.providerId}`, amount: -1_990 },
          ],
        },
      },
      { do: 'tell', event: { type: 'payment.revocation-settled', data: { outcome: 'repaid' } } },
      { do: 'release' },
    ]);
    expect(release(payment, payment.releaseAt!)).toMatchObject({
      payment: { settlement: 'released' },
      effects: [{ do: 'post', entry: { kind: 'release', postings: [{ amount: 17_910 }, { amount: -17_910 }] } }],
    });
  });

  test('from a provider that had it already is the provider’s again at once', () => {
    const had = sold(paid());
    const released = release(had, had.releaseAt!).payment;
    const { payment, effects } = changeOf(takenBack(released), 'repaid');
    expect(payment).toMatchObject({ status: 'restored', settlement: 'released' });
    expect(effects).toMatchObject([{ entry: { postings: [{}, { account: `provider_balance:${bill.providerId}` }, {}] } }, { do: 'tell' }]);
  });

  test('before its order was completed is earned when it comes again', () => {
    const waiting = takenBack(paid());
    expect(settled(waiting, 'repaid')).toEqual({ ok: false, error: 'order-not-completed' });
    const completed = sell(waiting, minutes(700))!;
    expect(completed.effects).toEqual([]);
    const { payment, effects } = changeOf(completed.payment, 'repaid');
    expect(payment.settlement).toBe('reviewing');
    expect(effects).toMatchObject([
      { entry: { kind: 'repayment', postings: [{}, { account: `buyer_funds:${bill.accountId}` }] } },
      { do: 'tell' },
      { entry: { kind: 'sale' } },
      { do: 'release' },
    ]);
  });

  test('and that never comes again is ended, and whoever has delivered is told', () => {
    for (const gone of [takenBack(paid()), takenBack(sold(paid()))]) {
      expect(changeOf(gone, 'ended')).toMatchObject({
        payment: { status: 'ended' },
        effects: [{ do: 'tell', event: { data: { outcome: 'ended' } } }],
      });
    }
  });

  test('is settled by two persons, once', () => {
    const gone = takenBack(sold(paid()));
    const wish = { outcome: 'ended', evidence: '客户注销' } as const;
    const proposed = propose(gone, undefined, wish, { by: lin, now });
    if (!proposed.ok) throw new Error(proposed.error);
    expect(propose(gone, proposed.value, wish, { by: zhao, now })).toEqual({ ok: false, error: 'revocation-proposed' });
    expect(decide(gone, proposed.value, 'approve', { by: lin, now })).toEqual({ ok: false, error: 'second-person-needed' });
    expect(decide(gone, undefined, 'approve', { by: zhao, now })).toEqual({ ok: false, error: 'revocation-not-proposed' });
    const rejected = decide(gone, proposed.value, 'reject', { by: zhao, now });
    expect(rejected).toMatchObject({ ok: true, value: { revocation: { status: 'rejected' }, change: undefined } });
    expect(propose(gone, { ...proposed.value, status: 'rejected' }, wish, { by: zhao, now })).toMatchObject({ ok: true });
    const ended = changeOf(gone, 'ended').payment;
    for (const outcome of ['repaid', 'ended'] as const)
      expect(settled(ended, outcome)).toEqual({ ok: false, error: 'revocation-not-open' });
    expect(settled(sold(paid()), 'ended')).toEqual({ ok: false, error: 'revocation-not-open' });
  });
});
