import { wallClock } from '@yunshi/kernel/clock';
import { expect, test } from 'vitest';
import { Overloaded } from './faults.ts';
import { processHost } from './host.ts';
import { lane, type Sessions, type Work } from './lane.ts';
import type { Seen } from './store.ts';

const work = (): Work => ({
  handler: { on: 'write', name: 'nothing', key: () => '', parse: () => undefined, decide: () => ({}) } as unknown as Work['handler'],
  data: undefined,
  key: '',
  identity: { kind: 'wake' },
  traceparent: undefined,
  done: () => undefined,
  failed: (error) => {
    throw new Error('no work fails here', { cause: error });
  },
});

const seen: Seen = {
  received: new Set(),
  barrier: new Map(),
  answered: new Map(),
  due: new Set(),
  open: new Set(),
  rows: new Map(),
  missing: new Map(),
};

/** A lane whose database answers nothing until it is told to. */
function stuck() {
  const answers = Promise.withResolvers<Seen>();
  const sessions: Sessions = {
    get: () =>
      Promise.resolve({
        look: () => answers.promise,
        store: () => Promise.resolve(),
        rollback: () => Promise.resolve(),
        isLost: () => false,
        lost: new Promise<never>(() => undefined),
      }),
    end: () => Promise.resolve(),
  };
  const faults: string[] = [];
  const made = lane({
    open: () => sessions,
    host: processHost,
    clock: wallClock,
    service: 'test',
    lanes: 1,
    batchMax: 1,
    queueMax: 3,
    onCommitted: () => undefined,
    onFault: (what, error) => void faults.push(`${what}: ${String(error)}`),
  });
  const refused = (): boolean => {
    try {
      made.push(work());
      return false;
    } catch (error) {
      if (error instanceof Overloaded) return true;
      throw error;
    }
  };
  return { refused, faults, lane: made, answer: () => answers.resolve(seen) };
}

test('a lane takes as much as its queue holds, refuses the rest and says so, but not each time, and takes again when there is room', async () => {
  const { refused, faults, lane: made, answer } = stuck();
  const pushed = Array.from({ length: 6 }, refused);
  expect(pushed).toEqual([false, false, false, true, true, true]);
  expect(faults).toEqual(['lane: Overloaded: 3 writes are waiting already']);
  answer();
  await expect.poll(() => made.queued()).toBe(0);
  expect(refused()).toBe(false);
  await made.stop();
});

/** A lane on a clock of its own, whose batches take ten milliseconds each. */
function paced() {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  const after = (ms: number, run: () => void) => {
    const timer = { atMs: nowMs + ms, run };
    timers.add(timer);
    return () => void timers.delete(timer);
  };
  const sizes: number[] = [];
  const sessions: Sessions = {
    get: () =>
      Promise.resolve({
        look: (batch) => {
          sizes.push(batch.length);
          return new Promise((resolve) => after(10, () => resolve(seen)));
        },
        store: () => Promise.resolve(),
        rollback: () => Promise.resolve(),
        isLost: () => false,
        lost: new Promise<never>(() => undefined),
      }),
    end: () => Promise.resolve(),
  };
  const made = lane({
    open: () => sessions,
    host: { ...processHost, elapsedMs: () => nowMs, after },
    clock: wallClock,
    service: 'test',
    batchMax: 8,
    onCommitted: () => undefined,
    onFault: () => undefined,
  });
  const settle = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  return {
    sizes,
    push: (pieces: number) => Array.from({ length: pieces }, () => made.push(work())),
    settle,
    /** Lets time pass, millisecond by millisecond. */
    pass: async (ms: number) => {
      for (let left = ms; left > 0; left--) {
        nowMs++;
        for (const timer of [...timers].filter(({ atMs }) => atMs <= nowMs)) {
          timers.delete(timer);
          timer.run();
        }
        await settle();
      }
    },
  };
}

test('after a rest work is begun at once, and what comes in one turn shares a transaction', async () => {
  const { sizes, push, settle, pass } = paced();
  push(3);
  await settle();
  expect(sizes).toEqual([3]);
  await pass(1_000);
  push(1);
  await settle();
  expect(sizes).toEqual([3, 1]);
});

test('work that comes on the heels of other work waits for its like, for as long as two batches take', async () => {
  const { sizes, push, settle, pass } = paced();
  for (let nth = 0; nth < 20; nth++) {
    push(1);
    await pass(30);
  }
  const before = sizes.length;
  push(1);
  await settle();
  for (let nth = 0; nth < 6; nth++) {
    await pass(3);
    push(1);
  }
  await pass(30);
  expect(sizes.slice(before)).toEqual([1, 6]);
});

test('a whole batch does not wait', async () => {
  const { sizes, push, settle, pass } = paced();
  for (let nth = 0; nth < 20; nth++) {
    push(1);
    await pass(30);
  }
  const before = sizes.length;
  push(1);
  await settle();
  push(7);
  await settle();
  expect(sizes.slice(before)).toEqual([1]);
  push(1);
  await settle();
  expect(sizes.slice(before)).toEqual([1, 8]);
});
