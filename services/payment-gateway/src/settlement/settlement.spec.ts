import { describe, expect, test } from 'vitest';
import { attempt, placed, seen } from '../payment/attempts.ts';
import { sell } from '../payment/payment.ts';
import { refundSold } from '../payment/refunds.ts';
import type { Payment } from '../payment/state.ts';
import { attemptId, done, minutes, noon, opened, order, shownCode } from '../payment/stories.ts';
import { release, shared } from './settlement.ts';

function sharing(): Payment {
  const begun = attempt(opened(), { channel: 'wechat_native', attemptId: attemptId(1), now: noon });
  if (!begun.ok) throw new Error(begun.error);
  const paid = seen(placed(begun.value.payment, attemptId(1), shownCode, noon).payment, attemptId(1), order(1, 'paid'), minutes(5)).payment;
  const sold = sell(paid, minutes(9))!.payment;
  return release(sold, sold.releaseAt!).payment;
}

describe('a share that the channel has carried out without the marketplace getting it', () => {
  const change = shared(sharing(), { kind: 'closed', why: 'NO_RELATION' }, minutes(9_000));
  test('is not asked for again, and the provider has its own part', () => {
    expect(change.payment).toMatchObject({ settlement: 'unshared' });
    expect(done(change)).toEqual(['post', 'task']);
    expect(change.effects[0]).toMatchObject({ entry: { kind: 'release', postings: [{ amount: 17_910 }, { amount: -17_910 }] } });
    expect(release(change.payment, minutes(9_100)).effects).toEqual([]);
  });
  test('is told to an operator, who collects it', () => {
    expect(change.effects[1]).toMatchObject({ task: { kind: 'share-refused', detail: expect.stringContaining('1990 fen') as string } });
  });
  test('needs not be put back before a refund: the provider has all of it', () => {
    const refund = refundSold(change.payment, { amount: 1_000, reason: '服务不符合预期' }, minutes(9_200));
    expect(refund.ok && done(refund.value)).toEqual(['refund']);
  });
});

test('a share that was refused is asked for again in an hour', () => {
  const change = shared(sharing(), { kind: 'refused', code: 'RULE_LIMIT', message: '' }, minutes(9_000));
  expect(change.payment.settlement).toBe('refused');
  expect(change.effects).toMatchObject([{ do: 'task' }, { do: 'release', at: minutes(9_060) }]);
});
