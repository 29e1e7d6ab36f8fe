import { no, ok, type Result } from '@yunshi/kernel/result';
import { verifyAnswer, type AnswerRefusal, type WireHeaders } from '@yunshi/protocols/wechat/answer-signature';
import { CombineOrder } from '@yunshi/protocols/wechat/combine';
import { Withdraw } from '@yunshi/protocols/wechat/fund';
import { Notice } from '@yunshi/protocols/wechat/notice';
import { RefundNotice } from '@yunshi/protocols/wechat/refund';
import type { KeyOfSerial } from '@yunshi/protocols/wechat/rsa';
import { open, type Sealed } from '@yunshi/protocols/wechat/seal';
import { jsonOf } from '../answers.ts';
import type { RefundSeen } from '../payment/channel.ts';
import { orderSeen, refundNoticeSeen, type WechatOrder } from './wechat-pay.ts';

/** A verified and opened callback. `attach` is what we gave the order on its way. */
export type Callback =
  | { readonly id: string; readonly kind: 'order'; readonly order: WechatOrder; readonly attach: string | undefined }
  | { readonly id: string; readonly kind: 'refund'; readonly refund: RefundSeen; readonly mchid: string; readonly subNumber: string }
  /** What has become of it is asked for. */
  | { readonly id: string; readonly kind: 'withdrawal'; readonly number: string; readonly mchid: string }
  /** An event that we did not ask for: kept, and nothing else. */
  | { readonly id: string; readonly kind: 'other'; readonly eventType: string };

export type CallbackRefusal = AnswerRefusal | 'cannot-open' | 'unreadable';

/** Checks, opens and reads a callback. `body` is the raw text as it came. */
export function readCallback(
  headers: WireHeaders,
  body: Uint8Array,
  { keyOf, apiV3Keys, wallMs }: { keyOf: KeyOfSerial; apiV3Keys: readonly Buffer[]; wallMs: number },
): Result<Callback, CallbackRefusal> {
  const signed = verifyAnswer(headers, body, keyOf, wallMs);
  if (!signed.ok) return signed;
  const notice = Notice.safeParse(jsonOf(Buffer.from(body).toString('utf8')));
  if (!notice.success) return no('unreadable');
  const { id, event_type: eventType, resource } = notice.data;
  const opened = openedBy(resource, apiV3Keys);
  if (!opened.ok) return opened;
  const content = jsonOf(opened.value);
  if (eventType.startsWith('TRANSACTION.')) {
    const order = CombineOrder.safeParse(content);
    if (!order.success) return no('unreadable');
    return ok({ id, kind: 'order', order: orderSeen(order.data), attach: order.data.sub_orders[0]?.attach });
  }
  if (eventType.startsWith('REFUND.')) {
    const refund = RefundNotice.safeParse(content);
    if (!refund.success) return no('unreadable');
    return ok({
      id,
      kind: 'refund',
      refund: refundNoticeSeen(refund.data),
      mchid: refund.data.sp_mchid,
      subNumber: refund.data.out_trade_no,
    });
  }
  if (eventType.startsWith('MCHWITHDRAW.')) {
    const withdrawal = Withdraw.safeParse(content);
    if (!withdrawal.success) return no('unreadable');
    return ok({ id, kind: 'withdrawal', number: withdrawal.data.out_request_no, mchid: withdrawal.data.sp_mchid });
  }
  return ok({ id, kind: 'other', eventType });
}

/** While one APIv3 key takes over from another, either may have sealed it. */
function openedBy(sealed: Sealed, keys: readonly Buffer[]): Result<string, 'cannot-open'> {
  for (const key of keys) {
    const opened = open(sealed, key);
    if (opened.ok) return opened;
  }
  return no('cannot-open');
}
