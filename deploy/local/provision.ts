import postgres from 'postgres';

export type ServiceRole = { role: string; password: string };

/** One role and one schema per service that has a database: neither can see the others'. */
export const schemas = [
  'svc_catalog',
  'svc_order',
  'svc_payment',
  'svc_coupon',
  'svc_fulfillment',
  'svc_api_gateway',
  'svc_sandbox',
] as const;

/**
 * Makes the database, the roles and their schemas; what is there already stays, with its password set anew.
 * `admin` is the URL of a superuser (or of a role with CREATEDB and CREATEROLE).
 */
export async function provision(admin: string, database: string, roles: readonly ServiceRole[]): Promise<void> {
  await using server = connect(admin);
  const { sql } = server;
  const [found] = await sql`SELECT 1 FROM pg_database WHERE datname = ${database}`;
  if (!found) await sql.unsafe(`CREATE DATABASE ${name(database)} TEMPLATE template0`);
  await sql.unsafe(`REVOKE ALL ON DATABASE ${name(database)} FROM PUBLIC`);
  for (const role of roles) await makeRole(sql, role);
  await using inside = connect(databaseUrl(admin, database));
  await inside.sql.unsafe('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  for (const { role } of roles) {
    await inside.sql.unsafe(`
      GRANT CONNECT ON DATABASE ${name(database)} TO ${name(role)};
      CREATE SCHEMA IF NOT EXISTS ${name(role)} AUTHORIZATION ${name(role)};
      ALTER ROLE ${name(role)} IN DATABASE ${name(database)} SET search_path = ${name(role)};`);
  }
}

/** Roles belong to the whole server: two runs at once may make the same one, so each waits for the other. */
async function makeRole(sql: postgres.Sql, { role, password }: ServiceRole): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`SELECT pg_advisory_xact_lock(hashtext('yunshi roles'))`;
    const [found] = await tx`SELECT 1 FROM pg_roles WHERE rolname = ${role}`;
    await tx.unsafe(
      `${found ? 'ALTER' : 'CREATE'} ROLE ${name(role)} LOGIN PASSWORD ${literal(password)} NOSUPERUSER NOCREATEDB NOCREATEROLE`,
    );
  });
}

/** The same server and user, another database. */
export function databaseUrl(admin: string, database: string, role?: ServiceRole): string {
  const url = new URL(admin);
  url.pathname = `/${database}`;
  if (role) {
    url.username = role.role;
    url.password = role.password;
  }
  return url.href;
}

/** Lets the planner know what a bulk load has put there. */
export async function analyze(admin: string, database: string): Promise<void> {
  await using inside = connect(databaseUrl(admin, database));
  await inside.sql.unsafe('ANALYZE');
}

export async function dropDatabase(admin: string, database: string): Promise<void> {
  await using server = connect(admin);
  await server.sql.unsafe(`DROP DATABASE IF EXISTS ${name(database)} WITH (FORCE)`);
}

function connect(url: string): { sql: postgres.Sql } & AsyncDisposable {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 5 }) };
}

function name(identifier: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(identifier)) throw new Error(`${identifier} is no plain name for a role or database`);
  return `"${identifier}"`;
}

function literal(text: string): string {
  if (text.includes("'") || text.includes('\\')) throw new Error('a password may hold neither quotes nor backslashes');
  return `'${text}'`;
}
