import { mkdtemp } from 'node:fs/promises';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import { startPostgres, type Postgres } from '@yunshi/local/postgres';
import { databaseUrl, provision } from '@yunshi/local/provision';
import { ownNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { placeBooking, startDesk, startHall } from '../fixtures/theatre.ts';
import type { Core } from './core.ts';
import { Unavailable } from './faults.ts';

// A PostgreSQL of its own, because this file shuts it down in the middle of the work.
const nats = await ownNats();
const roles = ['desk', 'hall'].map((service) => ({ role: `svc_${service}`, password: 'test' }));
let postgres: Postgres;
let desk: Core;
let hall: Core;

beforeAll(async () => {
  const dir = await mkdtemp(join(inject('servers').folder, 'outage-'));
  chmodSync(dir, 0o755);
  postgres = await startPostgres({ dir, password: 'test', durable: false });
  await provision(postgres.url, 'theatre', roles);
  const servers = (role: number) => ({ databaseUrl: databaseUrl(postgres.url, 'theatre', roles[role]), natsUrl: nats.url });
  [desk, hall] = await Promise.all([startDesk(servers(0)), startHall(servers(1), () => Promise.resolve({ row: 1 }))]);
  await Promise.all([desk.run(), hall.run()]);
});
afterAll(async () => {
  await Promise.all([desk.stop(), hall.stop()]);
  await postgres.stop('fast');
});

/** Places bookings until told to stop; answers the ids that were acknowledged. */
async function bookUnderLoad(prefix: string, going: () => boolean): Promise<{ acknowledged: string[]; refused: unknown[] }> {
  const acknowledged: string[] = [];
  const refused: unknown[] = [];
  const client = async (nth: number) => {
    for (let count = 0; going(); count++) {
      const id = `${prefix}-${nth}-${count}`;
      await desk.write(placeBooking, { id, seat: id, saga: newId('sag', new Date()) }).then(
        () => acknowledged.push(id),
        async (error: unknown) => {
          refused.push(error);
          // As a client should, it gives the server a moment.
          await pause(20);
        },
      );
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, nth) => client(nth)));
  return { acknowledged, refused };
}

describe('when PostgreSQL goes away in the middle of the work', () => {
  it.each(['immediate', 'fast'] as const)('loses no acknowledged booking, and goes on by itself (%s shutdown)', async (mode) => {
    let going = true;
    const load = bookUnderLoad(mode, () => going);
    await until(async () => (await desk.sql`select 1 from bookings where id like ${`${mode}%`} limit 20`).length === 20);
    await postgres.stop(mode);
    await postgres.restart();
    await until(() => desk.write(placeBooking, { id: `${mode}-after`, seat: `${mode}-after`, saga: newId('sag', new Date()) }));
    going = false;
    const { acknowledged, refused } = await load;
    for (const error of refused) expect(error).toBeInstanceOf(Unavailable);
    await until(async () => (await desk.sql`select 1 from bookings where status = 'open'`).length === 0, { within: 45_000 });
    const kept = new Set((await desk.sql<{ id: string }[]>`select id from bookings where status = 'done'`).map((row) => row.id));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(20);
  });

  it('asks for what it could not do in words that the server understands', () => {
    // A delay that is no whole number is only logged: the message comes again at once, and again.
    expect(readFileSync(nats.log, 'utf8')).not.toContain('bad NAK delay');
  });
});
