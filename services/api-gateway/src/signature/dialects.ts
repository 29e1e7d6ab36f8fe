import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { skewMsMax } from '../policy.ts';

/*
 * The three ways in which callers sign 签名: A and B `hmac id="…", algorithm="hmac-sha1", headers="date source", signature="…"` (doc
 * 628/11819; the two differ in the names of the signed headers alone), C a JSON object `{"id","x-date","signature"}` in the same header.
 */

/** With the text that callers of API Gateway know. */
export type Refusal = { readonly status: 401 | 403; readonly message: string };

export type Claim = {
  readonly secretId: string;
  /** What was signed, one character a byte, as headers are read. */
  readonly signed: string;
  readonly signature: string;
};

const cannot = 'HMAC signature cannot be verified';
export const refusals = {
  missing: { status: 401, message: `${cannot}, a validate authorization header is required` },
  notReadable: { status: 403, message: 'authorization headers is invalidate' },
  incomplete: { status: 403, message: 'id or signature missing' },
  noDate: { status: 403, message: `${cannot}, a valid date header is required` },
  unknownKey: { status: 403, message: cannot },
  noPlan: { status: 403, message: 'Found no validate usage plan' },
  mismatch: { status: 403, message: 'HMAC signature does not match' },
} as const satisfies Record<string, Refusal>;

const headerMissing = (name: string): Refusal => ({ status: 403, message: `${cannot}, a valid ${name} header is required` });
/** Clients of dialect C look for these two words, and sign again by the `Date` of the answer. */
const stale: Refusal = { status: 403, message: '签名时间已超时 (x-date is more than 15 minutes from the time of the gateway)' };

const signedHeadersMax = 16;
const parameter = /([a-z]+)\s*=\s*"([^"]*)"/gi;

/** Reads who claims to have signed what; whether it is true says `matches`. */
export function readClaim(headers: IncomingHttpHeaders, nowMs: number): Result<Claim, Refusal> {
  const { authorization } = headers;
  if (authorization === undefined || authorization === '') return no(refusals.missing);
  if (authorization.startsWith('{')) return readObject(authorization, nowMs);
  if (!/^hmac\s/i.test(authorization)) return no(refusals.notReadable);
  const given = new Map<string, string>();
  for (const [, name = '', value = ''] of authorization.matchAll(parameter)) given.set(name.toLowerCase(), value);
  const { id, algorithm, signature, headers: list } = Object.fromEntries(given);
  if (!id || !signature) return no(refusals.incomplete);
  if (algorithm?.toLowerCase() !== 'hmac-sha1') return no(refusals.notReadable);
  const names = (list ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  if (names.length > signedHeadersMax) return no(refusals.notReadable);
  if (!names.includes('date') && !names.includes('x-date')) return no(refusals.noDate);
  const lines: string[] = [];
  for (const name of names) {
    const value = headers[name];
    if (typeof value !== 'string') return no(name === 'date' || name === 'x-date' ? refusals.noDate : headerMissing(name));
    lines.push(`${name}: ${value}`);
  }
  // «Date» is not checked, as documented; «X-Date» is.
  if (names.includes('x-date') && !isNear(headers['x-date'] as string, nowMs)) return no(refusals.noDate);
  return ok({ secretId: id, signed: lines.join('\n'), signature });
}

/** Samples write the object with and without spaces. */
function readObject(text: string, nowMs: number): Result<Claim, Refusal> {
  let object: unknown;
  try {
    object = JSON.parse(text);
  } catch {
    return no(refusals.notReadable);
  }
  const { id, signature, 'x-date': date } = object as Record<string, unknown>;
  if (typeof id !== 'string' || typeof signature !== 'string' || !id || !signature) return no(refusals.incomplete);
  if (typeof date !== 'string' || Number.isNaN(Date.parse(date))) return no(refusals.noDate);
  if (!isNear(date, nowMs)) return no(stale);
  return ok({ secretId: id, signed: `x-date: ${date}`, signature });
}

const isNear = (date: string, nowMs: number): boolean => Math.abs(Date.parse(date) - nowMs) <= skewMsMax;

export function matches({ signed, signature }: Claim, key: KeyObject): boolean {
  const given = Buffer.from(signature, 'base64');
  const wanted = digestOf(signed, key);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** Most callers sign nothing but the second, so what is signed is often what was signed just before; a digest costs more than the rest of a check. */
const lastDigests = new WeakMap<KeyObject, { readonly signed: string; readonly digest: Buffer }>();

function digestOf(signed: string, key: KeyObject): Buffer {
  const last = lastDigests.get(key);
  if (last?.signed === signed) return last.digest;
  const digest = createHmac('sha1', key).update(signed, 'latin1').digest();
  lastDigests.set(key, { signed, digest });
  return digest;
}
