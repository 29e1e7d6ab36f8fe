/** What operators do about a payment that a bank took back. */
import { rowsOf } from '@yunshi/db/rows';
import type { OrderId, UserId } from '@yunshi/kernel/ids';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite, write } from '@yunshi/messaging/handle';
import { decisionOf } from '../payment/handlers.ts';
import { payments, type TaskRow } from '../payment/payments.ts';
import { Problem } from '../problems.ts';
import * as tables from '../tables.ts';
import { decide, propose, type RevocationOutcome } from './settlement.ts';

/** Sorts behind `payments`, whose row is there and is locked too: see `beside` of the core. */
const revocationRows = rowsOf(tables.revocations, 'orderId');
/** The task ends with its case. It is written by nobody else meanwhile. */
const endedTasks = { ...rowsOf(tables.tasks, 'taskId'), name: 'payment_tasks ended' };

type Named = { readonly orderId: OrderId; readonly task: TaskRow; readonly by: UserId };
type Proposing = Named & { readonly outcome: RevocationOutcome; readonly evidence: string };
type Deciding = Named & { readonly verdict: 'approve' | 'reject' };

const about = { of: payments, key: (asked: Named) => asked.orderId };
const beside = { of: revocationRows, key: (asked: Named) => asked.orderId };

export const revocationWrites = {
  propose: httpWrite('revocation.propose', {
    ...about,
    beside,
    decide: ({ orderId, by, outcome, evidence }: Proposing, payment, { now, beside: known }) => {
      const proposed = payment && propose(payment, known, { outcome, evidence }, { by, now });
      if (!proposed?.ok) throw new Problem(proposed?.error ?? 'not-found');
      const act = audited({ actor: by, action: `revocation.propose-${outcome}`, object: `order:${orderId}`, reason: evidence });
      return { writes: [write(revocationRows, proposed.value), act], response: { status: 202, body: shown(proposed.value) } };
    },
  }),

  decide: httpWrite('revocation.decide', {
    ...about,
    beside,
    decide: ({ orderId, task, by, verdict }: Deciding, payment, { now, beside: known }) => {
      const decided = payment && decide(payment, known, verdict, { by, now });
      if (!payment || !decided?.ok) throw new Problem(decided && !decided.ok ? decided.error : 'not-found');
      const { revocation, change } = decided.value;
      const act = audited({ actor: by, action: `revocation.${verdict}`, object: `order:${orderId}`, reason: undefined });
      const { writes = [], ...decision } = change ? decisionOf(payment, change) : {};
      const ended = change ? [write(endedTasks, { ...task, resolvedAt: now, resolvedBy: by })] : [];
      return {
        ...decision,
        writes: [...writes, write(revocationRows, revocation), ...ended, act],
        response: { status: 200, body: shown(revocation) },
      };
    },
  }),
};

const shown = ({ orderId, status, outcome }: { orderId: OrderId; status: string; outcome: RevocationOutcome }) => ({
  order_id: orderId,
  status,
  outcome,
});
