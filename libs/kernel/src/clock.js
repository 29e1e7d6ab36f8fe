export const wallClock = { now: () => new Date() };
export function testClock(startOffsetMs = 0, wall = wallClock) {
  let offset = startOffsetMs;
  const listeners = new Set();
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
export const isTestClock = (clock) => 'moveTo' in clock;
