import type { Sql } from '@yunshi/db/connect';

/**
 * Fills a table with copies of the rows that are in it: `count` of each, all in one statement. `changes` are the columns that differ, as SQL
 * over the row's columns and `nth`, the number of the copy from 1. The rest of a copy is its original.
 */
export async function copyRows(
  sql: Sql,
  table: string,
  {
    count,
    changes,
    where = 'true',
  }: { readonly count: number; readonly changes: Readonly<Record<string, string>>; readonly where?: string },
): Promise<void> {
  const columns = await sql<{ name: string }[]>`
    select quote_ident(attname) as name from pg_attribute where attrelid = ${table}::regclass and attnum > 0 and not attisdropped`;
  const names = columns.map(({ name }) => name);
  const strange = Object.keys(changes).filter((name) => !names.includes(name));
  if (strange.length > 0) throw new Error(`${table} has no ${strange.join(', ')}`);
  const values = names.map((name) => changes[name] ?? name);
  await sql.unsafe(
    `insert into ${table} (${names.join(', ')}) select ${values.join(', ')} from ${table}, generate_series(1, ${count}) nth where ${where}`,
  );
}

/** The nth id of its kind, as SQL: the number stands in the last digits. */
export const nthId = (prefix: string, nth: string): string => `'${prefix}_' || lpad(to_hex(${nth}), 32, '0')`;
