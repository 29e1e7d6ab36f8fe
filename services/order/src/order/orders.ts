import type { Sql } from '@yunshi/db/connect';
import { rowsOf, type Rows } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { AccountId, OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import type { OrderKind } from '@yunshi/kernel/marketplace';
import * as tables from '../tables.ts';
import type { Entry, Order, OrderStatus } from './order.ts';

export const orders: Rows<OrderId, Order> = rowsOf(tables.orders, 'orderId');
export const timeline: Rows<string, Entry> = rowsOf(tables.timeline, 'entryId', { onConflict: 'keep' });

const selected = selectListOf(tables.orders);
const entrySelected = selectListOf(tables.timeline, 't');

/** Whose eyes: a buyer sees the orders of the account, less those it has deleted; a provider those of its products; an operator all. */
export type Viewer = { readonly accountId: AccountId } | { readonly providerId: ProviderId } | 'operator';
/** An order as somebody may see it. */
export type Seen = { readonly by: Viewer; readonly orderId: OrderId };

function visibleTo(sql: Sql, by: Viewer) {
  if (by === 'operator') return sql`true`;
  return 'accountId' in by ? sql`account_id = ${by.accountId} and deleted_at is null` : sql`provider_id = ${by.providerId}`;
}

export async function findOrder(sql: Sql, { by, orderId }: Seen): Promise<Order | undefined> {
  const [found] = await sql<Order[]>`select ${sql.unsafe(selected)} from orders where order_id = ${orderId} and ${visibleTo(sql, by)}`;
  return found;
}

/** Where a page of a list ends. */
export type After = Pick<Order, 'placedAt' | 'orderId'>;

export type OrderSearch = {
  readonly by: Viewer;
  /** Of this account or provider only: for who may see those of several. */
  readonly accountId?: AccountId | undefined;
  readonly providerId?: ProviderId | undefined;
  readonly kind?: OrderKind | undefined;
  readonly status?: OrderStatus | undefined;
  readonly productId?: ProductId | undefined;
  readonly placedFrom?: Date | undefined;
  readonly placedUntil?: Date | undefined;
  /** The beginning of an order number, or a whole instance, order or user id. */
  readonly keyword?: string | undefined;
  readonly after?: After | undefined;
  readonly limit: number;
};

/** One page of the orders that somebody may see, newest first. */
export async function findOrders(sql: Sql, search: OrderSearch): Promise<Order[]> {
  const { by, accountId, providerId, kind, status, productId, placedFrom, placedUntil, keyword, after, limit } = search;
  // All orders are read along their ids, which begin with the time: they need no index of their own, which shorter lists might be read by.
  const ofAll = by === 'operator' && !accountId && !providerId && !productId && !keyword;
  return sql<Order[]>`
    select ${sql.unsafe(selected)} from orders
    where ${visibleTo(sql, by)}
      ${accountId ? sql`and account_id = ${accountId}` : sql``} ${providerId ? sql`and provider_id = ${providerId}` : sql``}
      ${after ? (ofAll ? sql`and order_id < ${after.orderId}` : sql`and (placed_at, order_id) < (${after.placedAt}, ${after.orderId})`) : sql``}
      ${status ? inStatus(sql, status) : sql``} ${kind ? ofKind(sql, kind) : sql``}
      ${productId ? sql`and product_id = ${productId}` : sql``}
      ${placedFrom ? sql`and placed_at >= ${placedFrom} ${ofAll ? sql`and order_id >= ${firstIdOf(addMinutes(placedFrom, -1))}` : sql``}` : sql``}
      ${placedUntil ? sql`and placed_at < ${placedUntil} ${ofAll ? sql`and order_id < ${firstIdOf(placedUntil)}` : sql``}` : sql``}
      ${keyword ? about(sql, keyword) : sql``}
    order by ${ofAll ? sql`` : sql`placed_at desc,`} order_id desc limit ${limit}`;
}

const addMinutes = (at: Date, minutes: number): Date => new Date(at.getTime() + minutes * 60_000);
/** All ids that are made at this time or later come after it. An order is placed up to a moment after its id was made. */
const firstIdOf = (at: Date): string => `ord_${at.getTime().toString(16).padStart(12, '0')}`;

// What is not the usual has short indexes of its own; a plan that is made before the value is known takes them only if it is told so.
const inStatus = (sql: Sql, status: OrderStatus) =>
  status === 'completed' ? sql`and status = 'completed'` : sql`and status = ${status} and status <> 'completed'`;
const ofKind = (sql: Sql, kind: OrderKind) =>
  kind === 'new_purchase' ? sql`and kind = 'new_purchase'` : sql`and kind = ${kind} and kind <> 'new_purchase'`;

/** An id says by its prefix what it is of; users may have ids of another issuer's making. */
function about(sql: Sql, keyword: string) {
  if (/^\d+$/.test(keyword)) return sql`and order_number like ${`${keyword}%`}`;
  if (keyword.startsWith('ord_')) return sql`and order_id = ${keyword}`;
  return keyword.startsWith('ins_') ? sql`and instance_id = ${keyword}` : sql`and user_id = ${keyword}`;
}

/** What happened to an order since `after` (a version), oldest first. Empty for an order that they may not see. */
export async function findEntries(sql: Sql, { by, orderId }: Seen, after = 0): Promise<Entry[]> {
  return sql<Entry[]>`
    select ${sql.unsafe(entrySelected)} from timeline t
    where t.order_id = ${orderId} and t.version > ${after}
      and exists (select from orders where order_id = ${orderId} and ${visibleTo(sql, by)})
    order by t.version`;
}

/** The present version of each of these orders, for those who wait for a change. */
export async function versionsOf(sql: Sql, orderIds: readonly OrderId[]): Promise<Pick<Order, 'orderId' | 'version'>[]> {
  return sql<Pick<Order, 'orderId' | 'version'>[]>`
    select order_id as "orderId", version from orders where order_id = any(${orderIds as OrderId[]}::text[])`;
}
