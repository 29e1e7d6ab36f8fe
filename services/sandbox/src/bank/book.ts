/** The bank side's own book: the only SQL for it. */
import type { Sql, Tx } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { Day, Moved } from './bill.ts';
import {
  bankBillMistakes,
  bankNotices,
  bankPayments,
  bankRefunds,
  type BankBillMistake,
  type BankNotice,
  type BankPayment,
  type BankRefund,
} from './tables.ts';

const payments = rowsOf(bankPayments, 'outPaymentId');
const refunds = rowsOf(bankRefunds, 'outRefundId');
const notices = rowsOf(bankNotices, 'eventId');
const mistakes = rowsOf(bankBillMistakes, 'mistakeId');
const paymentColumns = selectListOf(bankPayments);
const refundColumns = selectListOf(bankRefunds);
const noticeColumns = selectListOf(bankNotices);

/** A notice in hand is another process's again after this long. */
const LEASE_SECONDS = 15;
const DUE_MAX = 64;

export type Book = ReturnType<typeof openBook>;
export type Page = ReturnType<typeof openPage>;

export const openBook = (sql: Sql) => ({
  read: openPage(sql),
  /** Everything inside happens or nothing does. Requests about one number wait for each other. */
  change: async <T>(number: string, work: (page: Page) => Promise<T>): Promise<T> =>
    (await sql.begin(async (transaction) => {
      const tx = transaction as unknown as Tx;
      await tx`select pg_advisory_xact_lock(hashtextextended(${`bank ${number}`}, 0))`;
      return work(openPage(tx));
    })) as T,
  /** Unanswered notices whose time has come, for this process alone until the lease ends. */
  claimNotices: (now: Date): PromiseLike<BankNotice[]> => sql<BankNotice[]>`
    update bank_notices set lease_until = clock_timestamp() + ${LEASE_SECONDS} * interval '1 second'
    where event_id in (
      select event_id from bank_notices where next_at <= ${now} and (lease_until is null or lease_until < clock_timestamp())
      order by next_at limit ${DUE_MAX} for update skip locked)
    returning ${sql.unsafe(noticeColumns)}`,
  recordDelivery: async ({ eventId, attempts, nextAt, losses, lastAnswer }: BankNotice): Promise<void> => {
    await sql`
      update bank_notices set attempts = ${attempts}, next_at = ${nextAt}, losses = ${losses}, last_answer = ${lastAnswer}, lease_until = null
      where event_id = ${eventId}`;
  },
  /** What time alone ends or carries out. */
  dueNumbers: async (now: Date): Promise<{ readonly payments: string[]; readonly refunds: BankRefund[] }> => {
    const [lapsing, settling] = await Promise.all([
      sql<{ number: string }[]>`
        select out_payment_id as number from bank_payments
        where (status = 'PROCESSING' and expires_at <= ${now}) or (status = 'BANK_ACCEPTED' and approve_until <= ${now}) limit ${DUE_MAX}`,
      sql<BankRefund[]>`
        select ${sql.unsafe(refundColumns)} from bank_refunds where status = 'ACCEPTED' and settles_at <= ${now} limit ${DUE_MAX}`,
    ]);
    return { payments: lapsing.map(({ number }) => number), refunds: settling };
  },
});

const openPage = (tx: Tx) => ({
  payment: async (outPaymentId: string): Promise<BankPayment | undefined> => (await payments.find(tx, [outPaymentId]))[0],
  paymentBy: async (by: { paymentId: string } | { token: string } | { voucherNo: string }): Promise<BankPayment | undefined> => {
    const [column, value] =
      'paymentId' in by ? ['payment_id', by.paymentId] : 'token' in by ? ['token', by.token] : ['voucher_no', by.voucherNo];
    return (await tx<BankPayment[]>`select ${tx.unsafe(paymentColumns)} from bank_payments where ${tx.unsafe(column)} = ${value}`)[0];
  },
  vouchersFor: (customerNo: string, checker: string): PromiseLike<BankPayment[]> => tx<BankPayment[]>`
    select ${tx.unsafe(paymentColumns)} from bank_payments
    where customer_no = ${customerNo} and checker = ${checker} order by accepted_at desc limit 100`,
  savePayment: async (payment: BankPayment): Promise<void> => void (await payments.save(tx, [payment])),
  refund: async (outRefundId: string): Promise<BankRefund | undefined> => (await refunds.find(tx, [outRefundId]))[0],
  refundsOf: (outPaymentId: string): PromiseLike<BankRefund[]> =>
    tx<BankRefund[]>`select ${tx.unsafe(refundColumns)} from bank_refunds where out_payment_id = ${outPaymentId}`,
  saveRefund: async (refund: BankRefund): Promise<void> => void (await refunds.save(tx, [refund])),
  /** What 商企付 saw move on a day, of one payee or of all. */
  movedOn: async ({ from, until }: Day, entId?: string): Promise<Moved> => {
    const isMeant = (payment: BankPayment | undefined): payment is BankPayment =>
      payment?.acquirer === 'mse-pay' && (entId === undefined || payment.entId === entId);
    const [paid, accepted] = await Promise.all([
      tx<BankPayment[]>`
        select ${tx.unsafe(paymentColumns)} from bank_payments where paid_at >= ${from} and paid_at < ${until} order by paid_at, out_payment_id`,
      tx<BankRefund[]>`
        select ${tx.unsafe(refundColumns)} from bank_refunds
        where accepted_at >= ${from} and accepted_at < ${until} order by accepted_at, out_refund_id`,
    ]);
    const of = new Map(
      (
        await payments.find(
          tx,
          accepted.map(({ outPaymentId }) => outPaymentId),
        )
      ).map((one) => [one.outPaymentId, one]),
    );
    return {
      payments: paid.filter(isMeant),
      refunds: accepted.flatMap((refund) => {
        const payment = of.get(refund.outPaymentId);
        return isMeant(payment) ? [{ refund, of: payment }] : [];
      }),
    };
  },
  mistakesOf: (day: string): PromiseLike<BankBillMistake[]> => tx<BankBillMistake[]>`
    select ${tx.unsafe(selectListOf(bankBillMistakes))} from bank_bill_mistakes where day = ${day} order by mistake_id`,
  addMistake: async (mistake: BankBillMistake): Promise<void> => void (await mistakes.save(tx, [mistake])),
  addNotice: async (notice: BankNotice): Promise<void> => void (await notices.save(tx, [notice])),
  noticesAbout: (about: string): PromiseLike<BankNotice[]> =>
    tx<BankNotice[]>`select ${tx.unsafe(noticeColumns)} from bank_notices where about = ${about} order by event_id`,
});
