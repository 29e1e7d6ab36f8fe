/** Where operators settle refunds that could not go back the way they came. */
import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import type { Routes } from '@yunshi/http/server';
import type { Core } from '@yunshi/messaging/core';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AskedRefund } from '../payment/operator-routes.ts';
import type { PaymentBook } from '../payment/payments.ts';
import { Problem } from '../problems.ts';
import type { WechatAbnormal } from '../wechat/abnormal.ts';
import { abnormalWrites } from './writes.ts';

const Params = z.object({ task_id: z.string().max(128) });
const access = ['operator'] as const;

const Apply = z
  .strictObject({
    to: z
      .enum(['payer', 'merchant'])
      .meta({ description: 'payer: to another card of the payer; merchant: to our own bank account, to be paid out from there' }),
    bank_type: z.string().min(1).max(16).optional().meta({ description: "WeChat Pay's name of the bank, such as ICBC_DEBIT" }),
    bank_account: z
      .string()
      .regex(/^\d{8,32}$/)
      .optional()
      .meta({ description: 'Is sealed at once, and neither kept nor logged' }),
    real_name: z.string().min(1).max(64).optional().meta({ description: 'Is sealed at once, and neither kept nor logged' }),
  })
  .refine(
    ({ to, bank_type, bank_account, real_name }) =>
      to === 'merchant' || (bank_type !== undefined && bank_account !== undefined && real_name !== undefined),
    { message: "the payer's card needs bank_type, bank_account and real_name", path: ['bank_account'] },
  );

type Deps = {
  readonly core: Pick<Core, 'write'>;
  readonly book: Pick<PaymentBook, 'task' | 'of'>;
  readonly wechat: Pick<WechatAbnormal, 'sealed'>;
};

export const abnormalRoutes = ({ core, book, wechat }: Deps): Routes =>
  async function routes(app) {
    /** The refund that the task is about. */
    async function named(taskId: string, request: FastifyRequest) {
      const task = await book.task(taskId);
      if (!task?.orderId || task.kind !== 'refund-abnormal') throw new Problem('not-found');
      return { orderId: task.orderId, refundNo: task.subject, by: callerOf(request).userId };
    }

    app.post(
      '/v1/ops/payment-tasks/:task_id/apply-abnormal',
      {
        config: { access, problems: Problem.codes('not-found', 'refund-not-abnormal', 'unavailable') },
        schema: {
          summary: 'Have an abnormal refund paid another way',
          description: '异常退款: the channel pays it to another card, or to us. It is the same refund, and ends as any other.',
          params: Params,
          body: Apply,
          response: { 202: AskedRefund },
        },
      },
      async (request, reply) => {
        const about = await named(request.params.task_id, request);
        const payment = await book.of(about.orderId);
        const refund = payment?.refunds.find((one) => one.refundNo === about.refundNo);
        const paid = payment?.attempts.find((one) => one.attemptId === refund?.attemptId);
        if (!paid || paid.channel !== 'wechat_native') throw new Problem('refund-not-abnormal');
        const { to, bank_type: bankType = '', bank_account: account = '', real_name: owner = '' } = request.body;
        const card = to === 'payer' ? { bankType, account, owner } : undefined;
        const sealed = wechat.sealed({ payee: paid.payee, refundNo: about.refundNo, card });
        if (!sealed) throw new Problem('unavailable');
        return answer(reply, await core.write(abnormalWrites.apply, { ...about, ...sealed }));
      },
    );
    app.post(
      '/v1/ops/payment-tasks/:task_id/settle-offline',
      {
        config: { access, problems: Problem.codes('not-found', 'refund-not-abnormal', 'offline-refund-proposed') },
        schema: {
          summary: 'Say that an abnormal refund was paid out by hand',
          description: '线下退款. A second operator has to agree before it counts.',
          params: Params,
          body: z.strictObject({ evidence: z.string().trim().min(1).max(500).meta({ description: "The bank's receipt, and why" }) }),
          response: { 202: AskedRefund },
        },
      },
      async (request, reply) => {
        const about = await named(request.params.task_id, request);
        return answer(reply, await core.write(abnormalWrites.propose, { ...about, ...request.body }));
      },
    );
    for (const verdict of ['approve', 'reject'] as const) {
      app.post(
        `/v1/ops/payment-tasks/:task_id/${verdict}-offline`,
        {
          config: {
            access,
            problems: Problem.codes('not-found', 'refund-not-abnormal', 'offline-refund-not-proposed', 'second-person-needed'),
          },
          schema: {
            summary: verdict === 'approve' ? 'Agree that a refund was paid out by hand' : 'Disagree that a refund was paid out by hand',
            params: Params,
            response: { 200: AskedRefund },
          },
        },
        async (request, reply) =>
          answer(reply, await core.write(abnormalWrites.decide, { ...(await named(request.params.task_id, request)), verdict })),
      );
    }
  };
