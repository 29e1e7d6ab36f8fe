import { expect, test } from 'vitest';
import { testDatabase } from '@yunshi/testing/database';
import { analyzeEarly } from './analyze.ts';
import { connect } from './connect.ts';

const database = await testDatabase('order');

test('the planner knows how many rows each table has, from the start', async () => {
  const sql = connect({ url: database.url, name: 'test', connectionsMax: 1 });
  await sql`create table parcels (id int primary key)`;
  await sql`insert into parcels select generate_series(1, 500)`;
  const stop = await analyzeEarly(sql, () => undefined);
  stop();
  expect(await sql`select reltuples::int as rows from pg_class where relname = 'parcels'`).toEqual([{ rows: 500 }]);
  await sql.end();
});
