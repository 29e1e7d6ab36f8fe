/** What a verified callback of the channel leads to. */
import type { OrderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { paymentCallback } from '@yunshi/telemetry/metrics';
import type { ChannelNotice } from './channel.ts';
import { attemptOf } from './numbers.ts';
import type { PaymentBook } from './payments.ts';
import type { PaymentWrites } from './writes.ts';

export type Taking = {
  readonly core: Pick<Core, 'write' | 'clock'>;
  readonly book: Pick<PaymentBook, 'orderOfAttempt'>;
  readonly writes: PaymentWrites;
};
/** As it came. */
type Received = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** Stores a verified callback and acts on it. Throws when nothing could be stored: the channel then gets a 5xx and sends it again. */
export async function takeNotice(
  callback: ChannelNotice,
  { headers, body }: Received,
  { core, book, writes }: Taking,
  onUnworkable: (error: unknown) => void,
): Promise<void> {
  const orderId = await orderOf(callback, book);
  const { now } = core.clock;
  const notice = {
    noticeId: callback.id,
    channel: callback.channel,
    kind: callback.kind,
    orderId: orderId ?? null,
    headers,
    body,
    receivedAt: now(),
    worked: orderId !== undefined,
  };
  const moneyAt = callback.kind === 'order' ? callback.order.paidAt : callback.kind === 'refund' ? callback.refund.succeededAt : undefined;
  if (moneyAt !== undefined) {
    const lagSeconds = (now().getTime() - Date.parse(moneyAt)) / 1_000;
    paymentCallback({ channel: callback.channel, kind: callback.kind === 'refund' ? 'refund' : 'payment', lagSeconds });
  }
  if (orderId === undefined) return void (await core.write(writes.keepCallback, { notice, callback }));
  try {
    await core.write(writes.takeCallback, { orderId, notice, callback });
  } catch (error) {
    if (isPassing(error)) throw error;
    // It will not decide better the next time: it is kept for an operator, and not sent fifteen times more.
    onUnworkable(error);
    await core.write(writes.keepCallback, { notice: { ...notice, worked: false }, callback });
  }
}

const isPassing = (error: unknown): boolean => error instanceof Error && (error.name === 'Overloaded' || error.name === 'Unavailable');

/** Whose payment it is about: the order number that we attached, or that of the attempt. Only our own merchant's orders count. */
async function orderOf(callback: ChannelNotice, book: Taking['book']): Promise<OrderId | undefined> {
  if (callback.kind === 'other' || callback.foreign) return undefined;
  if (callback.kind === 'order' && callback.orderId !== undefined) return callback.orderId;
  const attemptId = attemptOf(callback.kind === 'refund' ? callback.refund.refundNo : callback.order.number);
  return attemptId && book.orderOfAttempt(attemptId);
}
