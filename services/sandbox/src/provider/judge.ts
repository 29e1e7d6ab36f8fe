import type { SaasRequest } from '@yunshi/protocols/saas/actions';
import { misbehave, obey } from './answer.ts';
import type { ProviderInstance, Said } from './answer.ts';
import type { ProviderBook } from './book.ts';

/** A call as it arrived, in whichever dialect. A played provider has one way of working, and thinks in Tencent's words. */
export type Arrival = {
  readonly providerId: string;
  readonly verdict: string;
  /** As the dialect calls it. */
  readonly action: string;
  readonly text: string;
  /** Absent where it is not a request of the protocol. */
  readonly request: SaasRequest | undefined;
  /** What a new instance is to be called, where the dialect advises a name. */
  readonly named?: string;
  readonly siteUrl: string;
};

/** How a dialect answers. */
export type Tongue = {
  readonly pending: object;
  readonly obey: (request: SaasRequest, instance: ProviderInstance | undefined, siteUrl: string) => Said;
};
export const tencent: Tongue = { pending: { signId: '0' }, obey };

/** Does what a genuine call asks unless a script says otherwise, and writes down both the call and the answer. */
export async function judge(book: ProviderBook, arrival: Arrival, tongue: Tongue, now: Date): Promise<Said> {
  const { providerId, verdict, action, text, request, named, siteUrl } = arrival;
  const answer = async (said: Said): Promise<Said> => {
    const shown = 'silence' in said ? `(${said.silence})` : said.body.slice(0, 2_000);
    const orderId = request !== undefined && 'orderId' in request ? request.orderId : null;
    await book.record(providerId, { verdict, action, orderId, body: text.slice(0, 4_000), answer: shown, at: now });
    return said;
  };
  if (verdict !== 'genuine') return answer({ status: 403, body: JSON.stringify({ error: `signature ${verdict}` }) });
  if (request === undefined) return answer({ status: 400, body: JSON.stringify({ error: 'not a request of the protocol' }) });
  const behaviour = await book.nextScript(providerId, request.action, 'productId' in request ? request.productId : undefined);
  if (behaviour !== undefined && behaviour !== 'lost-answer') return answer(misbehave(behaviour, tongue.pending));
  const instance = await book.obey(providerId, request, named);
  return answer(behaviour === 'lost-answer' ? { silence: 'hang-up' } : tongue.obey(request, instance, siteUrl));
}
