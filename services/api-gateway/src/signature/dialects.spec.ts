import { execFileSync } from 'node:child_process';
import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches, readClaim, refusals } from './dialects.ts';

const key = createSecretKey(Buffer.from('demo-secret-key'));
const date = 'Mon, 19 Mar 2018 12:08:40 GMT';
const then = Date.parse(date);
const hmac = (names: string, signature: string) => `hmac id="ID", algorithm="hmac-sha1", headers="${names}", signature="${signature}"`;

/** docs: spec/providers.md section 2, computed there with node and openssl. */
const vectors: [string, Record<string, string>][] = [
  [
    'A with Date',
    { date: 'Fri, 09 Oct 2015 00:00:00 GMT', source: 'AndriodApp', authorization: hmac('date source', 'GkN8iWyLZpfBy7Ck/UZKi3AyF74=') },
  ],
  ['A with X-Date', { 'x-date': date, source: 'source', authorization: hmac('x-date source', 'KlrALPNJ3q3BIFFrN3xGBXhRxAI=') }],
  ['B', { 'x-date': date, 'x-source': 'market', authorization: hmac('x-date x-source', 'rG3zcZAufJnTEt0599/5oSKBZNc=') }],
  ['C', { authorization: JSON.stringify({ id: 'ID', 'x-date': date, signature: 'lAMN12UY/3LTj0Zc+wG+jXz/QBI=' }) }],
  ['C with spaces', { authorization: `{"id": "ID", "x-date": "${date}", "signature": "lAMN12UY/3LTj0Zc+wG+jXz/QBI="}` }],
];

const refused = (headers: Record<string, string>, nowMs = then) => {
  const read = readClaim(headers, nowMs);
  return read.ok ? undefined : read.error;
};

describe('a signature', () => {
  test.each(vectors)('of dialect %s is recognised, and with another key it is not', (_, headers) => {
    const read = readClaim(headers, then);
    if (!read.ok) throw new Error(read.error.message);
    expect(read.value.secretId).toBe('ID');
    expect(matches(read.value, key)).toBe(true);
    expect(matches(read.value, createSecretKey(Buffer.from('another-key')))).toBe(false);
  });

  test('is the one that openssl makes of the same headers', () => {
    const signed = `x-date: ${date}\nsource: 应用 1`;
    const made = execFileSync('openssl', ['dgst', '-sha1', '-hmac', 'demo-secret-key', '-binary'], { input: signed }).toString('base64');
    // Node reads headers as one character a byte.
    const source = Buffer.from('应用 1').toString('latin1');
    const read = readClaim({ 'x-date': date, source, authorization: hmac('x-date source', made) }, then);
    expect(read.ok && matches(read.value, key)).toBe(true);
  });

  test('no longer matches when any signed header is another', () => {
    const value = fc.stringMatching(/^[!-~]{1,20}$/);
    fc.assert(
      fc.property(value, value, (one, other) => {
        fc.pre(one !== other);
        const signature = createHmac('sha1', key).update(`date: d\nx-any: ${one}`).digest('base64');
        const claimOf = (given: string) => readClaim({ date: 'd', 'x-any': given, authorization: hmac('date x-any', signature) }, 0);
        const [good, bad] = [claimOf(one), claimOf(other)];
        expect(good.ok && matches(good.value, key)).toBe(true);
        expect(bad.ok && matches(bad.value, key)).toBe(false);
      }),
    );
  });
});

describe('a refusal has the text that callers know', () => {
  const later = then + 15 * 60_000 + 1;
  test.each([
    ['without Authorization', {}, then, refusals.missing],
    ['of another scheme', { authorization: 'Bearer x' }, then, refusals.notReadable],
    ['of a broken object', { authorization: '{"id"' }, then, refusals.notReadable],
    ['of another algorithm', { authorization: 'hmac id="a", algorithm="md5", headers="date", signature="b"' }, then, refusals.notReadable],
    ['without id', { authorization: 'hmac algorithm="hmac-sha1", headers="date", signature="b"' }, then, refusals.incomplete],
    ['of an object without signature', { authorization: '{"id":"a","x-date":"x"}' }, then, refusals.incomplete],
    ['without a date', { source: 's', authorization: hmac('source', 'x') }, then, refusals.noDate],
    ['whose date is not there', { authorization: hmac('date', 'x') }, then, refusals.noDate],
    [
      'of a header that is not there',
      { date: 'd', authorization: hmac('date source', 'x') },
      then,
      { status: 403, message: 'HMAC signature cannot be verified, a valid source header is required' },
    ],
    ['signed too long ago', { 'x-date': date, authorization: hmac('x-date', 'x') }, later, refusals.noDate],
  ] as const)('%s', (_, headers, nowMs, refusal) => {
    expect(refused(headers as Record<string, string>, nowMs)).toEqual(refusal);
  });

  test('signed too long ago in dialect C, so that its clients sign again', () => {
    const headers = vectors[3]![1];
    expect(refused(headers, later)?.message).toMatch(/签名时间.*超时/);
    expect(refused(headers, then + 15 * 60_000)).toBeUndefined();
  });

  test('whatever is sent, it is read or refused', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => `hmac ${text}`),
        ),
        (authorization) => {
          expect(readClaim({ authorization, date: 'd' }, 0)).toHaveProperty('ok');
        },
      ),
    );
  });
});
