import { randomBytes } from 'node:crypto';
import { databaseUrl, dropDatabase, provision } from '@yunshi/local/provision';
import { afterAll, inject } from 'vitest';

export type TestDatabase = {
  /** As the service sees it: its own role, whose search_path is its own schema. */
  readonly url: string;
  /** As a superuser sees it. */
  readonly adminUrl: string;
  /** The URL of another service's role; it must have been named in `services`. */
  urlOf(service: string): string;
  drop(): Promise<void>;
};

/** Not a secret: the roles live in a server of the tests. */
const PASSWORD = 'test';

/**
 * A fresh, empty database for a test file: `const database = await testDatabase('order')` at its top. It is dropped after the file.
 * Each service named gets the role and schema `svc_<service>`, made as `npm start` makes them; migrations are the caller's.
 */
export async function testDatabase(...services: [string, ...string[]]): Promise<TestDatabase> {
  const admin = inject('servers').postgresUrl;
  const database = `test_${randomBytes(6).toString('hex')}`;
  const roles = new Map(services.map((service) => [service, { role: `svc_${service.replaceAll('-', '_')}`, password: PASSWORD }]));
  await provision(admin, database, [...roles.values()]);
  const urlOf = (service: string) => {
    const role = roles.get(service);
    if (!role) throw new Error(`this test's database has no service ${service}`);
    return databaseUrl(admin, database, role);
  };
  const drop = () => dropDatabase(admin, database);
  afterAll(drop);
  return { url: urlOf(services[0]), adminUrl: databaseUrl(admin, database), urlOf, drop };
}
