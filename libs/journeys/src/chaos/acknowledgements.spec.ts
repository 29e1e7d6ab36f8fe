import { describe, expect, it } from 'vitest';
import { brokenPromises, type Kept } from './acknowledgements.ts';
import type { Acknowledged } from './load.ts';

const told: Acknowledged = {
  orders: new Map([['ord_1', 'k1']]),
  changed: [],
  unreadable: [],
  paid: new Map([['tx_1', 'ord_1']]),
  unanswered: new Set(['k2']),
};
const kept: Kept = { orderIds: new Set(['ord_1']), transactions: new Set(['tx_1']), unnamed: 1 };

describe('what was acknowledged', () => {
  it('is in order when the books keep it all', () => {
    expect(brokenPromises(told, kept)).toEqual([]);
  });

  it.each<[string, Acknowledged, Kept]>([
    ['an order that was acknowledged is never lost', told, { ...kept, orderIds: new Set() }],
    ['an order can be read as soon as it is acknowledged', { ...told, unreadable: ['ord_1'] }, kept],
    ['a repeated request gets its first answer', { ...told, changed: [{ key: 'k1', first: 'ord_1', later: 'ord_2' }] }, kept],
    ['what the payer saw as paid stays paid', told, { ...kept, transactions: new Set() }],
    ['one request makes one order', told, { ...kept, unnamed: 2 }],
  ])('is found broken: %s', (rule, acknowledged, books) => {
    expect(brokenPromises(acknowledged, books).map((violation) => violation.rule)).toEqual([rule]);
  });
});
