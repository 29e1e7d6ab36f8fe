/** 商企付 as a whole: what a platform asks, what clerks do at their bank, and the notices that follow. */
import { randomBytes, randomInt } from 'node:crypto';
import { chinaTime } from '@yunshi/kernel/calendar';
import type { Clock } from '@yunshi/kernel/clock';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { BillRequest } from '@yunshi/protocols/mse-pay/bill';
import type { Closed, Payment } from '@yunshi/protocols/mse-pay/payment';
import type { Refund } from '@yunshi/protocols/mse-pay/refund';
import { sortedJson } from '@yunshi/protocols/mse-pay/sorted-json';
import { billFile } from './bill.ts';
import type { Book, Page } from './book.ts';
import {
  close,
  closedView,
  decide,
  lapsed,
  paymentView,
  place,
  placeForUnionpay,
  refundable,
  refundView,
  revoke,
  shownAnew,
  submit,
  type Ask,
  type DeskRefusal,
  type UnionpayAsk,
} from './payment.ts';
import { refusals, type Refusal } from './refusal.ts';
import type { BankNotice, BankPayment, BankRefund } from './tables.ts';

type Deps = {
  readonly book: Book;
  readonly clock: Clock;
  readonly refundTakesMs: number;
  readonly wake: () => void;
  readonly losses: () => number;
};
type RefundAsk = {
  readonly out_refund_id: string;
  readonly payment_id?: string | undefined;
  readonly out_payment_id?: string | undefined;
  readonly total_amount: number;
  readonly refund_amount: number;
  readonly server_notify_url?: string | undefined;
};
export type By = { readonly paymentId: string } | { readonly outPaymentId: string };
export type BankChannel = ReturnType<typeof bankChannel>;

export const bankChannel = (deps: Deps) => ({
  ...platformSide(deps),
  ...refundSide(deps),
  ...clerksSide(deps),
  ...unionpaySide(deps),
  ...billSide(deps),
});

const digits = (count: number): string => Array.from({ length: count }, () => randomInt(10)).join('');
const newToken = (): string => randomBytes(12).toString('hex');

const find = async (page: Page, by: By): Promise<BankPayment | undefined> =>
  'paymentId' in by ? page.paymentBy(by) : page.payment(by.outPaymentId);

/** What a platform asks about is its own. */
const platformsOwn = async (page: Page, by: By): Promise<BankPayment | undefined> => {
  const found = await find(page, by);
  return found?.acquirer === 'mse-pay' ? found : undefined;
};

/** Changes a payment under its lock, as it is once what time alone ends has ended. */
async function changed<R>(
  { book, clock, wake }: Deps,
  by: By,
  work: (payment: BankPayment, page: Page, now: Date) => Promise<R>,
): Promise<R | undefined> {
  const found = await find(book.read, by);
  if (!found) return undefined;
  const result = await book.change(found.outPaymentId, async (page) => {
    const [payment, now] = [await page.payment(found.outPaymentId), clock.now()];
    return payment && work(lapsed(payment, now), page, now);
  });
  wake();
  return result;
}

const changedByPlatform: typeof changed = async (deps, by, work) =>
  (await platformsOwn(deps.book.read, by)) ? changed(deps, by, work) : undefined;

