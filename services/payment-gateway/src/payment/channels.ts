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
  /**
   * Corporate payments, which take two persons of the buyer: how long the first, the maker 制单员, has to hand in the voucher, and how
   * long the bank then waits for the second, the checker 复核员. The order waits for both.
   */
  readonly corporate?: { readonly makerMs: number; readonly checkerMs: number };
};

/** Two days to hand it in and five to approve it: the seven days that the marketplace gives a bank payment that has begun. */
const corporate = { makerMs: 2 * DAY, checkerMs: 5 * DAY } as const;

/** However often a corporate payment is begun anew, an order waits no longer than this after it asked for its money. */
export const HOLD_MS_MAX = 21 * DAY;

export const channelRules: Readonly<Record<Channel, ChannelRules>> = {
  // A code lives two hours. WeChat Pay takes orders only that can be paid for another minute, and ten million yuan at most.
  wechat_native: { amountMax: 1_000_000_000, shownMs: 110 * MINUTE, windowMsMin: 75 * SECOND },
  corporate_bank: { amountMax: 1_000_000_000_000, shownMs: 110 * MINUTE, windowMsMin: 5 * MINUTE, corporate },
};

/** The last moment at which an attempt may still succeed. */
export const endOf = ({ channel, expiresAt }: Pick<Attempt, 'channel' | 'expiresAt'>): Date =>
  new Date(expiresAt.getTime() + (channelRules[channel].corporate?.checkerMs ?? 0));

/** Until when the bank waits for the checker of a voucher that it holds; as far as we know, because the bank does not say. */
export function approveBy({ channel, approvingSince }: Pick<Attempt, 'channel' | 'approvingSince'>): Date | null {
  const { corporate: waits } = channelRules[channel];
  return approvingSince && waits ? new Date(approvingSince.getTime() + waits.checkerMs) : null;
}
