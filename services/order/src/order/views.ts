import { z } from 'zod';
import type { Sql } from '@yunshi/db/connect';
import type { Access } from '@yunshi/http/auth';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { allPages, csvFile, sendCsv } from '@yunshi/http/csv';
import { eventStream, streamEvents } from '@yunshi/http/events';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { chinaDay } from '@yunshi/kernel/calendar';
import { isTerminal } from '@yunshi/kernel/flow';
import { AccountId, OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { OrderKind } from '@yunshi/kernel/marketplace';
import type { Core } from '@yunshi/messaging/core';
import { Problem } from '../problems.ts';
import type { Changes } from './changes.ts';
import { orderColumns } from './columns.ts';
import { orderFlow, type Order } from './order.ts';
import { findEntries, findOrder, findOrders, type OrderSearch, type Seen, type Viewer } from './orders.ts';
import { followOrder, lastSeenOf } from './stream.ts';
import { ShownEntry, shownEntry, ShownOrder, shownOrder, Status } from './wire.ts';

const Params = z.strictObject({ order_id: OrderId });
const Time = z.iso.datetime({ offset: true });
const byNewest = keyset(z.tuple([z.iso.datetime(), OrderId]));
/** Rows that a file takes from the database at a time. */
const fileRows = 500;

const filters = {
  kind: OrderKind.optional(),
  status: Status.optional(),
  product_id: ProductId.optional(),
  placed_from: Time.optional().meta({ description: 'Placed at this time or later' }),
  placed_until: Time.optional().meta({ description: 'Placed before this time' }),
  keyword: z
    .string()
    .trim()
    .min(4)
    .max(64)
    .optional()
    .meta({ description: 'The beginning of an order number, or a whole order, instance or user id' }),
};
/** For who sees the orders of several accounts or providers. */
const partyFilters = { account_id: AccountId.optional(), provider_id: ProviderId.optional() };
/** What any of the views may be asked for; which it takes is said by its schema. */
type Filters = Partial<z.output<z.ZodObject<typeof filters & typeof partyFilters>>>;

const searchOf = (asked: Filters, by: Viewer): Omit<OrderSearch, 'limit'> => ({
  by,
  accountId: asked.account_id,
  providerId: asked.provider_id,
  kind: asked.kind,
  status: asked.status,
  productId: asked.product_id,
  placedFrom: asked.placed_from === undefined ? undefined : new Date(asked.placed_from),
  placedUntil: asked.placed_until === undefined ? undefined : new Date(asked.placed_until),
  keyword: asked.keyword,
});

/** The order, or «not found»: somebody else's is not found either. */
async function seenOrder(sql: Sql, seen: Seen): Promise<Order> {
  return (await findOrder(sql, seen)) ?? notFound(seen);
}

function notFound({ orderId }: Seen): never {
  throw new Problem('not-found', { detail: `There is no order ${orderId} of yours.` });
}

type View = {
  /** Where it stands: `/v1/orders` and what is below. */
  readonly at: string;
  readonly access: Access;
  /** Whose orders, for the summaries. */
  readonly whose: string;
  readonly by: (request: Parameters<typeof callerOf>[0]) => Viewer;
  readonly parties: Partial<typeof partyFilters>;
};

export const buyerView: View = {
  at: '/v1/orders',
  access: ['buyer'],
  whose: 'My orders',
  by: (request) => ({ accountId: callerOf(request).accountId }),
  parties: {},
};
const { account_id, provider_id } = partyFilters;
export const providerView: View = {
  at: '/v1/provider/orders',
  access: ['provider'],
  whose: 'The orders of my products',
  by: (request) => ({ providerId: providerOf(request) }),
  parties: { account_id },
};
export const operatorView: View = {
  at: '/v1/ops/orders',
  access: ['operator'],
  whose: 'All orders',
  by: () => 'operator',
  parties: { account_id, provider_id },
};

/** What one kind of people reads of orders: the list, the list as a file, one order, and what happened to it. */
export const orderViews =
  (view: View, { sql, clock }: Pick<Core, 'sql' | 'clock'>): Routes =>
  async (app) => {
    const { at, access, whose, by, parties } = view;

    app.get(
      at,
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags: ['orders'],
          summary: `${whose}, newest first`,
          querystring: z.strictObject({ ...listQuery, ...filters, ...parties }),
          response: { 200: pageOf(ShownOrder) },
        },
      },
      async (request) => {
        const { limit, cursor, ...asked } = request.query;
        const after = byNewest.after(cursor);
        const found = await findOrders(sql, {
          ...searchOf(asked as Filters, by(request)),
          after: after && { placedAt: new Date(after[0]), orderId: after[1] },
          limit: limit + 1,
        });
        return byNewest.page(found, limit, (order) => [order.placedAt.toISOString(), order.orderId], shownOrder);
      },
    );

    app.get(
      `${at}/export`,
      {
        config: { access },
        schema: {
          tags: ['orders'],
          summary: `${whose} as a file, newest first`,
          description: 'Takes the filters of the list, and answers all that they find.',
          querystring: z.strictObject({ ...filters, ...parties }),
          response: { 200: csvFile },
        },
      },
      async (request, reply) => {
        const search = searchOf(request.query as Filters, by(request));
        const rows = allPages<Order>((after) => findOrders(sql, { ...search, after, limit: fileRows }));
        return sendCsv(reply, `orders-${chinaDay(clock.now())}.csv`, orderColumns, rows);
      },
    );

    app.get(
      `${at}/:order_id`,
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: { tags: ['orders'], summary: 'An order', params: Params, response: { 200: ShownOrder } },
      },
      async (request) => shownOrder(await seenOrder(sql, { by: by(request), orderId: request.params.order_id })),
    );

    app.get(
      `${at}/:order_id/timeline`,
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: {
          tags: ['orders'],
          summary: 'What has happened to an order, and what it waits for',
          params: Params,
          response: { 200: z.object({ items: z.array(ShownEntry) }) },
        },
      },
      async (request) => {
        const seen = { by: by(request), orderId: request.params.order_id };
        const entries = await findEntries(sql, seen);
        // An order has at least the entry of its placing.
        return entries.length > 0 ? { items: entries.map(shownEntry) } : notFound(seen);
      },
    );
  };

/** GET /v1/orders/{id}/events: an order's status as it changes. */
export const orderEventRoutes =
  ({ core: { sql }, changes }: { readonly core: Pick<Core, 'sql'>; readonly changes: Changes }): Routes =>
  async (app) => {
    app.get(
      '/v1/orders/:order_id/events',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found', 'too-many-streams') },
        schema: {
          tags: ['orders'],
          summary: 'The status of an order as it changes',
          description:
            'Server-sent events `status`: the newest entry of the timeline first, then each new one, until the order has ended. With `Last-Event-ID` all entries after that one; 204 when the order has ended and nothing was missed.',
          params: Params,
          response: { 200: eventStream, 204: z.undefined().meta({ description: 'The order has ended, and nothing was missed' }) },
        },
      },
      async (request, reply) => {
        const seen = { by: buyerView.by(request), orderId: request.params.order_id };
        const { status, version } = await seenOrder(sql, seen);
        const seenBefore = lastSeenOf([request.headers['last-event-id']].flat()[0]);
        // The only answer after which a browser does not come back.
        if (isTerminal(orderFlow, status) && seenBefore !== undefined && seenBefore >= version) return reply.code(204).send();
        return streamEvents(request, reply, ({ lastEventId, signal }) =>
          followOrder({ sql, changes, seen, lastSeen: lastSeenOf(lastEventId), signal }),
        );
      },
    );
  };
