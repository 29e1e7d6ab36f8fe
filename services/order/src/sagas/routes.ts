import { z } from 'zod';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { SagaId } from '@yunshi/kernel/ids';
import type { Sql } from '@yunshi/db/connect';
import type { SagaState } from '@yunshi/saga/run';
import { Problem } from '../problems.ts';
import { findSaga, findSagas, type SagaLogRow, type SagaRow } from './search.ts';

const Phase = z.enum(['forward', 'backward', 'completed', 'rolled-back']);
const Time = z.iso.datetime({ offset: true });
const byNewest = keyset(z.tuple([SagaId]));

const ListQuery = z.strictObject({
  ...listQuery,
  name: z.string().max(64).optional().meta({ example: 'purchase' }),
  phase: Phase.optional(),
  step: z.string().max(64).optional().meta({ description: 'The step whose answer is awaited', example: 'collect payment' }),
  key: z.string().max(64).optional().meta({ description: 'The business id, such as the order id' }),
});

const Failure = z.object({
  step: z.string(),
  cause: z.enum(['refused', 'timed-out', 'stopped']),
  reply: z.string().optional(),
  answer: z.unknown().optional(),
});

const ShownSaga = z
  .object({
    saga_id: z.string(),
    name: z.string(),
    version: z.int(),
    key: z.string(),
    phase: Phase,
    step: z.string().nullable(),
    asks: z.int().meta({ description: 'How often the awaited step has been asked' }),
    failure: Failure.nullable().meta({ description: 'Why it turned back' }),
    deadline_at: Time.nullable(),
    wake_at: Time.nullable().meta({ description: 'When it asks again, or gives the step up' }),
    started_at: Time,
    ended_at: Time.nullable(),
    trace_id: z.string().nullable().meta({ description: 'Where to look in traces and logs' }),
  })
  .meta({ id: 'Saga' });

const ShownSagaWithLog = ShownSaga.extend({
  data: z.unknown().meta({ description: 'What it remembers' }),
  log: z.array(
    z.object({
      at: Time,
      input: z.unknown(),
      phase: z.string(),
      step: z.string().nullable(),
      sent: z.string().nullable(),
      data: z.unknown(),
    }),
  ),
}).meta({ id: 'SagaWithLog' });

const time = (at: Date | null): string | null => at?.toISOString() ?? null;

function shown(row: SagaRow): z.infer<typeof ShownSaga> {
  const { asks, failure } = row.state as SagaState;
  return {
    saga_id: row.id,
    name: row.name,
    version: row.version,
    key: row.key,
    phase: row.phase,
    step: row.step,
    asks,
    failure: failure ?? null,
    deadline_at: time(row.deadlineAt),
    wake_at: time(row.wakeAt),
    started_at: row.startedAt.toISOString(),
    ended_at: time(row.endedAt),
    trace_id: row.traceparent?.split('-')[1] ?? null,
  };
}

const shownEntry = ({ at, input, phase, step, sent, data }: SagaLogRow) => ({ at: at.toISOString(), input, phase, step, sent, data });

/** The sagas of this service, for operators. */
export const sagaRoutes =
  (sql: Sql): Routes =>
  async (app) => {
    app.get(
      '/v1/ops/sagas',
      {
        config: { access: ['operator'], problems: Problem.codes('cursor-not-valid') },
        schema: { tags: ['operations'], summary: 'Sagas, newest first', querystring: ListQuery, response: { 200: pageOf(ShownSaga) } },
      },
      async (request) => {
        const { limit, cursor, name, phase, step, key } = request.query;
        const found = await findSagas(sql, { name, phase, step, key, after: byNewest.after(cursor)?.[0], limit: limit + 1 });
        return byNewest.page(found, limit, (row) => [SagaId.parse(row.id)], shown);
      },
    );

    app.get(
      '/v1/ops/sagas/:saga_id',
      {
        config: { access: ['operator'], problems: Problem.codes('not-found') },
        schema: {
          tags: ['operations'],
          summary: 'A saga with its log',
          params: z.strictObject({ saga_id: SagaId }),
          response: { 200: ShownSagaWithLog },
        },
      },
      async (request) => {
        const found = await findSaga(sql, request.params.saga_id);
        if (!found) throw new Problem('not-found', { detail: `There is no saga ${request.params.saga_id}.` });
        return { ...shown(found.saga), data: (found.saga.state as SagaState).data, log: found.log.map(shownEntry) };
      },
    );
  };
