import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** The signature of Tencent Cloud's API 3.0 (TC3-HMAC-SHA256), from the side that checks it. Calls are signed by the official SDK. */

export type Tc3Call = {
  readonly method: string;
  readonly path: string;
  /** As it stands in the URL, without the question mark. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The very bytes. */
  readonly body: Buffer | string;
};

/** What is wrong, in the words of the API's own codes. */
export type Tc3Refusal =
  'AuthFailure.InvalidAuthorization' | 'AuthFailure.SecretIdNotFound' | 'AuthFailure.SignatureExpire' | 'AuthFailure.SignatureFailure';
export type Tc3Verdict =
  | { readonly ok: true; readonly secretId: string; readonly service: string; readonly signature: string }
  | { readonly ok: false; readonly refusal: Tc3Refusal };

const freshnessSeconds = 300;
const shape =
  /^TC3-HMAC-SHA256 Credential=(?<secretId>[^/\s,]+)\/(?<date>\d{4}-\d{2}-\d{2})\/(?<service>[^/\s,]+)\/tc3_request, ?SignedHeaders=(?<signed>[\w;-]+), ?Signature=(?<signature>[0-9a-f]{64})$/;

/** Whose signature a call claims to carry; for who has to look the secret up before checking it. */
export const secretIdOf = (authorization: string): string | undefined => shape.exec(authorization)?.groups?.['secretId'];

/**
 * Checks a call. The service is the one that `Credential=` names, because clients derive it from the first label of whatever host they
 * are pointed at. A host is signed without its port by the SDKs, and with it by clients that sign the header as it is: both are right.
 */
export function verifyTc3(call: Tc3Call, secretOf: (secretId: string) => string | undefined, nowMs: number): Tc3Verdict {
  const parts = shape.exec(call.headers['authorization'] ?? '')?.groups;
  const timestamp = call.headers['x-tc-timestamp'] ?? '';
  if (!parts || !/^\d{9,11}$/.test(timestamp)) return refuse('AuthFailure.InvalidAuthorization');
  const { secretId = '', date = '', service = '', signed = '', signature = '' } = parts;
  const names = signed.split(';');
  if (!names.includes('content-type') || !names.includes('host')) return refuse('AuthFailure.InvalidAuthorization');
  const secret = secretOf(secretId);
  if (secret === undefined) return refuse('AuthFailure.SecretIdNotFound');
  const isOfItsDay = new Date(Number(timestamp) * 1000).toISOString().startsWith(date);
  if (!isOfItsDay || Math.abs(nowMs / 1000 - Number(timestamp)) > freshnessSeconds) return refuse('AuthFailure.SignatureExpire');
  const host = call.headers['host'] ?? '';
  const isGenuine = [host, host.replace(/:\d+$/, '')].some((one) =>
    isSame(signature, signTc3({ ...call, headers: { ...call.headers, host: one } }, { secret, date, service, names, timestamp })),
  );
  return isGenuine ? { ok: true, secretId, service, signature } : refuse('AuthFailure.SignatureFailure');
}

type Scope = {
  readonly secret: string;
  readonly date: string;
  readonly service: string;
  /** Of the signed headers, in the order of the canonical request. */
  readonly names: readonly string[];
  readonly timestamp: string;
};

export function signTc3({ method, path, query, headers, body }: Tc3Call, { secret, date, service, names, timestamp }: Scope): string {
  const canonicalHeaders = names.map((name) => `${name}:${canonical(name, headers[name] ?? '')}\n`).join('');
  const request = [method, path, query, canonicalHeaders, names.join(';'), sha256(body)].join('\n');
  const text = ['TC3-HMAC-SHA256', timestamp, `${date}/${service}/tc3_request`, sha256(request)].join('\n');
  const key = hmac(hmac(hmac(`TC3${secret}`, date), service), 'tc3_request');
  return hmac(key, text).toString('hex');
}

/** Values of headers are lowered, but for the content type, whose case clients keep. */
const canonical = (name: string, value: string): string => (name === 'content-type' ? value.trim() : value.trim().toLowerCase());
const sha256 = (text: Buffer | string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const refuse = (refusal: Tc3Refusal): Tc3Verdict => ({ ok: false, refusal });
const isSame = (given: string, wanted: string): boolean => timingSafeEqual(Buffer.from(given, 'hex'), Buffer.from(wanted, 'hex'));
