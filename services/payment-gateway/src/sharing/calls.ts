/**
 * Sharing the platform's part out of a paid order, and giving it back: the intents, and every outcome. Who decides when is not here.
 *
 * Asked again with the same number and the same body it is the same share: that is what to do with `pending` (in a minute or so) and
 * with `unknown`. `refused` has not been carried out. Money must rest a minute after the payment before any of it can be shared.
 */
import { Fen } from '@yunshi/kernel/money';
import { outsideCall, performs, type Performer } from '@yunshi/messaging/handle';
import { OutOrderNo } from '@yunshi/protocols/wechat/profit-sharing';
import { z } from 'zod';
import type { Us } from '../wechat/requests.ts';
import { ReturnOutcome, ShareOutcome, type WechatSharing } from '../wechat/sharing.ts';

const Order = {
  /** The provider's number at the channel: `attempt.payee`. */
  payee: z.string().min(1).max(32),
  /** The channel's number of the payment: `attempt.transactionId`. */
  transactionId: z.string().min(1).max(32),
};

/**
 * Gives the platform its part and, with `finish`, frees the rest for the provider.
 * `amount` is in fen; 0 only together with `finish`: then everything is the provider's.
 */
export const shareProfit = outsideCall('wechat.share', {
  request: z
    .object({ ...Order, shareNo: OutOrderNo, amount: Fen, finish: z.boolean() })
    .refine(({ amount, finish }) => amount > 0 || finish, 'nothing to share and nothing to finish'),
  outcome: ShareOutcome,
});

/** Takes a part that was shared back to the provider, as a refund of a shared order needs. */
export const returnShare = outsideCall('wechat.return-share', {
  request: z.object({ ...Order, shareNo: OutOrderNo, returnNo: OutOrderNo, amount: Fen.min(1) }),
  outcome: ReturnOutcome,
});

export const sharingPerformers = (us: Pick<Us, 'mchid'>, wechat: WechatSharing): readonly Performer[] => [
  performs(shareProfit, ({ payee, transactionId, shareNo, amount, finish }, { signal }) => {
    const order = { sub_mchid: payee, transaction_id: transactionId, out_order_no: shareNo };
    if (amount === 0) return wechat.finish({ ...order, description: '分账完成' }, signal);
    const platform = { type: 'MERCHANT_ID' as const, receiver_account: us.mchid, amount, description: '平台服务费' };
    return wechat.share({ ...order, receivers: [platform], finish }, signal);
  }),
  performs(returnShare, ({ payee, transactionId, shareNo, returnNo, amount }, { signal }) =>
    wechat.giveBack(
      {
        sub_mchid: payee,
        transaction_id: transactionId,
        out_order_no: shareNo,
        out_return_no: returnNo,
        return_mchid: us.mchid,
        amount,
        description: '退款退回平台服务费',
      },
      signal,
    ),
  ),
];
