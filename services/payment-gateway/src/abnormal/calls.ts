/** Applying for the refund of money that could not go back the way it came. */
import { OrderId } from '@yunshi/kernel/ids';
import { outsideCall, performs, type Performer } from '@yunshi/messaging/handle';
import { AbnormalRefundRequest } from '@yunshi/protocols/wechat/refund';
import { z } from 'zod';
import { AbnormalOutcome, type WechatAbnormal } from '../wechat/abnormal.ts';

/** What is kept of it holds no account number and no name: they are sealed with WeChat Pay's key before they come here. */
export const applyAbnormal = outsideCall('wechat.apply-abnormal', {
  request: z.object({ orderId: OrderId, refundId: z.string(), serial: z.string(), ask: AbnormalRefundRequest }),
  outcome: AbnormalOutcome,
});

export const abnormalPerformers = (wechat: Pick<WechatAbnormal, 'apply'>): readonly Performer[] => [
  performs(applyAbnormal, ({ refundId, serial, ask }, { signal }) => wechat.apply(refundId, ask, { serial, signal })),
];
