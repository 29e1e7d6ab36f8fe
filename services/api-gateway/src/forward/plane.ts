import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProductId, uuidv7Hex } from '@yunshi/kernel/ids';
import { httpServed } from '@yunshi/telemetry/metrics';
import { errors, type Dispatcher } from 'undici';
import type { KeyRing, KnownKey } from '../access/key-ring.ts';
import type { Upstream, UpstreamMap } from '../access/upstream-map.ts';
import type { Metering } from '../meter/metering.ts';
import { forwardPolicy, logPolicy } from '../policy.ts';
import { matches, readClaim, refusals } from '../signature/dialects.ts';
import { NotSent, readBody, TooLarge, type Body } from './body.ts';
import { forward, type Outcome } from './pass-on.ts';
import { requestHeaders } from './headers.ts';
import { refuse, type Answered } from './refusal.ts';

/** The data plane: `/service-<the product's digits>/<path>`, signed, counted and forwarded. */

export type PlaneParts = {
  readonly keys: KeyRing;
  readonly upstreams: UpstreamMap;
  readonly metering: Pick<Metering, 'take' | 'giveBack' | 'begin' | 'end'>;
  /** Of signatures and of the log. */
  readonly wallMs: () => number;
  /** Of periods: business time. */
  readonly nowMs: () => number;
  readonly onFault: (what: string, error: unknown) => void;
};

