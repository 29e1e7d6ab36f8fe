import { isTerminal, reachable } from '@yunshi/kernel/flow';
import type { AttemptId } from '@yunshi/kernel/ids';
import type { Result } from '@yunshi/kernel/result';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ask, attempt, check, closeAnswered, leave, placed, queried, seen } from './attempts.ts';
import { settlementFlow } from '../settlement/flow.ts';
import { attemptOf, orderNumber, refundNumber, shareNumber, shareReturnNumber, subOrderNumber } from './numbers.ts';
import { collect, giveBack, sell } from './payment.ts';
import { checkRefunds, refundAnswered, refundQueried, refundSeen, refundSold, retryRefund } from './refunds.ts';
import { attemptFlow, later, paymentFlow, refundFlow, type Payment } from './state.ts';
import {
  asker,
  attemptId,
  bill,
  done,
  minutes,
  noon,
  opened,
  order,
  paymentId,
  refused,
  shownCode,
  shownPage,
  unknown,
} from './stories.ts';

function must<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(String(result.error));
  return result.value;
}
const returning = { now: minutes(10), from: asker('collect payment', 'undo'), paymentId };
const opening = (): Payment => must(attempt(opened(), { channel: 'wechat_native', attemptId: attemptId(1), now: noon })).payment;
const shown = (): Payment => placed(opening(), attemptId(1), shownCode, noon).payment;
const paid = (): Payment => seen(shown(), attemptId(1), order(1, 'paid'), minutes(5)).payment;
const refunding = (): Payment => giveBack(paid(), bill, returning).payment;
const refundNo = refundNumber(attemptId(1));
const told = (status: 'processing' | 'succeeded' | 'abnormal' | 'closed') => ({ refundNo, refundId: '503', status, amount: bill.amount });

test.each([
  [paymentFlow, 'open', ['closed', 'ended', 'refunded', 'restored']],
  [attemptFlow, 'opening', ['revoked']],
  [refundFlow, 'requested', ['replaced', 'succeeded']],
  [settlementFlow, 'reviewing', ['released', 'unshared']],
] as const)('every status of %o can be reached', (machine, start, ends) => {
  const table = machine as never;
  expect([...reachable(table, start as never)].toSorted()).toEqual([...machine.states].toSorted());
  expect(machine.states.filter((state) => isTerminal(table, state as never)).toSorted()).toEqual([...ends].toSorted());
});

describe('numbers for the channel', () => {
  const ids = fc.stringMatching(/^[0-9a-f]{32}$/).map((hex) => `pat_${hex}` as AttemptId);
  test('lead back to the attempt, whichever it is', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 9 }), (id, generation) => {
        const numbers = [
          orderNumber(id),
          subOrderNumber(id),
          refundNumber(id, generation),
          shareNumber(id),
          shareReturnNumber(id, generation),
        ];
        for (const number of numbers) expect(attemptOf(number)).toBe(id);
      }),
    );
  });
  test('are of the shape that WeChat Pay takes', () => {
    fc.assert(
      fc.property(ids, (id) => {
        expect(orderNumber(id) + subOrderNumber(id)).toMatch(/^C[0-9a-z]{25}S[0-9a-z]{25}$/);
      }),
    );
  });
  test('of somebody else lead nowhere', () => {
    for (const number of ['', 'C1', '1217752501201407033233368018', `C${'z'.repeat(25)}`]) expect(attemptOf(number)).toBeUndefined();
  });
});

describe('collecting', () => {
  test('is refused for a provider that no channel pays', () => {
    const change = collect(undefined, { ...bill, payees: {} }, { now: noon, from: asker('collect payment'), paymentId });
    expect(change).toEqual({ ok: false, error: 'no-channel' });
  });
  test('asked again when the money is there is answered at once', () => {
    expect(done(must(collect(paid(), bill, { now: noon, from: asker('collect payment'), paymentId })))).toEqual(['answer-paid']);
  });
  test('is refused after the money was asked back, even if that overtook it', () => {
    const early = giveBack(undefined, bill, returning);
    expect(done(early)).toEqual(['answer-closed']);
    expect(collect(early.payment, bill, { now: noon, from: asker('collect payment'), paymentId })).toEqual({ ok: false, error: 'closed' });
  });
});

