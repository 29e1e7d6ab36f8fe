/** The calls to channels: what is asked, and every outcome. */
import { AttemptId } from '@yunshi/kernel/ids';
import { outsideCall } from '@yunshi/messaging/handle';
import { CombineCloseRequest, CombineNativeRequest } from '@yunshi/protocols/wechat/combine';
import { RefundRequest } from '@yunshi/protocols/wechat/refund';
import { z } from 'zod';
import { CloseOutcome, PlaceOutcome, QueryOutcome, RefundOutcome, RefundQueryOutcome } from '../wechat/wechat-pay.ts';

/** Asked again with the same body, it is the same order. */
export const placeOrder = outsideCall('wechat.place', {
  request: z.object({ attemptId: AttemptId, order: CombineNativeRequest }),
  outcome: PlaceOutcome,
});
export const queryOrder = outsideCall('wechat.query', {
  request: z.object({ attemptId: AttemptId, number: z.string() }),
  outcome: QueryOutcome,
});
export const closeOrder = outsideCall('wechat.close', {
  request: z.object({ attemptId: AttemptId, number: z.string(), order: CombineCloseRequest }),
  outcome: CloseOutcome,
});
/** Asked again under the same number, it is the same refund. */
export const applyRefund = outsideCall('wechat.refund', { request: z.object({ refund: RefundRequest }), outcome: RefundOutcome });
export const queryRefund = outsideCall('wechat.query-refund', {
  request: z.object({ refundNo: z.string(), subMchid: z.string() }),
  outcome: RefundQueryOutcome,
});
