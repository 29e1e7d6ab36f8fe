import type { Result } from '@yunshi/kernel/result';
import { describe, expect, test } from 'vitest';
import { attempt, closeAnswered, placed, queried, seen } from './attempts.ts';
import { answerPause, pause, rebill, resume } from './pause.ts';
import { giveBack } from './payment.ts';
import type { Change, Payment } from './state.ts';
import { asker, attemptId, bill, done, minutes, noon, opened, order, paymentId, shownCode, shownPage } from './stories.ts';

function must<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(String(result.error));
  return result.value;
}
const repricing = asker('pause payment');
const opening = (payment: Payment, nth = 1): Payment =>
  must(attempt(payment, { channel: 'wechat_native', attemptId: attemptId(nth), now: minutes(nth) })).payment;
const shown = (): Payment => placed(opening(opened()), attemptId(1), shownCode, noon).payment;
const pausing = (payment: Payment): Change => answerPause(must(pause(payment, repricing, noon)));
/** Paused, and confirmed by the channel. */
const paused = (): Payment => answerPause(closeAnswered(pausing(shown()).payment, attemptId(1), { kind: 'closed' }, noon)).payment;

describe('paused', () => {
  test('at once where nothing is open', () => {
    expect(pausing(opened()).effects).toEqual([{ do: 'answer-paused', to: repricing }]);
  });

  test('only when the channel has closed what is open', () => {
    const asked = pausing(shown());
    expect(done(asked)).toEqual(['close', 'check']);
    const confirmed = answerPause(closeAnswered(asked.payment, attemptId(1), { kind: 'closed' }, noon));
    expect(confirmed.effects).toEqual([{ do: 'answer-paused', to: repricing }]);
    expect(confirmed.payment.pause).toEqual({ by: repricing, confirmed: true });
  });

  test('what the channel has not answered yet is closed as soon as it is there', () => {
    const asked = pausing(opening(opened()));
    expect(done(asked)).toEqual([]);
    expect(done(answerPause(placed(asked.payment, attemptId(1), shownCode, noon)))).toEqual(['close', 'check']);
  });

  test('nobody can begin to pay meanwhile', () => {
    expect(attempt(paused(), { channel: 'wechat_native', attemptId: attemptId(2), now: noon })).toEqual({
      ok: false,
      error: 'price-changing',
    });
  });
});

describe('not paused', () => {
  test('money that was faster wins', () => {
    const asked = pausing(shown()).payment;
    const won = answerPause(seen(asked, attemptId(1), order(1, 'paid'), minutes(5)));
    expect(won.payment).toMatchObject({ status: 'paid', pause: null, amount: bill.amount });
    expect(won.effects).toContainEqual({ do: 'answer-not-paused', to: repricing, reason: 'paid' });
    expect(pause(won.payment, repricing, noon)).toEqual({ ok: false, error: 'paid' });
  });

  test('a bank that holds the voucher does not let go of it', () => {
    const begun = must(attempt(opened(), { channel: 'corporate_bank', bank: 'ICBC', attemptId: attemptId(1), now: noon })).payment;
    const atBank = queried(
      placed(begun, attemptId(1), shownPage, noon).payment,
      attemptId(1),
      { kind: 'found', order: order(1, 'approving') },
      noon,
    ).payment;
    const asked = pausing(atBank);
    expect(done(asked)).toEqual(['close', 'check']);
    const held = answerPause(closeAnswered(asked.payment, attemptId(1), { kind: 'held' }, noon));
    expect(held.effects).toContainEqual({ do: 'answer-not-paused', to: repricing, reason: 'bank-holds-voucher' });
    expect(held.payment.pause).toBeNull();
  });

  test('a channel that closes nothing keeps what it has shown', () => {
    const begun = must(attempt(opened(), { channel: 'unionpay_b2b', attemptId: attemptId(1), now: noon })).payment;
    const asked = pausing(placed(begun, attemptId(1), shownPage, noon).payment);
    expect(done(asked)).toEqual(['close', 'check']);
    const stays = answerPause(closeAnswered(asked.payment, attemptId(1), { kind: 'stays' }, noon));
    expect(stays.effects).toContainEqual({ do: 'answer-not-paused', to: repricing, reason: 'bank-holds-voucher' });
    expect(stays.payment).toMatchObject({ pause: null, attempts: [{ status: 'open', amount: bill.amount }] });
  });

  test('an order that is taken back meanwhile is not to be paid at any price', () => {
    const back = answerPause(giveBack(pausing(shown()).payment, bill, { now: noon, from: asker('collect payment', 'undo'), paymentId }));
    expect(back.effects).toContainEqual({ do: 'answer-not-paused', to: repricing, reason: 'closed' });
    expect(pause(back.payment, repricing, noon)).toEqual({ ok: false, error: 'closed' });
  });

  test('nothing can be paused before it is there', () => {
    expect(pause(undefined, repricing, noon)).toEqual({ ok: false, error: 'not-open' });
  });
});

describe('then', () => {
  test('the new amount is what can be paid', () => {
    const { payment } = rebill(paused(), 9_900, noon);
    expect(opening(payment, 2).attempts.at(-1)).toMatchObject({ amount: 9_900, status: 'opening' });
  });

  test('of nothing to pay nothing is left open', () => {
    expect(rebill(paused(), 0, noon)).toMatchObject({ payment: { status: 'closed', amount: 0, pause: null }, effects: [] });
  });

  test('as before, where the change came to nothing', () => {
    expect(opening(resume(paused()).payment, 2).attempts.at(-1)).toMatchObject({ amount: bill.amount });
    const untouched = shown();
    expect(resume(untouched).payment).toBe(untouched);
  });

  test('money that comes although the channel had said «closed» goes back: the price is being changed on its word', () => {
    const late = seen(paused(), attemptId(1), order(1, 'paid'), minutes(5));
    expect(late.payment).toMatchObject({ status: 'open', attempts: [{ status: 'orphaned', orphanReason: 'late' }] });
    const cheaper = rebill(paused(), 9_900, noon).payment;
    const old = seen(cheaper, attemptId(1), order(1, 'paid'), minutes(5));
    expect(old.payment).toMatchObject({ status: 'open', attempts: [{ status: 'orphaned', orphanReason: 'wrong-amount' }] });
    expect(done(old)).toContain('refund');
  });

  test('a payment that has ended meanwhile stays as it is', () => {
    const back = giveBack(paused(), bill, { now: noon, from: asker('collect payment', 'undo'), paymentId }).payment;
    expect(rebill(back, 9_900, noon).payment).toMatchObject({ status: 'closed', amount: bill.amount, pause: null });
  });
});
