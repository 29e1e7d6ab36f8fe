/** Reconciliations as operators see and settle them. */
import { Channel } from '@yunshi/contracts/payment';
import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { OrderId } from '@yunshi/kernel/ids';
import { Fen } from '@yunshi/kernel/money';
import type { Core } from '@yunshi/messaging/core';
import { z } from 'zod';
import { Problem } from '../problems.ts';
import type { ReconciliationBook } from './book.ts';
import { Class } from './compare.ts';
import { reconciliationRuns } from './handlers.ts';
import { dayBefore } from './schedule.ts';
import { differenceWrites } from './settle.ts';
import {
  differenceFlow,
  reconciliationFlow,
  resolutions,
  type Difference,
  type DifferenceStatus,
  type ReconciliationStatus,
} from './state.ts';

const Time = z.iso.datetime({ offset: true });
const Day = z.iso.date().meta({ description: 'A day in China', example: '2026-03-01' });
const ReconciliationId = z.string().max(64);
const DifferenceId = z.string().max(256);
const Status = z.enum(reconciliationFlow.states as unknown as readonly [ReconciliationStatus, ...ReconciliationStatus[]]);
const DifferenceState = z.enum(differenceFlow.states as unknown as readonly [DifferenceStatus, ...DifferenceStatus[]]);
const Reason = z.string().trim().min(1).max(500);

const ShownReconciliation = z
  .object({
    reconciliation_id: ReconciliationId,
    channel: Channel,
    day: Day,
    status: Status,
    lines: z.int().meta({ description: 'Payments and refunds in the bill' }),
    open_differences: z.int(),
    hash: z.string().nullable().meta({ description: "Of the bill's file, as the channel announced it" }),
    failure: z.string().nullable().meta({ description: 'Why the last bill could not be used' }),
    runs: z.int(),
    ran_at: Time.nullable(),
  })
  .meta({ id: 'Reconciliation' });

const ShownDifference = z
  .object({
    difference_id: DifferenceId,
    reconciliation_id: ReconciliationId,
    class: Class,
    kind: z.enum(['payment', 'refund']),
    number: z.string(),
    order_id: OrderId.nullable(),
    channel_no: z.string().nullable(),
    ours: Fen.nullable(),
    theirs: Fen.nullable(),
    explanation: z.string(),
    status: DifferenceState,
    found_at: Time,
    resolution: z.enum(resolutions).nullable(),
    reason: z.string().nullable(),
    proposed_by: z.string().nullable(),
    decided_by: z.string().nullable(),
    decided_at: Time.nullable(),
  })
  .meta({ id: 'ReconciliationDifference' });

const byDay = keyset(z.tuple([z.string()]));
const byOldest = keyset(z.tuple([Time, DifferenceId]));
const access = ['operator'] as const;
const Params = z.object({ difference_id: DifferenceId });

type Deps = {
  readonly core: Pick<Core, 'write' | 'clock'>;
  readonly book: ReconciliationBook;
  /** Those that write bills. */
  readonly channels: readonly Channel[];
};

export const reconciliationRoutes = (deps: Deps): Routes =>
  async function routes(app) {
    await app.register(runRoutes(deps));
    await app.register(differenceRoutes(deps));
  };

const runRoutes = ({ core, book, channels }: Deps): Routes =>
  async function runs(app) {
    app.get(
      '/v1/ops/reconciliations',
      {
        config: { access },
        schema: {
          summary: 'List reconciliations',
          querystring: z.strictObject({ ...listQuery, channel: Channel.optional(), status: Status.optional() }),
          response: { 200: pageOf(ShownReconciliation) },
        },
      },
      async (request) => {
        const { limit, cursor, channel, status } = request.query;
        const rows = await book.list({ channel, status, after: byDay.after(cursor)?.[0], limit: limit + 1 });
        return byDay.page(rows, limit, (row) => [row.day + row.reconciliationId], shown);
      },
    );
    app.post(
      '/v1/ops/reconciliations',
      {
        config: { access, problems: Problem.codes('channel-without-bills', 'day-not-over') },
        schema: {
          summary: 'Reconcile a day now',
          description:
            'Every day is reconciled by itself at 10:30 the next morning, China time. Running it again changes nothing that is settled.',
          body: z.strictObject({ channel: Channel, day: Day }),
          response: { 202: z.object({ reconciliation_id: ReconciliationId }).meta({ id: 'ReconciliationBegun' }) },
        },
      },
      async (request, reply) => {
        const { channel, day } = request.body;
        if (!channels.includes(channel)) throw new Problem('channel-without-bills');
        if (day > dayBefore(core.clock.now())) throw new Problem('day-not-over');
        return answer(reply, await core.write(reconciliationRuns.run, { channel, day }));
      },
    );
  };

