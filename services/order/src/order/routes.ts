import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import type { Routes } from '@yunshi/http/server';
import { newId, OrderId } from '@yunshi/kernel/ids';
import type { Admission } from '@yunshi/messaging/admission';
import type { Core } from '@yunshi/messaging/core';
import type { Idempotency } from '@yunshi/messaging/handle';
import { Problem, refusing } from '../problems.ts';
import { factsFor, wishFor } from '../quote/facts.ts';
import { isTrial } from '../quote/quote.ts';
import { limitOf } from '../quote/renewal.ts';
import { wishProblems } from '../quote/routes.ts';
import { askedIn } from '../quote/wire.ts';
import type { Request } from './order.ts';
import { OrderDecision, OrderRequest, ShownOrder } from './wire.ts';
import {
  approveOrder,
  cancelOrder,
  declineOrder,
  deleteOrder,
  placeLimitedOrder,
  placeOrder,
  placeTrialOrder,
  type Placing,
} from './writes.ts';

const Params = z.strictObject({ order_id: OrderId });

/** Some SKUs are to be had once, or so often: that is decided under a lock of its own. */
function place({ write }: Pick<Core, 'write'>, placing: Placing, once: Idempotency) {
  const { wish } = placing.request;
  const sku = placing.facts.product?.skus.find(({ skuId }) => skuId === wish.skuId);
  if (sku && isTrial(sku)) return write(placeTrialOrder, placing, once);
  return sku && limitOf(wish, sku) !== undefined ? write(placeLimitedOrder, placing, once) : write(placeOrder, placing, once);
}

/** What a buyer does with orders: place, cancel, delete. */
export const orderWriteRoutes =
  ({ core, admission }: { readonly core: Core; readonly admission: Pick<Admission, 'admit'> }): Routes =>
  async (app) => {
    app.post(
      '/v1/orders',
      {
        config: {
          access: ['buyer'],
          idempotency: 'required',
          problems: [...wishProblems, ...Problem.codes('agreements-not-accepted', 'price-changed', 'po-number-missing')],
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
          const { coupon, accepted_agreements: acceptedAgreements, expected_payable: expectedPayable, po_number: poNumber } = request.body;
          const wished = await wishFor(core, accountId, askedIn(request.body));
          if (!wished.ok) throw refusing(wished.error);
          const wish = wished.value;
          const orderId = newId('ord', core.clock.now());
          const asked: Request = { orderId, accountId, userId, wish, coupon, acceptedAgreements, expectedPayable, poNumber };
          const facts = await factsFor(core, { accountId, wish, withCoupons: coupon !== 'none' });
          const placed = await place(core, { request: asked, facts }, idempotencyOf(request));
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

    const decisions = [
      { verb: 'approve', write: approveOrder, summary: 'Approve an order of my organisation: its purchase begins, and the time to pay it' },
      { verb: 'decline', write: declineOrder, summary: 'Decline an order of my organisation: it ends as cancelled' },
    ] as const;
    for (const { verb, write, summary } of decisions)
      app.post(
        `/v1/orders/:order_id/${verb}`,
        {
          config: {
            access: ['approver'],
            problems: Problem.codes('not-found', 'order-not-awaiting-approval', 'own-order-not-approvable'),
          },
          schema: { tags: ['orders'], summary, params: Params, body: OrderDecision, response: { 200: ShownOrder } },
        },
        (request, reply) => {
          const { accountId, userId: by } = callerOf(request);
          const deciding = { orderId: request.params.order_id, accountId, by, note: request.body.note ?? null };
          const decide = async () => answer(reply, await core.write(write, deciding));
          // Approving begins a purchase; declining only ends an order.
          return verb === 'approve' ? admission.admit(decide) : decide();
        },
      );

    app.delete(
      '/v1/orders/:order_id',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found', 'order-not-deletable') },
        schema: {
          tags: ['orders'],
          summary: 'Delete an order that ended unpaid from my orders',
          description: 'It is hidden from its buyer. Its provider and the operator keep it.',
          params: Params,
          response: { 204: z.undefined().meta({ description: 'It is gone from my orders' }) },
        },
      },
      async (request, reply) =>
        answer(reply, await core.write(deleteOrder, { orderId: request.params.order_id, accountId: callerOf(request).accountId })),
    );
  };