const platformSide = (deps: Deps) => {
  const { book, clock } = deps;
  return {
    place: async (ask: Ask, base: string, traceparent: string | undefined): Promise<Result<Payment, Refusal>> =>
      book.change(ask.out_payment_id, async (page) => {
        const making = { token: newToken(), paymentId: `40${digits(26)}`, now: clock.now(), traceparent };
        const placed = place(await page.payment(ask.out_payment_id), ask, making);
        if (!placed.ok) return placed;
        await page.savePayment(placed.value);
        return ok(paymentView(lapsed(placed.value, clock.now()), base));
      }),
    query: async (by: By, base: string): Promise<Result<Payment, Refusal>> => {
      const found = await platformsOwn(book.read, by);
      return found ? ok(paymentView(lapsed(found, clock.now()), base)) : no(refusals.missing);
    },
    redirect: async (paymentId: string, base: string): Promise<Result<Payment, Refusal>> =>
      (await changedByPlatform<Result<Payment, Refusal>>(deps, { paymentId }, async (payment, page, now) => {
        const shown = shownAnew(payment, newToken(), now);
        await page.savePayment(shown);
        return ok(paymentView(shown, base));
      })) ?? no(refusals.missing),
    close: async (paymentId: string): Promise<Result<Closed, Refusal>> =>
      (await changedByPlatform<Result<Closed, Refusal>>(deps, { paymentId }, async (payment, page, now) => {
        const closed = close(payment, now);
        if (!closed.ok) return closed;
        await page.savePayment(closed.value);
        return ok(closedView(closed.value));
      })) ?? no(refusals.missing),
  };
};

