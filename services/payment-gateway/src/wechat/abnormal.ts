/** Refunds that ended ABNORMAL: to another card of the payer's, or to the merchant's own bank account. */
import { Refund, type AbnormalRefundRequest } from '@yunshi/protocols/wechat/refund';
import { sealField } from '@yunshi/protocols/wechat/seal';
import { z } from 'zod';
import { plain, refused, unknown } from '../payment/outcomes.ts';
import type { WechatClient } from './client.ts';
import type { Keyring } from './keyring.ts';
import { failure, unreadable } from './outcomes.ts';

export const AbnormalOutcome = z.discriminatedUnion('kind', [plain('accepted'), refused, unknown]);
export type AbnormalOutcome = z.infer<typeof AbnormalOutcome>;

/** A card of the payer's, as an operator was told it. */
export type Card = { readonly bankType: string; readonly account: string; readonly owner: string };
type To = { readonly payee: string; readonly refundNo: string; readonly card: Card | undefined };

export type WechatAbnormal = ReturnType<typeof wechatAbnormal>;

export const wechatAbnormal = ({ client, keyring }: { client: WechatClient; keyring: Pick<Keyring, 'keyOf' | 'newest'> }) => ({
  /** Seals what nobody else may read. Undefined while there is no key of WeChat Pay's to seal with. */
  sealed: ({ payee, refundNo, card }: To): { readonly serial: string; readonly ask: AbnormalRefundRequest } | undefined => {
    const serial = keyring.newest();
    const key = serial === undefined ? undefined : keyring.keyOf(serial);
    if (serial === undefined || !key) return undefined;
    const to = { sub_mchid: payee, out_refund_no: refundNo };
    if (!card) return { serial, ask: { ...to, type: 'MERCHANT_BANK_CARD' } };
    const [bank_account, real_name] = [sealField(card.account, key), sealField(card.owner, key)];
    return { serial, ask: { ...to, type: 'USER_BANK_CARD', bank_type: card.bankType, bank_account, real_name } };
  },

  apply: async (
    refundId: string,
    ask: AbnormalRefundRequest,
    { serial, signal }: { serial: string; signal?: AbortSignal },
  ): Promise<AbnormalOutcome> => {
    const target = `/v3/ecommerce/refunds/${encodeURIComponent(refundId)}/apply-abnormal-refund`;
    const answer = await client.exchange({ method: 'POST', target, body: ask, signal, serial });
    if (answer.kind !== 'done') return failure(answer);
    return Refund.safeParse(answer.body).success ? { kind: 'accepted' } : unreadable;
  },
});
