import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import type { AccountId, ProviderId } from '@yunshi/kernel/ids';
import { copyRows, nthId } from '@yunshi/testing/copies';
import { testDatabase } from '@yunshi/testing/database';
import { explaining, planOf } from '@yunshi/testing/plans';
import { claimableRows, coupons, offerRows } from '../coupon/coupons.ts';
import { claimed, march, published, shop } from '../story.fixture.ts';
import { forOrder } from './claim.ts';
import { claims, findClaims, findForCheckout, type ClaimSearch } from './claims.ts';

const database = await testDatabase('coupon');
await migrate(database.url, [{ name: 'coupon', path: fileURLToPath(new URL('../../migrations', import.meta.url)) }]);
const sql = connect({ url: database.url, name: 'plans', connectionsMax: 2 });
afterAll(() => sql.end());
const explained = explaining(sql);

/** 400 buyers with 250 coupons each, claimed one after the other, each usable for 1 to 50 days; and 20,000 offers of 50 shops. */
const accounts = Array.from({ length: 400 }, (_, nth) => `acc_${String(nth).padStart(32, '0')}` as AccountId);
await claims.save(sql, [claimed({}, march(2))]);
await coupons.save(sql, [published({ claimFrom: march(1), claimUntil: march(2) })]);
await copyRows(sql, 'claims', {
  count: 100_000,
  changes: {
    claim_id: nthId('ccl', 'nth'),
    number: `'n' || nth`,
    account_id: `'acc_' || lpad((nth % 400)::text, 32, '0')`,
    claimed_at: `claimed_at + nth * interval '1 second'`,
    valid_until: `claimed_at + nth * interval '1 second' + (1 + (nth * 7) % 50) * interval '1 day'`,
  },
});
await copyRows(sql, 'coupons', {
  count: 20_000,
  changes: {
    coupon_id: nthId('cpn', 'nth'),
    number: `'n' || nth`,
    provider_id: `'prv_' || lpad((nth % 50)::text, 32, '0')`,
    claim_until: `claim_until + (nth % 60) * interval '1 day'`,
    published_at: `published_at + nth * interval '1 second'`,
  },
});
await sql`analyze claims, coupons`;

const now = march(10);
const mine: ClaimSearch = { accountId: accounts[7]!, sort: '-claimed_at', now, take: 21 };
const after = { at: march(3), claimId: claimed().claimId };

test.each<[string, ClaimSearch, string]>([
  ['newest first', mine, 'claims_newest'],
  ['newest first, the next page', { ...mine, after }, 'claims_newest'],
  ['soonest to expire first', { ...mine, sort: 'valid_until' }, 'claims_soonest'],
  ['soonest to expire first, the next page', { ...mine, sort: 'valid_until', after }, 'claims_soonest'],
])('a list of my coupons, %s, comes sorted out of an index', async (_, search, index) => {
  const plan = await planOf(findClaims(explained, search));
  expect(plan).toContain(`"Index Name":"${index}"`);
  expect(plan).not.toContain('Seq Scan');
  expect(plan).not.toContain('"Sort"');
});

test('nobody has to read a whole table to find some coupons of a buyer', async () => {
  const filters: Partial<ClaimSearch>[] = [
    { status: 'used' },
    { status: 'expired', sort: 'valid_until' },
    { scene: 'renewal' },
    { couponId: published().couponId },
    { keyword: '新客' },
  ];
  for (const filter of filters) expect(await planOf(findClaims(explained, { ...mine, ...filter }))).not.toContain('Seq Scan');
});

const shopWithMany = `prv_${'7'.padStart(32, '0')}` as ProviderId;
test.each<[string, () => Promise<unknown>, string]>([
  [
    'the offers of a shop, newest first',
    () => offerRows(explained, { providerId: shopWithMany, now, take: 21 }),
    'coupons_newest_of_provider',
  ],
  ['all offers, newest first', () => offerRows(explained, { now, take: 21 }), 'coupons_newest'],
  ['what can be claimed now', () => claimableRows(explained, { now, take: 21 }), 'coupons_open'],
])('%s: out of an index, not sorted', async (_, asked, index) => {
  const plan = await planOf(asked());
  expect(plan).toContain(`"Index Name":"${index}"`);
  expect(plan).not.toContain('Seq Scan');
  expect(plan).not.toContain('"Sort"');
});

test('a checkout reads the buyer’s own coupons only', async () => {
  const plan = await planOf(findForCheckout(explained, { accountId: mine.accountId, providerIds: [shop], now }));
  expect(plan).toContain('"Index Name":"claims_');
  expect(plan).not.toContain('Seq Scan');
});

test('usable and expired coupons are told apart by the given time alone', async () => {
  const all = { ...mine, take: 300 };
  const [usable, expired] = await Promise.all([
    findClaims(sql, { ...all, status: 'usable' }),
    findClaims(sql, { ...all, status: 'expired' }),
  ]);
  expect(usable.every(({ validUntil }) => validUntil > now)).toBe(true);
  expect(expired.every(({ validUntil }) => validUntil <= now)).toBe(true);
  expect(usable.length + expired.length).toBe(250);
});

test('a checkout leaves out what can never be used again', async () => {
  const found = await findForCheckout(sql, { accountId: mine.accountId, providerIds: [shop], now });
  expect(found.map(({ validUntil }) => validUntil > now)).not.toContain(false);
  expect(forOrder(found, { kind: 'renewal', lines: [], now }).usable).toEqual([]);
  expect(await findForCheckout(sql, { accountId: `acc_${'9'.repeat(32)}` as AccountId, providerIds: [shop], now })).toEqual([]);
});
