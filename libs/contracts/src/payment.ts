import { z } from 'zod';
import { AccountId, AttemptId, OrderId, PaymentId, ProviderId } from '@yunshi/kernel/ids';
import { DeliveryType } from '@yunshi/kernel/marketplace';
import { BankCode } from '@yunshi/kernel/banks';
import { Fen } from '@yunshi/kernel/money';
import { command, event } from './define.ts';

/** How an order can be paid: WeChat Pay by a code; 商企付 and UnionPay B2B, by which a company pays through its bank. */
export const Channel = z.enum(['wechat_native', 'corporate_bank', 'unionpay_b2b']);
export type Channel = z.infer<typeof Channel>;

const Time = z.iso.datetime({ offset: true });

/** Opens a payment that the buyer may settle until `payBy`. Answered when the money has come. Undone by `returnPayment`. */
export const collectPayment = command('payment.collect', 1, {
  data: z.object({
    orderId: OrderId,
    accountId: AccountId,
    providerId: ProviderId,
    amount: Fen,
    /** The part of the amount that is for the cloud server under an image: the marketplace sells it, not the provider. */
    serverAmount: Fen.default(0),
    description: z.string().max(127),
    /** How long the buyer may regret it depends on it; the longest, if nobody says. */
    deliveryType: DeliveryType.default('saas'),
    payBy: Time,
  }),
  replies: {
    paid: z.object({ paymentId: PaymentId, channel: Channel, paidAt: Time }),
    /** A corporate payment has been started, which takes a second person and days: the payment may be settled until then. */
    held: z.object({ until: Time }),
    refused: z.object({ reason: z.enum(['closed', 'no-channel']) }),
  },
});

/** Closes what is unpaid and refunds what is paid, in full. Answered only when the channel has confirmed it. Safe before, after or without `collectPayment`. */
export const returnPayment = command('payment.return', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId, reason: z.enum(['payment-timeout', 'cancelled', 'not-delivered', 'rejected']) }),
  replies: {
    closed: z.object({}),
    refunded: z.object({ amount: Fen }),
  },
});

/**
 * Lets nobody pay an order while its price is changed: what is open is closed, and answered only when the channel has confirmed that.
 * Money that comes first wins. Undone by `resumePayment`.
 */
export const pausePayment = command('payment.pause', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId }),
  replies: {
    paused: z.object({}),
    refused: z.object({ reason: z.enum(['not-open', 'paid', 'closed', 'bank-holds-voucher']) }),
  },
});

/** The order can be paid again, as before. Safe before, after or without `pausePayment`. */
export const resumePayment = command('payment.resume', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId }),
  replies: { resumed: z.object({}) },
});

/** The order can be paid again, for this amount; for 0 its payment is closed. What has ended meanwhile stays as it is. */
export const rebillPayment = command('payment.rebill', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId, amount: Fen }),
  replies: { rebilled: z.object({}) },
});

/** The buyer's money for an order has arrived and is kept. */
export const paymentReceived = event('payment.received', 1, {
  data: z.object({
    orderId: OrderId,
    accountId: AccountId,
    paymentId: PaymentId,
    attemptId: AttemptId,
    channel: Channel,
    amount: Fen,
    paidAt: Time,
  }),
});

/**
 * A company's payment is under way at the bank 企业网银, where one person hands it in and another approves it.
 * - `started`: the maker 制单员 is to hand in the voucher until `until`
 * - `approving`: the bank holds the voucher, and waits for the checker 复核员 until `until`
 * - `ended`: it came to nothing: rejected, withdrawn, or too late
 */
export const corporatePaymentMoved = event('payment.corporate-moved', 1, {
  data: z.object({
    orderId: OrderId,
    accountId: AccountId,
    attemptId: AttemptId,
    channel: Channel,
    bank: BankCode.nullable(),
    stage: z.enum(['started', 'approving', 'ended']),
    since: Time,
    until: Time.nullable(),
    /** Until when the order waits for its money. */
    payBy: Time,
  }),
});

/** The bank has taken back money that was paid 退票: what was delivered for it is suspended until a person has settled the case. */
export const paymentRevoked = event('payment.revoked', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId, paymentId: PaymentId, channel: Channel, amount: Fen, revokedAt: Time }),
});

/** Two persons have settled a revocation: the money came again, and what was delivered goes on (`repaid`), or it did not, and that is `ended`. */
export const revocationSettled = event('payment.revocation-settled', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId, paymentId: PaymentId, outcome: z.enum(['repaid', 'ended']), settledAt: Time }),
});

/** Money of a completed order has gone back to its buyer: `refunded` is all that has by now. */
export const paymentRefunded = event('payment.refunded', 1, {
  data: z.object({ orderId: OrderId, accountId: AccountId, paymentId: PaymentId, amount: Fen, refunded: Fen, refundedAt: Time }),
});

/** Money that no order could keep (late, double, wrong amount) is on its way back. */
export const orphanPaymentReturned = event('payment.orphan-returned', 1, {
  data: z.object({
    orderId: OrderId,
    accountId: AccountId,
    attemptId: AttemptId,
    amount: Fen,
    reason: z.enum(['late', 'double', 'wrong-amount']),
  }),
});
