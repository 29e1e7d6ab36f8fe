/**
 * The port to payment channels: what a channel is asked, and every outcome. WeChat Pay, 商企付 and UnionPay stand behind it alike; why one port is enough is in docs/decisions/one-port-for-all-channels.md.
 */
import { Channel } from '@yunshi/contracts/payment';
import { BankCode } from '@yunshi/kernel/banks';
import { AttemptId, OrderId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import { z } from 'zod';
import { plain, refused, unknown } from './outcomes.ts';

const Time = z.iso.datetime({ offset: true });

/** An attempt as a channel sees it. It follows from the attempt alone, so that a call that is made again makes the same request. */
export const ChannelOrder = z.object({
  channel: Channel,
  attemptId: AttemptId,
  orderId: OrderId,
  /** Our number for the attempt, the same for ever. */
  number: z.string(),
  /** The provider's number at the channel. */
  payee: z.string(),
  amount: Fen,
  description: z.string(),
  openedAt: Time,
  /** The last moment at which the buyer may hand in the payment. */
  expiresAt: Time,
  /** The last moment at which it may still succeed: later than `expiresAt` where a second person has to approve. */
  endsAt: Time,
  bank: BankCode.optional(),
  /** The channel's own number, once it is known. */
  channelNo: z.string().optional(),
});
export type ChannelOrder = z.infer<typeof ChannelOrder>;

/** A refund as a channel sees it. Asked again under the same number, it is the same refund. */
export const ChannelRefund = z.object({
  refundNo: z.string(),
  amount: Fen,
  /** What the attempt brought in: the most that can go back. */
  total: Fen,
  /** Whether it is money that no order could keep. */
  orphan: z.boolean(),
  askedAt: Time,
  order: ChannelOrder,
  /** The channel's number of the payment. */
  transactionId: z.string().optional(),
});
export type ChannelRefund = z.infer<typeof ChannelRefund>;

/** What the buyer pays with: a code to scan, or a page to open. */
export const Means = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('code'), codeUrl: z.string() }),
  z.object({ kind: z.literal('page'), url: z.string() }),
]);
export type Means = z.infer<typeof Means>;

/** What a verified query or callback says of an order. */
export const OrderSeen = z.object({
  number: z.string(),
  payee: z.string(),
  /**
   * - `unpaid`: nothing was handed in that the channel knows of
   * - `approving`: the bank holds the maker's voucher and waits for the checker
   * - `revoked`: it was paid, and the bank has given the money back 退票
   */
  state: z.enum(['unpaid', 'approving', 'paid', 'closed', 'revoked']),
  amount: Fen,
  currency: z.string(),
  /** What does not fit our order beyond what is named here, in words for an operator. */
  strange: z.string().optional(),
  channelNo: z.string().optional(),
  transactionId: z.string().optional(),
  paidAt: Time.optional(),
  /** Why the channel closed it, where somebody said so. */
  failure: z.string().optional(),
});
export type OrderSeen = z.infer<typeof OrderSeen>;

export const RefundSeen = z.object({
  refundNo: z.string(),
  refundId: z.string(),
  status: z.enum(['processing', 'succeeded', 'abnormal', 'closed']),
  amount: Fen,
  succeededAt: Time.optional(),
});
export type RefundSeen = z.infer<typeof RefundSeen>;

export const PlaceOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('placed'), means: Means, channelNo: z.string().optional() }),
  plain('paid'),
  plain('closed'),
  refused,
  unknown,
]);
export type PlaceOutcome = z.infer<typeof PlaceOutcome>;
export const QueryOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('found'), order: OrderSeen }),
  plain('missing'),
  refused,
  unknown,
]);
export type QueryOutcome = z.infer<typeof QueryOutcome>;
/**
 * - `held`: the bank has the voucher and does not let the order be closed
 * - `stays`: the channel closes nothing that has been shown; it can be paid until its time is over
 */
export const CloseOutcome = z.discriminatedUnion('kind', [
  plain('closed'),
  plain('paid'),
  plain('held'),
  plain('stays'),
  plain('missing'),
  refused,
  unknown,
]);
export type CloseOutcome = z.infer<typeof CloseOutcome>;
export const RefundOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('accepted'), refundId: z.string() }),
  refused,
  unknown,
]);
export type RefundOutcome = z.infer<typeof RefundOutcome>;
export const RefundQueryOutcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('found'), refund: RefundSeen }),
  plain('missing'),
  refused,
  unknown,
]);
export type RefundQueryOutcome = z.infer<typeof RefundQueryOutcome>;

/** A way to be paid. Every expected outcome is a value; what is thrown is tried again with the same request. */
export type PaymentChannel = {
  readonly place: (order: ChannelOrder, signal?: AbortSignal) => Promise<PlaceOutcome>;
  readonly query: (order: ChannelOrder, signal?: AbortSignal) => Promise<QueryOutcome>;
  readonly close: (order: ChannelOrder, signal?: AbortSignal) => Promise<CloseOutcome>;
  readonly refund: (refund: ChannelRefund, signal?: AbortSignal) => Promise<RefundOutcome>;
  readonly queryRefund: (refund: ChannelRefund, signal?: AbortSignal) => Promise<RefundQueryOutcome>;
};
/** The channels that are in service here. */
export type Channels = Readonly<Partial<Record<Channel, PaymentChannel>>>;

/** A verified callback. `foreign`: it is about another merchant's money, and moves nothing. */
export type ChannelNotice = { readonly id: string; readonly channel: Channel; readonly foreign: boolean } & (
  | { readonly kind: 'order'; readonly order: OrderSeen; readonly orderId: OrderId | undefined }
  | { readonly kind: 'refund'; readonly refund: RefundSeen }
  /** An event that we did not ask for: kept, and nothing else. */
  | { readonly kind: 'other' }
);
