import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Signs calls of the Tencent SaaS delivery protocol (自动交付接入方案).
 * The body is not signed: the signature proves only that the caller holds the token, now.
 */

/** What a call carries in its query string. `timestamp` is Unix seconds. */
export type Stamp = { timestamp: number; eventId: number };

/**
 * A public provider sorts nothing at all and only verifies when timestamp < eventId < token. Every Unix time until 2033 begins
 * with "1", so an eventId that begins with "2" stays in the middle, for it and for correct providers, while the token begins with a letter.
 */
export const eventIdMin = 2_000_000_000;
/** The largest signed 32-bit integer: providers declare `int eventId`. */
export const eventIdMax = 2_147_483_647;

/** Providers are told to refuse a call older than this. */
export const freshnessSeconds = 30;

/** `randomInt(min, maxExclusive)` has the shape of node:crypto's. */
export function stamp(nowMs: number, randomInt: (min: number, maxExclusive: number) => number): Stamp {
  return { timestamp: Math.floor(nowMs / 1000), eventId: randomInt(eventIdMin, eventIdMax + 1) };
}

/** Hex SHA-256 over the three values, sorted as byte strings (never as numbers) and joined by nothing. */
export function sign(token: string, { timestamp, eventId }: Stamp): string {
  const parts = [token, String(timestamp), String(eventId)].map((part) => Buffer.from(part, 'utf8'));
  parts.sort(Buffer.compare);
  return createHash('sha256').update(Buffer.concat(parts)).digest('hex');
}

export type Verdict = 'genuine' | 'forged' | 'stale';

/** What a provider does on arrival. `query` holds the raw query values, so that nothing is verified that was not sent. */
export function verify(
  token: string,
  query: { signature?: unknown; timestamp?: unknown; eventId?: unknown },
  nowMs: number,
  secondsMax: number = freshnessSeconds,
): Verdict {
  const timestamp = wholeNumber(query.timestamp);
  const eventId = wholeNumber(query.eventId);
  if (timestamp === undefined || eventId === undefined || typeof query.signature !== 'string') return 'forged';
  const expected = Buffer.from(sign(token, { timestamp, eventId }), 'utf8');
  const given = Buffer.from(query.signature, 'utf8');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'forged';
  return Math.abs(nowMs / 1000 - timestamp) <= secondsMax ? 'genuine' : 'stale';
}

function wholeNumber(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^(0|[1-9]\d{0,14})$/.test(value)) return undefined;
  return Number(value);
}
