import { afterAll, beforeAll, expect, test } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { bookingRows, placeBooking, startDesk } from '../fixtures/theatre.ts';
import { admissionLimits, admissionTo, type Admission } from './admission.ts';
import { managerOf } from './bus.ts';
import type { Core } from './core.ts';

const database = await testDatabase('desk');
const nats = await testNats();
const bytesMax = 200_000;

let desk: Core;
let admission: Admission;
const faults: string[] = [];
beforeAll(async () => {
  desk = await startDesk({ databaseUrl: database.url, natsUrl: nats.url });
  await desk.run();
  admission = admissionTo(desk, { ...admissionLimits, outboxRowsMax: 10 }, (what, error) => void faults.push(`${what}: ${String(error)}`));
});
afterAll(async () => {
  admission.stop();
  await desk.stop();
});

const isOpen = () =>
  admission
    .admit(() => Promise.resolve(true))
    .catch((error: unknown) => {
      if (error instanceof Error && error.name === 'Overloaded') return false;
      throw error;
    });

test('a stream that is nearly full closes the door, and room in it opens it again', async () => {
  const jsm = await managerOf(desk.nc);
  await jsm.streams.update('EVT', { max_bytes: bytesMax });
  const body = 'x'.repeat(10_000);
  for (let sent = 0; sent < bytesMax * 0.92; sent += body.length) await desk.nc.request('evt.nobody.listens.v1', body);
  await until(async () => !(await isOpen()));
  await jsm.streams.purge('EVT');
  await until(isOpen);
  expect(faults).toEqual([expect.stringContaining('% of what a stream holds are waiting already')]);
});

test('a stream that is full takes nothing new and forgets nothing: the outbox keeps it, closes the door, and sends it when there is room', async () => {
  const jsm = await managerOf(desk.nc);
  await jsm.streams.update('CMD', { max_bytes: bytesMax });
  // Nobody takes these: the hall is not there.
  const book = (nth: number) => desk.write(placeBooking, { id: `full-${nth}`, seat: 'x'.repeat(20_000), saga: newId('sag', new Date()) });
  for (let nth = 0; nth < 30; nth++) await book(nth);
  const before = (await jsm.streams.info('CMD')).state;
  expect(before.bytes).toBeLessThanOrEqual(bytesMax);
  expect(before.first_seq).toBe(1);
  await until(async () => !(await isOpen()));
  expect((await desk.sql`select 1 from outbox`).length).toBeGreaterThan(10);
  expect(await bookingRows.find(desk.sql, ['full-29'])).toHaveLength(1);

  await jsm.streams.update('CMD', { max_bytes: 100 * bytesMax });
  await until(async () => (await desk.sql`select 1 from outbox`).length === 0, { within: 20_000 });
  await until(isOpen);
  expect((await jsm.streams.info('CMD')).state.messages).toBe(30);
  expect(faults.filter((fault) => !fault.includes('waiting already'))).toEqual([]);
});
