import { z } from 'zod';
import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import type { Routes } from '@yunshi/http/server';
import { UserId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import type { Core } from '@yunshi/messaging/core';
import { httpWrite } from '@yunshi/messaging/handle';
import type { Purchasing } from './purchasing.ts';
import { findPurchasing, purchasings } from './purchasings.ts';

const Rules = z.strictObject({
  approval_above: Fen.nullable().meta({ description: 'An order that costs more than this waits for an approver; null: none does' }),
  po_number_required: z.boolean().meta({ description: 'Whether each order must carry a purchase order number 采购单号' }),
});

const ShownRules = z
  .object({ ...Rules.shape, changed_by: UserId.nullable(), changed_at: z.iso.datetime({ offset: true }).nullable() })
  .meta({ id: 'PurchasingRules' });

const shown = (known: Purchasing | undefined): z.infer<typeof ShownRules> => ({
  approval_above: known?.approvalAbove ?? null,
  po_number_required: known?.poNumberRequired ?? false,
  changed_by: known?.changedBy ?? null,
  changed_at: known?.changedAt.toISOString() ?? null,
});

const decide = httpWrite('purchasing.decide', {
  of: purchasings,
  key: ({ accountId }: Omit<Purchasing, 'changedAt'>) => accountId,
  decide: (decided, _, { now }) => {
    const rules: Purchasing = { ...decided, changedAt: now };
    return { save: rules, response: { status: 200, body: shown(rules) } };
  },
});

/** What an organisation decides about the orders of its people. */
export const purchasingRoutes =
  (core: Core): Routes =>
  async (app) => {
    app.get(
      '/v1/purchasing-rules',
      {
        config: { access: ['buyer', 'approver'] },
        schema: {
          tags: ['orders'],
          summary: 'What my organisation has decided about orders',
          response: { 200: ShownRules },
        },
      },
      async (request) => shown(await findPurchasing(core.sql, callerOf(request).accountId)),
    );

    app.put(
      '/v1/purchasing-rules',
      {
        config: { access: ['approver'] },
        schema: {
          tags: ['orders'],
          summary: 'Decide about the orders of my organisation',
          description: 'Holds for orders that are placed from now on.',
          body: Rules,
          response: { 200: ShownRules },
        },
      },
      async (request, reply) => {
        const { accountId, userId } = callerOf(request);
        const { approval_above: approvalAbove, po_number_required: poNumberRequired } = request.body;
        return answer(reply, await core.write(decide, { accountId, approvalAbove, poNumberRequired, changedBy: userId }));
      },
    );
  };
