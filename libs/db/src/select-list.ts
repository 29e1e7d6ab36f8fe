import { getTableColumns } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

/**
 * The select list of a drizzle table for hand-written statements, each column under its field's name: `"claim_id" as "claimId", …`.
 * `of` is the table's alias in the statement. To be used as a fragment: `sql.unsafe(selectListOf(claims, 'c'))`.
 */
export function selectListOf(table: PgTable, of?: string): string {
  const from = of === undefined ? '' : `${of}.`;
  return Object.entries(getTableColumns(table))
    .map(([field, column]) => `${from}"${column.name}" as "${field}"`)
    .join(', ');
}
