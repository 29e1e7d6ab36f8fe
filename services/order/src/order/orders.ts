import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, OrderId, ProductId } from '@yunshi/kernel/ids';
import type { OrderKind } from '@yunshi/kernel/marketplace';
import * as tables from '../tables.ts';
import type { Entry, Order, OrderStatus } from './order.ts';

export const orders: Rows<OrderId, Order> = rowsOf(tables.orders, 'orderId');
export const timeline: Rows<string, Entry> = rowsOf(tables.timeline, 'entryId', { onConflict: 'keep' });

const selected = selectListOf(tables.orders);
const entrySelected = selectListOf(tables.timeline, 't');

/** An order as one account may see it. */
export type Own = { readonly accountId: AccountId; readonly orderId: OrderId };

export async function findOrder(sql: Sql, { accountId, orderId }: Own): Promise<Order | undefined> {
  const [found] = await sql<Order[]>`select ${sql.unsafe(selected)} from orders where order_id = ${orderId} and account_id = ${accountId}`;
  return found;
}

export type OrderSearch = {
  readonly accountId: AccountId;
  readonly kind?: OrderKind | undefined;
  readonly status?: OrderStatus | undefined;
  readonly productId?: ProductId | undefined;
  readonly placedFrom?: Date | undefined;
  readonly placedUntil?: Date | undefined;
  /** The beginning of an order number, or a whole instance, order or user id. */
  readonly keyword?: string | undefined;
  readonly after?: { readonly placedAt: Date; readonly orderId: OrderId } | undefined;
  readonly limit: number;
};

/** One page of an account's orders, newest first. */
export async function findOrders(sql: Sql, search: OrderSearch): Promise<Order[]> {
  const { accountId, kind, status, productId, placedFrom, placedUntil, keyword, after, limit } = search;
  return sql<Order[]>`
    select ${sql.unsafe(selected)} from orders
    where account_id = ${accountId}
      ${after ? sql`and (placed_at, order_id) < (${after.placedAt}, ${after.orderId})` : sql``}
      ${status ? sql`and status = ${status}` : sql``} ${productId ? sql`and product_id = ${productId}` : sql``}
      ${kind ? sql`and kind = ${kind}` : sql``}
      ${placedFrom ? sql`and placed_at >= ${placedFrom}` : sql``} ${placedUntil ? sql`and placed_at < ${placedUntil}` : sql``}
      ${keyword ? about(sql, keyword) : sql``}
    order by placed_at desc, order_id desc limit ${limit}`;
}

const about = (sql: Sql, keyword: string) =>
  /^\d+$/.test(keyword)
    ? sql`and order_number like ${`${keyword}%`}`
    : sql`and (order_id = ${keyword} or instance_id = ${keyword} or user_id = ${keyword})`;

/** What happened to an order since `after` (a version), oldest first. Empty for an order of another account. */
export async function findEntries(sql: Sql, { accountId, orderId }: Own, after = 0): Promise<Entry[]> {
  return sql<Entry[]>`
    select ${sql.unsafe(entrySelected)} from timeline t join orders o on o.order_id = t.order_id
    where t.order_id = ${orderId} and o.account_id = ${accountId} and t.version > ${after} order by t.version`;
}

/** The present version of each of these orders, for those who wait for a change. */
export async function versionsOf(sql: Sql, orderIds: readonly OrderId[]): Promise<Pick<Order, 'orderId' | 'version'>[]> {
  return sql<Pick<Order, 'orderId' | 'version'>[]>`
    select order_id as "orderId", version from orders where order_id = any(${orderIds as OrderId[]}::text[])`;
}
