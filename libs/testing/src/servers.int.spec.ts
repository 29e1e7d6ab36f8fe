import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import postgres from 'postgres';
import { afterAll, expect, test } from 'vitest';
import { testDatabase } from './database.ts';
import { ownNats, testNats } from './nats.ts';
import { until } from './until.ts';

const database = await testDatabase('order', 'payment');
const order = postgres(database.url, { max: 1, onnotice: () => {} });
const payment = postgres(database.urlOf('payment'), { max: 1, onnotice: () => {} });
const admin = postgres(database.adminUrl, { max: 1 });
afterAll(() => Promise.all([order.end(), payment.end(), admin.end()]));

test('a service works in its own schema without naming it', async () => {
  await order`CREATE TABLE orders (id int)`;
  const [table] = await admin`SELECT schemaname FROM pg_tables WHERE tablename = 'orders'`;
  expect(table).toEqual({ schemaname: 'svc_order' });
});

test("a service can neither read another's tables nor make any outside its schema", async () => {
  await payment`CREATE TABLE payments (id int)`;
  await expect(order`SELECT * FROM svc_payment.payments`).rejects.toThrow('permission denied for schema svc_payment');
  await expect(order`CREATE TABLE public.leak (id int)`).rejects.toThrow('permission denied for schema public');
  await expect(order`CREATE SCHEMA leak`).rejects.toThrow('permission denied for database');
});

test('a commit is durable before it is told, whatever else is switched off for speed', async () => {
  expect(await order`SHOW synchronous_commit`).toEqual([{ synchronous_commit: 'on' }]);
});

test('another file has another database', async () => {
  const other = await testDatabase('order');
  const sql = postgres(other.url, { max: 1 });
  expect(await sql`SELECT to_regclass('orders') AS found`).toEqual([{ found: null }]);
  await sql.end();
});

test('a file has a nats-server with an empty JetStream', async () => {
  const nats = await testNats();
  const connection = await connect({ servers: nats.url });
  const manager = await jetstreamManager(connection);
  expect(await manager.getAccountInfo()).toMatchObject({ streams: 0 });
  await connection.close();
});

test('a killed nats-server comes back on the same port with what it had acknowledged', async () => {
  const nats = await ownNats();
  const connection = await connect({ servers: nats.url, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
  const manager = await jetstreamManager(connection, { timeout: 500 });
  await manager.streams.add({ name: 'kept', subjects: ['kept.*'] });
  await jetstream(connection).publish('kept.one', 'still here');
  const before = nats.pid;
  await nats.kill();
  await nats.restart();
  expect(nats.pid).not.toBe(before);
  const stream = await until(() => manager.streams.info('kept'), { what: 'the stream is back' });
  expect(stream.state.messages).toBe(1);
  await connection.close();
});
