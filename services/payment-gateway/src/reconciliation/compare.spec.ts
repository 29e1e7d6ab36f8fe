import type { OrderId } from '@yunshi/kernel/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orderNumber } from '../payment/numbers.ts';
import { attemptId } from '../payment/stories.ts';
import { keyOf } from './calls.ts';
import { compare, type Ours } from './compare.ts';
import type { Line } from './statement.ts';

const orderId = 'ord_01930e6c7b1a7c3e9f0a1b2c3d4e5f60' as OrderId;
/** As the channel names a payment: by its sub order. */
const subNumber = (nth: number): string => orderNumber(attemptId(nth)).replace('C', 'S');
const line = (nth: number, change: Partial<Line> = {}): Line => ({
  kind: 'payment',
  number: subNumber(nth),
  channelNo: '4200001',
  payee: '1900000101',
  amount: 19_900,
  fee: 0,
  state: 'paid',
  ...change,
});
const ours = (nth: number, change: Partial<Ours> = {}): Ours => ({
  kind: 'payment',
  number: orderNumber(attemptId(nth)),
  orderId,
  attemptId: attemptId(nth),
  payee: '1900000101',
  amount: 19_900,
  booked: 19_900,
  state: 'paid',
  expected: true,
  ...change,
});
const back = (change: Partial<Line> = {}): Line => line(1, { kind: 'refund', number: 'RF1', state: 'succeeded', ...change });
const backOurs = (change: Partial<Ours> = {}): Ours => ours(1, { kind: 'refund', number: 'RF1', state: 'succeeded', ...change });
const free = (_amount: number): number => 0;
const found = (lines: readonly Line[], known: readonly Ours[], feeOf = free) =>
  compare(lines, known, feeOf, keyOf).map(({ class: name, number }) => [name, number]);

describe('a bill and our books', () => {
  test('that say the same have no difference', () => {
    expect(found([line(1), back()], [ours(1), backOurs()])).toEqual([]);
  });

  test.each<[string, Line[], Ours[], string]>([
    ['a payment of nobody we know', [line(1)], [], 'channel-only'],
    ['a payment of an attempt that we think unpaid', [line(1)], [ours(1, { amount: null, booked: null, state: 'closed' })], 'channel-only'],
    ['a refund that we never asked for', [back()], [], 'channel-only'],
    ['a payment that the bill does not have', [], [ours(1)], 'ours-only'],
    ['a refund that the bill does not have', [], [backOurs()], 'ours-only'],
    ['a payment of another amount', [line(1, { amount: 19_901 })], [ours(1)], 'amount'],
    ['a refund of another amount', [back({ amount: 1 })], [backOurs()], 'amount'],
    ['a payment that the ledger does not have', [line(1)], [ours(1, { booked: null })], 'amount'],
    ['a payment that the ledger has otherwise', [line(1)], [ours(1, { booked: 19_899 })], 'amount'],
    ['a refund that the ledger does not have', [back()], [backOurs({ booked: null })], 'amount'],
    ['a payment to somebody else', [line(1, { payee: '1900000102' })], [ours(1)], 'state'],
    ['a payment that the channel took back', [line(1, { state: 'revoked' })], [ours(1)], 'state'],
    ['a payment of a state that nobody knows', [line(1, { state: 'strange' })], [ours(1)], 'state'],
    ['a refund that the channel has closed', [back({ state: 'closed' })], [backOurs()], 'state'],
    ['a refund that has gone through without our knowing', [back()], [backOurs({ state: 'processing', booked: null })], 'state'],
    ['a fee that was not agreed on', [line(1, { fee: 12 })], [ours(1)], 'fee'],
  ])('differ by %s', (_, lines, known, name) => {
    const findings = compare(lines, known, free, keyOf);
    expect(findings.map((finding) => finding.class)).toEqual([name]);
    expect(findings[0]!.explanation.length).toBeGreaterThan(10);
  });

  test('do not differ by what has gone on since the bill was made', () => {
    for (const state of ['processing', 'succeeded', 'abnormal', 'closed'] as const) {
      const booked = state === 'succeeded' ? 19_900 : null;
      expect(found([back({ state: 'processing' })], [backOurs({ state, booked })])).toEqual([]);
    }
  });

  test('do not differ by a payment that belongs to another day’s bill', () => {
    expect(found([], [ours(1, { expected: false })])).toEqual([]);
  });

  test('do not differ by a refund that the channel closed and we never knew of: nothing moved', () => {
    expect(found([back({ state: 'closed' })], [])).toEqual([]);
  });

  test('agree on the fee that was agreed on, and on what of it comes back with a refund', () => {
    const feeOf = (amount: number) => Math.round(amount * 0.006);
    expect(found([line(1, { fee: 119 }), back({ fee: -119 })], [ours(1), backOurs()], feeOf)).toEqual([]);
    expect(found([line(1, { fee: 120 })], [ours(1)], feeOf)).toEqual([['fee', subNumber(1)]]);
    expect(found([back({ fee: 1 })], [backOurs()], feeOf)).toEqual([['fee', 'RF1']]);
  });

  test('are asked about again where the channel may know better', () => {
    const unpaid = ours(1, { amount: null, booked: null, state: 'closed' });
    expect(compare([line(1)], [unpaid], free, keyOf)).toMatchObject([{ mendable: true, orderId }]);
    expect(compare([line(1)], [], free, keyOf)).toMatchObject([{ mendable: false, orderId: null }]);
  });

  test('differ by the same, in whatever order they are read', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom(0, 1, 2), fc.boolean(), fc.boolean()), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(pairs, fc.integer(), (drawn, seed) => {
        const unique = [...new Map(drawn.map((one) => [one[0], one])).values()];
        const lines = unique.filter(([, , there]) => there).map(([nth, more]) => line(nth, { amount: 19_900 + more }));
        const known = unique.filter(([, , , there]) => there).map(([nth]) => ours(nth));
        const mixed = <T>(items: readonly T[]): T[] =>
          items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) === seed % 2 > 0 ? 1 : -1));
        const sorted = (of: [string, string][]) => of.map(String).toSorted();
        expect(sorted(found(mixed(lines), mixed(known)) as [string, string][])).toEqual(sorted(found(lines, known) as [string, string][]));
      }),
    );
  });
});
