/** Where business time comes from. Deadlines, expiry and every stored time use it; protocol freshness uses the wall clock. */
export type Clock = { readonly now: () => Date };

export const wallClock: Clock = { now: () => new Date() };

/** A clock that runs with the wall clock, moved forward by an offset. Never in production. */
export type TestClock = Clock & {
  readonly offsetMs: () => number;
  /** Moves to the given offset; an offset smaller than the present one is ignored, because business time never runs back. */
  readonly moveTo: (offsetMs: number) => void;
  /** Calls the listener after each move; answers how to stop listening. */
  readonly onMove: (listener: () => void) => () => void;
};

export function testClock(startOffsetMs = 0, wall: Clock = wallClock): TestClock {
  let offset = startOffsetMs;
  const listeners = new Set<() => void>();
  return {
    now: () => new Date(wall.now().getTime() + offset),
    offsetMs: () => offset,
    moveTo: (offsetMs) => {
      if (offsetMs <= offset) return;
      offset = offsetMs;
      for (const listener of listeners) listener();
    },
    onMove: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export const isTestClock = (clock: Clock): clock is TestClock => 'moveTo' in clock;
