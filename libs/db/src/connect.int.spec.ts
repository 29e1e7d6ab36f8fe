import { testDatabase } from '@yunshi/testing/database';
import { startProxy } from '@yunshi/testing/proxy/proxy';
import { until } from '@yunshi/testing/until';
import { afterAll, expect, it } from 'vitest';
import { connect } from './connect.ts';

const database = await testDatabase('order');
const { port } = new URL(database.url);
const proxy = await startProxy({ protocol: 'postgres', port: Number(port), chance: () => 0 });
const url = database.url.replace(`:${port}`, `:${proxy.port}`);
const watching = connect({ url: database.adminUrl, name: 'watching', connectionsMax: 1 });
afterAll(async () => {
  await watching.end({ timeout: 1 });
  await proxy.stop();
});

it('what is asked in the moment in which a connection breaks is not waited for in vain, and gets nobody else’s answer', async () => {
  const sql = connect({ url, name: 'broken', connectionsMax: 1 });
  const answered = new Map<number, unknown>();
  const ask = async (number: number): Promise<void> => {
    answered.set(number, await sql<{ n: number }[]>`select ${number}::int as n`.then(([row]) => row?.n, String));
  };
  await ask(0);
  const sleeping = sql`select pg_sleep(60)`.catch(() => ask(1));
  await until(
    async () => (await watching`select 1 from pg_stat_activity where application_name = 'broken' and wait_event = 'PgSleep'`).length > 0,
  );
  proxy.reset();
  await Promise.all([2, 3, 4].map(ask));
  await until(() => answered.has(1), { what: 'the question in between is answered' });
  await sleeping;
  await Promise.all([5, 6, 7].map(ask));
  // What was on its way is refused or answered, and every answer is that to its own question.
  for (const number of [1, 2, 3, 4]) expect([number, expect.stringContaining('CONNECTION_CLOSED')]).toContainEqual(answered.get(number));
  expect([5, 6, 7].map((number) => answered.get(number))).toEqual([5, 6, 7]);
  await sql.end({ timeout: 1 });
});

it('a database that cannot be reached is an error at once', async () => {
  const nowhere = connect({ url: database.url.replace(`:${port}`, ':9'), name: 'nowhere', connectionsMax: 1 });
  await expect(nowhere`select 1`).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await nowhere.end({ timeout: 1 });
});