describe('an attempt', () => {
  const again = (payment: Payment, now: Date) => attempt(payment, { channel: 'wechat_native', attemptId: attemptId(2), now });
  test('that is open is shown again: a second code would let a buyer pay twice', () => {
    expect(must(again(shown(), minutes(1)))).toMatchObject({ attemptId: attemptId(1), effects: [] });
  });
  test('gets a fresh code from the channel when the old one is about to die', () => {
    expect(done(must(again(shown(), minutes(111))))).toEqual(['place']);
  });
  test('that the channel refused is followed by a new one with a new number', () => {
    const failed = placed(opening(), attemptId(1), refused('PARAM_ERROR'), noon).payment;
    expect(must(again(failed, noon)).attemptId).toBe(attemptId(2));
  });
  test.each([
    ['the money is there', paid(), minutes(6), 'payment-made'],
    ['the order was called off', giveBack(opened(), bill, returning).payment, minutes(11), 'payment-closed'],
    ['the time is nearly over', opened(), new Date(bill.payBy.getTime() - 60_000), 'payment-window-over'],
    ['the provider has no such channel', { ...opened(), payees: { corporate_bank: '1' } }, noon, 'channel-not-offered'],
    ['the channel does not take so much', { ...opened(), amount: 1_000_000_001 }, noon, 'channel-not-offered'],
  ])('is not opened when %s', (_, payment, now, error) => {
    expect(again(payment, now)).toEqual({ ok: false, error });
  });
  test('whose outcome is unknown is asked for with the same number', () => {
    const change = placed(opening(), attemptId(1), unknown, noon);
    expect(change.effects).toMatchObject([{ do: 'place', attempt: { attemptId: attemptId(1) } }]);
  });
  test('is looked after when no callback comes, less and less often', () => {
    let payment = shown();
    const waits: number[] = [];
    for (let index = 0; index < 4; index++) {
      expect(done(check(payment, noon))).toEqual(['query']);
      const change = queried(payment, attemptId(1), { kind: 'found', order: order(1, 'unpaid') }, noon);
      payment = change.payment;
      const [next] = change.effects;
      if (next?.do === 'check') waits.push((next.at.getTime() - noon.getTime()) / 1_000);
    }
    expect(waits).toEqual([2, 4, 8, 15]);
  });
  test('is closed when its time is over, although nobody has asked', () => {
    expect(done(check(shown(), bill.payBy))).toEqual(['close', 'check']);
  });
});

describe('money', () => {
  test('that came is kept, told, booked and answered, once', () => {
    const change = seen(shown(), attemptId(1), order(1, 'paid'), minutes(5));
    expect(change.payment.status).toBe('paid');
    expect(done(change)).toEqual(['post', 'tell', 'answer-paid']);
    expect(seen(change.payment, attemptId(1), order(1, 'paid'), minutes(6))).toEqual({ payment: change.payment, effects: [] });
  });
  test('of a wrong amount is sent back, and the order stays open', () => {
    const change = seen(shown(), attemptId(1), order(1, 'paid', { amount: 1 }), minutes(5));
    expect(change.payment).toMatchObject({ status: 'open', refunds: [{ amount: 1 }], attempts: [{ orphanReason: 'wrong-amount' }] });
    expect(done(change)).toEqual(['post', 'refund']);
  });
  test('that comes although the channel said closed is sent back', () => {
    const closed = closeAnswered(giveBack(shown(), bill, returning).payment, attemptId(1), { kind: 'closed' }, minutes(10)).payment;
    const change = seen(closed, attemptId(1), order(1, 'paid'), minutes(11));
    expect(change.payment).toMatchObject({ status: 'closed', attempts: [{ status: 'orphaned', orphanReason: 'late' }] });
    expect(done(change)).toEqual(['post', 'refund']);
  });
  test('that comes a second time for a paid order is sent back', () => {
    const ended = placed(opening(), attemptId(1), refused('SYSTEM'), noon).payment;
    const second = must(attempt(ended, { channel: 'wechat_native', attemptId: attemptId(2), now: noon })).payment;
    const first = seen(second, attemptId(2), order(2, 'paid'), minutes(5)).payment;
    const change = seen(first, attemptId(1), order(1, 'paid'), minutes(6));
    expect(change.payment.attempts.map((one) => [one.status, one.orphanReason])).toEqual([
      ['orphaned', 'double'],
      ['kept', null],
    ]);
  });
  test.each([
    ['another payee', { payee: '1900000999' }],
    ['another order number', { number: 'C1' }],
    ['another currency', { currency: 'USD' }],
    ['something that the channel’s adapter finds strange', { strange: '2 sub orders' }],
  ])('with %s moves nothing and is shown to an operator', (_, change) => {
    const strange = seen(shown(), attemptId(1), order(1, 'paid', change), minutes(5));
    expect(strange.payment).toEqual(shown());
    expect(done(strange)).toEqual(['task']);
  });
  test('is the provider’s when the order is completed, and only then', () => {
    const sold = sell(paid(), minutes(9));
    expect(done(sold!)).toEqual(['post', 'release']);
    expect(sell(sold!.payment, minutes(9))).toBeUndefined();
    expect(sell(shown(), minutes(9))).toBeUndefined();
  });
});

