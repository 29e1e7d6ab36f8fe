import { setImmediate as nextTurn } from 'node:timers/promises';
import { uuidv7 } from '@yunshi/kernel/ids';

/** What a process has of its own besides business time: time-outs, turns of its event loop, chance. A simulation brings others. */
export type Host = {
  /** Milliseconds since the epoch by the machine's clock, which may be set back. */
  readonly wallMs: () => number;
  /** Milliseconds that only grow, for time-outs. */
  readonly elapsedMs: () => number;
  /** Runs it once, later. Answers how to call it off. */
  readonly after: (ms: number, run: () => void) => () => void;
  /** As `after`, where nothing is in hand meanwhile: it looks whether there is something to do. */
  readonly restFor: (ms: number, run: () => void) => () => void;
  /** Runs it again and again. Answers how to end it. */
  readonly every: (ms: number, run: () => void) => () => void;
  /** Answers when everything that has arrived by now has been taken in. */
  readonly nextTurn: () => Promise<void>;
  /** At least 0, less than 1. */
  readonly random: () => number;
  /** A UUIDv7 with dashes, made at that time. */
  readonly uuid: (atMs: number) => string;
};

function after(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}

export const processHost: Host = {
  wallMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  after,
  restFor: after,
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
  nextTurn: () => nextTurn(),
  random: Math.random,
  uuid: uuidv7,
};
