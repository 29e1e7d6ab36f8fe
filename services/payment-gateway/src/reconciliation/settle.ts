/** Differences are settled by two persons: one says how, another one agrees. */
import type { UserId } from '@yunshi/kernel/ids';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite, write, type Decision } from '@yunshi/messaging/handle';
import { postingRows, rowsOfEntry } from '../ledger/entries.ts';
import * as ledger from '../ledger/ledger.ts';
import { Problem } from '../problems.ts';
import { reconciliations } from './book.ts';
import { decide, propose, type Difference, type Reconciliation, type Resolution } from './state.ts';

type Named = { readonly reconciliationId: string; readonly differenceId: string; readonly by: UserId };

export const differenceWrites = {
  propose: httpWrite('reconciliation.propose', {
    of: reconciliations,
    key: (asked: Named & { readonly resolution: Resolution; readonly reason: string }) => asked.reconciliationId,
    decide: ({ differenceId, by, resolution, reason }, known): Decision<Reconciliation> => {
      const proposed = known ? propose(known, differenceId, { resolution, reason, by }) : undefined;
      if (!proposed?.ok) throw new Problem(proposed?.error ?? 'not-found');
      const act = audited({ actor: by, action: 'reconciliation.propose', object: `difference:${differenceId}`, reason });
      return { save: proposed.value.reconciliation, writes: [act], response: { status: 200, body: proposed.value.difference } };
    },
  }),
  decide: httpWrite('reconciliation.decide', {
    of: reconciliations,
    key: (asked: Named & { readonly verdict: 'approve' | 'reject'; readonly reason: string | undefined }) => asked.reconciliationId,
    decide: ({ differenceId, by, verdict, reason }, known, { now }): Decision<Reconciliation> => {
      const decided = known ? decide(known, differenceId, { verdict, by, now }) : undefined;
      if (!known || !decided?.ok) throw new Problem(decided && !decided.ok ? decided.error : 'not-found');
      const { reconciliation, difference } = decided.value;
      const act = audited({ actor: by, action: `reconciliation.${verdict}`, object: `difference:${differenceId}`, reason });
      const rows = verdict === 'approve' ? entriesFor(reconciliation, difference, now) : [];
      return {
        save: reconciliation,
        writes: [act, ...rows.map((row) => write(postingRows, row))],
        response: { status: 200, body: difference },
      };
    },
  }),
};

/** Brings the ledger to the channel's figure: a fee is an expense, any other difference waits in `suspense` for whom it belongs to. */
function entriesFor({ channel, day }: Reconciliation, difference: Difference, at: Date) {
  if (difference.resolution !== 'adjusted') return [];
  const { differenceId, kind } = difference;
  const more = (difference.theirs ?? 0) - (difference.ours ?? 0);
  if (difference.class === 'fee') return rowsOfEntry(ledger.channelFee(`${day}:${differenceId}`, { amount: more, channel, at }));
  return rowsOfEntry(ledger.adjustment(differenceId, { amount: kind === 'payment' ? more : -more, channel, at }));
}
