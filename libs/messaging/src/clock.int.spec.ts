import { afterAll, expect, it } from 'vitest';
import { testNats } from '@yunshi/testing/nats';
import { connectBus } from './bus.ts';
import { moveClock, offsetInMemory, sharedTestClock, type OffsetStore } from './clock.ts';

const nats = await testNats();
const nc = await connectBus(nats.url, 'clock test');
afterAll(() => nc.close());

it('a service whose database is away stays where it was, and is missing among those who have moved', async () => {
  let isAway = true;
  const away: OffsetStore = {
    load: () => Promise.resolve(0),
    save: () => (isAway ? Promise.reject(new Error('the database is away')) : Promise.resolve()),
  };
  const [here, there] = await Promise.all([sharedTestClock(nc, 'here', offsetInMemory), sharedTestClock(nc, 'there', away)]);
  expect((await moveClock(nc, 60_000)).services).toEqual(['here']);
  expect([here.offsetMs(), there.offsetMs()]).toEqual([60_000, 0]);
  isAway = false;
  expect((await moveClock(nc, 60_000)).services).toEqual(['here', 'there']);
  expect([here.offsetMs(), there.offsetMs()]).toEqual([120_000, 120_000]);
});
