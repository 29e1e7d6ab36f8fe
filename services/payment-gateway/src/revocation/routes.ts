/** Where operators settle payments that a bank took back 退票. */
import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import type { Routes } from '@yunshi/http/server';
import { OrderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { PaymentBook } from '../payment/payments.ts';
import { Problem } from '../problems.ts';
import { outcomes, revocationFlow } from './settlement.ts';
import { revocationWrites } from './writes.ts';

const Params = z.object({ task_id: z.string().max(128) });
const access = ['operator'] as const;

const Shown = z.object({ order_id: OrderId, status: z.enum(revocationFlow.states), outcome: z.enum(outcomes) }).meta({ id: 'Revocation' });

type Deps = { readonly core: Pick<Core, 'write'>; readonly book: Pick<PaymentBook, 'task'> };

export const revocationRoutes = ({ core, book }: Deps): Routes =>
  async function routes(app) {
    /** The payment that the task is about. */
    async function named(taskId: string, request: FastifyRequest) {
      const task = await book.task(taskId);
      if (!task?.orderId || task.kind !== 'payment-revoked') throw new Problem('not-found');
      return { orderId: task.orderId, task, by: callerOf(request).userId };
    }

    app.post(
      '/v1/ops/payment-tasks/:task_id/settle-revocation',
      {
        config: { access, problems: Problem.codes('not-found', 'revocation-not-open', 'order-not-completed', 'revocation-proposed') },
        schema: {
          summary: 'Say what becomes of an order whose payment a bank took back',
          description:
            '退票处理. repaid: the company has paid again into the marketplace’s own account, and what was delivered goes on. ended: it has not, and what was delivered is closed; of a renewal, the time that it brought is taken back. A second operator has to agree before it counts.',
          params: Params,
          body: z.strictObject({
            outcome: z.enum(outcomes),
            evidence: z.string().trim().min(1).max(500).meta({ description: "The bank's receipt, or why no money is to be expected" }),
          }),
          response: { 202: Shown },
        },
      },
      async (request, reply) => {
        const about = await named(request.params.task_id, request);
        return answer(reply, await core.write(revocationWrites.propose, { ...about, ...request.body }));
      },
    );
    for (const verdict of ['approve', 'reject'] as const) {
      app.post(
        `/v1/ops/payment-tasks/:task_id/${verdict}-revocation`,
        {
          config: {
            access,
            problems: Problem.codes(
              'not-found',
              'revocation-not-open',
              'order-not-completed',
              'revocation-not-proposed',
              'second-person-needed',
            ),
          },
          schema: {
            summary: verdict === 'approve' ? 'Agree to what becomes of it' : 'Disagree with what becomes of it',
            params: Params,
            response: { 200: Shown },
          },
        },
        async (request, reply) =>
          answer(reply, await core.write(revocationWrites.decide, { ...(await named(request.params.task_id, request)), verdict })),
      );
    }
  };
