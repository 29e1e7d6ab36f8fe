import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import { eventStream, streamEvents } from '@yunshi/http/events';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import type { Sql } from '@yunshi/db/connect';
import { isTerminal } from '@yunshi/kernel/flow';
import { newId, OrderId, ProductId } from '@yunshi/kernel/ids';
import { OrderKind } from '@yunshi/kernel/marketplace';
import type { Admission } from '@yunshi/messaging/admission';
import type { Core } from '@yunshi/messaging/core';
import { Problem } from '../problems.ts';
import { factsFor } from '../quote/facts.ts';
import { isTrial } from '../quote/quote.ts';
import { wishProblems } from '../quote/routes.ts';
import type { Changes } from './changes.ts';
import { orderFlow, type Order, type Request } from './order.ts';
import { findEntries, findOrder, findOrders, type Own } from './orders.ts';
import { followOrder, lastSeenOf } from './stream.ts';
import { OrderRequest, ShownEntry, shownEntry, ShownOrder, shownOrder, Status } from './wire.ts';
import { cancelOrder, placeOrder, placeTrialOrder, type Placing } from './writes.ts';

export type OrderDeps = { readonly core: Core; readonly changes: Changes };

const Params = z.strictObject({ order_id: OrderId });
const Time = z.iso.datetime({ offset: true });
const byNewest = keyset(z.tuple([z.iso.datetime(), OrderId]));

const ListQuery = z.strictObject({
  ...listQuery,
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
});

/** The order, or «not found»: somebody else's is not found either. */
async function ownOrder(sql: Sql, own: Own): Promise<Order> {
  const order = await findOrder(sql, own);
  if (!order) throw new Problem('not-found', { detail: `There is no order ${own.orderId} of yours.` });
  return order;
}

const isForTrial = ({ request, facts }: Placing): boolean =>
  facts.product?.skus.some((sku) => sku.skuId === request.wish.skuId && isTrial(sku)) ?? false;

/** POST /v1/orders and POST /v1/orders/{id}/cancel. */
export const orderWriteRoutes =
  ({ core, admission }: OrderDeps & { readonly admission: Pick<Admission, 'admit'> }): Routes =>
  async (app) => {
    app.post(
      '/v1/orders',
      {
        config: {
          access: ['buyer'],
          idempotency: 'required',
          problems: [...wishProblems, ...Problem.codes('agreements-not-accepted', 'price-changed')],
        },
        schema: {
          tags: ['orders'],
          summary: 'Place an order',
          description:
            'At the price of the server. The purchase begins with it; an order with nothing to pay is delivered at once. While too many purchases wait for our own services, 503 with `Retry-After`.',
          body: OrderRequest,
          response: { 201: ShownOrder },
        },
      },
      (request, reply) =>
        admission.admit(async () => {
          const { accountId, userId } = callerOf(request);
          const {
            sku_id: skuId,
            quantity,
            duration,
            coupon,
            accepted_agreements: acceptedAgreements,
            expected_payable: expectedPayable,
          } = request.body;
          const wish = { skuId, quantity, duration };
          const orderId = newId('ord', core.clock.now());
          const asked: Request = { orderId, accountId, userId, wish, coupon, acceptedAgreements, expectedPayable };
          const facts = await factsFor(core, { accountId, wish, withCoupons: coupon !== 'none' });
          const placing = { request: asked, facts };
          const once = idempotencyOf(request);
          const placed = await (isForTrial(placing) ? core.write(placeTrialOrder, placing, once) : core.write(placeOrder, placing, once));
          // A repeated request is answered with the first order, whose id is another one.
          if (placed.status === 201) void reply.header('location', `/v1/orders/${ShownOrder.parse(placed.body).order_id}`);
          return answer(reply, placed);
        }),
    );

    app.post(
      '/v1/orders/:order_id/cancel',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found', 'order-not-cancellable') },
        schema: {
          tags: ['orders'],
          summary: 'Cancel an unpaid order',
          description:
            'Accepted is not cancelled: first the payment channel must confirm that nothing can be paid any more. If the money was faster, the order goes on or the money is given back; the status tells.',
          params: Params,
          response: { 202: ShownOrder },
        },
      },
      async (request, reply) =>
        answer(reply, await core.write(cancelOrder, { orderId: request.params.order_id, accountId: callerOf(request).accountId })),
    );
  };

/** The reads of orders. */
export const orderReadRoutes =
  ({ core: { sql }, changes }: OrderDeps): Routes =>
  async (app) => {
    const config = { access: ['buyer'], problems: Problem.codes('not-found') } as const;

    app.get(
      '/v1/orders',
      {
        config: { access: ['buyer'], problems: Problem.codes('cursor-not-valid') },
        schema: { tags: ['orders'], summary: 'My orders, newest first', querystring: ListQuery, response: { 200: pageOf(ShownOrder) } },
      },
      async (request) => {
        const { limit, cursor, kind, status, product_id: productId, placed_from, placed_until, keyword } = request.query;
        const after = byNewest.after(cursor);
        const found = await findOrders(sql, {
          accountId: callerOf(request).accountId,
          kind,
          status,
          productId,
          placedFrom: placed_from === undefined ? undefined : new Date(placed_from),
          placedUntil: placed_until === undefined ? undefined : new Date(placed_until),
          keyword,
          after: after && { placedAt: new Date(after[0]), orderId: after[1] },
          limit: limit + 1,
        });
        return byNewest.page(found, limit, (order) => [order.placedAt.toISOString(), order.orderId], shownOrder);
      },
    );

    app.get(
      '/v1/orders/:order_id',
      { config, schema: { tags: ['orders'], summary: 'An order', params: Params, response: { 200: ShownOrder } } },
      async (request) => shownOrder(await ownOrder(sql, { accountId: callerOf(request).accountId, orderId: request.params.order_id })),
    );

    app.get(
      '/v1/orders/:order_id/timeline',
      {
        config,
        schema: {
          tags: ['orders'],
          summary: 'What has happened to an order, and what it waits for',
          params: Params,
          response: { 200: z.object({ items: z.array(ShownEntry) }) },
        },
      },
      async (request) => {
        const own = { accountId: callerOf(request).accountId, orderId: request.params.order_id };
        const entries = await findEntries(sql, own);
        // An order has at least the entry of its placing.
        if (entries.length === 0) throw new Problem('not-found', { detail: `There is no order ${own.orderId} of yours.` });
        return { items: entries.map(shownEntry) };
      },
    );

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
        const own = { accountId: callerOf(request).accountId, orderId: request.params.order_id };
        const { status, version } = await ownOrder(sql, own);
        const seen = lastSeenOf([request.headers['last-event-id']].flat()[0]);
        // The only answer after which a browser does not come back.
        if (isTerminal(orderFlow, status) && seen !== undefined && seen >= version) return reply.code(204).send();
        return streamEvents(request, reply, ({ lastEventId, signal }) =>
          followOrder({ sql, changes, own, lastSeen: lastSeenOf(lastEventId), signal }),
        );
      },
    );
  };
