import { no, ok, type Result } from '@yunshi/kernel/result';
import type { KeyObject } from 'node:crypto';
import { isFresh } from './freshness.ts';
import { SCHEME } from './request-signature.ts';
import { sign, signatureHolds, type KeyOfSerial } from './rsa.ts';

/** Signs the answers to our requests and the callbacks alike. */
export type AnswerKey = { readonly serial: string; readonly privateKey: KeyObject };

/** Headers as Node gives them: lower-case names. */
export type WireHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The three lines that WeChat Pay signs. An empty body (204) still has its line. */
export function answerMessage(timestamp: string, nonce: string, body: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), typeof body === 'string' ? Buffer.from(body) : body, Buffer.from('\n')]);
}

export function answerHeaders(
  body: string | Uint8Array,
  key: AnswerKey,
  at: { wallMs: number; nonce: string },
): Record<`wechatpay-${string}`, string> {
  const timestamp = String(Math.floor(at.wallMs / 1000));
  return {
    'wechatpay-timestamp': timestamp,
    'wechatpay-nonce': at.nonce,
    'wechatpay-signature': sign(answerMessage(timestamp, at.nonce, body), key.privateKey),
    'wechatpay-serial': key.serial,
    'wechatpay-signature-type': SCHEME,
  };
}

export type AnswerRefusal = 'unsigned' | 'clock-skewed' | 'unknown-serial' | 'wrong-signature' | 'signature-probe';

/** WeChat Pay now and then sends a callback with this deliberately wrong signature and sees whether it is refused. */
const PROBE = 'WECHATPAY/SIGNTEST/';

/**
 * Whether an answer or a callback comes from WeChat Pay.
 * @param body the raw bytes; parsing and writing them anew breaks the signature
 * @param keyOf every key in use: while a merchant moves from certificates to the public key, callbacks come with either
 * @returns the serial that signed. A probe is refused like any wrong signature; it has a name of its own so that it raises no alarm.
 */
export function verifyAnswer(
  headers: WireHeaders,
  body: string | Uint8Array,
  keyOf: KeyOfSerial,
  wallMs: number,
): Result<string, AnswerRefusal> {
  const [timestamp, nonce, signature, serial] = ['timestamp', 'nonce', 'signature', 'serial'].map((name) => headers[`wechatpay-${name}`]);
  if (typeof timestamp !== 'string' || typeof nonce !== 'string' || typeof signature !== 'string' || typeof serial !== 'string') {
    return no('unsigned');
  }
  if (signature.startsWith(PROBE)) return no('signature-probe');
  if (!isFresh(timestamp, wallMs)) return no('clock-skewed');
  const key = keyOf(serial);
  if (!key) return no('unknown-serial');
  return signatureHolds(answerMessage(timestamp, nonce, body), signature, key) ? ok(serial) : no('wrong-signature');
}

/** What the payment service puts in place of a signature when it tests the receiver. */
export function probeSignature(random: Uint8Array): string {
  return `${PROBE}${Buffer.from(random).toString('base64')}`;
}
