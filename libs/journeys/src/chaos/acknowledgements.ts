import type { Violation } from '../rules.ts';
import type { Acknowledged } from './load.ts';

/** What the books say about those who took part. */
export type Kept = {
  readonly orderIds: ReadonlySet<string>;
  /** Transactions that WeChat Pay's own book shows as paid. */
  readonly transactions: ReadonlySet<string>;
  /** Orders of the customers that no acknowledgement names. */
  readonly unnamed: number;
};

/** A request that was acknowledged is never lost, and one request never makes two orders. */
export function brokenPromises({ orders, changed, unreadable, paid, unanswered }: Acknowledged, kept: Kept): Violation[] {
  const { orderIds, transactions, unnamed } = kept;
  const found = [
    { rule: 'an order that was acknowledged is never lost', rows: [...orders.keys()].filter((id) => !orderIds.has(id)) },
    { rule: 'an order can be read as soon as it is acknowledged', rows: unreadable },
    { rule: 'a repeated request gets its first answer', rows: changed },
    { rule: 'what the payer saw as paid stays paid', rows: [...paid].filter(([transaction]) => !transactions.has(transaction)) },
    {
      rule: 'one request makes one order',
      rows: unnamed > unanswered.size ? [{ ordersThatNobodyWasTold: unnamed, unanswered: unanswered.size }] : [],
    },
  ];
  return found.filter(({ rows }) => rows.length > 0).map(({ rule, rows }) => ({ rule, rows: rows.slice(0, 5) }));
}
