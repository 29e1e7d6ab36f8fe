import { z } from 'zod';
import { deductionOf } from '@yunshi/contracts/coupon';
import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import type { Routes } from '@yunshi/http/server';
import { newId, OrderId } from '@yunshi/kernel/ids';
import type { Fen } from '@yunshi/kernel/money';
import type { Core } from '@yunshi/messaging/core';
import { Problem } from '../problems.ts';
import type { Order } from './order.ts';
import { findOrder } from './orders.ts';
import { serverAmountOf } from '../quote/server.ts';
import { PriceRequest, ShownOrder } from './wire.ts';
import { changeOrderPrice } from './writes.ts';

const couponMsMax = 2_000;
const Params = z.strictObject({ order_id: OrderId });

/** What the coupon that the order holds takes off another price. */
async function deductionAt(core: Pick<Core, 'ask'>, { claimId, accountId, kind, line, server }: Order, total: Fen): Promise<Fen> {
  // Below the price of the server the order refuses it.
  const amount = Math.max(0, total - serverAmountOf(server));
  if (claimId === null || amount === 0) return 0;
  return (await core.ask(deductionOf, { claimId, accountId, kind, lines: [{ ...line, amount }] }, couponMsMax)).deduction;
}

/** POST /v1/provider/orders/{id}/price: 改价. */
export const priceRoutes =
  (core: Core): Routes =>
  async (app) => {
    app.post(
      '/v1/provider/orders/:order_id/price',
      {
        config: {
          access: ['provider'],
          idempotency: 'required',
          problems: Problem.codes(
            'not-found',
            'order-not-repriceable',
            'price-change-under-way',
            'price-unchanged',
            'price-above-original',
            'price-below-server',
            'too-many-price-changes',
          ),
        },
        schema: {
          tags: ['orders'],
          summary: 'Change the price of an unpaid order 改价',
          description:
            'Between 0 and the original price. Accepted is not changed: first the payment channel must confirm that nobody can pay the old price any more. A payment that is faster wins, and the price stays; `price_change` of the order tells. The coupon is reckoned anew; with nothing left to pay the order is delivered.',
          params: Params,
          body: PriceRequest,
          response: { 202: ShownOrder },
        },
      },
      async (request, reply) => {
        const providerId = providerOf(request);
        const { order_id: orderId } = request.params;
        const { total, note = null } = request.body;
        const order = await findOrder(core.sql, { by: { providerId }, orderId });
        if (!order) throw new Problem('not-found', { detail: `There is no order ${orderId} of yours.` });
        const deduction = await deductionAt(core, order, total);
        const changeId = newId('sag', core.clock.now());
        const asked = { orderId, providerId, changeId, total, deduction, note, by: callerOf(request).userId };
        return answer(reply, await core.write(changeOrderPrice, asked, idempotencyOf(request)));
      },
    );
  };
