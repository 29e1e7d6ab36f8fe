import { callerOf } from '@yunshi/http/caller';
import { answer } from '@yunshi/http/answer';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { OrderId, PaymentId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import type { Core } from '@yunshi/messaging/core';
import { z } from 'zod';
import { Problem } from '../problems.ts';
import type { PaymentBook, TaskRow } from './payments.ts';
import { TASK_KINDS } from './state.ts';
import type { PaymentWrites } from './writes.ts';

/** What waits for an operator. */

const Time = z.iso.datetime({ offset: true });
const TaskId = z.string().max(128);
const ShownTask = z
  .object({
    task_id: TaskId,
    kind: z.enum(TASK_KINDS),
    order_id: OrderId.nullable(),
    subject: z.string().meta({ description: "The refund's or the order's number at the channel" }),
    detail: z.string(),
    opened_at: Time,
  })
  .meta({ id: 'PaymentTask' });
export const AskedRefund = z.object({ refund_no: z.string() }).meta({ id: 'AskedRefund' });

const Params = z.object({ task_id: TaskId });
const byOldest = keyset(z.tuple([Time, TaskId]));
const access = ['operator'] as const;

type Deps = {
  readonly core: Pick<Core, 'write' | 'clock'>;
  readonly book: PaymentBook;
  readonly writes: PaymentWrites;
};

export const operatorRoutes = ({ core, book, writes }: Deps): Routes =>
  async function routes(app) {
    app.get(
      '/v1/ops/payment-tasks',
      {
        config: { access },
        schema: {
          summary: 'List payments that need a person',
          querystring: z.strictObject(listQuery),
          response: { 200: pageOf(ShownTask) },
        },
      },
      async (request) => {
        const { limit, cursor } = request.query;
        const last = byOldest.after(cursor);
        const rows = await book.openTasks(last && { at: new Date(last[0]), taskId: last[1] }, limit + 1);
        return byOldest.page(rows, limit, (row) => [row.openedAt.toISOString(), row.taskId], shown);
      },
    );
    app.post(
      '/v1/ops/payments/:payment_id/refunds',
      {
        config: {
          access,
          idempotency: 'required',
          problems: Problem.codes('not-found', 'refund-not-possible', 'refund-too-much', 'refund-too-late', 'refund-too-many'),
        },
        schema: {
          summary: 'Refund a completed order',
          description:
            '人工退款: all or a part of what was really paid, by the way it came. The provider and the marketplace give back their parts.',
          params: z.object({ payment_id: PaymentId }),
          body: z.strictObject({ amount: Fen.min(1), reason: z.string().trim().min(1).max(200) }),
          response: { 202: AskedRefund },
        },
      },
      async (request, reply) => {
        const payment = await book.byId(request.params.payment_id);
        if (!payment) throw new Problem('not-found');
        const asked = { ...request.body, orderId: payment.orderId, by: callerOf(request).userId };
        return answer(reply, await core.write(writes.refundSold, asked, idempotencyOf(request)));
      },
    );
    app.post(
      '/v1/ops/payment-tasks/:task_id/retry',
      {
        config: { access, problems: Problem.codes('not-found', 'refund-not-stuck') },
        schema: {
          summary: 'Have a refund tried again',
          description: 'Under the same number; only a refund that the channel closed unpaid gets a new one.',
          params: Params,
          response: { 202: AskedRefund },
        },
      },
      async (request, reply) => {
        const task = await book.task(request.params.task_id);
        if (!task?.orderId || !task.kind.startsWith('refund-')) throw new Problem('not-found');
        const asked = { orderId: task.orderId, refundNo: task.subject, by: callerOf(request).userId };
        return answer(reply, await core.write(writes.retryRefund, asked));
      },
    );
    app.post(
      '/v1/ops/payment-tasks/:task_id/resolve',
      {
        config: { access, problems: Problem.codes('not-found', 'revocation-unsettled') },
        schema: { summary: 'Note that a task is settled', params: Params, response: { 204: z.null() } },
      },
      async (request, reply) => {
        const task = await book.task(request.params.task_id);
        const payment = task?.kind === 'payment-revoked' && task.orderId ? await book.of(task.orderId) : undefined;
        if (payment?.status === 'revoked') throw new Problem('revocation-unsettled');
        const done = await book.resolveTask(request.params.task_id, { by: callerOf(request).userId, at: core.clock.now() });
        if (!done) throw new Problem('not-found');
        return reply.code(204).send(null);
      },
    );
  };

const shown = (task: TaskRow): z.infer<typeof ShownTask> => ({
  task_id: task.taskId,
  kind: task.kind,
  order_id: task.orderId,
  subject: task.subject,
  detail: task.detail,
  opened_at: task.openedAt.toISOString(),
});
