import type { Sql } from './connect.ts';

/** After start, when a fresh system has got its first thousands of rows; later autovacuum sees to it. */
const againAfterMs = [15_000, 60_000, 300_000];

/**
 * Plans that were made for empty tables stay, and read a growing table from end to end, until ANALYZE makes them anew; autovacuum takes
 * a minute and more to notice. So the tables of the schema are analysed at start, and again early. Answers how to stop.
 */
export async function analyzeEarly(sql: Sql, onFault: (what: string, error: unknown) => void): Promise<() => void> {
  const analyze = async (): Promise<void> => {
    const tables = await sql<{ name: string }[]>`select tablename as name from pg_tables where schemaname = current_schema()`;
    if (tables.length > 0) await sql`analyze ${sql(tables.map(({ name }) => name))}`;
  };
  const timers = againAfterMs.map((ms) =>
    setTimeout(() => void analyze().catch((error: unknown) => onFault('analyze', error)), ms).unref(),
  );
  await analyze();
  return () => timers.forEach((timer) => clearTimeout(timer));
}
