import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isGenuine, queryOf, spiUrl, tokenOf } from './signature.ts';

describe('the token of a call', () => {
  test('is the MD5 of the sorted parameters and the key', () => {
    expect(tokenOf({ p1: '1', p2: '2', p3: '3' }, 'isvkey')).toBe('691b1c2be27485a87fb000de6f89f1d3');
    expect(tokenOf({ p3: '3', p1: '1', p2: '2', token: 'whatever came' }, 'isvkey')).toBe('691b1c2be27485a87fb000de6f89f1d3');
  });

  test('takes values as they are before URL encoding', () => {
    const params = {
      action: 'createInstance',
      aliUid: '1001',
      expiredOn: '2026-12-31 23:59:59',
      orderBizId: '42',
      orderId: '205060317920890',
      productCode: 'cmapi0001',
      skuId: 'yuncode0001',
      trial: 'false',
    };
    expect(tokenOf(params, 'isvkey')).toBe('f56d9586df9d1d57db68dcf4a1fa09dc');
  });

  test('keeps empty values, as JD Cloud prints it for the same rule', () => {
    const params = {
      accountNum: '1',
      action: 'createInstance',
      email: 'bujiaban@jd.com',
      expiredOn: '2018-06-30 23:59:59',
      jdPin: 'bujiaban',
      mobile: '',
      orderBizId: '444181',
      orderId: '556596',
      serviceCode: 'FW_GOODS-500232',
      skuId: 'FW_GOODS-500232-1',
      template: '',
    };
    expect(tokenOf(params, 'qweqeqeqe123123123131')).toBe('9512df22a941f172a9f28068b758ee3e');
  });
});

const params = fc.dictionary(
  fc.stringMatching(/^[A-Za-z]\w{0,11}$/).filter((name) => name !== 'token' && !(name in {})),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  { minKeys: 1, maxKeys: 8, noNullPrototype: true },
);
const key = fc.stringMatching(/^[a-z0-9]{8,20}$/);
const received = (url: string): Record<string, string> => Object.fromEntries(new URL(url).searchParams);

test('a call is genuine as it arrives, whatever its parameters say', () => {
  fc.assert(
    fc.property(params, key, (sent, secret) => {
      expect(isGenuine(received(spiUrl('https://a.example/spi', sent, secret)), secret)).toBe(true);
    }),
  );
});

test('a call is forged with another key, another value, one more or one less parameter', () => {
  fc.assert(
    fc.property(params, key, (sent, secret) => {
      const query = received(spiUrl('https://a.example/spi', sent, secret));
      const [name] = Object.keys(sent);
      const { [name!]: value, ...less } = query;
      for (const changed of [{ ...query, [name!]: `${value}x` }, { ...query, onemore0123456: '' }, less, { ...query, token: '' }]) {
        expect(isGenuine(changed, secret)).toBe(false);
      }
      expect(isGenuine(query, `${secret}x`)).toBe(false);
    }),
  );
});

test('a parameter that comes twice is forged', () => {
  expect(isGenuine({ action: ['a', 'b'], token: tokenOf({ action: 'a' }, 'k') }, 'k')).toBe(false);
});

test('a query for the log has no token, and an address may bring a query of its own', () => {
  expect(queryOf({ action: 'expiredInstance', at: '2026-12-31 23:59:59' })).toBe('action=expiredInstance&at=2026-12-31%2023%3A59%3A59');
  const url = spiUrl('https://a.example/login?tenant=1#/home', { action: 'verify' }, 'k');
  expect(url).toMatch(/^https:\/\/a\.example\/login\?tenant=1&action=verify&token=[0-9a-f]{32}#\/home$/);
  expect(isGenuine(received(url), 'k')).toBe(true);
});
