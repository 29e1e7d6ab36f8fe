/** What a channel says of one day, in words that all channels share. */
import type { Channel } from '@yunshi/contracts/payment';
import { Fen } from '@yunshi/kernel/money';
import { z } from 'zod';

/** One payment or one refund of a channel's bill. */
export const Line = z.object({
  kind: z.enum(['payment', 'refund']),
  /** Our number: of an attempt, or of a refund. */
  number: z.string(),
  /** The channel's. */
  channelNo: z.string(),
  payee: z.string(),
  amount: Fen,
  /** What the channel charges for it; negative where it gives back what it had charged. */
  fee: z.int(),
  /** Of a refund, as it stood when the bill was made, which may be long ago. */
  state: z.enum(['paid', 'revoked', 'processing', 'succeeded', 'abnormal', 'closed', 'strange']),
});
export type Line = z.infer<typeof Line>;

/** `unusable`: it could not be fetched, or is not what was announced. It is asked for again. */
export type Statement =
  | { readonly kind: 'statement'; readonly hash: string; readonly lines: readonly Line[] }
  /** Nothing happened on that day. */
  | { readonly kind: 'empty' }
  /** The channel has not made it yet. */
  | { readonly kind: 'not-yet' }
  | { readonly kind: 'unusable'; readonly why: string };

/** The port: a channel that writes daily bills. `day` is a China day, `YYYY-MM-DD`. */
export type StatementSource = {
  readonly channel: Channel;
  readonly fetch: (day: string, signal?: AbortSignal) => Promise<Statement>;
  /** What a day is to the channel, where it does not end at midnight. */
  readonly spanOf?: (day: string) => { readonly from: Date; readonly until: Date };
  /** What the channel should charge for an amount, as was agreed on. */
  readonly feeOf: (amount: Fen) => Fen;
};
