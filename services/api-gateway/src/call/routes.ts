import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { addDays, chinaDay } from '@yunshi/kernel/calendar';
import { InstanceId } from '@yunshi/kernel/ids';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { logPolicy } from '../policy.ts';
import { Problem } from '../problems.ts';
import type { CallLog, CallRow } from './call-log.ts';

/** 用量: the log of what was called with an API instance, and how much of it on each day. */

const Time = z.iso.datetime({ offset: true });
const Params = z.object({ instance_id: InstanceId });
const SecretId = z.string().max(64);
const Day = z.iso.date();

const ShownCall = z
  .object({
    call_id: z.string(),
    secret_id: SecretId,
    at: Time,
    method: z.string(),
    path: z.string().meta({ description: 'Without the query' }),
    status: z.int().nullable().meta({ description: 'What you were answered; null while it runs, or where that is not known' }),
    duration_ms: z.int().nullable(),
  })
  .meta({ id: 'CountedCall' });
const ListQuery = z.strictObject({
  ...listQuery,
  secret_id: SecretId.optional(),
  from: Time.optional(),
  to: Time.optional().meta({ description: 'Exclusive' }),
  outcome: z.enum(['succeeded', 'failed']).optional().meta({ description: 'succeeded: answered with a status below 400' }),
});
const CountsQuery = z.strictObject({
  from: Day.optional().meta({ description: 'A day in China; 30 days ago, if left out' }),
  to: Day.optional().meta({ description: 'Inclusive; today, if left out' }),
});
const ShownCounts = z
  .object({ items: z.array(z.object({ secret_id: SecretId, day: Day, calls: z.int() })), total: z.int(), next_cursor: z.null() })
  .meta({ id: 'CallCounts', description: 'Days and keys without calls are left out' });

const byNewest = keyset(z.tuple([Time, z.string().max(64)]));

const shown = ({ callId, secretId, at, method, path, status, durationMs }: CallRow): z.infer<typeof ShownCall> => ({
  call_id: callId,
  secret_id: secretId,
  at: at.toISOString(),
  method,
  path,
  status,
  duration_ms: durationMs,
});

const written = (day: string): string => `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;

export const callRoutes =
  ({ log, now }: { readonly log: CallLog; readonly now: () => Date }): Routes =>
  async (app) => {
    async function own(request: FastifyRequest, instanceId: InstanceId) {
      const { accountId } = callerOf(request);
      if (!(await log.isOf(accountId, instanceId))) throw new Problem('not-found');
      return { accountId, instanceId };
    }
    app.get(
      '/v1/instances/:instance_id/calls',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found', 'cursor-not-valid') },
        schema: {
          summary: 'The calls that were counted, newest first',
          description: `Kept for ${logPolicy.keptDays} days. A call is here less than a second after it was forwarded.`,
          params: Params,
          querystring: ListQuery,
          response: { 200: pageOf(ShownCall) },
        },
      },
      async (request) => {
        const of = await own(request, request.params.instance_id);
        const { limit, cursor, secret_id: secretId, from, to, outcome } = request.query;
        const rows = await log.list({ ...of, secretId, from, to, outcome, after: byNewest.after(cursor), take: limit + 1 });
        return byNewest.page(rows, limit, (row) => [row.at.toISOString(), row.callId], shown);
      },
    );
    app.get(
      '/v1/instances/:instance_id/calls/counts',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found', 'days-not-valid') },
        schema: {
          summary: 'How many calls were counted per key and day, for a chart',
          params: Params,
          querystring: CountsQuery,
          response: { 200: ShownCounts },
        },
      },
      async (request) => {
        const { accountId, instanceId } = await own(request, request.params.instance_id);
        const to = request.query.to?.replaceAll('-', '') ?? chinaDay(now());
        const from = request.query.from?.replaceAll('-', '') ?? chinaDay(addDays(now(), -30));
        const days = (Date.parse(written(to)) - Date.parse(written(from))) / 86_400_000;
        if (days < 0 || days > logPolicy.chartDaysMax) throw new Problem('days-not-valid');
        const rows = await log.counts(accountId, instanceId, { from, to });
        return {
          items: rows.map(({ secretId, day, calls }) => ({ secret_id: secretId, day: written(day), calls })),
          total: rows.reduce((sum, { calls }) => sum + calls, 0),
          next_cursor: null,
        };
      },
    );
  };
