import { reckonCoupon, releaseCoupon } from '@yunshi/contracts/coupon';
import { changePrice } from '@yunshi/contracts/order';
import { collectPayment, returnPayment } from '@yunshi/contracts/payment';
import type { Claim } from '@yunshi/coupon/claim/claim';
import type { Decision } from '@yunshi/messaging/handle';
import type { Order } from '@yunshi/order/order/order';
import { isLive, type Attempt, type Payment } from '@yunshi/payment-gateway/payment/state';
import type { Step } from '@yunshi/saga/define';
import { rest, type About, type Breach, type Wrapping } from './breach.ts';

const unearned = 'nothing is paid and neither delivered nor refunded in full';
const nameOf = (command: { readonly type: string; readonly version: number }): string => `${command.type}.v${command.version}`;

/** Decides otherwise on one message. */
const instead =
  <R>(name: string, decide: (row: R, decided: Decision<unknown>) => Decision<unknown>): NonNullable<Wrapping['decision']> =>
  (decided, about) =>
    about.name === name && about.row !== undefined ? decide(about.row as R, decided) : decided;

const steps = (change: (step: Step) => Step): Pick<Wrapping, 'behaviour'> => ({
  behaviour: (behaved) => ({ ...behaved, sagas: behaved.sagas.map((saga) => ({ ...saga, steps: saga.steps.map(change) })) }),
});

const wasOrphaned = ({ row }: About, decided: Decision<unknown>): boolean => {
  const orphans = (payment: unknown): number =>
    ((payment as Payment | undefined)?.attempts ?? []).filter((one: Attempt) => one.status === 'orphaned').length;
  return decided.save !== undefined && 'attempts' in (decided.save as object) && orphans(decided.save) > orphans(row);
};

const givenUp = (attempt: Attempt): Attempt => (isLive(attempt) ? { ...attempt, status: 'closed' } : attempt);

/** What can be decided wrongly. */
export const decisionBreaches: readonly Breach[] = [
  {
    what: 'money that comes when nobody waits for it is not looked at',
    by: { decision: (decided, about) => (wasOrphaned(about, decided) ? {} : decided) },
    mix: { looksOnly: 0.9, paidBeforeClose: 1 },
    breaks: rest,
  },
  {
    what: 'a payment is closed without asking the channel',
    by: {
      decision: instead<Payment>(nameOf(returnPayment), (payment, decided) =>
        payment.status === 'open'
          ? { save: { ...payment, status: 'closed', attempts: payment.attempts.map(givenUp) }, reply: returnPayment.reply.closed({}) }
          : decided,
      ),
    },
    mix: { callbackNever: 0.9, cancels: 1 },
    breaks: 'no money lies at a channel that no attempt of ours knows of',
  },
  {
    what: 'a payment is said to be refunded before it is',
    by: {
      decision: instead<Payment>(nameOf(returnPayment), (payment, decided) =>
        payment.status === 'paid'
          ? { save: { ...payment, status: 'refunded' }, reply: returnPayment.reply.refunded({ amount: payment.amount }) }
          : decided,
      ),
    },
    mix: { cancels: 1, late: 0.5, lateMsMax: 20_000 },
    breaks: unearned,
  },
  {
    what: 'a payment is said to be made when it is asked for',
    by: {
      decision: (decided, { name, data, row }) =>
        name === nameOf(collectPayment) && decided.save !== undefined && row === undefined
          ? {
              ...decided,
              reply: collectPayment.reply.paid({
                paymentId: (decided.save as Payment).paymentId,
                channel: 'wechat_native',
                paidAt: (data as { payBy: string }).payBy,
              }),
            }
          : decided,
    },
    mix: {},
    breaks: 'nothing is delivered unpaid',
  },
  {
    what: 'a coupon is given back by an order that does not hold it',
    by: {
      decision: instead<Claim>(nameOf(releaseCoupon), (claim, decided) => ({
        ...decided,
        save: { ...claim, status: 'usable', orderId: null, deduction: null, reservedAt: null, usedAt: null },
      })),
    },
    mix: { cancels: 0.5, coupons: 1, purchases: [6], late: 0.9, lateMsMax: 20_000 },
    breaks: 'a coupon is used by the completed order that names it, and by no other',
  },
  {
    what: 'a step of the saga is not undone',
    by: steps((step) => (step.name === 'reserve coupon' ? withoutUndo(step) : step)),
    mix: {},
    breaks: 'no coupon stays reserved by an order that has ended',
  },
  {
    what: 'the saga turns back past its pivot',
    by: steps((step) => (step.kind === 'pivot' ? { ...step, kind: 'compensable' } : step)),
    mix: { providerSick: 1, sickMsMax: 7_200_000 },
    breaks: 'nothing is delivered unpaid',
  },
  {
    what: 'a changed price is not told to the purchase that goes by it',
    by: { decision: instead<Order>(nameOf(changePrice), (_order, decided) => ({ ...decided, amend: [] })) },
    mix: { bargains: 1, coupons: 1 },
    breaks: 'no dead letter is open',
  },
  {
    what: 'a coupon is not reckoned anew when the price falls',
    by: { decision: instead<Claim>(nameOf(reckonCoupon), () => ({ reply: reckonCoupon.reply.reckoned({}) })) },
    mix: { bargains: 1, coupons: 1 },
    breaks: 'no coupon stays reserved by an order that has ended',
  },
  {
    what: 'half of an entry is posted',
    by: {
      decision: (decided) => {
        const postings = (decided.writes ?? []).filter(({ to }) => to.name === 'ledger_postings');
        return postings.length === 0 ? decided : { ...decided, writes: decided.writes!.filter((one) => one !== postings.at(-1)) };
      },
    },
    mix: {},
    breaks: 'every entry of the ledger balances to zero',
  },
];

function withoutUndo({ undo: _undo, undoWith: _undoWith, ...step }: Step): Step {
  return step;
}