const target = /^\/service-([0-9a-f]{32})(\/[^?#]*)?(\?[^#]*)?$/;
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
/** Neither encoded nor literal dots may lead out of the upstream's own path. */
const suspicious = /(^|\/)(\.|%2e){1,2}(\/|$)|%2f|%5c|%00|\\/i;

export const isCall = (url: string | undefined): boolean => url?.startsWith('/service-') === true;

type Called = { readonly productId: ProductId; readonly path: string; readonly query: string };

export function readTarget(url: string): Called | undefined {
  const found = target.exec(url);
  if (found === null) return undefined;
  const [, digits, path = '', query = ''] = found;
  return suspicious.test(path) ? undefined : { productId: ProductId.parse(`prd_${digits}`), path, query };
}

export type Plane = ReturnType<typeof plane>;

export function plane(parts: PlaneParts) {
  const { keys, upstreams, metering, wallMs, nowMs, onFault } = parts;
  let inHand = 0;

  async function judge(request: IncomingMessage, called: Called): Promise<KnownKey | Answered> {
    const claim = readClaim(request.headers, wallMs());
    if (!claim.ok) return { ...claim.error, code: 'signature-refused' };
    const found = keys.find(claim.value.secretId);
    const key = found instanceof Promise ? await found : found;
    if (key === undefined || !key.isActive || nowMs() >= key.validUntilMs) return { ...refusals.unknownKey, code: 'key-not-valid' };
    if (!matches(claim.value, key.key)) return { ...refusals.mismatch, code: 'signature-refused' };
    if (key.productId !== called.productId) return { ...refusals.noPlan, code: 'product-not-bought' };
    if (!key.isUsable || nowMs() >= key.expiresAtMs) {
      return { ...refusals.noPlan, code: 'instance-not-usable', remedy: 'The instance has expired, or is suspended or closed: renew it.' };
    }
    return key;
  }

  async function answer(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<Answered | undefined> {
    const called = methods.has(request.method ?? '') ? readTarget(request.url ?? '') : undefined;
    if (called === undefined) return notThere(request);
    const key = await judge(request, called);
    if ('status' in key) return key;
    const found = upstreams.find(called.productId);
    const upstream = found instanceof Promise ? await found : found;
    if (upstream === undefined) return notThere(request);
    const read = readBody(request);
    const body = read instanceof Promise ? await read : read;
    const taking = metering.take(key.instanceId);
    const taken = taking instanceof Promise ? await taking : taking;
    if (taken === 'used-up') return usedUp;
    if (taken === 'overloaded') return overloaded;
    return pass({ request, response, called, key, upstream, body, requestId });
  }

  type Passing = {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly called: Called;
    readonly key: KnownKey;
    readonly upstream: Upstream;
    readonly body: Body;
    readonly requestId: string;
  };

  async function pass({ request, response, called, key, upstream, body, requestId }: Passing): Promise<Answered | undefined> {
    const startedMs = performance.now();
    const { instanceId, accountId, secretId } = key;
    const atMs = wallMs();
    const callId = `cal_${uuidv7Hex(atMs)}`;
    const { method = 'GET' } = request;
    const path = called.path.slice(0, logPolicy.pathCharsMax);
    const outcome = await forward(
      {
        upstream: upstream.pool,
        options: optionsOf(request, called, upstream, body, { 'x-request-id': requestId, 'x-market-instance': instanceId }),
        requestId,
        onBegin: () => metering.begin({ callId, instanceId, accountId, secretId, atMs, method, path }),
      },
      response,
    );
    const answered = outcome.kind === 'answered' ? undefined : brokenBy(outcome);
    if (outcome.kind === 'broken' && !outcome.isBegun) metering.giveBack(instanceId);
    else metering.end({ callId, status: answered?.status ?? response.statusCode, durationMs: Math.round(performance.now() - startedMs) });
    return answered;
  }

  return {
    inHand: () => inHand,
    async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const startedMs = performance.now();
      const requestId = requestIdOf(request);
      if (inHand >= forwardPolicy.inHandMax) return refuse(request, response, overloaded, requestId);
      inHand++;
      try {
        const refused = await answer(request, response, requestId);
        if (refused !== undefined) refuse(request, response, refused, requestId);
      } catch (error) {
        refuse(request, response, faultOf(error, onFault), requestId);
      } finally {
        inHand--;
        const { method = 'GET' } = request;
        httpServed({ method, route: '/service-{product}', status: response.statusCode, seconds: (performance.now() - startedMs) / 1_000 });
      }
    },
  };
}

const requestIdOf = ({ headers }: IncomingMessage): string => {
  const given = headers['request-id'] ?? headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{8,128}$/.test(given) ? given : randomUUID();
};

const notThere = ({ url = '' }: IncomingMessage): Answered => ({
  status: 404,
  code: 'route-not-found',
  message: `There is no api match uri[${url.split('?', 1)[0]?.slice(0, 200)}]`,
});
const usedUp: Answered = {
  status: 403,
  code: 'calls-used-up',
  message: 'All calls that were bought have been used 套餐次数已用完',
  remedy: 'Renew the instance to top it up.',
};
const overloaded: Answered = {
  status: 503,
  code: 'overloaded',
  message: 'The gateway has too many calls in hand',
  remedy: 'Call again in a moment.',
  retryAfterS: 1,
};

/** What is told of a call that came to nothing; whether it was counted is the same question as whether the upstream may have it. */
function brokenBy({ error, isBegun }: Extract<Outcome, { kind: 'broken' }>): Answered {
  if (error instanceof TooLarge) return tooLarge;
  if (error instanceof errors.HeadersTimeoutError)
    return { status: 504, code: 'upstream-timed-out', message: 'The upstream took too long to answer; the call is counted' };
  return {
    status: 502,
    code: isBegun ? 'upstream-broke-off' : 'upstream-not-reached',
    message: isBegun ? 'The upstream broke off; the call is counted' : 'The upstream cannot be reached; the call is not counted',
    remedy: isBegun ? 'Ask the provider whether it was carried out.' : 'Call again in a moment.',
  };
}
const tooLarge: Answered = {
  status: 413,
  code: 'body-too-large',
  message: `The body is larger than ${forwardPolicy.bodyBytesMax} bytes`,
  remedy: 'Send less at once.',
};

function faultOf(error: unknown, onFault: PlaneParts['onFault']): Answered {
  if (error instanceof TooLarge) return tooLarge;
  if (error instanceof NotSent) return { status: 408, code: 'body-not-sent', message: 'The body did not come in time' };
  onFault('a call', error);
  const remedy = 'Call again in a moment; nothing was forwarded or counted.';
  return { status: 503, code: 'unavailable', message: 'The gateway cannot check or count calls at the moment', remedy, retryAfterS: 1 };
}

function optionsOf(
  request: IncomingMessage,
  { path, query }: Called,
  { basePath, token }: Upstream,
  { body, length }: Body,
  own: Record<string, string>,
): Dispatcher.DispatchOptions {
  if (token !== undefined) own['x-market-token'] = token;
  if (length !== undefined) own['content-length'] = length;
  return {
    method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
    path: `${basePath}${path}${query}` || '/',
    headers: requestHeaders(request.headers, own),
    // Iterables are taken, too; the types know of streams alone.
    body: body as Buffer | null,
  };
}