const refundSide = (deps: Deps) => {
  const { book, clock, wake, refundTakesMs } = deps;
  return {
    refund: async (ask: RefundAsk): Promise<Result<Refund, Refusal>> => {
      const by = ask.payment_id === undefined ? { outPaymentId: ask.out_payment_id ?? '' } : { paymentId: ask.payment_id };
      return (
        (await changedByPlatform<Result<Refund, Refusal>>(deps, by, async (payment, page, now) => {
          const [asked, known] = [JSON.stringify(ask), await page.refund(ask.out_refund_id)];
          if (known) return known.asked === asked ? ok(refundView(known, payment)) : no(refusals.otherParameters);
          const fits = refundable(payment, await page.refundsOf(payment.outPaymentId), ask.refund_amount);
          if (!fits.ok) return fits;
          const refund: BankRefund = {
            outRefundId: ask.out_refund_id,
            refundId: `50${digits(26)}`,
            outPaymentId: payment.outPaymentId,
            asked,
            amount: ask.refund_amount,
            status: 'ACCEPTED',
            acceptedAt: now,
            settlesAt: new Date(now.getTime() + refundTakesMs),
            endedAt: null,
            notifyUrl: ask.server_notify_url ?? null,
          };
          await page.saveRefund(refund);
          return ok(refundView(refund, payment));
        })) ?? no(refusals.missing)
      );
    },
    queryRefund: async (outRefundId: string): Promise<Result<Refund, Refusal>> => {
      const refund = await book.read.refund(outRefundId);
      const payment = refund && (await book.read.payment(refund.outPaymentId));
      return refund && payment ? ok(refundView(refund, payment)) : no(refusals.refundMissing);
    },
    /** What time alone does: pages and vouchers end, refunds go through. */
    sweep: async (): Promise<void> => {
      const due = await book.dueNumbers(clock.now());
      for (const outPaymentId of due.payments)
        await changed(deps, { outPaymentId }, async (payment, page, now) => saveAndTell(deps, payment, page, now));
      for (const { outRefundId, outPaymentId } of due.refunds)
        await book.change(outPaymentId, async (page) => {
          const [refund, payment] = [await page.refund(outRefundId), await page.payment(outPaymentId)];
          if (refund?.status !== 'ACCEPTED' || !payment) return;
          const now = clock.now();
          const settled: BankRefund = { ...refund, status: payment.status === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED', endedAt: now };
          await page.saveRefund(settled);
          if (settled.notifyUrl !== null)
            await page.addNotice(
              noticeOf(deps, outRefundId, settled.notifyUrl, payment, 'mse_refund.succeeded', refundView(settled, payment), now),
            );
        });
      if (due.payments.length + due.refunds.length > 0) wake();
    },
  };
};

const clerksSide = (deps: Deps) => {
  const { book } = deps;
  const act = async (
    found: BankPayment | undefined,
    work: (payment: BankPayment, now: Date) => Result<BankPayment, DeskRefusal>,
  ): Promise<Result<BankPayment, DeskRefusal>> =>
    (found &&
      (await changed<Result<BankPayment, DeskRefusal>>(deps, { outPaymentId: found.outPaymentId }, async (payment, page, now) => {
        const done = work(payment, now);
        if (done.ok) await saveAndTell(deps, done.value, page, now);
        return done;
      }))) ??
    no('page-unknown');
  return {
    pageOf: (token: string) => book.read.paymentBy({ token }),
    vouchersFor: (customerNo: string, checker: string) => book.read.vouchersFor(customerNo, checker),
    submit: async (token: string, by: { customerNo: string; user: string; checker: string }) =>
      act(await book.read.paymentBy({ token }), (payment, now) => submit(payment, { ...by, voucherNo: `V${digits(14)}` }, now)),
    decide: async (voucherNo: string, by: { customerNo: string; user: string; approves: boolean }) =>
      act(await book.read.paymentBy({ voucherNo }), (payment, now) => decide(payment, by, now)),
    revoke: async (outPaymentId: string) =>
      act(await book.read.payment(outPaymentId), (payment, now) => {
        const revoked = revoke(payment, now);
        return revoked ? ok(revoked) : no('not-open');
      }),
  };
};

const unionpaySide = ({ book, clock }: Deps) => ({
  /** Asked again, it is the same payment. */
  openForUnionpay: (ask: UnionpayAsk): Promise<BankPayment> =>
    book.change(ask.outPaymentId, async (page) => {
      const payment = (await page.payment(ask.outPaymentId)) ?? placeForUnionpay(ask, newToken(), clock.now());
      await page.savePayment(payment);
      return payment;
    }),
});

const DAY_MS = 86_400_000;
/** Yesterday's bills are ready at ten. */
const READY_AFTER_MS = 10 * 3_600_000;

const billSide = ({ book, clock }: Deps) => ({
  /** The file of a day, the same however often it is asked for. */
  bill: async ({ bill_date: date, bill_type: type, ent_id: entId }: BillRequest): Promise<Result<string, Refusal>> => {
    const from = new Date(`${date}T00:00:00+08:00`);
    const day = { from, until: new Date(from.getTime() + DAY_MS) };
    if (clock.now() < day.until) return no(refusals.dayNotOver);
    if (clock.now().getTime() < day.until.getTime() + READY_AFTER_MS) return no(refusals.billInMaking);
    const file = billFile(type, await book.read.movedOn(day, entId), await book.read.mistakesOf(date), day);
    return file === undefined ? no(refusals.noBill) : ok(file);
  },
});

const events = {
  SUCCEEDED: 'mse_payment.succeeded',
  CLOSED: 'mse_payment.close',
  REVOKED: 'mse_payment.revoked',
  BANK_ACCEPTED: 'mse_payment.bank_accepted',
  CLEARING: 'mse_payment.clearing',
  PROCESSING: 'mse_payment.processing',
} as const;

async function saveAndTell(deps: Deps, payment: BankPayment, page: Page, now: Date): Promise<void> {
  await page.savePayment(payment);
  // UnionPay looks for itself.
  if (payment.acquirer === 'unionpay') return;
  // No page to go to stands in a notice: signed in sorted form or as it is, it is the same bytes only without «/».
  const { redirect: _, ...content } = paymentView(payment, '');
  await page.addNotice(noticeOf(deps, payment.outPaymentId, payment.notifyUrl, payment, events[payment.status], content, now));
}

function noticeOf(
  { losses }: Deps,
  about: string,
  url: string,
  { traceparent }: BankPayment,
  event_type: string,
  event_content: object,
  now: Date,
): BankNotice {
  const eventId = `EVT${chinaTime(now).replace(/\D/g, '').slice(0, 14)}${digits(15)}`;
  const envelope = {
    api_version: 'v3',
    live_mode: false,
    event_id: eventId,
    event_type,
    pending_webhooks: 1,
    create_time: chinaTime(now),
    event_content,
  };
  const body = sortedJson(JSON.stringify(envelope)) ?? '';
  return { eventId, about, url, body, attempts: 0, nextAt: now, leaseUntil: null, losses: losses(), lastAnswer: null, traceparent };
}
