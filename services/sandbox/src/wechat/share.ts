/** What the payment service decides about profit sharing 分账: pure. */
import { chinaTime } from '@yunshi/kernel/calendar';
import { no, ok, type Result } from '@yunshi/kernel/result';
import {
  SHARE_AFTER_MS,
  SHARES_PER_ORDER_MAX,
  type FinishRequest,
  type ShareReturn,
  type ShareReturnRequest,
  type Sharing,
  type SharingRequest,
} from '@yunshi/protocols/wechat/profit-sharing';
import type { Payment } from './refund.ts';
import { refusals, type Refusal } from './refusal.ts';
import type { WechatShare, WechatShareReturn, WechatSubOrder } from './tables.ts';

type Making = {
  readonly asked: string;
  /** Makes the numbers that WeChat Pay gives. */
  readonly number: () => string;
  readonly now: Date;
  readonly settlesAt: Date;
};
type Shared = { readonly share: WechatShare; readonly sub: WechatSubOrder };

/** The part of an order that may be shared: WeChat Pay allows 30 % unless it has agreed on another share for the sub merchant. */
export const USUAL_SHARE_PERCENT = 30;

/** The same number with the same parameters is the same share; only its first request moves money. */
export function shareOut(
  known: WechatShare | undefined,
  payment: Payment | undefined,
  ask: SharingRequest,
  {
    earlier,
    isReceiver,
    endsAs,
    percentMax,
    ...making
  }: Making & {
    readonly earlier: readonly WechatShare[];
    readonly isReceiver: (type: string, account: string) => boolean;
    readonly endsAs: WechatShare['endsAs'];
    readonly percentMax: (subMchid: string) => number;
  },
): Result<Shared, Refusal> {
  const shared = shareable(known, payment, ask, making);
  if (!shared.ok) return shared;
  const { payment: paid, repeated } = shared.value;
  if (repeated) return ok({ share: repeated, sub: paid.sub });
  const { sub } = paid;
  if (earlier.length >= SHARES_PER_ORDER_MAX) return no(refusals.tooManyShares);
  if (ask.receivers.some((one) => !isReceiver(one.type, one.receiver_account))) return no(refusals.noRelation);
  const asked = sumOf(ask.receivers);
  const before = earlier.reduce((sum, share) => sum + sumOf(share.receivers), 0);
  if ((before + asked) * 100 > sub.amount * percentMax(sub.subMchid)) return no(refusals.tooGreatShare);
  if (asked > sub.frozen) return no(refusals.notEnoughToShare);
  const rest = sub.frozen - asked;
  const share = newShare(ask, sub, making, {
    receivers: ask.receivers.map((one) => ({
      type: one.type,
      account: one.receiver_account,
      amount: one.amount,
      description: one.description,
      detailId: making.number(),
      result: 'PENDING' as const,
    })),
    finish: ask.finish,
    finishAmount: ask.finish ? rest : 0,
    status: 'PROCESSING',
    endsAs,
  });
  return ok({ share, sub: { ...sub, frozen: ask.finish ? 0 : rest } });
}

/** Frees what is left. It is done at once. */
export function finishSharing(
  known: WechatShare | undefined,
  payment: Payment | undefined,
  ask: FinishRequest,
  making: Making,
): Result<Shared, Refusal> {
  const shared = shareable(known, payment, ask, making);
  if (!shared.ok) return shared;
  const { payment: paid, repeated } = shared.value;
  if (repeated) return ok({ share: repeated, sub: paid.sub });
  const { sub } = paid;
  if (sub.frozen === 0) return no(refusals.nothingToFinish);
  const done = { receivers: [], finish: true, finishAmount: sub.frozen, status: 'FINISHED', endsAs: 'SUCCESS' } as const;
  return ok({ share: { ...newShare(ask, sub, making, done), endedAt: making.now }, sub: { ...sub, frozen: 0 } });
}

type Asking = { readonly sub_mchid: string; readonly out_order_no: string };

function shareable(
  known: WechatShare | undefined,
  payment: Payment | undefined,
  ask: Asking,
  { asked, now }: Making,
): Result<{ readonly payment: Payment; readonly repeated?: WechatShare }, Refusal> {
  if (!payment || payment.sub.subMchid !== ask.sub_mchid) return no(refusals.transactionMissing);
  if (known) return known.asked === asked ? ok({ payment, repeated: known }) : no(refusals.otherParameters);
  const { order, sub } = payment;
  if (order.state !== 'SUCCESS' || !order.paidAt || !sub.profitSharing) return no(refusals.notForSharing);
  if (now.getTime() - order.paidAt.getTime() < SHARE_AFTER_MS) return no(refusals.tooSoonToShare);
  return ok({ payment });
}

