import { z } from 'zod';
import { callerOf } from '@yunshi/http/caller';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { SagaId } from '@yunshi/kernel/ids';
import { findAudit } from '@yunshi/messaging/audit';
import type { Core } from '@yunshi/messaging/core';
import { History, shownAct } from '@yunshi/operations/audit';
import { redacted } from '@yunshi/operations/redact';
import type { SagaState } from '@yunshi/saga/run';
import { Problem } from '../problems.ts';
import { askAgain, findSaga, findSagas, type SagaLogRow, type SagaRow } from './search.ts';

const Phase = z.enum(['forward', 'backward', 'completed', 'rolled-back']);
const Time = z.iso.datetime({ offset: true });
const byNewest = keyset(z.tuple([SagaId]));
/** A saga is woken within seconds of its time; one that has slept this much longer is not being looked after. */
const pastBoundMs = 30_000;
const historyMax = 50;
const Flag = z.enum(['true', 'false']).transform((flag) => flag === 'true');

const ListQuery = z.strictObject({
  ...listQuery,
  name: z.string().max(64).optional().meta({ example: 'purchase' }),
  phase: Phase.optional(),
  step: z.string().max(64).optional().meta({ description: 'The step whose answer is awaited', example: 'collect payment' }),
  key: z.string().max(64).optional().meta({ description: 'The business id, such as the order id' }),
  troubled: Flag.optional().meta({ description: 'Only those with something wrong, such as an undo that fails' }),
  past_bound: Flag.optional().meta({ description: 'Only those that should have asked again, or given up, and have not' }),
});

const Failure = z.object({
  step: z.string(),
  cause: z.enum(['refused', 'timed-out', 'stopped']),
  reply: z.string().optional(),
  answer: z.unknown().optional(),
});

const Trouble = z
  .object({
    kind: z.enum(['not-declared', 'buried', 'unanswered']).meta({
      description:
        'The awaited step was answered with what its command does not declare; a message about it is a dead letter of `service`; or it has been asked again and again',
    }),
    detail: z.string(),
    service: z.string().optional(),
    since: Time,
  })
  .meta({ id: 'SagaTrouble' });

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
    trouble: Trouble.nullable().meta({ description: 'What is wrong with the awaited step; a failed undo has phase `backward`' }),
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
      data: z.unknown().meta({ description: 'What it remembered then' }),
    }),
  ),
  history: History,
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
    trouble: row.trouble,
    deadline_at: time(row.deadlineAt),
    wake_at: time(row.wakeAt),
    started_at: row.startedAt.toISOString(),
    ended_at: time(row.endedAt),
    trace_id: row.traceparent?.split('-')[1] ?? null,
  };
}

const shownEntry = ({ at, input, phase, step, sent, data }: SagaLogRow) => ({
  at: at.toISOString(),
  input: redacted(input),
  phase,
  step,
  sent,
  data: redacted(data),
});

/** The sagas of this service, for operators. */
export const sagaRoutes =
  (core: Pick<Core, 'sql' | 'clock'>): Routes =>
  async (app) => {
    await app.register(readRoutes(core));
    await app.register(askAgainRoute(core));
  };

const readRoutes =
  ({ sql, clock }: Pick<Core, 'sql' | 'clock'>): Routes =>
  async (app) => {
    app.get(
      '/v1/ops/sagas',
      {
        config: { access: ['operator'], problems: Problem.codes('cursor-not-valid') },
        schema: { tags: ['operations'], summary: 'Sagas, newest first', querystring: ListQuery, response: { 200: pageOf(ShownSaga) } },
      },
      async (request) => {
        const { limit, cursor, past_bound: pastBound, ...search } = request.query;
        const dueBefore = pastBound ? new Date(clock.now().getTime() - pastBoundMs) : undefined;
        const found = await findSagas(sql, { ...search, dueBefore, after: byNewest.after(cursor)?.[0], limit: limit + 1 });
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
        const history = await findAudit(sql, { object: `saga:${found.saga.id}`, limit: historyMax });
        const data = redacted((found.saga.state as SagaState).data);
        return { ...shown(found.saga), data, log: found.log.map(shownEntry), history: history.map(shownAct) };
      },
    );
  };

const askAgainRoute =
  ({ sql, clock }: Pick<Core, 'sql' | 'clock'>): Routes =>
  async (app) => {
    app.post(
      '/v1/ops/sagas/:saga_id/ask-again',
      {
        config: { access: ['operator'], problems: Problem.codes('not-found', 'saga-not-waiting') },
        schema: {
          tags: ['operations'],
          summary: 'Have a saga ask again at once for what it waits for',
          description:
            'The awaited do or undo is sent once more, within seconds. Who has carried it out already answers as before. A step whose deadline has passed is given up instead, as it would have been.',
          params: z.strictObject({ saga_id: SagaId }),
          body: z.strictObject({ reason: z.string().trim().min(1).max(500).optional() }),
          response: { 202: ShownSaga },
        },
      },
      async (request, reply) => {
        const { saga_id: id } = request.params;
        const asked = await askAgain(sql, id, { actor: callerOf(request).userId, reason: request.body.reason }, clock.now());
        const found = await findSaga(sql, id);
        if (!found) throw new Problem('not-found', { detail: `There is no saga ${id}.` });
        if (!asked) throw new Problem('saga-not-waiting', { detail: `It is ${found.saga.phase}.` });
        return reply.code(202).send(shown(found.saga));
      },
    );
  };
