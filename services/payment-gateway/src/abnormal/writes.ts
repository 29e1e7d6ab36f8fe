/** What operators do with a refund that ended ABNORMAL, and what becomes of it. */
import type { OrderId, UserId } from '@yunshi/kernel/ids';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite, whenCalled, write, type Handler } from '@yunshi/messaging/handle';
import { rowsOf } from '@yunshi/db/rows';
import type { AbnormalRefundRequest } from '@yunshi/protocols/wechat/refund';
import { decisionOf } from '../payment/handlers.ts';
import { payments } from '../payment/payments.ts';
import { abnormalAnswered, settleOffline } from '../payment/refunds.ts';
import { Problem } from '../problems.ts';
import * as tables from '../tables.ts';
import { applyAbnormal } from './calls.ts';
import { decide, propose } from './settlement.ts';

/** Sorts behind `payments`, whose row is there and is locked too: see `beside` of the core. */
const offlineRows = rowsOf(tables.offlineRefunds, 'refundNo');

type Named = { readonly orderId: OrderId; readonly refundNo: string; readonly by: UserId };
type Applying = Named & { readonly serial: string; readonly ask: AbnormalRefundRequest };
type Proposing = Named & { readonly evidence: string };
type Deciding = Named & { readonly verdict: 'approve' | 'reject' };

export const abnormalWrites = {
  apply: httpWrite('refund.apply-abnormal', {
    of: payments,
    key: (asked: Applying) => asked.orderId,
    decide: ({ orderId, refundNo, by, serial, ask }, payment) => {
      const refund = payment?.refunds.find((one) => one.refundNo === refundNo);
      if (refund?.status !== 'abnormal' || refund.refundId === null) throw new Problem('refund-not-abnormal');
      return {
        calls: [applyAbnormal.intent(orderId, { orderId, refundId: refund.refundId, serial, ask })],
        writes: [audited({ actor: by, action: 'refund.apply-abnormal', object: `refund:${refundNo}`, reason: ask.type })],
        response: { status: 202, body: { refund_no: refundNo } },
      };
    },
  }),

  propose: httpWrite('refund.propose-offline', {
    of: payments,
    key: (asked: Proposing) => asked.orderId,
    beside: { of: offlineRows, key: (asked: Proposing) => asked.refundNo },
    decide: ({ orderId, refundNo, by, evidence }, payment, { now, beside }) => {
      if (payment?.refunds.find((one) => one.refundNo === refundNo)?.status !== 'abnormal') throw new Problem('refund-not-abnormal');
      const proposed = propose(beside, { orderId, refundNo, evidence }, { by, now });
      if (!proposed.ok) throw new Problem(proposed.error);
      const act = audited({ actor: by, action: 'refund.propose-offline', object: `refund:${refundNo}`, reason: evidence });
      return { writes: [write(offlineRows, proposed.value), act], response: { status: 202, body: { refund_no: refundNo } } };
    },
  }),

  decide: httpWrite('refund.decide-offline', {
    of: payments,
    key: (asked: Deciding) => asked.orderId,
    beside: { of: offlineRows, key: (asked: Deciding) => asked.refundNo },
    decide: ({ refundNo, by, verdict }, payment, { now, beside }) => {
      const decided = decide(beside, verdict, { by, now });
      if (!decided.ok) throw new Problem(decided.error);
      const act = audited({ actor: by, action: `refund.${verdict}-offline`, object: `refund:${refundNo}`, reason: undefined });
      const settled = verdict === 'approve' && payment ? settleOffline(payment, refundNo, now) : undefined;
      if (settled && !settled.ok) throw new Problem(settled.error);
      const { writes = [], ...decision } = settled && payment ? decisionOf(payment, settled.value) : {};
      return {
        ...decision,
        writes: [...writes, write(offlineRows, decided.value), act],
        response: { status: 200, body: { refund_no: refundNo } },
      };
    },
  }),
};

export const abnormalHandlers: readonly Handler[] = [
  whenCalled(applyAbnormal, {
    of: payments,
    decide: ({ request, outcome }, payment, { now }) =>
      payment ? decisionOf(payment, abnormalAnswered(payment, request.ask.out_refund_no, outcome, now)) : {},
  }),
];
