import { readMigrationFiles } from 'drizzle-orm/migrator';
import { connect } from './connect.ts';
/** Any number will do as long as all services agree: it is the name of the lock that one migrating process holds. */
const migrationLock = 771_018_204;
/**
 * Applies the migrations of each folder (as drizzle-kit writes them) that this schema has not seen, in order, each in a transaction.
 * Processes that start together wait for each other. drizzle's own migrator wants to create a schema, which a service's role may not.
 */
export async function migrate(databaseUrl, folders) {
  const sql = connect({ url: databaseUrl, name: 'migrate', connectionsMax: 1 });
  let applied = 0;
  try {
    await sql`select set_config('statement_timeout', '120000', false), set_config('lock_timeout', '60000', false)`;
    await sql`select pg_advisory_lock(${migrationLock}, hashtext(current_schema()))`;
    await sql`create table if not exists migrations (folder text not null, hash text not null, applied_at timestamptz not null default now(), primary key (folder, hash))`;
    for (const folder of folders) {
      const done = new Set((await sql`select hash from migrations where folder = ${folder.name}`).map((row) => row.hash));
      for (const migration of readMigrationFiles({ migrationsFolder: folder.path })) {
        if (done.has(migration.hash)) continue;
        await sql.begin(async (tx) => {
          for (const statement of migration.sql) await tx.unsafe(statement);
          await tx`insert into migrations (folder, hash) values (${folder.name}, ${migration.hash})`;
        });
        applied++;
      }
    }
    return applied;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
