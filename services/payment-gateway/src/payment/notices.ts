/** What a verified callback of the channel leads to. */
import { OrderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { paymentCallback } from '@yunshi/telemetry/metrics';
import type { Callback } from '../wechat/callback.ts';
import { attemptOf } from './numbers.ts';
import type { PaymentBook } from './payments.ts';
import type { Us } from './requests.ts';
import type { paymentWrites } from './writes.ts';

export type Taking = {
  readonly core: Pick<Core, 'write' | 'clock'>;
  readonly book: Pick<PaymentBook, 'orderOfAttempt'>;
  readonly writes: ReturnType<typeof paymentWrites>;
  readonly us: Us;
};
/** As it came. */
type Received = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** Stores a verified callback and acts on it. Throws when nothing could be stored: WeChat Pay then gets a 5xx and sends it again. */
export async function takeNotice(
  callback: Callback,
  { headers, body }: Received,
  { core, book, writes, us }: Taking,
  onUnworkable: (error: unknown) => void,
): Promise<void> {
  const orderId = await orderOf(callback, us, book);
  const { now } = core.clock;
  const notice = {
    noticeId: callback.id,
    channel: 'wechat_native' as const,
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
    paymentCallback({ channel: 'wechat_native', kind: callback.kind === 'refund' ? 'refund' : 'payment', lagSeconds });
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
async function orderOf(callback: Callback, us: Us, book: Taking['book']): Promise<OrderId | undefined> {
  if (callback.kind === 'other') return undefined;
  if (callback.kind === 'refund') {
    const attemptId = callback.mchid === us.mchid ? attemptOf(callback.refund.refundNo) : undefined;
    return attemptId && book.orderOfAttempt(attemptId);
  }
  if (callback.order.mchid !== us.mchid || callback.order.appid !== us.appid) return undefined;
  const attached = OrderId.safeParse(callback.attach);
  if (attached.success) return attached.data;
  const attemptId = attemptOf(callback.order.number);
  return attemptId && book.orderOfAttempt(attemptId);
}
