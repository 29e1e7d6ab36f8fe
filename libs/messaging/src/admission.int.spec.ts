import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { bookingRows, placeBooking, startDesk } from '../fixtures/theatre.ts';
import { admissionLimits, admissionTo } from './admission.ts';
import { managerOf } from './bus.ts';
import type { Core } from './core.ts';
import { Overloaded } from './faults.ts';

const database = await testDatabase('desk');
const nats = await testNats();
const bytesMax = 200_000;

let desk: Core;
beforeAll(async () => {
  desk = await startDesk({ databaseUrl: database.url, natsUrl: nats.url });
  await desk.run();
});
afterAll(() => desk.stop());

/** A door to the desk. Each try counts as something begun, so it is not tried more often than what waits is measured. */
function door(limits: { readonly outboxRowsMax?: number } = {}) {
  const faults: string[] = [];
  const { admit, stop } = admissionTo(desk, { ...admissionLimits, ...limits }, (_, error) => void faults.push(String(error)));
  onTestFinished(stop);
  const isOpen = () =>
    admit(() => Promise.resolve(true)).catch((error: unknown) => {
      if (error instanceof Overloaded) return false;
      throw error;
    });
  const rarely = { every: 600 };
  return { faults, opens: () => until(isOpen, rarely), closes: () => until(async () => !(await isOpen()), rarely) };
}

test('a stream that is nearly full closes the door, and room in it opens it again', async () => {
  const jsm = await managerOf(desk.nc);
  await jsm.streams.update('EVT', { max_bytes: bytesMax });
  const body = 'x'.repeat(10_000);
  for (let sent = 0; sent < bytesMax * 0.92; sent += body.length) await desk.nc.request('evt.nobody.listens.v1', body);
  const { faults, opens, closes } = door();
  await closes();
  await jsm.streams.purge('EVT');
  await opens();
  expect(faults).toEqual([expect.stringMatching(/9\d % of what a stream holds/)]);
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
  const { faults, opens, closes } = door({ outboxRowsMax: 10 });
  await closes();
  expect((await desk.sql`select 1 from outbox`).length).toBeGreaterThan(10);
  expect(await bookingRows.find(desk.sql, ['full-29'])).toHaveLength(1);

  await jsm.streams.update('CMD', { max_bytes: 100 * bytesMax });
  await until(async () => (await desk.sql`select 1 from outbox`).length === 0, { within: 20_000 });
  await opens();
  expect((await jsm.streams.info('CMD')).state.messages).toBe(30);
  expect(faults).toHaveLength(1);
});