describe('a channel that closes nothing that it has shown', () => {
  const days = (count: number) => minutes(count * 24 * 60);
  const begun = (): Payment => {
    const opening = must(attempt(opened(), { channel: 'unionpay_b2b', attemptId: attemptId(1), now: noon })).payment;
    return placed(opening, attemptId(1), shownPage, noon).payment;
  };
  const stays = (payment: Payment, now: Date) => closeAnswered(payment, attemptId(1), { kind: 'stays' }, now);

  test('gives both persons one window, and keeps the order waiting for it', () => {
    expect(begun()).toMatchObject({ payBy: days(7), attempts: [{ bank: null, expiresAt: days(7) }] });
    const change = seen(begun(), attemptId(1), order(1, 'approving'), minutes(60));
    expect(change.effects[0]).toMatchObject({ do: 'tell', event: { data: { stage: 'approving', until: days(7).toISOString() } } });
  });
  test('leaves the buyer what was begun, to be finished after all', () => {
    const change = stays(leave(begun(), minutes(90)).payment, minutes(90));
    expect(change.payment.attempts).toMatchObject([{ status: 'open', redirectUrl: 'https://bank.example.com/1' }]);
    expect(done(change)).toEqual(['check']);
    expect(seen(change.payment, attemptId(1), order(1, 'paid'), days(1)).payment.status).toBe('paid');
  });
  test('has a cancelled order wait for the end, and what is paid meanwhile goes back by itself', () => {
    const asked = giveBack(begun(), bill, { now: minutes(90), from: asker('collect payment', 'undo'), paymentId });
    const waiting = stays(asked.payment, minutes(90));
    expect(waiting.payment).toMatchObject({ status: 'closing', attempts: [{ status: 'closing' }] });
    expect(done(waiting)).toEqual(['check']);
    expect(done(seen(waiting.payment, attemptId(1), order(1, 'closed'), days(7)))).toEqual(['answer-closed', 'tell']);
    const paid = seen(waiting.payment, attemptId(1), order(1, 'paid'), days(1));
    expect(paid.payment).toMatchObject({ status: 'refunding', attempts: [{ orphanReason: 'late' }] });
    expect(done(paid)).toContain('refund');
  });
  test('is closed when its time is over, and never opened again after that', () => {
    const over = check(begun(), days(7));
    expect(done(over)).toEqual(['close', 'check']);
    expect(stays(over.payment, days(7)).payment.attempts).toMatchObject([{ status: 'closing' }]);
  });
  test('refunds for as long as the channel does', () => {
    const paid = seen(begun(), attemptId(1), order(1, 'paid', { paidAt: noon.toISOString() }), noon).payment;
    const sold = sell(paid, noon)!.payment;
    expect(refundSold(sold, { amount: 1, reason: '' }, days(330)).ok).toBe(true);
    expect(refundSold(sold, { amount: 1, reason: '' }, days(331))).toEqual({ ok: false, error: 'refund-too-late' });
  });
});

