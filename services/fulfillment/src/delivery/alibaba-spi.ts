import type { Answer, Egress } from '@yunshi/protocols/egress';
import {
  createInstance,
  expiredInstance,
  releaseInstance,
  renewInstance,
  signIn,
  upgradeInstance,
} from '@yunshi/protocols/alibaba-spi/actions';
import { readConsent, readCreated } from '@yunshi/protocols/alibaba-spi/answers';
import { queryOf, spiUrl } from '@yunshi/protocols/alibaba-spi/signature';
import type { Params } from '@yunshi/protocols/alibaba-spi/signature';
import { checkDeliveryUrl } from '@yunshi/protocols/saas/address';
import type { Exchange, ProviderRequest } from './request.ts';
import type { Access, Dialect, Endpoint, Heard } from './dialect.ts';
import { bodyOf, exchangeOf } from './exchange.ts';

/** Alibaba Cloud Marketplace's SaaS SPI: GET, everything in the query, and a token over it. */

export type AlibabaSpiParts = {
  readonly door: Egress;
  readonly development: boolean;
  /** The wall clock: it stands in sign-on addresses, whose age providers check. */
  readonly wallNow: () => Date;
  /** Names an instance that nobody has, and a token that nobody knows. */
  readonly newRequestId: () => string;
};

const timeoutMsMax = 5_000;
const answerBytesMax = 64 * 1024;

type Exchanged = { readonly answer: Answer; readonly exchange: Exchange };

export function alibabaSpi({ door, development, wallNow, newRequestId }: AlibabaSpiParts): Dialect {
  async function exchange({ url, token }: Pick<Endpoint, 'url' | 'token'>, params: Params, signal?: AbortSignal): Promise<Exchanged> {
    const at = wallNow();
    const answer = await door.send({
      method: 'GET',
      url: spiUrl(url, params, token),
      timeoutMsMax,
      bytesMax: answerBytesMax,
      ...(signal !== undefined && { signal }),
    });
    return { answer, exchange: exchangeOf(answer, { at, url, request: queryOf(params) }) };
  }

  return {
    name: 'alibaba-spi',
    checkUrl: (url) => checkDeliveryUrl(url, { development }),
    /**
     * The SPI has no call that only proves the token. Freezing an instance that nobody has does no harm, and has to be answered in the
     * protocol's words; the same with a wrong token must not be consented to. Whether it knows the right one is told by `createInstance`
     * of the online check, without which nothing is published.
     */
    async verify({ url, token }) {
      const nobodys = expiredInstance(`check-${newRequestId()}`);
      const right = await exchange({ url, token }, nobodys);
      const heard = bodyOf(right.answer);
      const words = heard.ok ? readConsent(heard.body) : undefined;
      if (words === undefined || words.kind === 'unreadable')
        return { ok: false, exchange: { ...right.exchange, note: words?.why ?? right.exchange.note ?? 'not answered as the SPI says' } };
      const wrong = bodyOf((await exchange({ url, token: newRequestId() }, nobodys)).answer);
      const isOpen = wrong.ok && readConsent(wrong.body).kind === 'agreed';
      return isOpen
        ? { ok: false, exchange: { ...right.exchange, note: 'a call with a wrong token was obeyed' } }
        : { ok: true, exchange: right.exchange };
    },
    async call(endpoint, request, signal) {
      const steps = stepsOf(request, endpoint);
      let heard: Heard | undefined;
      for (const params of steps) {
        const { answer, exchange: made } = await exchange(endpoint, params, signal);
        heard = understood(params, answer, heard === undefined ? made : joined(heard.exchange, made));
        if (heard.outcome.kind !== 'agreed') break;
      }
      if (heard === undefined) throw new Error(`nothing is said for ${request.task}`);
      return heard;
    },
    signIn: ({ token }, { authUrl, signId }) => spiUrl(authUrl, signIn(signId, wallNow()), token),
  };
}

/**
 * What is said for a task. A conversion is two calls, since an upgrade leaves the expiry as it was: the upgrade first, because while it is
 * refused nothing has changed. Both may be repeated, as everything here.
 */
function stepsOf(request: ProviderRequest, { productNumber }: Endpoint): readonly Params[] {
  const { task, orderId, quantity } = request;
  // What was never named by the provider is asked for by the name that providers are advised to use.
  const instanceId = request.signId ?? request.instanceId;
  const skuId = request.skuId ?? request.skuName;
  switch (task) {
    case 'create':
      return [
        createInstance({
          buyer: request.accountId,
          orderBizId: request.instanceId,
          orderId,
          productCode: String(productNumber),
          skuId,
          trial: request.isTrial,
          expires: request.expiresAt === undefined ? undefined : new Date(request.expiresAt),
          quantity,
        }),
      ];
    case 'renew':
      return [renewInstance({ instanceId, orderId, expires: expiryIn(request) })];
    case 'convert':
      return [
        upgradeInstance({ instanceId, skuId, orderId, quantity }),
        renewInstance({ instanceId, orderId, expires: expiryIn(request) }),
      ];
    case 'expire':
      return [expiredInstance(instanceId)];
    case 'destroy':
      return [releaseInstance(instanceId)];
  }
}

function expiryIn({ expiresAt, task }: ProviderRequest): Date {
  if (expiresAt === undefined) throw new Error(`a call to ${task} says no expiry`);
  return new Date(expiresAt);
}

/** Two calls as one line of the log. */
const joined = (first: Exchange, second: Exchange): Exchange => ({
  ...second,
  request: `${first.request}\n${second.request}`,
  answer: `${first.answer ?? ''}\n${second.answer ?? ''}`,
  performedAt: first.performedAt,
  durationMs: first.durationMs + second.durationMs,
});

function understood({ action }: Params, answer: Answer, exchange: Exchange): Heard {
  const body = bodyOf(answer);
  const failed = (note: string): Heard => ({ exchange: { ...exchange, note }, outcome: { kind: 'failed', sent: true } });
  if (!body.ok) return body.note === undefined ? { exchange, outcome: { kind: 'failed', sent: body.sent } } : failed(body.note);
  if (action !== 'createInstance') {
    const read = readConsent(body.body);
    return read.kind === 'unreadable' ? failed(read.why) : { exchange, outcome: { kind: read.kind } };
  }
  const read = readCreated(body.body);
  if (read.kind === 'unreadable') return failed(read.why);
  if (read.kind === 'pending') return { exchange, outcome: { kind: 'pending' } };
  const { instanceId: signId, website, authUrl, fields, warnings } = read;
  const access: Access = { ...(website !== undefined && { website }), ...(authUrl !== undefined && { authUrl }), additional: fields };
  return {
    exchange: warnings.length === 0 ? exchange : { ...exchange, note: warnings.join('; ') },
    outcome: { kind: 'delivered', signId, access },
  };
}
