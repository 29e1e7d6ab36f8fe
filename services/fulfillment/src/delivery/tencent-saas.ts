import type { Answer, Egress } from '@yunshi/protocols/egress';
import {
  convertInstance,
  createInstance,
  destroyInstance,
  expireInstance,
  flowQuery,
  flowSetting,
  renewInstance,
  verifyInterface,
} from '@yunshi/protocols/saas/actions';
import type { SaasRequest, Subject, Terms } from '@yunshi/protocols/saas/actions';
import { checkDeliveryUrl, redactUrl, signedUrl } from '@yunshi/protocols/saas/address';
import { readConsent, readCreated, readEcho, readFlow } from '@yunshi/protocols/saas/answers';
import { stamp } from '@yunshi/protocols/saas/signature';
import type { Exchange, ProviderRequest } from './request.ts';
import type { Dialect, Endpoint, Heard, HeardOfFlow } from './dialect.ts';
import { bodyOf, exchangeOf } from './exchange.ts';

/** Tencent's SaaS delivery protocol 自动交付接入方案. */

export type TencentSaasParts = {
  readonly door: Egress;
  readonly development: boolean;
  /** The wall clock: providers check the age of a signature. */
  readonly wallNow: () => Date;
  readonly randomInt: (min: number, maxExclusive: number) => number;
  readonly newRequestId: () => string;
};

/** The protocol's own limit on a provider's answer. */
const timeoutMsMax = 5_000;
const answerBytesMax = 64 * 1024;

export function tencentSaas({ door, development, wallNow, randomInt, newRequestId }: TencentSaasParts): Dialect {
  /** One call, signed at this moment. */
  async function exchange(endpoint: Endpoint, body: SaasRequest, signal?: AbortSignal): Promise<{ answer: Answer; exchange: Exchange }> {
    const at = wallNow();
    const url = signedUrl(endpoint.url, endpoint.token, stamp(at.getTime(), randomInt));
    const request = JSON.stringify(body);
    const answer = await door.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json' },
      body: request,
      timeoutMsMax,
      bytesMax: answerBytesMax,
      ...(signal !== undefined && { signal }),
    });
    return { answer, exchange: exchangeOf(answer, { at, url: redactUrl(url), request }) };
  }

  return {
    name: 'tencent-saas',
    checkUrl: (url) => checkDeliveryUrl(url, { development }),
    async verify(endpoint) {
      const echoback = newRequestId();
      const { answer, exchange: made } = await exchange(endpoint, verifyInterface(newRequestId(), echoback));
      const body = bodyOf(answer);
      return { ok: body.ok && readEcho(body.body, echoback).kind === 'echoed', exchange: made };
    },
    async call(endpoint, request, signal) {
      const { answer, exchange: made } = await exchange(endpoint, requestOf(request, endpoint, newRequestId()), signal);
      return understood(request, answer, made);
    },
    metering: {
      async query(endpoint, of, signal) {
        const heard = await exchange(endpoint, flowQuery(subjectOf(of, endpoint, newRequestId()), of.signId), signal);
        return flowHeard(heard, (body) => {
          const read = readFlow(body);
          return read.kind === 'measured' ? { kind: 'told', told: { total: read.total, used: read.used, unit: read.unit } } : read;
        });
      },
      async set(endpoint, { alert, ...of }, signal) {
        const wanted = { signId: of.signId, warnSpan: alert.span, warnUnit: alert.unit, on: alert.on };
        const heard = await exchange(endpoint, flowSetting(subjectOf(of, endpoint, newRequestId()), wanted), signal);
        return flowHeard(heard, (body) => {
          const read = readConsent(body);
          return read.kind === 'agreed' ? { kind: 'told', told: {} } : read;
        });
      },
    },
  };
}

function understood(request: ProviderRequest, answer: Answer, exchange: Exchange): Heard {
  const body = bodyOf(answer);
  const failed = (note: string): Heard => ({ exchange: { ...exchange, note }, outcome: { kind: 'failed', sent: true } });
  if (!body.ok) return body.note === undefined ? { exchange, outcome: { kind: 'failed', sent: body.sent } } : failed(body.note);
  if (request.task !== 'create') {
    const read = readConsent(body.body);
    return read.kind === 'unreadable' ? failed(read.why) : { exchange, outcome: { kind: read.kind } };
  }
  const read = readCreated(body.body);
  if (read.kind === 'unreadable') return failed(read.why);
  if (read.kind === 'pending') return { exchange, outcome: { kind: 'pending' } };
  const { signId, website, authUrl, additional, warnings } = read;
  return {
    exchange: warnings.length === 0 ? exchange : { ...exchange, note: warnings.join('; ') },
    outcome: {
      kind: 'delivered',
      signId,
      access: { ...(website !== undefined && { website }), ...(authUrl !== undefined && { authUrl }), additional },
    },
  };
}

/** The answer to a question about a metered product. */
function flowHeard<Told extends object>(
  { answer, exchange }: { answer: Answer; exchange: Exchange },
  read: (body: string) => { kind: 'told'; told: Told } | { kind: 'declined'; info?: string } | { kind: 'unreadable'; why: string },
): HeardOfFlow<Told> {
  const body = bodyOf(answer);
  if (!body.ok) return { exchange: body.note === undefined ? exchange : { ...exchange, note: body.note }, outcome: { kind: 'failed' } };
  const heard = read(body.body);
  if (heard.kind === 'unreadable') return { exchange: { ...exchange, note: heard.why }, outcome: { kind: 'failed' } };
  return { exchange, outcome: heard.kind === 'told' ? { kind: 'told', ...heard.told } : heard };
}

/** The provider's side of an instance that never told its signId: it has at most the order to go by. */
const unknownSignId = '0';

function requestOf(request: ProviderRequest, endpoint: Endpoint, requestId: string): SaasRequest {
  const subject = subjectOf(request, endpoint, requestId);
  const signId = request.signId ?? unknownSignId;
  switch (request.task) {
    case 'create':
      return createInstance(subject, { orderId: request.orderId, terms: termsOf(request) });
    case 'renew':
      return renewInstance(subject, { orderId: request.orderId, signId, expires: expiryIn(request), terms: termsOf(request) });
    case 'convert':
      return convertInstance(subject, { orderId: request.orderId, signId, expires: expiryIn(request), terms: termsOf(request) });
    case 'expire':
      return expireInstance(subject, signId);
    case 'destroy':
      return destroyInstance(subject, { orderId: request.orderId, signId });
  }
}

const subjectOf = (
  { accountId, instanceId }: Pick<ProviderRequest, 'accountId' | 'instanceId'>,
  { productNumber }: Endpoint,
  requestId: string,
): Subject => ({ accountId, requestId, productId: productNumber, resourceId: `market-${instanceId.slice(4)}` });

function expiryIn({ expiresAt, task }: ProviderRequest): Date {
  if (expiresAt === undefined) throw new Error(`a call to ${task} says no expiry`);
  return new Date(expiresAt);
}

const units = { year: 'y', month: 'm', day: 'd' } as const;

function termsOf({ productName, skuName, isTrial, quantity, period, flow }: ProviderRequest): Terms {
  const bought = period === undefined ? { span: 1, unit: 't' as const } : { span: period.count, unit: units[period.unit] };
  const metered = flow && { flow: { span: String(flow.amount), unit: flow.unit } };
  return { productName, trial: isTrial, spec: skuName, ...bought, ...metered, quantity };
}
