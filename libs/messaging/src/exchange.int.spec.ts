import { afterAll, expect, it } from 'vitest';
import { newId } from '@yunshi/kernel/ids';
import { testDatabase } from '@yunshi/testing/database';
import { ownNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { placeBooking, startDesk, startHall } from '../fixtures/theatre.ts';
import { connectBus, ensureStreams, managerOf } from './bus.ts';

const database = await testDatabase('desk', 'hall');
const nats = await ownNats();
const desk = await startDesk({ databaseUrl: database.urlOf('desk'), natsUrl: nats.url });
const nc = await connectBus(nats.url, 'exchange test');
afterAll(async () => {
  await desk.stop();
  await nc.close();
});

it('a stream that is exchanged under a connection that stays gets again what was published to the old one', async () => {
  await desk.run();
  await desk.write(placeBooking, { id: 'exchanged', seat: 'A1', saga: newId('sag', new Date()) });
  const sent = await until(async () => (await desk.sql<{ id: string }[]>`select id from sent where subject like 'cmd.hall.%'`)[0]);
  const jsm = await managerOf(nc);
  await jsm.streams.delete('CMD');
  await ensureStreams(jsm);
  const hall = await startHall({ databaseUrl: database.urlOf('hall'), natsUrl: nats.url }, () => Promise.resolve({ row: 1 }));
  try {
    await hall.run();
    const received = await until(async () => (await hall.sql`select id from inbox where id = ${sent.id}`)[0], { within: 30_000 });
    expect(received).toEqual(sent);
  } finally {
    await hall.stop();
  }
});
