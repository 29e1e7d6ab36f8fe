import type { Answer, Egress } from '@yunshi/protocols/egress';
import {
  convertInstance,
  createInstance,
  destroyInstance,
  expireInstance,
  renewInstance,
  verifyInterface,
} from '@yunshi/protocols/saas/actions';
import type { SaasRequest, Subject, Terms } from '@yunshi/protocols/saas/actions';
import { checkDeliveryUrl, redactUrl, signedUrl } from '@yunshi/protocols/saas/address';
import { readConsent, readCreated, readEcho } from '@yunshi/protocols/saas/answers';
import { stamp } from '@yunshi/protocols/saas/signature';
import type { Exchange, ProviderRequest } from './calls.ts';
import type { Dialect, Endpoint, Heard } from './dialect.ts';
import { redactAnswer } from './redact.ts';

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
const loggedCharsMax = 4_000;

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
    const heard =
      answer.kind === 'answered'
        ? { httpStatus: answer.status, answer: redactAnswer(answer.body).slice(0, loggedCharsMax) }
        : { note: answer.kind === 'forbidden' ? `not sent: ${answer.detail}` : `${answer.failure}: ${answer.detail}` };
    return {
      answer,
      exchange: {
        url: redactUrl(url),
        request,
        ...heard,
        performedAt: at.toISOString(),
        durationMs: answer.kind === 'forbidden' ? 0 : answer.ms,
      },
    };
  }

  return {
    name: 'tencent-saas',
    checkUrl: (url) => checkDeliveryUrl(url, { development }),
    async verify(endpoint) {
      const echoback = newRequestId();
      const { answer, exchange: made } = await exchange(endpoint, verifyInterface(newRequestId(), echoback));
      return {
        ok: answer.kind === 'answered' && isSuccess(answer.status) && readEcho(answer.body, echoback).kind === 'echoed',
        exchange: made,
      };
    },
    async call(endpoint, request, signal) {
      const { answer, exchange: made } = await exchange(endpoint, bodyOf(request, endpoint, newRequestId()), signal);
      return understood(request, answer, made);
    },
  };
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

function understood(request: ProviderRequest, answer: Answer, exchange: Exchange): Heard {
  if (answer.kind === 'forbidden') return { exchange, outcome: { kind: 'failed', sent: false } };
  if (answer.kind === 'failed') return { exchange, outcome: { kind: 'failed', sent: answer.sent } };
  const failed = (note: string): Heard => ({ exchange: { ...exchange, note }, outcome: { kind: 'failed', sent: true } });
  if (!isSuccess(answer.status)) return failed(`HTTP ${answer.status}`);
  if (request.task === 'create') {
    const read = readCreated(answer.body);
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
  const read = readConsent(answer.body);
  if (read.kind === 'unreadable') return failed(read.why);
  return { exchange, outcome: { kind: read.kind } };
}

/** The provider's side of an instance that never told its signId: it has at most the order to go by. */
const unknownSignId = '0';

function bodyOf(request: ProviderRequest, { productNumber }: Endpoint, requestId: string): SaasRequest {
  const subject: Subject = {
    accountId: request.accountId,
    requestId,
    productId: productNumber,
    resourceId: `market-${request.instanceId.slice(4)}`,
  };
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

function expiryIn({ expiresAt, task }: ProviderRequest): Date {
  if (expiresAt === undefined) throw new Error(`a call to ${task} says no expiry`);
  return new Date(expiresAt);
}

const units = { year: 'y', month: 'm', day: 'd' } as const;

function termsOf({ productName, skuName, isTrial, quantity, period }: ProviderRequest): Terms {
  const bought = period === undefined ? { span: 1, unit: 't' as const } : { span: period.count, unit: units[period.unit] };
  return { productName, trial: isTrial, spec: skuName, ...bought, quantity };
}
