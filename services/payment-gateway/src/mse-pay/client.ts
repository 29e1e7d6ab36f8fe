import { randomBytes } from 'node:crypto';
import type { Clock } from '@yunshi/kernel/clock';
import { encryptHeader, sealField, type FieldKey } from '@yunshi/protocols/mse-pay/fields';
import { WireError } from '@yunshi/protocols/mse-pay/notice';
import { authorize, verifyAnswer, type Platform } from '@yunshi/protocols/mse-pay/signature';
import { outcomeOf } from '@yunshi/protocols/wechat/error';
import type { Log } from '@yunshi/telemetry/log';
import { Agent, request } from 'undici';
import { bytesOf, jsonOf } from '../answers.ts';
import type { Keyring } from '../wechat/keyring.ts';

/** `refused`: not carried out. `unknown`: carried out or not; ask, or repeat it with the same number. */
export type Exchange =
  | { readonly kind: 'done'; readonly body: unknown }
  | { readonly kind: 'refused'; readonly status: number; readonly code: string; readonly message: string }
  | { readonly kind: 'unknown'; readonly why: string };

export type Downloaded = { readonly kind: 'file'; readonly bytes: Buffer } | { readonly kind: 'unknown'; readonly why: string };

export type Ask = {
  readonly method: 'GET' | 'POST';
  /** Path and query as they shall go over the wire. */
  readonly target: string;
  readonly body?: object;
  /** Of the fields that the body carries encrypted. */
  readonly fieldKey?: FieldKey;
  readonly signal?: AbortSignal | undefined;
};

export type MsePayClient = {
  readonly exchange: (ask: Ask) => Promise<Exchange>;
  /** A file that an answer has named. Only the path of its url counts: it is asked of the channel itself, and of nobody else. */
  readonly download: (url: string, signal?: AbortSignal) => Promise<Downloaded>;
  /** A key for the encrypted fields of one request. */
  readonly newFieldKey: () => FieldKey;
  readonly close: () => Promise<void>;
};

type Options = {
  readonly baseUrl: string;
  readonly platform: Platform;
  readonly keyring: Keyring;
  /** Serial of the channel's key: what we encrypt for, and what it signs with. */
  readonly tbepSerial: string;
  readonly wall: Clock;
  readonly log: Log;
};

const ANSWER_MS_MAX = 8_000;
const ANSWER_BYTES_MAX = 512 * 1_024;
const CONNECTIONS_MAX = 16;
const FILE_BYTES_MAX = 64 * 1_024 * 1_024;
const FILE_MS_MAX = 12_000;

export function msePayClient(options: Options): MsePayClient {
  const agent = new Agent({ connections: CONNECTIONS_MAX, connect: { timeout: 3_000 } });
  return {
    exchange: async (ask) => {
      try {
        return await exchanged(ask, options, agent);
      } catch (error) {
        options.log.warn({ target: ask.target, err: error }, '商企付 gave no answer');
        return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
      }
    },
    download: async (url, signal) => {
      try {
        return await downloaded(new URL(url), options, agent, signal);
      } catch (error) {
        options.log.warn({ err: error }, '商企付 gave no file');
        return { kind: 'unknown', why: error instanceof Error ? error.message : String(error) };
      }
    },
    newFieldKey: () => ({ key: randomBytes(16), iv: randomBytes(16) }),
    close: () => agent.close(),
  };
}

async function exchanged(ask: Ask, options: Options, dispatcher: Agent): Promise<Exchange> {
  const { baseUrl, keyring, wall, log } = options;
  const { method, target } = ask;
  const body = ask.body === undefined ? '' : JSON.stringify(ask.body);
  const limit = AbortSignal.timeout(ANSWER_MS_MAX);
  const signal = ask.signal ? AbortSignal.any([ask.signal, limit]) : limit;
  const sent = { dispatcher, method, headers: headersOf(ask, body, options), signal, ...(method === 'POST' && { body }) };
  const answer = await request(`${baseUrl}${target}`, sent);
  const bytes = await bytesOf(answer.body, ANSWER_BYTES_MAX);
  const outcome = outcomeOf(answer.statusCode);
  const header = answer.headers['tbep-authorization'];
  const signed = verifyAnswer(typeof header === 'string' ? header : undefined, bytes, keyring.keyOf, wall.now().getTime());
  if (!signed.ok && signed.error === 'unknown-serial') await keyring.refresh();
  if (outcome === 'done') {
    if (signed.ok) return { kind: 'done', body: jsonOf(bytes) };
    log.error({ target, refusal: signed.error }, 'an answer of 商企付 cannot be trusted');
    return { kind: 'unknown', why: `answer ${signed.error}` };
  }
  const { code, desc } = WireError.safeParse(jsonOf(bytes)).data?.error ?? { code: `HTTP_${answer.statusCode}`, desc: '' };
  log.warn({ target, status: answer.statusCode, code }, '商企付 did not carry out a request');
  // A refusal that is signed wrongly is somebody else's word.
  const trusted = signed.ok || signed.error === 'unsigned';
  if (outcome === 'unknown' || !trusted) return { kind: 'unknown', why: `${answer.statusCode} ${code}` };
  return { kind: 'refused', status: answer.statusCode, code, message: desc };
}

async function downloaded({ pathname, search }: URL, options: Options, dispatcher: Agent, given?: AbortSignal): Promise<Downloaded> {
  const target = `${pathname}${search}`;
  const limit = AbortSignal.timeout(FILE_MS_MAX);
  const signal = given ? AbortSignal.any([given, limit]) : limit;
  const answer = await request(`${options.baseUrl}${target}`, {
    dispatcher,
    method: 'GET',
    headers: { ...headersOf({ method: 'GET', target }, '', options), accept: '*/*' },
    signal,
  });
  const bytes = await bytesOf(answer.body, FILE_BYTES_MAX);
  if (answer.statusCode !== 200) return { kind: 'unknown', why: `HTTP ${answer.statusCode}` };
  const header = answer.headers['tbep-authorization'];
  // Over nothing, whatever the file: it says who answers, and the hash what.
  const signed = verifyAnswer(
    typeof header === 'string' ? header : undefined,
    Buffer.alloc(0),
    options.keyring.keyOf,
    options.wall.now().getTime(),
  );
  return signed.ok ? { kind: 'file', bytes } : { kind: 'unknown', why: `answer ${signed.error}` };
}

function headersOf({ method, target, fieldKey }: Ask, body: string, { platform, keyring, tbepSerial, wall }: Options) {
  const at = { wallMs: wall.now().getTime(), nonce: randomBytes(16).toString('hex') };
  const publicKey = keyring.keyOf(tbepSerial);
  return {
    authorization: authorize({ method, target, body }, platform, at),
    accept: 'application/json',
    'user-agent': 'yunshi-payment-gateway',
    ...(method === 'POST' && { 'content-type': 'application/json' }),
    ...(fieldKey && publicKey && { 'tbep-encrypt': encryptHeader(fieldKey, { serial: tbepSerial, publicKey }) }),
  };
}

export const sealed = (client: MsePayClient, text: string): { readonly fieldKey: FieldKey; readonly text: string } => {
  const fieldKey = client.newFieldKey();
  return { fieldKey, text: sealField(text, fieldKey) };
};
