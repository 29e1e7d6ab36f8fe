import type { NatsConnection } from '@nats-io/transport-node';
import { testClock, type TestClock } from '@yunshi/kernel/clock';
import type { Sql } from '@yunshi/db/connect';

const subjects = { move: 'clock.move', get: 'clock.get' } as const;

type Told = { readonly service: string; readonly offsetMs: number };

/** Where a participant keeps how far its clock has been moved. */
export type OffsetStore = { readonly load: () => Promise<number>; readonly save: (offsetMs: number) => Promise<void> };

export const offsetInDatabase = (sql: Sql): OffsetStore => ({
  load: async () => (await sql<{ offset_ms: number }[]>`select offset_ms from test_clock where id = 1`)[0]?.offset_ms ?? 0,
  save: async (offsetMs) => {
    await sql`
      insert into test_clock (id, offset_ms) values (1, ${offsetMs})
      on conflict (id) do update set offset_ms = greatest(test_clock.offset_ms, excluded.offset_ms)`;
  },
});
export const offsetInMemory: OffsetStore = { load: () => Promise.resolve(0), save: () => Promise.resolve() };

const askAll = async (nc: NatsConnection, subject: string, payload: string): Promise<Told[]> => {
  const told: Told[] = [];
  for await (const answer of await nc.requestMany(subject, payload, { strategy: 'stall', stall: 200, maxWait: 3_000 })) {
    if (answer.data.length > 0) told.push(answer.json<Told>());
  }
  return told;
};

/**
 * A clock that the whole system moves together: it starts at the furthest offset that this service or any running one knows,
 * takes part in every move, and acknowledges a move only when it is stored.
 */
export async function sharedTestClock(nc: NatsConnection, service: string, store: OffsetStore): Promise<TestClock> {
  const clock = testClock(await store.load());
  const tell = (): string => JSON.stringify({ service, offsetMs: clock.offsetMs() } satisfies Told);
  nc.subscribe(subjects.get, { callback: (_, message) => void message.respond(tell()) });
  nc.subscribe(subjects.move, {
    callback: (_, message) => {
      const { offsetMs } = message.json<{ offsetMs: number }>();
      // What could not be stored is not acknowledged: whoever moves the clock sees who is missing.
      void store.save(offsetMs).then(
        () => {
          clock.moveTo(offsetMs);
          message.respond(tell());
        },
        () => undefined,
      );
    },
  });
  for (const other of await askAll(nc, subjects.get, '').catch(() => [])) {
    if (other.service === service || other.offsetMs <= clock.offsetMs()) continue;
    await store.save(other.offsetMs);
    clock.moveTo(other.offsetMs);
  }
  return clock;
}

/** How far the clocks of all running services have been moved, in milliseconds, by service. */
export const readClocks = async (nc: NatsConnection): Promise<ReadonlyMap<string, number>> =>
  new Map((await askAll(nc, subjects.get, '')).map((told) => [told.service, told.offsetMs]));

/** Moves business time forward for all running services at once; answers which services have stored the new time. */
export async function moveClock(
  nc: NatsConnection,
  byMs: number,
): Promise<{ readonly offsetMs: number; readonly services: readonly string[] }> {
  if (!(byMs >= 0)) throw new RangeError('business time only moves forward');
  const known = await readClocks(nc);
  const offsetMs = Math.max(0, ...known.values()) + byMs;
  const told = await askAll(nc, subjects.move, JSON.stringify({ offsetMs }));
  return { offsetMs, services: told.map((one) => one.service).sort() };
}