describe('a corporate payment', () => {
  const days = (count: number) => minutes(count * 24 * 60);
  const beginning = (bank: 'ICBC' | 'CMB' = 'ICBC') =>
    must(attempt(opened(), { channel: 'corporate_bank', bank, attemptId: attemptId(1), now: noon }));
  const begun = (): Payment => placed(beginning().payment, attemptId(1), shownPage, noon).payment;
  const handedIn = (): Payment => seen(begun(), attemptId(1), order(1, 'approving'), minutes(60)).payment;
  const other = (payment: Payment, wish: { channel: 'wechat_native' } | { channel: 'corporate_bank'; bank: 'CMB' }) =>
    attempt(payment, { ...wish, attemptId: attemptId(2), now: minutes(90) });

  test('keeps the order waiting for both persons, and says so to the saga and the buyer', () => {
    const { payment, effects } = beginning();
    expect(payment).toMatchObject({ payBy: days(7), attempts: [{ bank: 'ICBC', expiresAt: days(2) }] });
    expect(effects).toMatchObject([
      { do: 'place' },
      { do: 'answer-held', until: days(7) },
      { do: 'tell', event: { type: 'payment.corporate-moved', data: { stage: 'started', until: days(2).toISOString() } } },
    ]);
  });
  test('may be begun anew, but does not keep the order waiting for ever', () => {
    const begin = (payment: Payment, nth: number) =>
      attempt(payment, { channel: 'corporate_bank', bank: 'ICBC', attemptId: attemptId(nth), now: days((nth - 1) * 2) });
    let [payment, nth] = [opened(), 1];
    for (let begun = begin(payment, nth); begun.ok; begun = begin(payment, ++nth))
      payment = placed(begun.value.payment, attemptId(nth), refused('BANK_MAINTENANCE'), days((nth - 1) * 2)).payment;
    expect(payment.payBy).toEqual(days(21));
    expect(begin(payment, nth)).toEqual({ ok: false, error: 'payment-window-over' });
  });
  test('that the bank holds is shown with the bank, since when and until when, and asked about less and less often', () => {
    const change = seen(begun(), attemptId(1), order(1, 'approving'), minutes(60));
    expect(change.payment.attempts[0]).toMatchObject({ status: 'approving', approvingSince: minutes(60) });
    expect(change.effects).toMatchObject([
      { do: 'tell', event: { data: { stage: 'approving', since: minutes(60).toISOString(), until: minutes(60, days(5)).toISOString() } } },
      { do: 'check', at: minutes(61) },
    ]);
    const told = seen(change.payment, attemptId(1), order(1, 'approving'), minutes(61));
    expect(done(told)).toEqual(['check']);
  });
  test('is paid when the checker has approved, also days later', () => {
    const change = seen(handedIn(), attemptId(1), order(1, 'paid'), days(3));
    expect(change.payment.status).toBe('paid');
    expect(done(change)).toEqual(['post', 'tell', 'answer-paid']);
  });
  test('that the checker rejects leaves the order open for another way', () => {
    const change = seen(handedIn(), attemptId(1), order(1, 'closed', { failure: 'REJECTED' }), days(1));
    expect(change.payment).toMatchObject({ status: 'open', attempts: [{ status: 'closed', failure: 'REJECTED' }] });
    expect(done(change)).toEqual(['tell']);
    expect(other(change.payment, { channel: 'wechat_native' }).ok).toBe(true);
  });
  test.each([{ channel: 'wechat_native' }, { channel: 'corporate_bank', bank: 'CMB' }] as const)(
    'must be closed by the channel before $channel $bank may be used',
    (wish) => {
      expect(other(begun(), wish)).toEqual({ ok: false, error: 'attempt-open' });
      const left = leave(begun(), minutes(90));
      expect(done(left)).toEqual(['close', 'check']);
      expect(other(left.payment, wish)).toEqual({ ok: false, error: 'attempt-closing' });
      expect(other(closeAnswered(left.payment, attemptId(1), { kind: 'closed' }, minutes(90)).payment, wish).ok).toBe(true);
    },
  );
  test('cannot be left while the bank holds the voucher, unless the bank lets go of it', () => {
    const left = leave(handedIn(), minutes(90));
    const held = closeAnswered(left.payment, attemptId(1), { kind: 'held' }, minutes(90));
    expect(held.payment.attempts[0]).toMatchObject({ status: 'approving', approvingSince: minutes(60) });
    expect(done(held)).toEqual(['check']);
    expect(other(held.payment, { channel: 'wechat_native' })).toEqual({ ok: false, error: 'attempt-open' });
    expect(other(closeAnswered(left.payment, attemptId(1), { kind: 'closed' }, minutes(90)).payment, { channel: 'wechat_native' }).ok).toBe(
      true,
    );
  });
  test('whose order is called off while the bank holds it is answered only when the bank has spoken', () => {
    const asked = giveBack(handedIn(), bill, returning);
    expect(done(asked)).toEqual(['close', 'check']);
    const held = closeAnswered(asked.payment, attemptId(1), { kind: 'held' }, minutes(90));
    expect(done(seen(held.payment, attemptId(1), order(1, 'closed'), days(1)))).toEqual(['answer-closed', 'tell']);
    const paidAfterAll = seen(held.payment, attemptId(1), order(1, 'paid'), days(1));
    expect(paidAfterAll.payment).toMatchObject({ status: 'refunding', attempts: [{ orphanReason: 'late' }] });
  });
  test('is asked about at once when the buyer comes back, but not more than every three seconds', () => {
    const first = ask(begun(), minutes(60));
    expect(done(first)).toEqual(['query']);
    expect(done(ask(first.payment, later(minutes(60), 2)))).toEqual([]);
    expect(done(ask(first.payment, later(minutes(60), 3)))).toEqual(['query']);
  });
});

