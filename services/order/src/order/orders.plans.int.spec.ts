import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import type { AccountId, OrderId, ProductId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { copyRows } from '@yunshi/testing/copies';
import { testDatabase } from '@yunshi/testing/database';
import { explaining, planOf } from '@yunshi/testing/plans';
import { instance, named, noon, placed } from '../stories.ts';
import { complete, type Order } from './order.ts';
import { findEntries, findOrder, findOrders, orders, timeline, type OrderSearch } from './orders.ts';

const database = await testDatabase('order');
await migrate(database.url, [{ name: 'order', path: fileURLToPath(new URL('../../migrations', import.meta.url)) }]);
const sql = connect({ url: database.url, name: 'plans', connectionsMax: 2 });
afterAll(() => sql.end());

/**
 * 30,000 orders over 75 days, one every 216 seconds: of 97 accounts with three users each, at 7 providers with 12 products each. One in
 * twenty was cancelled, one in a hundred waits for its payment, one in thirteen is a renewal.
 */
const count = 30_000;
const everyMs = 216_000;
const first = placed({ orderId: `ord_${noon.getTime().toString(16).padStart(12, '0')}${'0'.repeat(20)}` as OrderId });
const completed = complete(first, instance, noon);
await orders.save(sql, [completed.order]);
await timeline.save(sql, completed.entries);
const later = (column: string) => `(${column} + nth * interval '${everyMs} milliseconds')`;
/** An id that begins with the time when it was made, as those of orders do. */
const timely = (prefix: string) =>
  `'${prefix}_' || lpad(to_hex(${noon.getTime()} + nth::bigint * ${everyMs}), 12, '0') || lpad(to_hex(nth), 20, '0')`;
const oneOf = (prefix: string, many: number) => `'${prefix}_' || lpad(to_hex(nth % ${many}), 32, '0')`;
const [isCancelled, isWaiting, isRenewal] = ['nth % 20 = 7', 'nth % 100 = 11', 'nth % 13 = 3'];
await copyRows(sql, 'orders', {
  count,
  changes: {
    order_id: timely('ord'),
    order_number: `to_char(${later('placed_at')} at time zone 'Asia/Shanghai', 'YYYYMMDD') || lpad(nth::text, 16, '0')`,
    placed_at: later('placed_at'),
    account_id: oneOf('acc', 97),
    user_id: oneOf('usr', 291),
    provider_id: oneOf('prv', 7),
    product_id: oneOf('prd', 84),
    status: `case when ${isCancelled} then 'cancelled' when ${isWaiting} then 'pending_payment' else 'completed' end`,
    kind: `case when ${isRenewal} then 'renewal' else 'new_purchase' end`,
    for_instance_id: `case when ${isRenewal} then 'ins_1' end`,
    ended_at: `case when ${isWaiting} then null else ${later('ended_at')} end`,
    instance_id: `case when ${isCancelled} or ${isWaiting} then null else ${timely('ins')} end`,
  },
});
await copyRows(sql, 'timeline', { count, changes: { order_id: timely('ord'), entry_id: `entry_id || nth`, at: later('at') } });
await sql`analyze orders, timeline`;

/** All of them, newest first. */
const all = await findOrders(sql, { by: 'operator', limit: count + 1 });
const nth = (one: number): Order => all[all.length - 1 - one]!;
const explained = explaining(sql);
const [account, provider, product, user] = [
  named<AccountId>('acc', '7'),
  named<ProviderId>('prv', '3'),
  named<ProductId>('prd', '11'),
  named<UserId>('usr', '7'),
];
const mine = { by: { accountId: account }, limit: 21 };
const ofMyProducts = { by: { providerId: provider }, limit: 21 };
const whole = { by: 'operator', limit: 21 } as const;
const after = nth(15_000);
const day = { placedFrom: nth(8_000).placedAt, placedUntil: nth(8_400).placedAt };

const searches: readonly [string, OrderSearch, string][] = [
  ['mine', mine, 'orders_newest'],
  ['mine, the next page', { ...mine, after }, 'orders_newest'],
  ['mine, completed', { ...mine, status: 'completed' }, 'orders_newest'],
  ['mine, waiting', { ...mine, status: 'pending_payment' }, 'orders_by_status'],
  ['mine, cancelled, the next page', { ...mine, status: 'cancelled', after }, 'orders_by_status'],
  ['mine, renewals', { ...mine, kind: 'renewal' }, 'orders_by_kind'],
  ['mine, of a kind that I have none of', { ...mine, kind: 'trial_conversion' }, 'orders_'],
  ['mine, of a product', { ...mine, productId: product }, 'orders_by_product'],
  ['mine, of a time', { ...mine, ...day }, 'orders_newest'],
  ['mine, by a whole number', { ...mine, keyword: nth(7).orderNumber }, 'orders_number'],
  ['mine, by the beginning of a number', { ...mine, keyword: '202603' }, 'orders_'],
  ['mine, by an instance', { ...mine, keyword: nth(104).instanceId! }, 'orders_instance'],
  ['mine, by an order', { ...mine, keyword: nth(7).orderId }, 'orders_pkey'],
  ['mine, by who ordered', { ...mine, keyword: user }, 'orders_'],
  ['a provider’s', ofMyProducts, 'orders_of_provider'],
  ['a provider’s, the next page', { ...ofMyProducts, after }, 'orders_of_provider'],
  ['a provider’s, completed', { ...ofMyProducts, status: 'completed' }, 'orders_of_provider'],
  ['a provider’s, waiting', { ...ofMyProducts, status: 'pending_payment' }, 'orders_of_provider_by_status'],
  ['a provider’s, in a status that none is in', { ...ofMyProducts, status: 'failed' }, 'orders_of_provider_by_status'],
  ['a provider’s, renewals', { ...ofMyProducts, kind: 'renewal' }, 'orders_of_provider_by_kind'],
  ['a provider’s, of a product', { ...ofMyProducts, productId: named<ProductId>('prd', '3') }, 'orders_'],
  ['a provider’s, of an account', { ...ofMyProducts, accountId: account }, 'orders_'],
  ['a provider’s, of a time', { ...ofMyProducts, ...day }, 'orders_of_provider'],
  ['all', whole, 'orders_pkey'],
  ['all, the next page', { ...whole, after }, 'orders_pkey'],
  ['all, completed', { ...whole, status: 'completed' }, 'orders_pkey'],
  ['all, waiting', { ...whole, status: 'pending_payment' }, 'orders_in_status'],
  ['all, in a status that none is in', { ...whole, status: 'pending_approval' }, 'orders_in_status'],
  ['all, trial conversions', { ...whole, kind: 'trial_conversion' }, 'orders_of_kind'],
  ['all, of a product', { ...whole, productId: product, after }, 'orders_of_product'],
  ['all, of a time', { ...whole, ...day }, 'orders_pkey'],
  ['all, of an account', { ...whole, accountId: account, after }, 'orders_newest'],
  ['all, of a provider, cancelled', { ...whole, providerId: provider, status: 'cancelled' }, 'orders_of_provider_by_status'],
  ['all, by the number of a day', { ...whole, keyword: '20260420' }, 'orders_number'],
  ['all, by who ordered', { ...whole, keyword: user }, 'orders_of_user'],
];

test.each(searches)('a list (%s) reads an index and no whole table', async (_, search, index) => {
  const plan = await planOf(findOrders(explained, search));
  expect(plan).toContain(`"Index Name":"${index}`);
  expect(plan).not.toContain('Seq Scan');
});

/** Where few are found, sorting them is as good. */
const long = searches.filter(([, { by, status, kind, productId, keyword, placedFrom }, index]) => {
  const isShort = (status ?? 'completed') !== 'completed' || (kind ?? 'new_purchase') !== 'new_purchase';
  return index !== 'orders_' && !isShort && !keyword && !placedFrom && (by === 'operator' || !productId);
});

test.each(long)('a long list (%s) comes sorted out of its index', async (_, search) =>
  expect(await planOf(findOrders(explained, search))).not.toContain('"Sort"'),
);

const isSeen = (search: OrderSearch, order: Order): boolean => {
  const { by, accountId, providerId, kind, status, productId, placedFrom, placedUntil, keyword, after: last } = search;
  const fits = <T>(wanted: T | undefined, is: T): boolean => wanted === undefined || wanted === is;
  return (
    (by === 'operator' || ('accountId' in by ? order.accountId === by.accountId : order.providerId === by.providerId)) &&
    fits(accountId, order.accountId) &&
    fits(providerId, order.providerId) &&
    fits(kind, order.kind) &&
    fits(status, order.status) &&
    fits(productId, order.productId) &&
    (!placedFrom || order.placedAt >= placedFrom) &&
    (!placedUntil || order.placedAt < placedUntil) &&
    (!last || order.placedAt < last.placedAt) &&
    (keyword === undefined ||
      order.orderNumber.startsWith(keyword) ||
      [order.orderId, order.instanceId, order.userId].includes(keyword as OrderId))
  );
};

test.each(searches)('a list (%s) has what it should, newest first', async (_, search) => {
  const expected = all.filter((order) => isSeen(search, order)).slice(0, search.limit);
  expect((await findOrders(sql, search)).map(({ orderId }) => orderId)).toEqual(expected.map(({ orderId }) => orderId));
});

test('one order and its timeline are read by their keys', async () => {
  const own = { by: mine.by, orderId: nth(7).orderId };
  expect(await planOf(findOrder(explained, own))).toContain('"Index Name":"orders_pkey"');
  const plan = await planOf(findEntries(explained, own));
  expect(plan).toContain('orders_pkey');
  expect(plan).not.toContain('Seq Scan');
});