const sumOf = (parts: readonly { readonly amount: number }[]): number => parts.reduce((sum, { amount }) => sum + amount, 0);

const newShare = (
  ask: Asking,
  sub: WechatSubOrder,
  { asked, number, now, settlesAt }: Making,
  what: Pick<WechatShare, 'receivers' | 'finish' | 'finishAmount' | 'status' | 'endsAs'>,
): WechatShare => ({
  outOrderNo: ask.out_order_no,
  orderId: number(),
  outTradeNo: sub.outTradeNo,
  transactionId: sub.transactionId ?? '',
  subMchid: sub.subMchid,
  asked,
  ...what,
  createdAt: now,
  settlesAt,
  endedAt: null,
});

/** Carries a share out: the receivers get their parts, or the sub merchant keeps them, frozen unless all was finished. */
export function settleShare(share: WechatShare, sub: WechatSubOrder, now: Date): Shared {
  const receivers = share.receivers.map((one) => ({ ...one, result: share.endsAs }));
  const kept = share.endsAs === 'CLOSED' && !share.finish ? sumOf(share.receivers) : 0;
  return { share: { ...share, receivers, status: 'FINISHED', endedAt: now }, sub: { ...sub, frozen: sub.frozen + kept } };
}

/** A part goes back to the sub merchant, never more than was shared with that receiver. */
export function returnShare(
  known: WechatShareReturn | undefined,
  share: WechatShare | undefined,
  ask: ShareReturnRequest,
  { earlier, endsAs, asked, number, now, settlesAt }: Making & { earlier: readonly WechatShareReturn[]; endsAs: 'SUCCESS' | 'FAILED' },
): Result<WechatShareReturn, Refusal> {
  if (!share || share.subMchid !== ask.sub_mchid) return no(refusals.shareMissing);
  if (known) return known.asked === asked ? ok(known) : no(refusals.otherParameters);
  const got = sumOf(share.receivers.filter((one) => one.account === ask.return_mchid && one.result === 'SUCCESS'));
  const back = sumOf(earlier.filter((one) => one.returnMchid === ask.return_mchid && one.result !== 'FAILED'));
  if (ask.amount > got - back) return no(refusals.notEnoughToReturn);
  return ok({
    outReturnNo: ask.out_return_no,
    returnNo: number(),
    outOrderNo: share.outOrderNo,
    outTradeNo: share.outTradeNo,
    returnMchid: ask.return_mchid,
    asked,
    amount: ask.amount,
    result: 'PROCESSING',
    endsAs,
    createdAt: now,
    settlesAt,
    endedAt: null,
  });
}

export const shareView = (share: WechatShare): Sharing => ({
  sub_mchid: share.subMchid,
  transaction_id: share.transactionId,
  out_order_no: share.outOrderNo,
  order_id: share.orderId,
  status: share.status,
  receivers: share.receivers.map((one) => ({
    type: one.type,
    receiver_account: one.account,
    amount: one.amount,
    description: one.description,
    result: one.result,
    ...(one.result === 'CLOSED' ? { fail_reason: 'ACCOUNT_ABNORMAL' } : {}),
    finish_time: chinaTime(share.endedAt ?? share.settlesAt),
    detail_id: one.detailId,
  })),
  ...(share.finish ? { finish_amount: share.finishAmount, finish_description: '分账完成' } : {}),
});

export const returnView = (back: WechatShareReturn, share: WechatShare): ShareReturn => ({
  sub_mchid: share.subMchid,
  order_id: share.orderId,
  out_order_no: share.outOrderNo,
  out_return_no: back.outReturnNo,
  return_no: back.returnNo,
  return_mchid: back.returnMchid,
  amount: back.amount,
  result: back.result,
  ...(back.result === 'FAILED' ? { fail_reason: 'PAYER_ACCOUNT_ABNORMAL' } : {}),
  finish_time: chinaTime(back.endedAt ?? back.settlesAt),
  transaction_id: share.transactionId,
});
