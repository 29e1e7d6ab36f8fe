/**
 * Signatures of 商企付 (TBEP, `/v3/mse-pay`). The message of a request is WeChat Pay's, byte for byte; the headers are its own.
 * Source: Tencent's official `tenpay/entpay` SDK.
 */
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { KeyObject } from 'node:crypto';
import { answerMessage } from '../wechat/answer-signature.ts';
import { isFresh, TIMESTAMP } from '../wechat/freshness.ts';
import { requestMessage, type WireRequest } from '../wechat/request-signature.ts';
import { sign, signatureHolds, type KeyOfSerial } from '../wechat/rsa.ts';
import { sortedJson } from './sorted-json.ts';

const ALGORITHM = 'SHA256withRSA';

/** A platform that collects for others, and the key that it signs with. */
export type Platform = { readonly platformId: string; readonly serial: string; readonly privateKey: KeyObject };
export type Moment = { readonly wallMs: number; readonly nonce: string };

const seconds = ({ wallMs }: Moment): string => String(Math.floor(wallMs / 1_000));
const parameters = (pairs: Readonly<Record<string, string>>): string =>
  Object.entries(pairs)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',');

/** Reads `name="value"` pairs in any order. A name twice, or anything between the pairs, is refused. */
export function parseParameters(header: string): Readonly<Record<string, string>> | undefined {
  const found: Record<string, string> = {};
  for (const part of header.split(',')) {
    const [, name, value] = /^\s*([a-z_]+)="([^"]*)"\s*$/.exec(part) ?? [];
    if (name === undefined || value === undefined || Object.hasOwn(found, name)) return undefined;
    found[name] = value;
  }
  return found;
}

/** @returns the value of the Authorization header: parameters alone, without a scheme word */
export function authorize(request: WireRequest, { platformId, serial, privateKey }: Platform, at: Moment): string {
  const timestamp = seconds(at);
  return parameters({
    platform_id: platformId,
    nonce: at.nonce,
    timestamp,
    platform_serial_number: serial,
    signature: sign(requestMessage(request, timestamp, at.nonce), privateKey),
    signature_algorithm: ALGORITHM,
  });
}

export type SignatureRefusal = 'unsigned' | 'malformed' | 'clock-skewed' | 'unknown-serial' | 'wrong-signature';

/** The channel's side: which platform asks, if the signature is its own. */
export function verifyRequest(
  header: string | undefined,
  request: WireRequest,
  keyOf: KeyOfSerial,
  wallMs: number,
): Result<{ readonly platformId: string; readonly serial: string }, SignatureRefusal> {
  if (header === undefined || header === '') return no('unsigned');
  const found = parseParameters(header);
  const { platform_id: platformId, nonce, timestamp, platform_serial_number: serial, signature } = found ?? {};
  if (found?.['signature_algorithm'] !== ALGORITHM || !isText(platformId) || !isText(serial) || !isText(signature)) return no('malformed');
  if (!isNonce(nonce) || timestamp === undefined || !TIMESTAMP.test(timestamp)) return no('malformed');
  if (!isFresh(timestamp, wallMs)) return no('clock-skewed');
  const key = keyOf(serial);
  if (!key) return no('unknown-serial');
  return signatureHolds(requestMessage(request, timestamp, nonce), signature, key) ? ok({ platformId, serial }) : no('wrong-signature');
}

/** The channel's key, for its answers and notices. */
export type ChannelKey = { readonly serial: string; readonly privateKey: KeyObject };

/** @returns the value of the TBEP-Authorization header */
export function signAnswer(body: string | Uint8Array, { serial, privateKey }: ChannelKey, at: Moment): string {
  const timestamp = seconds(at);
  return parameters({
    nonce: at.nonce,
    timestamp,
    tbep_serial_number: serial,
    signature: sign(answerMessage(timestamp, at.nonce, body), privateKey),
    signature_algorithm: ALGORITHM,
  });
}

/** Whether an answer comes from the channel. @param body the raw bytes */
export const verifyAnswer = (
  header: string | undefined,
  body: Uint8Array,
  keyOf: KeyOfSerial,
  wallMs: number,
): Result<string, SignatureRefusal> => verified(header, [body], keyOf, wallMs);

/**
 * Whether a notice comes from the channel. The two official readers of notices do not agree on what is signed: one takes the bytes as they
 * came, the other the body written anew as compact JSON with its keys sorted (and the line feed that the body may have ended with). Both are
 * the channel's word; the bytes are tried first.
 */
export function verifyNotice(
  header: string | undefined,
  body: Uint8Array,
  keyOf: KeyOfSerial,
  wallMs: number,
): Result<string, SignatureRefusal> {
  const sorted = sortedJson(Buffer.from(body).toString('utf8'));
  return verified(header, sorted === undefined ? [body] : [body, Buffer.from(sorted)], keyOf, wallMs);
}

function verified(
  header: string | undefined,
  bodies: readonly Uint8Array[],
  keyOf: KeyOfSerial,
  wallMs: number,
): Result<string, SignatureRefusal> {
  if (header === undefined || header === '') return no('unsigned');
  const found = parseParameters(header);
  const { nonce, timestamp, tbep_serial_number: serial, signature } = found ?? {};
  if (found?.['signature_algorithm'] !== ALGORITHM || !isText(serial) || !isText(signature)) return no('malformed');
  if (!isNonce(nonce) || timestamp === undefined || !TIMESTAMP.test(timestamp)) return no('malformed');
  if (!isFresh(timestamp, wallMs)) return no('clock-skewed');
  const key = keyOf(serial);
  if (!key) return no('unknown-serial');
  const holds = bodies.some((body) => signatureHolds(answerMessage(timestamp, nonce, body), signature, key));
  return holds ? ok(serial) : no('wrong-signature');
}

const isText = (value: string | undefined): value is string => value !== undefined && value !== '';
const isNonce = (value: string | undefined): value is string => isText(value) && value.length <= 64;
