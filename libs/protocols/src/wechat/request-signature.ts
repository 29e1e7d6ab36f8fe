import { no, ok, type Result } from '@yunshi/kernel/result';
import type { KeyObject } from 'node:crypto';
import { isFresh, TIMESTAMP } from './freshness.ts';
import { sign, signatureHolds, type KeyOfSerial } from './rsa.ts';

export const SCHEME = 'WECHATPAY2-SHA256-RSA2048';

/** A request as it goes over the wire. `target` is path and query, percent-encoded as sent, without the host. */
export type WireRequest = { readonly method: string; readonly target: string; readonly body: string | Uint8Array };

export type Authorization = {
  readonly mchid: string;
  readonly serialNo: string;
  readonly nonce: string;
  readonly timestamp: string;
  readonly signature: string;
};

/** The five lines that a merchant signs; the last one ends with a line feed too. */
export function requestMessage(request: WireRequest, timestamp: string, nonce: string): Buffer {
  return Buffer.concat([
    Buffer.from(`${request.method}\n${request.target}\n${timestamp}\n${nonce}\n`),
    typeof request.body === 'string' ? Buffer.from(request.body) : request.body,
    Buffer.from('\n'),
  ]);
}

export type Merchant = { readonly mchid: string; readonly serialNo: string; readonly privateKey: KeyObject };

/** @returns the value of the Authorization header. `nonce` has at most 32 characters. */
export function authorize(request: WireRequest, merchant: Merchant, at: { wallMs: number; nonce: string }): string {
  const timestamp = String(Math.floor(at.wallMs / 1000));
  const signature = sign(requestMessage(request, timestamp, at.nonce), merchant.privateKey);
  return formatAuthorization({ mchid: merchant.mchid, serialNo: merchant.serialNo, nonce: at.nonce, timestamp, signature });
}

export function formatAuthorization({ mchid, serialNo, nonce, timestamp, signature }: Authorization): string {
  return `${SCHEME} mchid="${mchid}",nonce_str="${nonce}",signature="${signature}",timestamp="${timestamp}",serial_no="${serialNo}"`;
}

const PARAMETER = /^\s*(mchid|nonce_str|signature|timestamp|serial_no)="([^"]+)"\s*$/;

/** Reads the parameters by name: each SDK writes them in an order of its own. */
export function parseAuthorization(header: string | undefined): Result<Authorization, 'malformed'> {
  if (header === undefined || !header.startsWith(`${SCHEME} `)) return no('malformed');
  const found: Record<string, string> = {};
  for (const part of header.slice(SCHEME.length + 1).split(',')) {
    const [, name, value] = PARAMETER.exec(part) ?? [];
    if (name === undefined || value === undefined || name in found) return no('malformed');
    found[name] = value;
  }
  const { mchid, nonce_str: nonce, signature, timestamp, serial_no: serialNo } = found;
  if (mchid === undefined || signature === undefined || serialNo === undefined) return no('malformed');
  if (nonce === undefined || nonce.length > 32) return no('malformed');
  if (timestamp === undefined || !TIMESTAMP.test(timestamp)) return no('malformed');
  return ok({ mchid, serialNo, nonce, timestamp, signature });
}

export type RequestRefusal = 'malformed' | 'clock-skewed' | 'unknown-serial' | 'wrong-signature';

/** The payment service's side: who asks, if the signature is theirs. */
export function verifyRequest(
  header: string | undefined,
  request: WireRequest,
  keyOf: KeyOfSerial,
  wallMs: number,
): Result<Authorization, RequestRefusal> {
  const parsed = parseAuthorization(header);
  if (!parsed.ok) return parsed;
  const { timestamp, nonce, signature, serialNo } = parsed.value;
  if (!isFresh(timestamp, wallMs)) return no('clock-skewed');
  const key = keyOf(serialNo);
  if (!key) return no('unknown-serial');
  return signatureHolds(requestMessage(request, timestamp, nonce), signature, key) ? parsed : no('wrong-signature');
}
