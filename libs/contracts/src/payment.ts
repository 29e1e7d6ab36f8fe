import { z } from 'zod';
import { AccountId, AttemptId, OrderId, PaymentId, ProviderId } from '@yunshi/kernel/ids';
import { DeliveryType } from '@yunshi/kernel/marketplace';
import { Fen } from '@yunshi/kernel/money';
import { command, event } from './define.ts';

export const Channel = z.enum(['wechat_native', 'corporate_bank']);
export type Channel = z.infer<typeof Channel>;

const Time = z.iso.datetime({ offset: true });

/** Opens a payment that the buyer may settle until `payBy`. Answered when the money has come. Undone by `returnPayment`. */
export const collectPayment = command('payment.collect', 1, {
  data: z.object({
    orderId: OrderId,
    accountId: AccountId,
    providerId: ProviderId,
    amount: Fen,
    description: z.string().max(127),
    /** How long the buyer may regret it depends on it; the longest, if nobody says. */
    deliveryType: DeliveryType.default('saas'),
    payBy: Time,
  }),
  replies: {
    paid: z.object({ paymentId: PaymentId, channel: Channel, paidAt: Time }),
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
