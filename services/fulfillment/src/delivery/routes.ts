import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { InstanceId, OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { resendCall } from '../instance/handlers.ts';
import { tasks } from '../instance/instance.ts';
import { Problem } from '../problems.ts';
import type { ProviderCall } from './log.ts';
import type { LogBook, Scope } from './log-book.ts';

/** The delivery log: a provider sees the calls to it, an operator sees all. */

const Time = z.iso.datetime({ offset: true });
const Action = z.enum(tasks);
const State = z.enum(['waiting', 'succeeded', 'pending', 'declined', 'failed']);
const CallId = z.string().regex(/^dlc_[0-9a-f]{32}-\d{1,9}$/);

const ShownCall = z
  .object({
    call_id: CallId,
    action: Action,
    state: State.meta({ description: 'waiting: to be made at `due_at`; pending: the provider answered that it delivers later' }),
    attempt: z.int(),
    given_up: z.boolean().meta({ description: 'Nobody asks again unless a person does: re-send it' }),
    instance_id: InstanceId,
    order_id: OrderId,
    product_id: ProductId,
    provider_id: ProviderId,
    created_at: Time,
    due_at: Time,
    performed_at: Time.nullable(),
    duration_ms: z.int().nullable(),
    url: z.string().nullable().meta({ description: 'Without its signature' }),
    request: z.string().nullable(),
    http_status: z.int().nullable(),
    answer: z.string().nullable().meta({ description: "Without the buyer's credentials" }),
    note: z.string().nullable(),
  })
  .meta({ id: 'ProviderCall' });

const ListQuery = z.strictObject({
  ...listQuery,
  state: State.optional(),
  action: Action.optional(),
  given_up: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional(),
  instance_id: InstanceId.optional(),
  order_id: OrderId.optional(),
  product_id: ProductId.optional(),
});
const CallParams = z.object({ call_id: CallId });

const cursor = keyset(z.tuple([Time, CallId]));
const access = ['provider', 'operator'] as const;

const scopeOf = (request: FastifyRequest): Scope =>
  callerOf(request).roles.includes('operator') ? 'all' : { providerId: providerOf(request) };

export const callRoutes =
  ({ log, core }: { readonly log: LogBook; readonly core: Pick<Core, 'write'> }): Routes =>
  async (app) => {
    const found = async (request: FastifyRequest, callId: string): Promise<ProviderCall> => {
      const call = await log.find(scopeOf(request), callId);
      if (call === undefined) throw new Problem('not-found');
      return call;
    };
    app.get(
      '/v1/provider/calls',
      {
        config: { access },
        schema: { summary: 'List calls to your endpoints', querystring: ListQuery, response: { 200: pageOf(ShownCall) } },
      },
      async (request) => {
        const {
          limit,
          state,
          action,
          given_up: givenUp,
          instance_id: instanceId,
          order_id: orderId,
          product_id: productId,
        } = request.query;
        const after = cursor.after(request.query.cursor);
        const rows = await log.list({
          scope: scopeOf(request),
          state,
          action,
          givenUp,
          instanceId,
          orderId,
          productId,
          after,
          take: limit + 1,
        });
        return cursor.page(rows, limit, (row) => [row.createdAt.toISOString(), row.callId], shown);
      },
    );
    app.get(
      '/v1/provider/calls/:call_id',
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: { summary: 'Read one call', params: CallParams, response: { 200: ShownCall } },
      },
      async (request) => shown(await found(request, request.params.call_id)),
    );
    app.post(
      '/v1/provider/calls/:call_id/resend',
      {
        config: { access, problems: Problem.codes('not-found', 'call-not-resendable') },
        schema: {
          summary: 'Make a call again now',
          params: CallParams,
          response: { 202: z.object({ call_id: CallId.meta({ description: 'Of the new call' }) }).meta({ id: 'Resent' }) },
        },
      },
      async (request, reply) => {
        const { instanceId, action } = await found(request, request.params.call_id);
        return answer(reply, await core.write(resendCall, { instanceId, action }));
      },
    );
  };

function shown(call: ProviderCall): z.infer<typeof ShownCall> {
  return {
    call_id: call.callId,
    action: call.action,
    state: call.state,
    attempt: call.attempt,
    given_up: call.givenUp,
    instance_id: call.instanceId,
    order_id: call.orderId,
    product_id: call.productId,
    provider_id: call.providerId,
    created_at: call.createdAt.toISOString(),
    due_at: call.dueAt.toISOString(),
    performed_at: call.performedAt?.toISOString() ?? null,
    duration_ms: call.durationMs,
    url: call.url,
    request: call.request,
    http_status: call.httpStatus,
    answer: call.answer,
    note: call.note,
  };
}