describe('a payment that the bank takes back 退票', () => {
  const revoked = (payment: Payment) => seen(payment, attemptId(1), order(1, 'revoked'), minutes(600));
  test('is told to whoever has delivered, booked back, and given to an operator; once', () => {
    const change = revoked(paid());
    expect(change.payment).toMatchObject({ status: 'revoked', attempts: [{ status: 'revoked' }] });
    expect(change.effects).toMatchObject([
      { do: 'post', entry: { kind: 'revocation' } },
      { do: 'tell', event: { type: 'payment.revoked', data: { amount: bill.amount } } },
      { do: 'task', task: { kind: 'payment-revoked' } },
    ]);
    expect(revoked(change.payment)).toEqual({ payment: change.payment, effects: [] });
    expect(seen(change.payment, attemptId(1), order(1, 'paid'), minutes(700)).effects).toEqual([]);
  });
  test('after the sale is taken from those who had earned it', () => {
    const [post] = revoked(sell(paid(), minutes(9))!.payment).effects;
    expect(post).toMatchObject({
      entry: { postings: [{ amount: 17_910 }, { amount: 1_990 }, { amount: -19_900 }] },
    });
  });
  test('while it is being refunded needs no refund any more, and whoever waits for that is answered', () => {
    const change = revoked(refunding());
    expect(change.payment).toMatchObject({ status: 'refunded', refunds: [{ status: 'closed', failure: 'PAYMENT_REVOKED' }] });
    expect(change.effects).toMatchObject([{ do: 'post' }, { do: 'answer-refunded', amount: bill.amount }]);
    expect(retryRefund(change.payment, refundNo, minutes(700))).toEqual({ ok: false, error: 'refund-not-stuck' });
  });
  test('after it was refunded has gone back twice: an operator gets it back', () => {
    const refunded = refundSeen(refunding(), told('succeeded'), minutes(12)).payment;
    expect(done(revoked(refunded))).toEqual(['task']);
  });
  test('before we heard of it at all leaves nothing behind', () => {
    expect(revoked(shown())).toMatchObject({
      payment: { status: 'open', attempts: [{ status: 'closed', failure: 'REVOKED' }] },
      effects: [],
    });
  });
  test('cannot be paid anew, and is answered to whoever turns the order back', () => {
    const gone = revoked(paid()).payment;
    expect(attempt(gone, { channel: 'wechat_native', attemptId: attemptId(2), now: minutes(601) })).toEqual({
      ok: false,
      error: 'payment-made',
    });
    expect(giveBack(gone, bill, returning).effects).toMatchObject([{ do: 'answer-refunded', amount: bill.amount }]);
  });
});

