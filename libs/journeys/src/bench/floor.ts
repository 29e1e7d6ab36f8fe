import type { Sql } from '@yunshi/db/connect';
import { startWorker } from './worker.ts';
import type { FloorAsk, FloorTold } from './floor-writer.ts';

// The floor: one process that writes the rows of one purchase, all services' business rows, ledger and outbox, into the same PostgreSQL,
// in one transaction a purchase. It copies a purchase that the system has made, so that it writes what the system writes.

/** Where the rows of a purchase are, and how they name it. */
const tables = [
  { schema: 'svc_order', table: 'orders', where: 'order_id' },
  { schema: 'svc_order', table: 'timeline', where: 'order_id' },
  { schema: 'svc_payment', table: 'payments', where: 'order_id' },
  { schema: 'svc_payment', table: 'payment_attempts', where: 'order_id' },
  { schema: 'svc_payment', table: 'ledger_postings', where: 'order_id' },
  { schema: 'svc_payment', table: 'channel_notices', where: 'order_id' },
  { schema: 'svc_fulfillment', table: 'instances', where: 'order_id' },
  { schema: 'svc_fulfillment', table: 'provider_calls', where: 'order_id' },
  { schema: 'svc_catalog', table: 'sales', where: 'order_id' },
] as const;
const outboxes = ['svc_order', 'svc_payment', 'svc_coupon', 'svc_fulfillment', 'svc_catalog'] as const;

/** One prepared statement that writes all rows of one table; its values, and which of them are different for each purchase. */
export type Write = { readonly text: string; readonly values: readonly (string | null)[] };

type Row = Record<string, string | null>;

/** Makes empty twins of the tables, indexes and all, and reads a completed purchase as what is to be written into them. */
async function prepareFloor(sql: Sql): Promise<{ writes: Write[]; rows: number }> {
  await sql`drop schema if exists floor cascade`;
  await sql`create schema floor`;
  const [order] = await sql<{ id: string }[]>`
    select order_id as id from svc_order.orders where status = 'completed' and claim_id is null order by placed_at desc limit 1`;
  if (!order) throw new Error('no purchase has been completed yet: there is nothing to copy');
  const writes: Write[] = [];
  let count = 0;
  const add = async (table: string, like: string, rows: readonly Row[]) => {
    await sql.unsafe(`create table floor.${table} (like ${like} including all)`);
    if (rows.length === 0) throw new Error(`a completed purchase has rows in ${like}, but this one has none`);
    writes.push(await insertOf(sql, table, rows));
    count += rows.length;
  };
  for (const { schema, table, where } of tables) {
    const columns = await columnsOf(sql, schema, table);
    const list = columns.map((name) => `"${name}"::text as "${name}"`).join(', ');
    await add(
      table,
      `${schema}.${table}`,
      await sql.unsafe<Row[]>(`select ${list} from ${schema}.${table} where ${where} = $1`, [order.id]),
    );
  }
  const sent = await Promise.all(
    outboxes.map((schema) =>
      sql.unsafe<Row[]>(`select id::text, subject, body, traceparent, created_at::text from ${schema}.sent where body like $1`, [
        `%${order.id}%`,
      ]),
    ),
  );
  await add('outbox', 'svc_order.outbox', sent.flat());
  return { writes, rows: count };
}

async function columnsOf(sql: Sql, schema: string, table: string): Promise<string[]> {
  const columns = await sql<{ name: string }[]>`
    select column_name as name from information_schema.columns where table_schema = ${schema} and table_name = ${table} order by ordinal_position`;
  return columns.map(({ name }) => name);
}

async function insertOf(sql: Sql, table: string, rows: readonly Row[]): Promise<Write> {
  const types = await sql<{ name: string; type: string }[]>`
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
    where a.attrelid = ${`floor.${table}`}::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum`;
  let nth = 0;
  const tuples = rows.map(() => `(${types.map(({ type }) => `$${++nth}::text::${type}`).join(', ')})`);
  return {
    text: `insert into floor.${table} (${types.map(({ name }) => `"${name}"`).join(', ')}) values ${tuples.join(', ')}`,
    values: rows.flatMap((row) => types.map(({ name }) => row[name] ?? null)),
  };
}

/** The best of several concurrencies, in purchases a second. */
export async function measureFloor(
  sql: Sql,
  { url, concurrencies, seconds }: { readonly url: string; readonly concurrencies: readonly number[]; readonly seconds: number },
): Promise<{ readonly purchasesPerS: number; readonly connections: number; readonly rows: number }> {
  const { writes, rows } = await prepareFloor(sql);
  const writer = startWorker<FloorAsk, FloorTold>(new URL('./floor-writer.ts', import.meta.url));
  let best = { purchasesPerS: 0, connections: 0, rows };
  let written = 0;
  for (const connections of concurrencies) {
    const { purchases, seconds: took } = await writer.ask({ url, writes, connections, seconds });
    written += purchases;
    if (purchases / took > best.purchasesPerS) best = { ...best, purchasesPerS: Math.round(purchases / took), connections };
  }
  await writer.stop();
  const [kept] = await sql<{ n: number }[]>`select count(*) as n from floor.orders`;
  if (kept?.n !== written) throw new Error(`the floor says it wrote ${written} purchases, but there are ${kept?.n}`);
  await sql`drop schema floor cascade`;
  return best;
}
