import type { Sql } from '@yunshi/db/connect';

export type Statement = {
  readonly role: string;
  readonly calls: number;
  readonly ms: number;
  readonly plans: number;
  readonly planMs: number;
  readonly rows: number;
  readonly text: string;
};
export type Counted = { readonly commits: number; readonly statements: readonly Statement[] };

/** Has PostgreSQL ready to count statements, and not counting: that would cost time while it is measured. */
export async function prepareCounting(sql: Sql): Promise<void> {
  await sql`create extension if not exists pg_stat_statements`;
  await track(sql, 'none');
}

/** Counts what PostgreSQL is asked while `run` goes on, without the bench's own questions and the sandbox's. Reads count as commits. */
export async function countStatements(sql: Sql, run: () => Promise<unknown>): Promise<Counted> {
  await track(sql, 'top');
  await sql`select pg_stat_statements_reset()`;
  await run();
  const statements = await sql<Statement[]>`
    select r.rolname as role, s.calls, s.total_exec_time::float as ms, s.plans, s.total_plan_time::float as "planMs", s.rows, s.query as text
    from pg_stat_statements s join pg_roles r on r.oid = s.userid
    where r.rolname like 'svc\\_%' and r.rolname <> 'svc_sandbox' order by s.total_exec_time + s.total_plan_time desc`;
  await track(sql, 'none');
  const commits = statements.filter(({ text }) => /^commit$/i.test(text)).reduce((sum, { calls }) => sum + calls, 0);
  // A statement outside of a transaction block is a transaction of its own; those within are counted by their COMMIT.
  return { commits, statements };
}

async function track(sql: Sql, what: 'top' | 'none'): Promise<void> {
  await sql.unsafe(`alter system set pg_stat_statements.track = '${what}'`);
  await sql`select pg_reload_conf()`;
}

/** All transactions of the database that were committed so far, whoever asked. */
export async function committed(sql: Sql): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select xact_commit as n from pg_stat_database where datname = current_database()`;
  return row?.n ?? 0;
}
