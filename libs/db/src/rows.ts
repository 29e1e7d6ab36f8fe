import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Tx } from './connect.ts';
import { selectListOf } from './select-list.ts';

/**
 * The rows of one aggregate as the core handles them: locked as a set, decided on one by one, saved as a set.
 * `name` is unique in a service; work of one batch is merged per name.
 */
export type Rows<K extends string, R> = {
  readonly name: string;
  readonly keyOf: (row: R) => K;
  /** Locks and answers the rows that exist, in one statement, ordered by key so that two batches cannot deadlock. */
  readonly lock: (tx: Tx, keys: readonly K[]) => Promise<readonly R[]>;
  /** Inserts or replaces the rows, in one statement. */
  readonly save: (tx: Tx, rows: readonly R[]) => Promise<unknown>;
  /**
   * Set where `save` is known to send its only statement before it returns, so that COMMIT may follow on its heels. A statement that is
   * merely awaited is sent two ticks later, behind the COMMIT; without the mark the core waits for the save before it commits.
   */
  readonly pipelined?: true;
  /**
   * Inserts rows that were looked for and not found. A row that is not there cannot be locked: if another transaction has inserted it
   * meanwhile this fails with a unique violation of the primary key, and the batch looks again. Without it such a row is replaced.
   */
  readonly insert?: (tx: Tx, rows: readonly R[]) => Promise<unknown>;
  /** Set where `save` leaves a row that is there already as it is. */
  readonly keeps?: true;
};

type RowOf<T extends PgTable> = T['$inferSelect'];

type Column = { readonly field: string; readonly name: string; readonly sqlType: string };

const quoted = (name: string): string => `"${name}"`;

/**
 * The client guesses an array's type from its first element, and guesses the element's type: right for text and numbers, wrong for
 * times and booleans; and an element of jsonb that is itself an array would be read as a dimension. Those travel as text.
 */
const asText = /^(jsonb|boolean|timestamp)/;
const bindType = (sqlType: string): string => (asText.test(sqlType) ? 'text[]' : `${sqlType}[]`);
const unbound = (sqlType: string, alias: string): string => (asText.test(sqlType) ? `${alias}::${sqlType}` : alias);
const toBind = (sqlType: string, value: unknown): unknown => {
  if (value === null || value === undefined) return null;
  if (sqlType === 'jsonb') return JSON.stringify(value);
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'boolean' ? String(value) : value;
};

const columnsOf = (table: PgTable): Column[] =>
  Object.entries(getTableColumns(table)).map(([field, column]) => ({ field, name: column.name, sqlType: column.getSQLType() }));

/** The statements for a set of rows of one table, written once from the table's definition. */
function statementsFor(table: PgTable, key: string, onConflict: 'replace' | 'keep') {
  const columns = columnsOf(table);
  const keyColumn = columns.find((column) => column.field === key);
  if (!keyColumn) throw new Error(`${getTableName(table)} has no column '${key}'`);
  const name = quoted(getTableName(table));
  const list = columns.map((column) => quoted(column.name)).join(', ');
  const selected = selectListOf(table);
  const params = columns.map((column, index) => `$${index + 1}::${bindType(column.sqlType)}`).join(', ');
  const aliases = columns.map((_, index) => `c${index}`);
  const values = columns.map((column, index) => unbound(column.sqlType, aliases[index]!)).join(', ');
  const replaced = columns
    .filter((column) => column !== keyColumn)
    .map((column) => `${quoted(column.name)} = excluded.${quoted(column.name)}`);
  const conflict = onConflict === 'keep' || replaced.length === 0 ? 'do nothing' : `do update set ${replaced.join(', ')}`;
  const insert = `insert into ${name} (${list}) select ${values} from unnest(${params}) as t(${aliases.join(', ')})`;
  return {
    columns,
    select: `select ${selected} from ${name} where ${quoted(keyColumn.name)} = any($1::${keyColumn.sqlType}[])`,
    lock: `select ${selected} from ${name} where ${quoted(keyColumn.name)} = any($1::${keyColumn.sqlType}[]) order by ${quoted(keyColumn.name)} for update`,
    insert,
    save: `${insert} on conflict (${quoted(keyColumn.name)}) ${conflict}`,
  };
}

/** The rows of a drizzle table, keyed by one of its columns. Column types other than arrays are supported. */
export function rowsOf<T extends PgTable, F extends keyof RowOf<T> & string>(
  table: T,
  key: F,
  { onConflict = 'replace' }: { readonly onConflict?: 'replace' | 'keep' } = {},
): Rows<RowOf<T>[F] & string, RowOf<T>> & {
  readonly find: (tx: Tx, keys: readonly (RowOf<T>[F] & string)[]) => Promise<readonly RowOf<T>[]>;
} {
  const statements = statementsFor(table, key, onConflict);
  const run = (tx: Tx, text: string, params: readonly unknown[]) =>
    tx.unsafe(text, params as never[], { prepare: true }).execute() as unknown as Promise<RowOf<T>[]>;
  const bound = (rows: readonly RowOf<T>[]) =>
    statements.columns.map(({ field, sqlType }) => rows.map((row) => toBind(sqlType, (row as Record<string, unknown>)[field])));
  return {
    name: getTableName(table),
    pipelined: true,
    ...(onConflict === 'keep' && { keeps: true }),
    keyOf: (row) => row[key] as RowOf<T>[F] & string,
    find: (tx, keys) => run(tx, statements.select, [keys]),
    lock: (tx, keys) => run(tx, statements.lock, [keys]),
    save: (tx, rows) => run(tx, statements.save, bound(rows)),
    insert: (tx, rows) => run(tx, statements.insert, bound(rows)),
  };
}
