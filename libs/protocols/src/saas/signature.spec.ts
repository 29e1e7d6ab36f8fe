import { createHash, randomInt } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventIdMax, eventIdMin, sign, stamp, verify } from './signature.ts';

describe('the signature of a delivery call', () => {
  test.each([
    ['sorts the event before the time', 'demo-token-0001', 1234567890, '72363503fe6955667f20615290e26502041e257cb706762111a4411d30327d47'],
    ['sorts as strings, not as numbers', 'demo-token-0001', 99, '7b12b8b4525f91ef1b4a127883c7cb9d51a3fe41dcd86b26b967d14853c90ef4'],
    [
      'sorts a token that begins with a digit first',
      '0demo',
      1234567890,
      '0f7468e1ed9c8d5963f733436b0f19961cedd254f19a6061da0052b1f7311d9b',
    ],
  ])('%s', (_rule, token, eventId, expected) => {
    expect(sign(token, { timestamp: 1_700_000_000, eventId })).toBe(expected);
  });

  test('joins the three values with nothing between', () => {
    const joined = createHash('sha256').update('12345678901700000000demo-token-0001').digest('hex');
    expect(sign('demo-token-0001', { timestamp: 1_700_000_000, eventId: 1234567890 })).toBe(joined);
  });

  test('is understood by a provider that forgot to sort, while the token begins with a letter', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z][\w-]{7,31}$/), fc.integer({ min: 1_500_000_000, max: 1_999_999_999 }), (token, seconds) => {
        const drawn = stamp(seconds * 1000, randomInt);
        const unsorted = createHash('sha256').update(`${drawn.timestamp}${drawn.eventId}${token}`).digest('hex');
        expect(sign(token, drawn)).toBe(unsorted);
      }),
    );
  });
});

describe('the stamp of a call', () => {
  test('draws the event between two billion and the largest 32-bit integer, both included', () => {
    expect(stamp(0, (min) => min).eventId).toBe(2_000_000_000);
    expect(stamp(0, (_min, maxExclusive) => maxExclusive - 1).eventId).toBe(2_147_483_647);
    expect([eventIdMin, eventIdMax]).toEqual([2_000_000_000, 2_147_483_647]);
  });

  test('carries whole seconds', () => {
    expect(stamp(1_700_000_000_999, randomInt).timestamp).toBe(1_700_000_000);
  });
});

describe('a provider', () => {
  const nowMs = 1_700_000_000_000;
  const query = (given: { timestamp?: number; eventId?: number; token?: string }) => {
    const signed = { timestamp: given.timestamp ?? nowMs / 1000, eventId: given.eventId ?? 2_000_000_007 };
    return { signature: sign(given.token ?? 'demo-token', signed), timestamp: String(signed.timestamp), eventId: String(signed.eventId) };
  };

  test('accepts a call signed with its token', () => {
    expect(verify('demo-token', query({}), nowMs)).toBe('genuine');
  });

  test('refuses a call signed with another token', () => {
    expect(verify('demo-token', query({ token: 'other-token' }), nowMs)).toBe('forged');
  });

  test.each([
    [30, 'genuine'],
    [31, 'stale'],
    [-30, 'genuine'],
    [-31, 'stale'],
  ])('judges a call %i seconds old as %s', (age, verdict) => {
    expect(verify('demo-token', query({ timestamp: nowMs / 1000 - age }), nowMs)).toBe(verdict);
  });

  test.each([
    ['no signature', { signature: undefined }],
    ['a signature given twice', { signature: ['a', 'b'] }],
    ['a time that is not a number', { timestamp: 'yesterday' }],
    ['a time with a leading zero', { timestamp: '01700000000' }],
    ['a time written as 1e9', { timestamp: '1e9' }],
    ['no event', { eventId: undefined }],
    ['a signature in upper case', { signature: query({}).signature.toUpperCase() }],
  ])('refuses %s', (_what, change) => {
    expect(verify('demo-token', { ...query({}), ...change }, nowMs)).toBe('forged');
  });
});