const shown = (row: Awaited<ReturnType<ReconciliationBook['list']>>[number]): z.infer<typeof ShownReconciliation> => ({
  reconciliation_id: row.reconciliationId,
  channel: row.channel,
  day: row.day,
  status: row.status,
  lines: row.lines,
  open_differences: row.open,
  hash: row.hash,
  failure: row.failure,
  runs: row.runs,
  ran_at: row.ranAt?.toISOString() ?? null,
});

const differenceRoutes = ({ core, book }: Deps): Routes =>
  async function differences(app) {
    app.get(
      '/v1/ops/reconciliation-differences',
      {
        config: { access },
        schema: {
          summary: 'List differences between channels and our books',
          querystring: z.strictObject({ ...listQuery, status: DifferenceState.optional(), class: Class.optional() }),
          response: { 200: pageOf(ShownDifference) },
        },
      },
      async (request) => {
        const { limit, cursor, status, class: name } = request.query;
        const last = byOldest.after(cursor);
        const after = last && { at: new Date(last[0]), differenceId: last[1] };
        const rows = await book.differences({ status, class: name, after, limit: limit + 1 });
        return byOldest.page(rows, limit, (row) => [row.foundAt.toISOString(), row.differenceId], shownDifference);
      },
    );
    const named = async (differenceId: string, request: Parameters<typeof callerOf>[0]) => {
      const difference = await book.difference(differenceId);
      if (!difference) throw new Problem('not-found');
      return { reconciliationId: difference.reconciliationId, differenceId, by: callerOf(request).userId };
    };
    app.post(
      '/v1/ops/reconciliation-differences/:difference_id/propose',
      {
        config: { access, problems: Problem.codes('not-found', 'difference-settled', 'nothing-to-adjust') },
        schema: {
          summary: 'Say how a difference shall be settled',
          description: '`explained` books nothing; `adjusted` brings our ledger to the figure of the channel. A second operator decides.',
          params: Params,
          body: z.strictObject({ resolution: z.enum(resolutions), reason: Reason }),
          response: { 200: ShownDifference },
        },
      },
      async (request) => {
        const asked = { ...(await named(request.params.difference_id, request)), ...request.body };
        return shownDifference((await core.write(differenceWrites.propose, asked)).body as Difference);
      },
    );
    for (const verdict of ['approve', 'reject'] as const) {
      app.post(
        `/v1/ops/reconciliation-differences/:difference_id/${verdict}`,
        {
          config: { access, problems: Problem.codes('not-found', 'difference-not-proposed', 'second-person-needed') },
          schema: {
            summary: verdict === 'approve' ? 'Agree to how a difference shall be settled' : 'Send a proposal back',
            ...(verdict === 'approve' ? { description: 'Nobody approves what they have proposed.' } : {}),
            params: Params,
            body: z.strictObject({ reason: Reason.optional() }),
            response: { 200: ShownDifference },
          },
        },
        async (request) => {
          const asked = { ...(await named(request.params.difference_id, request)), verdict, reason: request.body.reason };
          return shownDifference((await core.write(differenceWrites.decide, asked)).body as Difference);
        },
      );
    }
  };

const shownDifference = (row: Difference): z.infer<typeof ShownDifference> => ({
  difference_id: row.differenceId,
  reconciliation_id: row.reconciliationId,
  class: row.class,
  kind: row.kind,
  number: row.number,
  order_id: row.orderId,
  channel_no: row.channelNo,
  ours: row.ours,
  theirs: row.theirs,
  explanation: row.explanation,
  status: row.status,
  found_at: row.foundAt.toISOString(),
  resolution: row.resolution,
  reason: row.reason,
  proposed_by: row.proposedBy,
  decided_by: row.decidedBy,
  decided_at: row.decidedAt?.toISOString() ?? null,
});
