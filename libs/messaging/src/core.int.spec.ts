import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Sql } from '@yunshi/db/connect';
import { newId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { ownNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { bookingRows, faults, holdSeat, placeBooking, remindMe, startDesk, startHall, type Usher } from '../fixtures/theatre.ts';
import { moveClock } from './clock.ts';
import type { Core } from './core.ts';
import { messageOut } from './envelope.ts';
import { IdempotencyKeyReused } from './faults.ts';

const database = await testDatabase('desk', 'hall');
const nats = await ownNats();

let desk: Core;
let hall: Core;
const seen: string[] = [];
let usher: Usher = () => Promise.resolve({ row: 7 });
const servers = (service: string) => ({ databaseUrl: database.urlOf(service), natsUrl: nats.url });
const startBoth = async () => {
  [desk, hall] = await Promise.all([
    startDesk(servers('desk'), { seen }),
    startHall(servers('hall'), (seat, attempt) => usher(seat, attempt)),
  ]);
  await Promise.all([desk.run(), hall.run()]);
};
beforeAll(startBoth);
afterAll(async () => {
  await Promise.all([desk.stop(), hall.stop()]);
});

let count = 0;
const next = () => `b${++count}`;
const book = async (seat: string, id = next()) => {
  const saga = newId('sag', new Date());
  await desk.write(placeBooking, { id, seat, saga });
  return { id, saga };
};
const bookingStatus = async (id: string) => (await bookingRows.find(desk.sql, [id]))[0]?.status;
const rowsLeft = async (sql: Sql, table: string) => (await sql<{ n: number }[]>`select count(*)::int as n from ${sql(table)}`)[0]!.n;

describe('the core', () => {
  it('carries a saga across two services to its end', async () => {
    const { id, saga } = await book('A1');
    await until(async () => (await desk.sql`select 1 from sagas where id = ${saga} and phase = 'completed'`).length === 1);
    expect(await bookingStatus(id)).toBe('done');
    const log = await desk.sql`select input, phase, step, sent from saga_log where id like ${`${saga}:%`} order by id`;
    expect(log.map((entry) => [entry['phase'], entry['step'], entry['sent']])).toEqual([
      ['forward', 'hold seat', 'do hall.hold'],
      ['forward', 'take seat', 'do hall.take'],
      ['forward', 'close booking', 'do desk.close'],
      ['completed', null, null],
    ]);
    await until(() => seen.includes('A1'));
    await until(async () => (await rowsLeft(desk.sql, 'outbox')) === 0 && (await rowsLeft(hall.sql, 'outbox')) === 0);
  });

  it('runs many sagas at once, and gives one seat to one of many', async () => {
    const bookings = await Promise.all(Array.from({ length: 200 }, (_, index) => book(index % 2 ? `B${index}` : 'B-contested')));
    const statuses = await until(async () => {
      const all = await Promise.all(bookings.map(({ id }) => bookingStatus(id)));
      return all.every((status) => status === 'done' || status === 'rejected') ? all : undefined;
    });
    expect(statuses.filter((status) => status === 'done')).toHaveLength(101);
  });

  it('moves sagas within their pages, and changes no index for it', async () => {
    const [completed] = await desk.sql<{ n: number }[]>`select count(*)::int as n from sagas where phase = 'completed'`;
    const within = () => desk.sql<{ n: number }[]>`
      select n_tup_hot_upd as n from pg_stat_user_tables where relname = 'sagas' and schemaname = current_schema()`;
    // Each of these has moved twice before its last move, which does change indexes. Where a page is full one of the two does too.
    expect(await until(async () => (await within())[0]!.n >= completed!.n)).toBe(true);
  });

  it('rolls back when the pivot is refused', async () => {
    const { id } = await book('reserved for the king');
    await until(async () => (await bookingStatus(id)) === 'rejected');
    const [seat] = await hall.sql`select status, held_by from seats where id = 'reserved for the king'`;
    expect(seat).toEqual({ status: 'free', held_by: null });
  });

  it('tries an outside call again when it throws, and records why', async () => {
    const attempts: number[] = [];
    usher = (_, attempt) => {
      attempts.push(attempt);
      return attempt === 1 ? Promise.reject(new Error('the usher is asleep')) : Promise.resolve({ row: 3 });
    };
    const { id } = await book('C1');
    await until(() => attempts.length === 1);
    await until(async () => (await hall.sql`select 1 from calls where last_error = 'the usher is asleep'`).length === 1);
    await moveClock(desk.nc, 10_000);
    await until(async () => (await bookingStatus(id)) === 'done');
    expect(attempts).toEqual([1, 2]);
    usher = () => Promise.resolve({ row: 7 });
  });

  it('answers a repeated request with its first answer, and refuses another body under the same key', async () => {
    const idempotency = { account: 'acc', key: 'k1', hash: 'one' };
    const place = (id: string, hash: string) =>
      desk.write(placeBooking, { id, seat: `D-${id}`, saga: newId('sag', new Date()) }, { ...idempotency, hash });
    const together = await Promise.all(['i1', 'i2', 'i3', 'i4'].map((id) => place(id, 'one')));
    const later = await place('i5', 'one');
    const [first, ...others] = together.filter((answer) => !answer.replayed);
    expect(others).toEqual([]);
    for (const answer of [...together, later]) expect(answer).toEqual({ ...first, replayed: answer.replayed });
    await expect(place('i6', 'two')).rejects.toBeInstanceOf(IdempotencyKeyReused);
    const made = await desk.sql`select id from bookings where id like 'i%'`;
    expect(made.map((row) => ({ id: row['id'] as string }))).toEqual([first!.body]);
  });

  it('wakes a deadline once business time has reached it', async () => {
    const id = next();
    await desk.write(remindMe, { id, at: new Date(desk.clock.now().getTime() + 30 * 86_400_000) });
    await moveClock(hall.nc, 29 * 86_400_000);
    expect(await bookingStatus(id)).toBe('open');
    const moved = await moveClock(hall.nc, 86_400_000);
    expect(moved.services).toEqual(['desk', 'hall']);
    await until(async () => (await bookingStatus(id)) === 'forgotten');
  });

  it('answers a command again that arrives again, from the stored reply, without deciding twice', async () => {
    const { id, saga } = await book('E1');
    await until(async () => (await bookingStatus(id)) === 'done');
    const replies: string[] = [];
    const listening = desk.nc.subscribe('rpl.desk', {
      callback: (_, message) => void replies.push(message.json<{ reply: string }>().reply),
    });
    const again = messageOut(
      holdSeat({ booking: 'somebody else', seat: 'E1' }),
      { sagaId: saga, step: 'hold seat', direction: 'do', replyTo: 'desk' },
      new Date(),
      undefined,
    );
    await hall.nc.request(again.subject, again.body);
    await until(() => replies.includes('held'));
    listening.unsubscribe();
    expect((await hall.sql`select held_by from seats where id = 'E1'`)[0]).toEqual({ held_by: id });
  });

  it('does nothing for a command whose undo overtook it', async () => {
    const from = (direction: 'do' | 'undo') => ({ sagaId: 'sag_x', step: 'hold seat', direction, replyTo: 'nobody' });
    const { freeSeat } = await import('../fixtures/theatre.ts');
    const undo = messageOut(freeSeat({ booking: 'late', seat: 'F1' }), from('undo'), new Date(), undefined);
    const late = messageOut(holdSeat({ booking: 'late', seat: 'F1' }), from('do'), new Date(), undefined);
    await hall.nc.request(undo.subject, undo.body);
    await until(async () => (await hall.sql`select 1 from inbox where id = ${undo.id}`).length === 1);
    await hall.nc.request(late.subject, late.body);
    await until(async () => (await hall.sql`select 1 from inbox where id = ${late.id}`).length === 1);
    expect(await hall.sql`select 1 from seats where id = 'F1'`).toHaveLength(0);
  });

  it('buries a poisoned message with its cause, and goes on with the others', async () => {
    const poisoned = await book('broken');
    const healthy = await book('G1');
    await until(async () => (await bookingStatus(healthy.id)) === 'done');
    const letter = await until(async () => (await hall.sql`select error, attempts, subject from dead_letters`)[0], { within: 40_000 });
    expect(letter).toEqual({ error: 'Error: this seat breaks whoever decides on it', attempts: 5, subject: 'cmd.hall.hold.v1' });
    await moveClock(hall.nc, 11 * 60_000);
    await until(async () => (await bookingStatus(poisoned.id)) === 'rejected');
  });

  it('loses nothing when nats-server is killed and its whole store is wiped under load', async () => {
    const bookings = await Promise.all(Array.from({ length: 60 }, (_, index) => book(`H${index}`)));
    await nats.kill();
    await rm(join(dirname(nats.log), 'store'), { recursive: true });
    await nats.restart();
    const more = await Promise.all(Array.from({ length: 20 }, (_, index) => book(`I${index}`)));
    await until(
      async () => {
        const open = await desk.sql`select id from bookings where status = 'open'`;
        return open.length === 0;
      },
      { within: 40_000 },
    );
    for (const { id } of [...bookings, ...more]) expect(await bookingStatus(id)).toBe('done');
  });

  it('finishes everything after both services stopped in the middle', async () => {
    const bookings = await Promise.all(Array.from({ length: 50 }, (_, index) => book(`J${index}`)));
    await Promise.all([desk.stop(), hall.stop()]);
    await startBoth();
    await until(async () => (await desk.sql`select 1 from bookings where status = 'open'`).length === 0, { within: 40_000 });
    for (const { id } of bookings) expect(await bookingStatus(id)).toBe('done');
  });

  it('lets a service see its own schema only', async () => {
    const sql = connect({ url: database.urlOf('desk'), name: 'nosy', connectionsMax: 1 });
    await expect(sql`select * from svc_hall.seats`).rejects.toThrow(/permission denied/);
    await sql.end();
  });

  it('has told of no fault but those that were provoked', () => {
    const provoked = /stream not found|asleep|breaks whoever|consumer|publish|identity|nats/i;
    expect(faults.filter((fault) => !provoked.test(fault))).toEqual([]);
  });
});