describe('giving back', () => {
  test('an order without an attempt closes at once', () => {
    expect(done(giveBack(opened(), bill, returning))).toEqual(['answer-closed']);
  });
  test('an open one waits for the channel to say closed', () => {
    const asked = giveBack(shown(), bill, returning);
    expect(done(asked)).toEqual(['close', 'check']);
    expect(done(closeAnswered(asked.payment, attemptId(1), { kind: 'closed' }, minutes(10)))).toEqual(['answer-closed']);
  });
  test.each([refused('PARAM_ERROR'), unknown])('asks again when the close was $kind', (answer) => {
    const asked = giveBack(shown(), bill, returning).payment;
    expect(done(closeAnswered(asked, attemptId(1), answer, minutes(10)))).toEqual(['check']);
    expect(done(check(asked, minutes(11)))).toEqual(['query']);
    expect(done(queried(asked, attemptId(1), { kind: 'found', order: order(1, 'unpaid') }, minutes(11)))).toEqual(['close']);
  });
  test('one that was paid just before is refunded, and answered when the money is back', () => {
    const asked = giveBack(shown(), bill, returning).payment;
    expect(done(closeAnswered(asked, attemptId(1), { kind: 'paid' }, minutes(10)))).toEqual(['query', 'check']);
    const late = seen(asked, attemptId(1), order(1, 'paid'), minutes(10));
    expect(late.payment.status).toBe('refunding');
    const settled = refundSeen(late.payment, told('succeeded'), minutes(11));
    expect(settled.effects).toMatchObject([{ do: 'post' }, { do: 'tell' }, { do: 'answer-refunded', amount: bill.amount }]);
    expect(settled.payment.status).toBe('refunded');
  });
  test('one that the channel has not answered yet waits for that answer', () => {
    const asked = giveBack(opening(), bill, returning);
    expect(asked.effects).toEqual([]);
    expect(done(placed(asked.payment, attemptId(1), shownCode, minutes(10)))).toEqual(['close', 'check']);
    expect(done(placed(asked.payment, attemptId(1), refused('X'), minutes(10)))).toEqual(['answer-closed']);
    expect(done(placed(asked.payment, attemptId(1), unknown, minutes(10)))).toEqual(['close', 'check']);
  });
  test('one that the channel never knew is believed the second time: the order might still have been on its way', () => {
    const asked = giveBack(opening(), bill, returning).payment;
    const unsure = placed(asked, attemptId(1), unknown, minutes(10)).payment;
    const first = closeAnswered(unsure, attemptId(1), { kind: 'missing' }, minutes(10));
    expect(done(first)).toEqual(['check']);
    expect(done(queried(first.payment, attemptId(1), { kind: 'missing' }, minutes(11)))).toEqual(['answer-closed']);
  });
  test('a paid one is refunded under a number that follows from the attempt', () => {
    expect(giveBack(paid(), bill, returning).effects).toMatchObject([{ do: 'refund', refund: { refundNo, amount: bill.amount } }]);
  });
  test('one that was given back is answered again', () => {
    const refunded = refundSeen(refunding(), told('succeeded'), minutes(12)).payment;
    expect(giveBack(refunded, bill, returning).effects).toMatchObject([{ do: 'answer-refunded', amount: bill.amount }]);
  });
});

describe('a refund', () => {
  const said = { accepted: { kind: 'accepted', refundId: '503' }, refused: refused('NOT_ENOUGH'), unknown } as const;
  const answer = (kind: keyof typeof said) => refundAnswered(refunding(), refundNo, said[kind], minutes(10));
  test('that is accepted is not paid back: the channel is asked', () => {
    expect(done(answer('accepted'))).toEqual(['check-refunds']);
    expect(done(checkRefunds(answer('accepted').payment, minutes(11)))).toEqual(['query-refund']);
  });
  test('whose answer is unknown, or that never arrived, is asked for again under the same number', () => {
    expect(answer('unknown').effects).toMatchObject([{ do: 'refund', refund: { refundNo } }]);
    expect(refundQueried(refunding(), refundNo, { kind: 'missing' }, minutes(11)).effects).toMatchObject([
      { do: 'refund', refund: { refundNo } },
    ]);
  });
  test('that is refused is shown to an operator and tried again by itself', () => {
    expect(done(answer('refused'))).toEqual(['task', 'check-refunds']);
    expect(done(checkRefunds(answer('refused').payment, minutes(71)))).toEqual(['refund']);
  });
  test('that ends ABNORMAL becomes an operator’s task, and ends when the channel says so', () => {
    const stalled = refundSeen(answer('accepted').payment, told('abnormal'), minutes(12));
    expect(done(stalled)).toEqual(['task', 'check-refunds']);
    expect(stalled.payment.status).toBe('refunding');
    expect(refundSeen(stalled.payment, told('succeeded'), minutes(600)).payment.status).toBe('refunded');
  });
  test('that the channel closed unpaid gets a new number only by an operator’s hand', () => {
    const closed = refundSeen(answer('accepted').payment, told('closed'), minutes(12));
    expect(done(closed)).toEqual(['task']);
    expect(must(retryRefund(closed.payment, refundNo, minutes(60))).effects).toMatchObject([
      { do: 'refund', refund: { refundNo: `${refundNo}-2` } },
    ]);
    expect(retryRefund(answer('accepted').payment, refundNo, minutes(60))).toEqual({ ok: false, error: 'refund-not-stuck' });
  });
  test('is settled once, whatever is said afterwards', () => {
    const settled = refundSeen(refunding(), told('succeeded'), minutes(12)).payment;
    for (const status of ['processing', 'abnormal', 'closed', 'succeeded'] as const) {
      expect(refundSeen(settled, told(status), minutes(13))).toEqual({ payment: settled, effects: [] });
    }
  });
});
