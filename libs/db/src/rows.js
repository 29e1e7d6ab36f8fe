import { getTableColumns, getTableName } from 'drizzle-orm';
const quoted = (name) => `"${name}"`;
/** Arrays of jsonb cannot be bound directly, because an element that is itself an array would be read as a dimension. */
const bindType = (sqlType) => (sqlType === 'jsonb' ? 'text[]' : `${sqlType}[]`);
const unbound = (sqlType, alias) => (sqlType === 'jsonb' ? `${alias}::jsonb` : alias);
const toBind = (sqlType, value) => {
  if (value === null || value === undefined) return null;
  return sqlType === 'jsonb' ? JSON.stringify(value) : value;
};
const columnsOf = (table) =>
  Object.entries(getTableColumns(table)).map(([field, column]) => ({ field, name: column.name, sqlType: column.getSQLType() }));
/** The statements for a set of rows of one table, written once from the table's definition. */
function statementsFor(table, key, onConflict) {
  const columns = columnsOf(table);
  const keyColumn = columns.find((column) => column.field === key);
  if (!keyColumn) throw new Error(`${getTableName(table)} has no column '${key}'`);
  const name = quoted(getTableName(table));
  const list = columns.map((column) => quoted(column.name)).join(', ');
  const selected = columns.map((column) => `${quoted(column.name)} as ${quoted(column.field)}`).join(', ');
  const params = columns.map((column, index) => `$${index + 1}::${bindType(column.sqlType)}`).join(', ');
  const aliases = columns.map((_, index) => `c${index}`);
  const values = columns.map((column, index) => unbound(column.sqlType, aliases[index])).join(', ');
  const replaced = columns
    .filter((column) => column !== keyColumn)
    .map((column) => `${quoted(column.name)} = excluded.${quoted(column.name)}`);
  const conflict = onConflict === 'keep' || replaced.length === 0 ? 'do nothing' : `do update set ${replaced.join(', ')}`;
  return {
    columns,
    select: `select ${selected} from ${name} where ${quoted(keyColumn.name)} = any($1::${keyColumn.sqlType}[])`,
    lock: `select ${selected} from ${name} where ${quoted(keyColumn.name)} = any($1::${keyColumn.sqlType}[]) order by ${quoted(keyColumn.name)} for update`,
    save: `insert into ${name} (${list}) select ${values} from unnest(${params}) as t(${aliases.join(', ')}) on conflict (${quoted(keyColumn.name)}) ${conflict}`,
  };
}
/** The rows of a drizzle table, keyed by one of its columns. Column types other than arrays are supported. */
export function rowsOf(table, key, { onConflict = 'replace' } = {}) {
  const statements = statementsFor(table, key, onConflict);
  const run = async (tx, text, params) => await tx.unsafe(text, params, { prepare: true });
  return {
    name: getTableName(table),
    keyOf: (row) => row[key],
    find: (tx, keys) => run(tx, statements.select, [keys]),
    lock: (tx, keys) => run(tx, statements.lock, [keys]),
    save: (tx, rows) =>
      run(
        tx,
        statements.save,
        statements.columns.map(({ field, sqlType }) => rows.map((row) => toBind(sqlType, row[field]))),
      ),
  };
}
