import { wallClock } from '@yunshi/kernel/clock';
import { expect, test } from 'vitest';
import { caller } from './calls.ts';
import type { Handler, Performer } from './handle.ts';
import { processHost } from './host.ts';
import type { Lane, Work } from './lane.ts';
import type { CallRow } from './store.ts';

const call = (nth: number): CallRow => ({
  id: String(nth),
  kind: 'ask',
  key: String(nth),
  request: {},
  open: true,
  attempts: 1,
  notBefore: new Date(0),
  leasedUntil: new Date(0),
  lastError: null,
  createdAt: new Date(0),
  traceparent: null,
});

/** A caller whose calls last until they are told to end, at a time that is set by hand. */
function begun() {
  const made: string[] = [];
  const endings: (() => void)[] = [];
  let elapsedMs = 0;
  const perform = (_request: unknown, { callId }: { readonly callId: string }) =>
    new Promise<object>((resolve) => {
      made.push(callId);
      endings.push(() => resolve({}));
    });
  const taking = { push: (work: Work) => work.done({ repeated: false }) } as Lane;
  const leased: number[] = [];
  const calls = caller({
    records: {
      takeDue: (_now, max) => (leased.push(max), Promise.resolve([])),
      nextAfter: () => Promise.resolve(undefined),
      putBack: () => Promise.reject(new Error('no call fails here')),
      giveUp: () => Promise.reject(new Error('no call is given up here')),
    },
    letters: { bury: () => Promise.reject(new Error('nothing is buried here')) },
    host: { ...processHost, elapsedMs: () => elapsedMs },
    clock: wallClock,
    lane: taking,
    performers: [{ kind: 'ask', perform } as unknown as Performer],
    handlers: new Map([['ask', {} as Handler]]),
    onFault: (what, error) => {
      throw new Error(what, { cause: error });
    },
  });
  const endAll = async () => {
    for (const end of endings.splice(0)) end();
    await new Promise(setImmediate);
  };
  return { calls, made, leased, endAll, later: (ms: number) => (elapsedMs += ms) };
}

test('no more calls run at once than may, and the others follow as soon as one has ended', async () => {
  const { calls, made, endAll } = begun();
  calls.take(Array.from({ length: 200 }, (_, nth) => call(nth)));
  expect(made).toHaveLength(128);
  await endAll();
  expect(made).toHaveLength(200);
});

test('a call that would outlive its lease is left to whoever leases it next', async () => {
  const { calls, made, endAll, later } = begun();
  calls.take(Array.from({ length: 200 }, (_, nth) => call(nth)));
  later(5_001);
  await endAll();
  expect(made).toHaveLength(128);
});

test('nothing is leased while as many run as may, and it is looked again soon', async () => {
  const { calls, leased, endAll } = begun();
  calls.take(Array.from({ length: 128 }, (_, nth) => call(nth)));
  const again = await calls.check();
  expect(again!.getTime() - Date.now()).toBeLessThanOrEqual(100);
  expect(leased).toEqual([]);
  await endAll();
  await calls.check();
  expect(leased).toEqual([64]);
});
