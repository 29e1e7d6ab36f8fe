import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import type { Rows } from '@yunshi/db/rows';
import { write, type Write } from './handle.ts';
import { audit } from './tables.ts';

export type AuditRow = typeof audit.$inferSelect;

/** Who does it, and why. */
export type Act = { readonly actor: string; readonly reason: string | undefined };

type NewAudit = Pick<AuditRow, 'actor' | 'action' | 'object'> & { readonly reason: string | undefined };

const auditRows: Rows<string, NewAudit> = {
  name: 'audit',
  pipelined: true,
  keyOf: ({ action, object }) => `${action} ${object}`,
  lock: () => Promise.resolve([]),
  save: (tx, rows) =>
    tx`insert into audit (actor, action, object, reason)
      select * from unnest(${rows.map((row) => row.actor)}::text[], ${rows.map((row) => row.action)}::text[], ${rows.map((row) => row.object)}::text[],
        ${rows.map((row) => row.reason ?? null)}::text[])`.execute(),
};

/** To be written with a decision that an operator asked for. */
export const audited = (act: NewAudit): Write => write(auditRows, act);

export type AuditSearch = {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly object?: string | undefined;
  /** Only rows before this id. */
  readonly before?: number | undefined;
  readonly limit: number;
};

/** What operators have done in this service, newest first. */
export const findAudit = (sql: Sql, { actor, action, object, before, limit }: AuditSearch): PromiseLike<AuditRow[]> => sql<AuditRow[]>`
  select ${sql.unsafe(selectListOf(audit))} from audit
  where true ${actor === undefined ? sql`` : sql`and actor = ${actor}`} ${action === undefined ? sql`` : sql`and action = ${action}`}
    ${object === undefined ? sql`` : sql`and object = ${object}`} ${before === undefined ? sql`` : sql`and id < ${before}`}
  order by id desc limit ${limit}`;
