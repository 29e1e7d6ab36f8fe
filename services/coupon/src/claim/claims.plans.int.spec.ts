import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { addDays } from '@yunshi/kernel/calendar';
import { newId, type AccountId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { explaining, planOf } from '@yunshi/testing/plans';
import { claimed, lin, march, shop } from '../story.fixture.ts';
import { forOrder, type Claim } from './claim.ts';
import { claims, findClaims, findForCheckout, type ClaimSearch } from './claims.ts';

const database = await testDatabase('coupon');
await migrate(database.url, [{ name: 'coupon', path: fileURLToPath(new URL('../../migrations', import.meta.url)) }]);
const sql = connect({ url: database.url, name: 'plans', connectionsMax: 2 });
afterAll(() => sql.end());
const explained = explaining(sql);

/** Twenty buyers with 250 coupons each, claimed one after the other, each usable for 1 to 50 days. */
const accounts = Array.from({ length: 20 }, (_, nth) => `acc_${String(nth).padStart(32, '0')}` as AccountId);
const many: Claim[] = Array.from({ length: 5_000 }, (_, nth) => {
  const at = new Date(march(2).getTime() + nth * 1_000);
  const validUntil = addDays(at, 1 + ((nth * 7) % 50));
  return {
    ...claimed({}, march(2)),
    claimId: newId('ccl', at),
    number: `n${nth}`,
    accountId: accounts[nth % 20]!,
    claimedAt: at,
    validUntil,
  };
});
await claims.save(sql, many);
await sql`analyze claims`;

const now = march(10);
const mine: ClaimSearch = { accountId: accounts[7]!, sort: '-claimed_at', now, take: 21 };
const after = { at: march(3), claimId: many[0]!.claimId };

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
  expect(await findForCheckout(sql, { accountId: lin, providerIds: [shop], now })).toEqual([]);
});
