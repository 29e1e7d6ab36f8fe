/** What the channel and the banks behind it decide about a company's payment: pure. */
import { isBank } from '@yunshi/kernel/banks';
import { chinaTime } from '@yunshi/kernel/calendar';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { Closed, Payment } from '@yunshi/protocols/mse-pay/payment';
import type { Refund } from '@yunshi/protocols/mse-pay/refund';
import { clerkOf } from './customers.ts';
import { refusals, type Refusal } from './refusal.ts';
import type { BankPayment, BankRefund } from './tables.ts';

const DAY_MS = 86_400_000;
/** How long the banks here keep a voucher that waits for its checker. */
export const APPROVAL_MS = 5 * DAY_MS;
const PAGE_MS = 2 * 3_600_000;

/** A request whose encrypted fields have been opened and whose numbers are numbers. */
export type Ask = {
  readonly out_payment_id: string;
  readonly amount: number;
  readonly expire_time: string;
  readonly payee: { readonly ent_id: string; readonly ent_name: string };
  readonly memo?: string | undefined;
  readonly attachment?: string | undefined;
  readonly notify_url: {
    readonly server_notify_url: string;
    readonly front_callback_url?: { readonly pc_url?: string | undefined } | undefined;
  };
  readonly channel_options?: { readonly include_bank_snames?: readonly string[] | undefined } | undefined;
};
type Making = { readonly token: string; readonly paymentId: string; readonly now: Date; readonly traceparent: string | undefined };

/** The same number with the same parameters is the same payment; with others it is refused. */
export function place(
  known: BankPayment | undefined,
  ask: Ask,
  { token, paymentId, now, traceparent }: Making,
): Result<BankPayment, Refusal> {
  const asked = JSON.stringify(ask);
  if (known) return known.asked === asked ? ok(known) : no(refusals.otherParameters);
  const [bank, ...others] = ask.channel_options?.include_bank_snames ?? [];
  if (!isBank(bank) || others.length > 0) return no(refusals.bankUnknown);
  const expiresAt = new Date(ask.expire_time);
  if (expiresAt <= now) return no(refusals.expired);
  return ok({
    outPaymentId: ask.out_payment_id,
    acquirer: 'mse-pay',
    paymentId,
    asked,
    amount: ask.amount,
    entId: ask.payee.ent_id,
    entName: ask.payee.ent_name,
    memo: ask.memo ?? '',
    attachment: ask.attachment ?? '',
    bank,
    notifyUrl: ask.notify_url.server_notify_url,
    returnUrl: ask.notify_url.front_callback_url?.pc_url ?? null,
    ...untouched(token, now),
    expiresAt,
    traceparent: traceparent ?? null,
  });
}

/** No clerk has done anything yet. */
const untouched = (token: string, now: Date) => ({
  status: 'PROCESSING' as const,
  token,
  tokenUntil: new Date(now.getTime() + PAGE_MS),
  createdAt: now,
  voucherNo: null,
  customerNo: null,
  maker: null,
  checker: null,
  acceptedAt: null,
  approveUntil: null,
  paidAt: null,
  endedAt: null,
  failedType: null,
  failedDetail: null,
});

/** What UnionPay has a bank collect. */
export type UnionpayAsk = Pick<
  BankPayment,
  'outPaymentId' | 'amount' | 'entId' | 'entName' | 'memo' | 'bank' | 'returnUrl' | 'expiresAt' | 'traceparent'
>;

export const placeForUnionpay = (ask: UnionpayAsk, token: string, now: Date): BankPayment => ({
  ...ask,
  ...untouched(token, now),
  acquirer: 'unionpay',
  paymentId: ask.outPaymentId,
  asked: '',
  attachment: '',
  notifyUrl: '',
});

export const shownAnew = (payment: BankPayment, token: string, now: Date): BankPayment =>
  payment.status === 'PROCESSING' ? { ...payment, token, tokenUntil: new Date(now.getTime() + PAGE_MS) } : payment;

export type DeskRefusal = 'page-unknown' | 'not-open' | 'not-allowed' | 'checker-unknown' | 'own-voucher';

/** The maker 制单员 hands in the voucher, to one checker of the same company. */
export function submit(
  payment: BankPayment,
  by: { readonly customerNo: string; readonly user: string; readonly checker: string; readonly voucherNo: string },
  now: Date,
): Result<BankPayment, DeskRefusal> {
  if (payment.status !== 'PROCESSING' || payment.expiresAt <= now) return no('not-open');
  if (!clerkOf(by.customerNo, by.user)?.makes) return no('not-allowed');
  if (!clerkOf(by.customerNo, by.checker)?.checks) return no('checker-unknown');
  if (by.checker === by.user) return no('own-voucher');
  const approveUntil = new Date(now.getTime() + APPROVAL_MS);
  const { customerNo, checker, voucherNo } = by;
  return ok({ ...payment, status: 'BANK_ACCEPTED', customerNo, maker: by.user, checker, voucherNo, acceptedAt: now, approveUntil });
}

