import { AckPolicy, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect as connectNats, nanos } from '@nats-io/transport-node';
import { connect } from '@yunshi/db/connect';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../database.ts';
import { ownNats } from '../nats.ts';
import { until } from '../until.ts';
import { startProxy } from './proxy.ts';

const chance = () => 0.5;

describe('between a client and PostgreSQL', async () => {
  const database = await testDatabase('order');
  const { port } = new URL(database.url);
  const proxy = await startProxy({ protocol: 'postgres', port: Number(port), chance });
  const direct = connect({ url: database.url, name: 'direct', connectionsMax: 1 });
  const sql = connect({ url: database.url.replace(`:${port}`, `:${proxy.port}`), name: 'through the proxy', connectionsMax: 1 });
  await direct`create table notes (id int primary key)`;
  afterEach(() => proxy.behave());
  afterAll(async () => {
    await Promise.all([sql.end({ timeout: 1 }), direct.end({ timeout: 1 })]);
    await proxy.stop();
  });
  const note = (id: number): Promise<unknown> => sql.begin((tx) => tx`insert into notes (id) values (${id})`);
  const isNoted = async (id: number) => (await direct`select 1 from notes where id = ${id}`).length === 1;

  it('nothing is changed while it behaves', async () => {
    await note(1);
    expect(await isNoted(1)).toBe(true);
    expect(proxy.counts).toEqual({ cutAfterCommit: 0, dropPubAck: 0, dropAck: 0, delayed: 0, held: 0, reset: 0 });
  });

  it('a connection is cut after the commit and before its answer: the client hears of a failure, and the row is there', async () => {
    proxy.mischief.cutAfterCommit = 1;
    await expect(note(2)).rejects.toMatchObject({ code: expect.stringMatching(/CONNECTION|ECONNRESET/) as string });
    expect(await isNoted(2)).toBe(true);
    expect(proxy.counts.cutAfterCommit).toBe(1);
  });

  it('only as many are cut as chance will have it', async () => {
    proxy.mischief.cutAfterCommit = 0.4;
    const before = proxy.counts.cutAfterCommit;
    await note(3);
    expect(proxy.counts.cutAfterCommit).toBe(before);
  });

  it('an answer takes longer by the latency of both directions', async () => {
    await note(4);
    proxy.mischief.latencyMs = 150;
    const began = performance.now();
    await sql`select 1`;
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(proxy.counts.delayed).toBeGreaterThan(0);
  });

  it('a silent link holds everything back, and lets it go in order', async () => {
    proxy.mischief.silent = true;
    const noted = [note(5), note(6)];
    await until(() => proxy.counts.held > 0);
    expect(await isNoted(5)).toBe(false);
    proxy.behave();
    await Promise.all(noted);
    expect(await isNoted(6)).toBe(true);
  });

  it('a reset ends all connections, and the next work opens others', async () => {
    await note(7);
    const sleeping = sql`select pg_sleep(30)`.then(
      () => 'answered',
      () => 'cut',
    );
    await until(async () => (await direct`select 1 from pg_stat_activity where wait_event = 'PgSleep'`).length > 0);
    proxy.reset();
    expect(await sleeping).toBe('cut');
    await note(8);
    expect(proxy.counts.reset).toBeGreaterThan(0);
  });
});

describe('between a client and nats-server', async () => {
  const nats = await ownNats();
  const proxy = await startProxy({ protocol: 'nats', port: nats.port, chance });
  const nc = await connectNats({ servers: `nats://127.0.0.1:${proxy.port}`, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({ name: 'NOTES', subjects: ['notes.>'], retention: RetentionPolicy.Limits });
  const js = jetstream(nc, { timeout: 300 });
  afterEach(() => proxy.behave());
  afterAll(async () => {
    await nc.close();
    await proxy.stop();
  });
  const stored = async () => (await jsm.streams.info('NOTES')).state.messages;

  it("the stream's acknowledgement disappears: the publisher waits in vain, and the message is stored", async () => {
    await js.publish('notes.one');
    proxy.mischief.dropPubAck = 1;
    await expect(js.publish('notes.two', 'x'.repeat(40_000), { retries: 0 })).rejects.toThrow(/timeout/i);
    expect(await stored()).toBe(2);
    expect(proxy.counts.dropPubAck).toBe(1);
  });

  it("a consumer's acknowledgement disappears: the message comes again", async () => {
    await jsm.consumers.add('NOTES', { durable_name: 'reader', ack_policy: AckPolicy.Explicit, ack_wait: nanos(300) });
    const consumer = await js.consumers.get('NOTES', 'reader');
    const take = async () => {
      const message = await consumer.next({ expires: 5_000 });
      message?.ack();
      return message?.seq;
    };
    proxy.mischief.dropAck = 1;
    expect(await take()).toBe(1);
    await until(() => proxy.counts.dropAck === 1);
    proxy.behave();
    const again = [await take(), await take()];
    expect(new Set(again)).toEqual(new Set([1, 2]));
    await until(async () => (await consumer.info()).num_ack_pending === 0);
  });

  it('a reset is followed by a new connection, and nothing else is lost', async () => {
    const before = await stored();
    proxy.reset();
    await until(() => js.publish('notes.three').then(() => true));
    expect(await stored()).toBe(before + 1);
  });
});
