import type { AccountId, AttemptId, OrderId, ProviderId } from '@yunshi/kernel/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as ledger from './ledger.ts';

const cause = {
  orderId: 'ord_1' as OrderId,
  accountId: 'acc_1' as AccountId,
  providerId: 'prv_1' as ProviderId,
  at: new Date('2026-03-01T04:00:00Z'),
};
const attemptId = 'pat_1' as AttemptId;
const channel = 'wechat_native' as const;
const amounts = fc.integer({ min: 1, max: 1_000_000_000_000 });

describe('the commission', () => {
  test('is 10 % of what was really paid, half a fen rounded up', () => {
    expect([1, 4, 5, 14, 15, 100, 19_900].map(ledger.commissionOf)).toEqual([0, 0, 1, 1, 2, 10, 1_990]);
  });
});

test('every entry adds up to nothing, whatever its amount and wherever the money lies', () => {
  fc.assert(
    fc.property(amounts, fc.double({ min: 0, max: 1, noNaN: true }), (amount, share) => {
      const commission = Math.round(amount * share);
      const movement = { ...cause, amount, channel };
      const stages = [
        { stage: 'suspense' },
        { stage: 'held' },
        { stage: 'earned', commission },
        { stage: 'released', commission },
        { stage: 'earned', commission: 0, server: commission },
      ] as const;
      const withdrawal = { providerId: cause.providerId, channel, amount, at: cause.at };
      const entries = [
        ledger.receipt(attemptId, movement),
        ledger.orphanReceipt(attemptId, movement),
        ledger.orphanRefund('RF1', movement),
        ledger.sale(movement),
        ledger.sale({ ...movement, server: commission }),
        ledger.release(movement),
        ...stages.flatMap((stage) => [ledger.refund('RF1', movement, stage), ledger.revocation(attemptId, movement, stage)]),
        ledger.channelFee('2026-03-01', movement),
        ledger.providerWithdrawal('W1', withdrawal),
        ledger.providerWithdrawalReturned('W1', withdrawal),
      ];
      for (const { postings } of entries) {
        expect(postings.reduce((sum, posting) => sum + posting.amount, 0)).toBe(0);
        expect(postings.every((posting) => posting.amount !== 0)).toBe(true);
      }
    }),
  );
});

test('a server is sold by the marketplace: the provider earns nothing by it, and owes no commission for it', () => {
  const { postings } = ledger.sale({ ...cause, amount: 20_000, server: 15_000 });
  expect(postings).toEqual([
    { account: 'buyer_funds:acc_1', amount: 20_000 },
    { account: 'provider_payable:prv_1', amount: -4_500 },
    { account: 'platform_fee:prv_1', amount: -500 },
    { account: 'server_sales', amount: -15_000 },
  ]);
});

test('a sale and the refund of all of it leave nobody with anything', () => {
  fc.assert(
    fc.property(amounts, fc.constantFrom('earned' as const, 'released' as const), (amount, stage) => {
      const movement = { ...cause, amount, channel };
      const commission = ledger.commissionOf(amount);
      const entries = [
        ledger.receipt(attemptId, movement),
        ledger.sale(movement),
        ...(stage === 'released' ? [ledger.release({ ...cause, amount: amount - commission })] : []),
        ledger.refund('RF1', movement, { stage, commission }),
      ];
      const held = new Map<string, number>();
      for (const posting of entries.flatMap(({ postings }) => postings))
        held.set(posting.account, (held.get(posting.account) ?? 0) + posting.amount);
      expect([...held.values()].every((balance) => balance === 0)).toBe(true);
    }),
  );
});
