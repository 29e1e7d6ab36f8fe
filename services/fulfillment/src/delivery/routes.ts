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
import { meteringActions } from './log.ts';
import type { ProviderCall } from './log.ts';
import type { LogBook, Scope } from './log-book.ts';

/** The delivery log: a provider sees the calls to it, an operator sees all. */

const Time = z.iso.datetime({ offset: true });
const Action = z.enum([...tasks, ...meteringActions]);
const State = z.enum(['waiting', 'succeeded', 'pending', 'declined', 'failed']);
const CallId = z.string().regex(/^dlc_[0-9a-f]{32}-u?\d{1,9}$/);

const ShownCall = z
  .object({
    call_id: CallId,
    action: Action,
    state: State.meta({ description: 'waiting: to be made at `due_at`; pending: the provider answered that it delivers later' }),
    attempt: z.int(),
    given_up: z.boolean().meta({ description: 'Nobody asks again unless a person does: re-send it' }),
    redriven_by: CallId.nullable().meta({ description: 'The call that a person had made in its place' }),
    redriven_at: Time.nullable(),
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
const redriveMax = 100;
const Redrive = z.strictObject({
  call_ids: z
    .array(CallId)
    .min(1)
    .max(redriveMax)
    .optional()
    .meta({ description: 'Left out: all that were given up, as far as the filters let them' }),
  action: Action.optional(),
  product_id: ProductId.optional(),
  reason: z.string().trim().min(1).max(500).optional(),
});
const Redriven = z
  .object({
    redriven: z.array(z.object({ call_id: CallId, by: CallId.meta({ description: 'The call that is made in its place' }) })),
    refused: z.array(z.object({ call_id: CallId, code: z.string() })),
    left: z.int().meta({ description: 'Calls that are still given up; ask again for them' }),
  })
  .meta({ id: 'Redriven' });
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
          description: 'Who has done it stands in the audit.',
          params: CallParams,
          response: { 202: z.object({ call_id: CallId.meta({ description: 'Of the new call' }) }).meta({ id: 'Resent' }) },
        },
      },
      async (request, reply) => {
        const { instanceId, action, callId } = await found(request, request.params.call_id);
        return answer(reply, await core.write(resendCall, { instanceId, action, callId, ...actOf(request, undefined) }));
      },
    );
    app.post(
      '/v1/provider/calls/redrive',
      {
        config: { access },
        schema: {
          summary: 'Make failed calls again, those that are named or all that were given up',
          description: `At most ${redriveMax} at a time, the oldest first. Who has done it, and why, stands in the audit.`,
          body: Redrive,
          response: { 202: Redriven },
        },
      },
      async (request, reply) => {
        const scope = scopeOf(request);
        const { call_ids: named, action, product_id: productId, reason } = request.body;
        const calls =
          named === undefined ? await log.givenUp(scope, { action, productId, take: redriveMax }) : await log.those(scope, named);
        const act = actOf(request, reason);
        const done = await Promise.all(
          newestOfEach(calls).map(async (call) => ({ call, answer: await core.write(resendCall, { ...call, ...act }) })),
        );
        const made = new Set(done.map(({ call }) => call.callId));
        const seen = new Set(calls.map(({ callId }) => callId));
        const left = await log.countGivenUp(scope, { action, productId });
        return reply.code(202).send({
          redriven: done.flatMap(({ call, answer: { status, body } }) =>
            status === 202 ? [{ call_id: call.callId, by: (body as { call_id: string }).call_id }] : [],
          ),
          refused: [
            ...done.flatMap(({ call, answer: { status, body } }) =>
              status === 202 ? [] : [{ call_id: call.callId, code: (body as { code: string }).code }],
            ),
            ...(named ?? calls.map(({ callId }) => callId))
              .filter((id) => !made.has(id))
              .map((id) => ({ call_id: id, code: seen.has(id) ? 'call-not-resendable' : 'not-found' })),
          ],
          left,
        });
      },
    );
  };

const actOf = (request: FastifyRequest, reason: string | undefined) => ({ actor: callerOf(request).userId, reason });

/** Two failed calls for the same thing are one wish. */
function newestOfEach(calls: readonly ProviderCall[]): readonly ProviderCall[] {
  const newest = new Map<string, ProviderCall>();
  for (const call of calls.toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime()))
    newest.set(`${call.instanceId} ${call.action}`, call);
  return [...newest.values()];
}

function shown(call: ProviderCall): z.infer<typeof ShownCall> {
  return {
    call_id: call.callId,
    action: call.action,
    state: call.state,
    attempt: call.attempt,
    given_up: call.givenUp,
    redriven_by: call.redrivenBy,
    redriven_at: call.redrivenAt?.toISOString() ?? null,
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
