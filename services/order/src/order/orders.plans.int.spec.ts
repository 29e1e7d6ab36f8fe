import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { newId, type AccountId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { explaining, planOf } from '@yunshi/testing/plans';
import { fanying, helpDesk, instance, named, noon, placed } from '../stories.ts';
import { complete, type Entry, type Order } from './order.ts';
import { findEntries, findOrder, findOrders, orders, timeline, type OrderSearch } from './orders.ts';

const database = await testDatabase('order');
await migrate(database.url, [{ name: 'order', path: fileURLToPath(new URL('../../migrations', import.meta.url)) }]);
const sql = connect({ url: database.url, name: 'plans', connectionsMax: 2 });
afterAll(() => sql.end());

/** Ten accounts with five hundred orders each, over fifty days. */
const accounts = Array.from({ length: 10 }, (_, nth) => named<AccountId>('acc', `c${nth}`));
const many: Order[] = [];
const entries: Entry[] = [];
for (let nth = 0; nth < 5_000; nth++) {
  const at = new Date(noon.getTime() + nth * 864_000);
  const order = { ...placed({ orderId: newId('ord', at) }, {}, at), accountId: accounts[nth % 10]! };
  const changed = nth % 3 === 0 ? complete(order, newId('ins', at), at) : { order, entries: [] };
  many.push(changed.order);
  entries.push(...changed.entries);
}
await orders.save(sql, many);
await timeline.save(sql, entries);
await sql`analyze orders, timeline`;

const explained = explaining(sql);
const mine = { by: { accountId: accounts[7]! }, limit: 21 };
const after = { placedAt: noon, orderId: named<Order['orderId']>('ord', 'f') };

test.each<[string, OrderSearch, string]>([
  ['newest first', mine, 'orders_newest'],
  ['the next page', { ...mine, after }, 'orders_newest'],
  ['of one status', { ...mine, status: 'completed' }, 'orders_by_status'],
  ['of a time', { ...mine, placedFrom: noon, placedUntil: new Date(noon.getTime() + 86_400_000) }, 'orders_newest'],
  ['of a provider', { by: { providerId: fanying }, after, limit: 21 }, 'orders_of_provider'],
  ['of all', { by: 'operator', after, limit: 21 }, 'orders_pkey'],
  ['of all of a time', { by: 'operator', placedFrom: noon, placedUntil: new Date(noon.getTime() + 86_400_000), limit: 21 }, 'orders_'],
  ['of one account, for its operator', { by: 'operator', accountId: accounts[3]!, limit: 21 }, 'orders_newest'],
  ['by a whole number', { ...mine, keyword: many[7]!.orderNumber }, 'orders_number'],
])('a list %s reads an index and scans no table', async (_, search, index) => {
  const plan = await planOf(findOrders(explained, search));
  expect(plan).toContain(`"Index Name":"${index}`);
  expect(plan).not.toContain('Seq Scan');
});

test('the lists that grow longest come sorted out of the index', async () => {
  expect(await planOf(findOrders(explained, mine))).not.toContain('"Sort"');
  expect(await planOf(findOrders(explained, { ...mine, status: 'completed' }))).not.toContain('"Sort"');
});

test('one order and its timeline are read by their keys', async () => {
  const own = { by: mine.by, orderId: many[7]!.orderId };
  expect(await planOf(findOrder(explained, own))).toContain('"Index Name":"orders_pkey"');
  const plan = await planOf(findEntries(explained, own));
  expect(plan).toContain('orders_pkey');
  expect(plan).not.toContain('Seq Scan');
});

test('every filter finds what it should among many', async () => {
  const all = { ...mine, limit: 1_000 };
  const ofMine = many.filter((order) => order.accountId === mine.by.accountId);
  const ids = (found: readonly Order[]) => found.map((order) => order.orderId);
  expect(ids(await findOrders(sql, all))).toEqual(ids(ofMine).reverse());
  const [from, until] = [many[100]!.placedAt, many[110]!.placedAt];
  expect(ids(await findOrders(sql, { by: 'operator', placedFrom: from, placedUntil: until, limit: 100 }))).toEqual(
    ids(many.slice(100, 110)).reverse(),
  );
  expect(ids(await findOrders(sql, { by: 'operator', after: many[103]!, limit: 2 }))).toEqual(ids(many.slice(101, 103)).reverse());
  const completed = ofMine.filter(({ status }) => status === 'completed');
  expect(ids(await findOrders(sql, { ...all, status: 'completed', productId: helpDesk }))).toEqual(ids(completed).reverse());
  expect(await findOrders(sql, { ...all, keyword: instance })).toEqual([]);
  expect(ids(await findOrders(sql, { ...all, keyword: completed[0]!.instanceId! }))).toEqual([completed[0]!.orderId]);
});
