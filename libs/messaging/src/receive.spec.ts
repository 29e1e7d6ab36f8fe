import { expect, test } from 'vitest';
import { z } from 'zod';
import { processHost } from './host.ts';
import type { Handler } from './handle.ts';
import type { Work } from './lane.ts';
import { receiver, type Delivered } from './receive.ts';

const handler = {
  on: 'event',
  name: 'seat.taken.v1',
  parse: z.object({ seat: z.string() }).parse,
  key: () => 'seat',
} as unknown as Handler;
const body = {
  id: '0198c000-0000-7000-8000-000000000001',
  at: '2026-03-01T12:00:00.000Z',
  type: 'seat.taken',
  version: 1,
  data: { seat: '7' },
};

/** A message that comes by the first connection, its work in the lane, and what is told to the server about it. */
function received() {
  const work: Work[] = [];
  const settled: string[] = [];
  const delaysMs: number[] = [];
  let connection = 1;
  const receive = receiver({
    service: 'seats',
    letters: { bury: () => Promise.resolve() },
    clock: { now: () => new Date(body.at) },
    host: processHost,
    lane: { push: (one) => void work.push(one), queued: () => 0, stop: () => Promise.resolve() },
    handlers: new Map([[handler.name, handler]]),
    sagaReplies: handler,
    connection: () => connection,
    onFault: () => undefined,
  });
  const delivered: Delivered = {
    subject: 'evt.seat.taken.v1',
    info: { deliveryCount: 1 },
    json: () => body,
    string: () => JSON.stringify(body),
    ack: () => void settled.push('ack'),
    nak: (ms) => {
      settled.push('nak');
      delaysMs.push(ms);
    },
  };
  receive(delivered);
  return { work: work[0]!, settled, delaysMs, reconnect: () => connection++ };
}

test('a message is acknowledged when its work is committed, and asked for again when it has failed', () => {
  const [good, bad] = [received(), received()];
  expect(good.settled).toEqual([]);
  good.work.done({ repeated: false });
  bad.work.failed(new Error('out of something'), false);
  expect([good.settled, bad.settled]).toEqual([['ack'], ['nak']]);
});

test('on a later connection nothing is settled: its number may belong to another message by then', () => {
  const [good, bad] = [received(), received()];
  for (const { reconnect } of [good, bad]) reconnect();
  good.work.done({ repeated: false });
  bad.work.failed(new Error('out of something'), false);
  expect([good.settled, bad.settled]).toEqual([[], []]);
});

test('a message that is not to blame is asked for again after some whole milliseconds: the server understands no fraction of a nanosecond', () => {
  const delaysMs = Array.from({ length: 50 }, () => {
    const { work, delaysMs: asked } = received();
    work.failed(new Error('the database is away'), true);
    return asked[0]!;
  });
  expect(delaysMs.filter((ms) => !Number.isInteger(ms) || ms < 1_000 || ms > 3_000)).toEqual([]);
  expect(new Set(delaysMs).size).toBeGreaterThan(1);
});
