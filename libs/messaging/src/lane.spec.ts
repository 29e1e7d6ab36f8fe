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
