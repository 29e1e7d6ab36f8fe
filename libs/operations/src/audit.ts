import { z } from 'zod';
import { keyset, listQuery, pageOf } from '@yunshi/http/lists';
import type { Routes } from '@yunshi/http/server';
import { UserId } from '@yunshi/kernel/ids';
import { findAudit, type AuditRow } from '@yunshi/messaging/audit';
import type { Operated } from './operated.ts';
import { Problem } from './problems.ts';

const ShownAct = z
  .object({
    at: z.iso.datetime({ offset: true }),
    actor: z.string(),
    action: z.string().meta({ example: 'dead-letter.retry' }),
    object: z.string().meta({ example: 'dead-letter:17' }),
    reason: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry', description: 'What an operator has done' });

/** What was done to one thing, newest first. */
export const History = z.array(ShownAct);

export const shownAct = ({ at, actor, action, object, reason }: AuditRow): z.infer<typeof ShownAct> => ({
  at: at.toISOString(),
  actor,
  action,
  object,
  reason,
});

const byNewest = keyset(z.tuple([z.int()]));

const ListQuery = z.strictObject({
  ...listQuery,
  actor: UserId.optional(),
  action: z.string().max(64).optional(),
  object: z.string().max(128).optional(),
});

/** What operators have done in this service. */
export const auditRoutes =
  ({ service, core: { sql } }: Operated): Routes =>
  async (app) => {
    app.get(
      `/v1/ops/${service}/audit`,
      {
        config: { access: ['operator'], problems: Problem.codes('cursor-not-valid') },
        schema: {
          tags: ['operations'],
          summary: `What operators have done in the service ${service}, newest first`,
          querystring: ListQuery,
          response: { 200: pageOf(ShownAct) },
        },
      },
      async (request) => {
        const { limit, cursor, actor, action, object } = request.query;
        const found = await findAudit(sql, { actor, action, object, before: byNewest.after(cursor)?.[0], limit: limit + 1 });
        return byNewest.page(found, limit, (row) => [row.id], shownAct);
      },
    );
  };
