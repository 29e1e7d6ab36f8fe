import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { InstanceId, newId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { findInstance } from '../instance/instances.ts';
import { place } from '../order/order.ts';
import { orderPolicy } from '../policy.ts';
import { Problem, refusing } from '../problems.ts';
import { factsFor, wishFor } from '../quote/facts.ts';
import { wishProblems } from '../quote/routes.ts';
import { findAutoRenewals } from './auto-renewals.ts';
import { switchOff, switchOn } from './handlers.ts';
import { AutoRenewalRequest, ShownAutoRenewal, shownAutoRenewal } from './wire.ts';

const Params = z.strictObject({ instance_id: InstanceId });
const byInstance = keyset(z.tuple([InstanceId]));
const tags = ['auto-renewals'];

/** 自动续费: what buyers have renewed by itself, as far as the order. */
export const autoRenewalRoutes =
  (core: Core): Routes =>
  async (app) => {
    app.get(
      '/v1/auto-renewals',
      {
        config: { access: ['buyer'], problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags,
          summary: 'My instances that renew themselves',
          querystring: z.strictObject(listQuery),
          response: { 200: pageOf(ShownAutoRenewal) },
        },
      },
      async (request) => {
        const { limit, cursor } = request.query;
        const after = byInstance.after(cursor)?.[0];
        const found = await findAutoRenewals(core.sql, { accountId: callerOf(request).accountId, after, take: limit + 1 });
        return byInstance.page(found, limit, ({ instanceId }) => [instanceId], shownAutoRenewal);
      },
    );

    app.get(
      '/v1/auto-renewals/:instance_id',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found') },
        schema: { tags, summary: 'Whether an instance renews itself, and when', params: Params, response: { 200: ShownAutoRenewal } },
      },
      async (request) => {
        const { instance_id: instanceId } = request.params;
        const [found] = await findAutoRenewals(core.sql, { accountId: callerOf(request).accountId, instanceId, take: 1 });
        if (!found) throw new Problem('not-found', { detail: 'No instance of yours with this id was ever set to renew itself.' });
        return shownAutoRenewal(found);
      },
    );

    app.put(
      '/v1/auto-renewals/:instance_id',
      {
        config: {
          access: ['buyer'],
          problems: [...wishProblems, ...Problem.codes('not-found', 'agreements-not-accepted', 'po-number-missing')],
        },
        schema: {
          tags,
          summary: 'Have an instance renew itself, or change how',
          description:
            'Two weeks before each expiry you are told; a week before it an order is placed, with the coupon that saves most. Nothing is paid by itself: the order waits until the expiry for you to pay it, by WeChat or your bank, and ends unpaid otherwise.',
          params: Params,
          body: AutoRenewalRequest,
          response: { 200: ShownAutoRenewal },
        },
      },
      async (request, reply) => {
        const { accountId, userId } = callerOf(request);
        const { instance_id: instanceId } = request.params;
        const { duration, po_number: poNumber, accepted_agreements: agreements } = request.body;
        const instance = await findInstance(core.sql, { accountId, instanceId });
        if (!instance?.expiresAt) throw new Problem('not-found', { detail: `There is no instance ${instanceId} of yours that ends.` });
        const wished = await wishFor(core, accountId, { kind: 'renewal', instanceId, duration });
        if (!wished.ok) throw refusing(wished.error);
        const wish = wished.value;
        // What could not be ordered now is not promised for later.
        const facts = await factsFor(core, { accountId, wish, withCoupons: false });
        const now = core.clock.now();
        const asked = {
          orderId: newId('ord', now),
          accountId,
          userId,
          wish,
          coupon: 'none',
          acceptedAgreements: agreements,
          poNumber,
        } as const;
        const tried = place(asked, facts, orderPolicy, now);
        if (!tried.ok) throw refusing(tried.error);
        const wanted = { instanceId, accountId, userId, duration, poNumber: poNumber ?? null, agreements };
        return answer(reply, await core.write(switchOn, { wanted, expiresAt: instance.expiresAt }));
      },
    );

    app.delete(
      '/v1/auto-renewals/:instance_id',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found') },
        schema: {
          tags,
          summary: 'Have an instance renew itself no more',
          description: 'An order that was placed already stays; cancel it if it is not wanted.',
          params: Params,
          response: { 204: z.undefined().meta({ description: 'It ends when it ends' }) },
        },
      },
      async (request, reply) =>
        answer(reply, await core.write(switchOff, { instanceId: request.params.instance_id, accountId: callerOf(request).accountId })),
    );
  };
