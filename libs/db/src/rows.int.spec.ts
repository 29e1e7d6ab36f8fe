import { boolean, bigint, integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
import { testDatabase } from '@yunshi/testing/database';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Connection } from './connect.ts';
import { rowsOf } from './rows.ts';

const things = pgTable('things', {
  id: text('id').primaryKey(),
  amount: bigint('amount', { mode: 'number' }).notNull(),
  position: integer('position').notNull(),
  open: boolean('open').notNull(),
  at: timestamp('at', { withTimezone: true, mode: 'date' }).notNull(),
  endedAt: timestamp('ended_at', { withTimezone: true, mode: 'date' }),
  parts: jsonb('parts').$type<readonly unknown[]>().notNull(),
});
const database = await testDatabase('order');
const sql = connect({ url: database.url, name: 'test', connectionsMax: 1 });
const rows = rowsOf(things, 'id');

beforeAll(async () => {
  await sql`
    create table things (id text primary key, amount bigint not null, position integer not null, open boolean not null,
      at timestamptz not null, ended_at timestamptz, parts jsonb not null)`;
});
afterAll(async () => sql.end());

const thing = (id: string, change: Partial<typeof things.$inferSelect> = {}) => ({
  id,
  amount: 9_007_199_254_740_991,
  position: 1,
  open: true,
  at: new Date('2026-03-01T12:00:00.123Z'),
  endedAt: null,
  parts: [[1, { a: '"{},\\' }], []],
  ...change,
});

test('rows of every column type come back as they were saved', async () => {
  const saved = [thing('a'), thing('b', { open: false, endedAt: new Date('2026-03-02T00:00:00Z'), parts: [] }), thing('c', { amount: 0 })];
  await rows.save(sql, saved);
  expect((await rows.find(sql, ['a', 'b', 'c'])).toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual(saved);
});

test('a set whose first values are null is saved too', async () => {
  await rows.save(sql, [thing('d'), thing('e', { endedAt: new Date('2026-03-02T00:00:00Z') })]);
  expect((await rows.find(sql, ['e']))[0]!.endedAt).toEqual(new Date('2026-03-02T00:00:00Z'));
});

test('saving a row again replaces it', async () => {
  await rows.save(sql, [thing('a', { open: false, position: 7 })]);
  expect(await rows.find(sql, ['a'])).toEqual([thing('a', { open: false, position: 7 })]);
});

test('a save belongs to the transaction that is closed right behind it', async () => {
  const connection = await sql.reserve();
  try {
    await connection`begin`;
    // Pipelined as the lane does it: nothing is awaited between the save and the end of the transaction.
    await Promise.allSettled([rows.save(connection as unknown as Connection, [thing('undone')]), connection`rollback`.execute()]);
  } finally {
    connection.release();
  }
  expect(await rows.find(sql, ['undone'])).toEqual([]);
});