/** The checker 复核员 approves, and the money moves, or rejects. Nobody checks a voucher of their own. */
export function decide(
  payment: BankPayment,
  by: { readonly customerNo: string; readonly user: string; readonly approves: boolean },
  now: Date,
): Result<BankPayment, DeskRefusal> {
  if (payment.status !== 'BANK_ACCEPTED' || (payment.approveUntil && payment.approveUntil <= now)) return no('not-open');
  if (payment.customerNo !== by.customerNo || !clerkOf(by.customerNo, by.user)?.checks) return no('not-allowed');
  if (payment.maker === by.user) return no('own-voucher');
  if (payment.checker !== by.user) return no('not-allowed');
  return ok(by.approves ? { ...payment, status: 'SUCCEEDED', paidAt: now } : ended(payment, now, 'BANK_REJECTED', '复核员已拒绝'));
}

const ended = (payment: BankPayment, now: Date, failedType: string, failedDetail: string): BankPayment => ({
  ...payment,
  status: 'CLOSED',
  endedAt: now,
  failedType,
  failedDetail,
});

/** What time alone ends: a page that nobody finished, a voucher that nobody approved. */
export function lapsed(payment: BankPayment, now: Date): BankPayment {
  if (payment.status === 'PROCESSING' && payment.expiresAt <= now) return ended(payment, now, 'EXPIRED', '超过支付截止时间');
  if (payment.status === 'BANK_ACCEPTED' && payment.approveUntil && payment.approveUntil <= now)
    return ended(payment, now, 'APPROVAL_EXPIRED', '超过银行复核期限');
  return payment;
}

/** A bank that holds the voucher does not let the platform close: the stricter of two readings of a document that does not say. */
export function close(payment: BankPayment, now: Date): Result<BankPayment, Refusal> {
  switch (payment.status) {
    case 'PROCESSING':
      return ok(ended(payment, now, 'PLATFORM_CLOSED', '平台关单'));
    case 'CLOSED':
      return ok(payment);
    case 'BANK_ACCEPTED':
      return no(refusals.bankHolds);
    default:
      return no(refusals.paid);
  }
}

/** 退票: the bank takes the money back after it was paid. */
export const revoke = (payment: BankPayment, now: Date): BankPayment | undefined =>
  payment.acquirer === 'mse-pay' && payment.status === 'SUCCEEDED' ? { ...payment, status: 'REVOKED', endedAt: now } : undefined;

export const refundable = (payment: BankPayment, refunds: readonly BankRefund[], amount: number): Result<undefined, Refusal> => {
  if (payment.status !== 'SUCCEEDED') return no(refusals.notPaid);
  const before = refunds.filter(({ status }) => status !== 'FAILED').reduce((sum, one) => sum + one.amount, 0);
  return before + amount > payment.amount ? no(refusals.tooMuch) : ok(undefined);
};

export function paymentView(payment: BankPayment, pageBase: string): Payment {
  return {
    payment_id: payment.paymentId,
    out_payment_id: payment.outPaymentId,
    amount: payment.amount,
    currency: 'CNY',
    payee: { ent_id: payment.entId },
    payer: { payer_bank_sname: payment.bank, payer_acct_type: 'ENTERPRISE' },
    pay_status: payment.status,
    attachment: payment.attachment,
    ...(payment.failedType !== null && { failed_reason: { failed_type: payment.failedType, failed_detail: payment.failedDetail ?? '' } }),
    ...(payment.paidAt && { pay_time: chinaTime(payment.paidAt) }),
    ...(payment.status === 'PROCESSING' && {
      redirect: { pc_web: { url: `${pageBase}/bank/pay/${payment.token}`, expire_time: chinaTime(payment.tokenUntil) } },
    }),
  };
}

export const closedView = ({ paymentId, outPaymentId, status, endedAt }: BankPayment): Closed => ({
  payment_id: paymentId,
  out_payment_id: outPaymentId,
  status,
  ...(endedAt && { close_time: chinaTime(endedAt) }),
});

export const refundView = (refund: BankRefund, payment: BankPayment): Refund => ({
  refund_id: refund.refundId,
  out_refund_id: refund.outRefundId,
  payment_id: payment.paymentId,
  out_payment_id: payment.outPaymentId,
  refund_amount: refund.amount,
  status: refund.status,
  ...(refund.endedAt && { refund_time: chinaTime(refund.endedAt) }),
});
