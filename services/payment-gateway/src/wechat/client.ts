import { randomBytes } from 'node:crypto';
import type { Clock } from '@yunshi/kernel/clock';
import { verifyAnswer } from '@yunshi/protocols/wechat/answer-signature';
import { outcomeOf, WireError } from '@yunshi/protocols/wechat/error';
import { authorize, type Merchant } from '@yunshi/protocols/wechat/request-signature';
import type { Log } from '@yunshi/telemetry/log';
import { Agent, request, type Dispatcher } from 'undici';
import { bytesOf, jsonOf } from '../answers.ts';
import type { Keyring } from './keyring.ts';

/**
 * What came of a request.
 * - `done`: carried out, and WeChat Pay's signature says so
 * - `refused`: not carried out
 * - `unknown`: carried out or not; ask, or repeat it with the same number
 */
export type Exchange =
  | { readonly kind: 'done'; readonly body: unknown }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }
  | { readonly kind: 'unknown'; readonly why: string };

export type Ask = {
  readonly method: 'GET' | 'POST';
  /** Path and query as they shall go over the wire, percent-encoded. */
  readonly target: string;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
  /** The key that fields of the body are sealed with, where it is not the one that answers are to be signed with. */
  readonly serial?: string;
  /** Sees a 2xx body before its signature is checked: certificates come with the answer that they sign. */
  readonly learn?: (body: unknown) => void;
};

/** A file of WeChat Pay's. It carries no signature: whoever asked for it compares its hash. */
export type Downloaded = { readonly kind: 'file'; readonly bytes: Buffer } | { readonly kind: 'unknown'; readonly why: string };

export type WechatClient = {
  readonly exchange: (ask: Ask) => Promise<Exchange>;
  readonly close: () => Promise<void>;
};
export type Downloads = {
  /** Only from WeChat Pay's own hosts: the request is signed, and a signature is nobody else's business. */
  readonly download: (url: string, signal?: AbortSignal) => Promise<Downloaded>;
};

export type ClientOptions = {
  /** The main host first, then the one to turn to when the main one cannot be reached. */
  readonly hosts: readonly [string, ...string[]];
  /** Asked at each request: keys change while we run. */
  readonly merchant: () => Merchant;
  readonly keyring: Keyring;
  /** Public-key mode: names the key that answers shall be signed with. */
  readonly answerSerial: string | undefined;
  readonly wall: Clock;
  readonly log: Log;
};

const CONNECT_MS_MAX = 3_000;
const ANSWER_MS_MAX = 8_000;
const ANSWER_BYTES_MAX = 512 * 1024;
/** A day's bill of some hundred thousand trades, compressed or not. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;
/** Below the time that a call of the core has. */
const FILE_MS_MAX = 12_000;
const CONNECTIONS_MAX = 32;

type Connected = ClientOptions & { readonly agent: Agent };

export function wechatClient(options: ClientOptions): WechatClient & Downloads {
  const agent = new Agent({
    connections: CONNECTIONS_MAX,
    connect: { timeout: CONNECT_MS_MAX },
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
  });
  const connected = { ...options, agent };
  return {
    exchange: async (ask) => {
      const limit = AbortSignal.timeout(ANSWER_MS_MAX);
      try {
        const signal = ask.signal ? AbortSignal.any([ask.signal, limit]) : limit;
        return await read(await sendSomewhere(ask, signal, connected), ask, connected);
      } catch (error) {
        options.log.warn({ target: pathOf(ask.target), err: error }, 'WeChat Pay gave no answer');
        return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
      }
    },
    download: async (url, signal) => {
      try {
        return await fetchFile(new URL(url), signal, connected);
      } catch (error) {
        options.log.warn({ err: error }, 'a file of WeChat Pay could not be fetched');
        return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () => agent.close(),
  };
}

async function fetchFile(url: URL, signal: AbortSignal | undefined, connected: Connected): Promise<Downloaded> {
  const host = connected.hosts.find((one) => new URL(one).origin === url.origin);
  if (host === undefined) return { kind: 'unknown', why: `a file on ${url.host}, which is not WeChat Pay` };
  const limit = AbortSignal.timeout(FILE_MS_MAX);
  const target = `${url.pathname}${url.search}`;
  const answer = await send(host, { method: 'GET', target }, signal ? AbortSignal.any([signal, limit]) : limit, connected);
  const bytes = await bytesOf(answer.body, FILE_BYTES_MAX);
  return answer.statusCode === 200 ? { kind: 'file', bytes } : { kind: 'unknown', why: `${answer.statusCode} for ${url.pathname}` };
}

/** Only a connection that was never made is tried elsewhere: a request that may have arrived is not ours to repeat here. */
async function sendSomewhere(ask: Ask, signal: AbortSignal, connected: Connected): Promise<Dispatcher.ResponseData> {
  let unreachable: unknown;
  for (const host of connected.hosts) {
    try {
      return await send(host, ask, signal, connected);
    } catch (error) {
      if (!neverConnected(error)) throw error;
      unreachable = error;
    }
  }
  throw unreachable;
}

async function send(
  host: string,
  { method, target, body, serial }: Ask,
  signal: AbortSignal,
  { agent, merchant, answerSerial, wall }: Connected,
) {
  const text = body === undefined ? '' : JSON.stringify(body);
  const at = { wallMs: wall.now().getTime(), nonce: randomBytes(16).toString('hex') };
  const named = serial ?? answerSerial;
  const headers = {
    authorization: authorize({ method, target, body: text }, merchant(), at),
    accept: 'application/json',
    'user-agent': 'yunshi-payment-gateway',
    ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
    ...(named === undefined ? {} : { 'wechatpay-serial': named }),
  };
  return request(`${host}${target}`, { dispatcher: agent, method, headers, signal, ...(method === 'POST' ? { body: text } : {}) });
}

async function read(answer: Dispatcher.ResponseData, { target, learn }: Ask, { keyring, wall, log }: Connected): Promise<Exchange> {
  const body = await bytesOf(answer.body, ANSWER_BYTES_MAX);
  if (answer.statusCode === 200) learn?.(jsonOf(body));
  const signed = verifyAnswer(answer.headers, body, keyring.keyOf, wall.now().getTime());
  const outcome = outcomeOf(answer.statusCode);
  const requestId = answer.headers['request-id'];
  if (outcome === 'done') {
    if (signed.ok) return { kind: 'done', body: body.length === 0 ? undefined : jsonOf(body) };
    log.error({ target: pathOf(target), requestId, refusal: signed.error }, 'an answer of WeChat Pay cannot be trusted');
    if (signed.error === 'unknown-serial') await keyring.refresh();
    return { kind: 'unknown', why: `answer ${signed.error}` };
  }
  const error = WireError.safeParse(jsonOf(body)).data ?? { code: `HTTP_${answer.statusCode}`, message: '' };
  log.warn({ target: pathOf(target), requestId, status: answer.statusCode, code: error.code }, 'WeChat Pay did not carry out a request');
  // Refusals need no signature of their own, but one that is there and wrong is somebody else's word.
  const trusted = signed.ok || signed.error === 'unsigned';
  if (outcome === 'unknown' || !trusted) return { kind: 'unknown', why: `${answer.statusCode} ${error.code}` };
  return { kind: 'refused', status: answer.statusCode, code: error.code, message: error.message };
}

const CONNECT_FAILURES: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const neverConnected = (error: unknown): boolean => error instanceof Error && 'code' in error && CONNECT_FAILURES.has(error.code);

/** Queries may carry numbers of people; the path says enough for a log. */
const pathOf = (target: string): string => target.split('?')[0] ?? target;
