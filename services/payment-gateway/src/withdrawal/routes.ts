/** Where providers withdraw what was released to them. */
import { answer } from '@yunshi/http/answer';
import { callerOf, providerOf } from '@yunshi/http/caller';
import { idempotencyOf } from '@yunshi/http/idempotency';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { newId, WithdrawalId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import type { Core } from '@yunshi/messaging/core';
import { z } from 'zod';
import { Problem } from '../problems.ts';
import { withdrawalWrites } from './handlers.ts';
import type { PurseBook } from './purses.ts';
import { ShownWithdrawal, shownWithdrawal, Status } from './wire.ts';

const byNewest = keyset(z.tuple([z.iso.datetime({ offset: true }), WithdrawalId]));
const tags = ['settlements'];
const access = ['provider'] as const;

type Deps = { readonly core: Pick<Core, 'write' | 'clock'>; readonly book: PurseBook };

export const withdrawalRoutes = ({ core, book }: Deps): Routes =>
  async function routes(app) {
    app.post(
      '/v1/provider/withdrawals',
      {
        config: {
          access,
          idempotency: 'required',
          problems: Problem.codes('channel-not-signed', 'provider-withdrawal-too-much'),
        },
        schema: {
          tags,
          summary: 'Withdraw 提现 what was released',
          description: 'WeChat Pay pays it into the bank account that the provider is signed up with there.',
          body: z.strictObject({ amount: Fen.min(1) }),
          response: { 201: ShownWithdrawal },
        },
      },
      async (request, reply) => {
        const withdrawalId = newId('wdr', core.clock.now());
        const asked = { ...request.body, withdrawalId, providerId: providerOf(request), by: callerOf(request).userId };
        return answer(reply, await core.write(withdrawalWrites.withdraw, asked, idempotencyOf(request)));
      },
    );
    app.get(
      '/v1/provider/withdrawals',
      {
        config: { access, problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags,
          summary: 'Withdrawals, newest first',
          querystring: z.strictObject({ ...listQuery, status: Status.optional() }),
          response: { 200: pageOf(ShownWithdrawal) },
        },
      },
      async (request) => {
        const { limit, cursor, status } = request.query;
        const last = byNewest.after(cursor);
        const after = last && { at: new Date(last[0]), withdrawalId: last[1] };
        const rows = await book.list({ providerId: providerOf(request), status, after, limit: limit + 1 });
        return byNewest.page(rows, limit, (row) => [row.createdAt.toISOString(), row.withdrawalId], shownWithdrawal);
      },
    );
    app.get(
      '/v1/provider/withdrawals/:withdrawal_id',
      {
        config: { access, problems: Problem.codes('not-found') },
        schema: {
          tags,
          summary: 'Read a withdrawal',
          params: z.strictObject({ withdrawal_id: WithdrawalId }),
          response: { 200: ShownWithdrawal },
        },
      },
      async (request) => {
        const found = await book.find(request.params.withdrawal_id);
        if (found?.providerId !== providerOf(request)) throw new Problem('not-found');
        return shownWithdrawal(found);
      },
    );
  };
