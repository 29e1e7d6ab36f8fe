/** What is particular to each channel in the life of an attempt. Pure. */
import type { Channel } from '@yunshi/contracts/payment';
import type { Fen } from '@yunshi/kernel/money';
import type { Attempt } from './state.ts';

const [SECOND, MINUTE, DAY] = [1_000, 60_000, 86_400_000] as const;

export type ChannelRules = {
  /** What it takes at once, in fen. */
  readonly amountMax: Fen;
  /** How long a code or a page is good for; it is shown anew a little before it ends. */
  readonly shownMs: number;
  /** An attempt needs at least this much time, the way to the channel included. */
  readonly windowMsMin: number;
  /** How long after it was paid an order can be refunded. */
  readonly refundMsMax: number;
  readonly corporate?: Corporate;
};

/**
 * Payments that take two persons of the buyer. The order waits for both.
 * - `makerMs`, `checkerMs`: how long the first, the maker 制单员, has to hand in the voucher, and how long the bank then waits for the
 *   second, the checker 复核员
 * - `bothMs`: one window for both. Such a channel does not say which of them it waits for, so its page can be opened again until the end
 */
type Corporate = { readonly makerMs: number; readonly checkerMs: number } | { readonly bothMs: number };

/** Two days to hand it in and five to approve it: the seven days that the marketplace gives a bank payment that has begun. */
const apart = { makerMs: 2 * DAY, checkerMs: 5 * DAY } as const;
const together = { bothMs: 7 * DAY } as const;

/** However often a corporate payment is begun anew, an order waits no longer than this after it asked for its money. */
export const HOLD_MS_MAX = 21 * DAY;

export const channelRules: Readonly<Record<Channel, ChannelRules>> = {
  // A code lives two hours. WeChat Pay takes orders only that can be paid for another minute, and ten million yuan at most.
  wechat_native: { amountMax: 1_000_000_000, shownMs: 110 * MINUTE, windowMsMin: 75 * SECOND, refundMsMax: 365 * DAY },
  corporate_bank: {
    amountMax: 1_000_000_000_000,
    shownMs: 110 * MINUTE,
    windowMsMin: 5 * MINUTE,
    refundMsMax: 365 * DAY,
    corporate: apart,
  },
  // Amounts are twelve digits on the wire. The page is ours, and good to the end. Refunds are taken for 330 clearing days.
  unionpay_b2b: {
    amountMax: 999_999_999_999,
    shownMs: together.bothMs,
    windowMsMin: 5 * MINUTE,
    refundMsMax: 330 * DAY,
    corporate: together,
  },
};

/** From the beginning of a corporate payment to its end, if nobody is in a hurry. */
export const windowOf = (corporate: Corporate): { readonly handInMs: number; readonly wholeMs: number } =>
  'bothMs' in corporate
    ? { handInMs: corporate.bothMs, wholeMs: corporate.bothMs }
    : { handInMs: corporate.makerMs, wholeMs: corporate.makerMs + corporate.checkerMs };

/** How long the second person may still take when the time of the first is over. */
const afterwardsMs = ({ corporate }: ChannelRules): number => {
  if (!corporate) return 0;
  const { handInMs, wholeMs } = windowOf(corporate);
  return wholeMs - handInMs;
};

/** Whether the buyer may still need the page when the channel has begun to work on the payment. */
export const pageStays = (channel: Channel): boolean => 'bothMs' in (channelRules[channel].corporate ?? {});

/** The last moment at which an attempt may still succeed. */
export const endOf = ({ channel, expiresAt }: Pick<Attempt, 'channel' | 'expiresAt'>): Date =>
  new Date(expiresAt.getTime() + afterwardsMs(channelRules[channel]));

/** Until when the bank waits for the checker of a voucher that it holds; as far as we know, because the bank does not say. */
export function approveBy({ channel, approvingSince, expiresAt }: Pick<Attempt, 'channel' | 'approvingSince' | 'expiresAt'>): Date | null {
  const { corporate } = channelRules[channel];
  if (!approvingSince || !corporate) return null;
  return 'bothMs' in corporate ? expiresAt : new Date(approvingSince.getTime() + corporate.checkerMs);
}
