import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { end, launch, tail, told, whenReady } from './child.ts';
import type { Child, Exit } from './child.ts';

const LOG_BYTES_MAX = 20 * 1024 * 1024;
/** A service that ran this long (ms) before it died is not in a loop of dying. */
const STEADY = 60_000;
const BACK_OFF_MAX = 30_000;

export type ProcessSpec = {
  name: string;
  command: string;
  args: readonly string[];
  env: Record<string, string>;
  cwd: string;
  log: string;
  /** Where it says at /readyz whether it can serve. */
  url: string;
  /** How long (ms) it may take until it logs that it is ready. */
  readyWithin: number;
};

export type Supervised = {
  readonly name: string;
  readonly pid: number | undefined;
  readonly log: string;
  /** Ends it with this signal, and leaves it ended until `start`. */
  kill(signal?: NodeJS.Signals): Promise<Exit | undefined>;
  /** Starts it, when it is not running, and waits until it is ready. */
  start(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
};

/**
 * Keeps one service running. When it dies by itself it is started again, with a back-off that doubles; when we end it, it stays ended.
 */
export function supervise(spec: ProcessSpec, options: { restart: boolean; say: (line: string) => void }): Supervised {
  let child: Child | undefined;
  let wanted = false;
  let backOff = 500;

  const begin = async (): Promise<Child> => {
    rotate(spec.log);
    const from = existsSync(spec.log) ? statSync(spec.log).size : 0;
    const started = await launch(spec);
    child = started;
    await whenReady(started, {
      ...spec,
      ready: async () => saidReady(spec.log, from) && (await isReady(spec.url)),
      within: spec.readyWithin,
    });
    return started;
  };

  const watch = async (current: Child): Promise<void> => {
    const began = performance.now();
    const exit = await current.exited;
    if (!wanted || child !== current) return;
    options.say(`${spec.name} ended ${told(exit)}${options.restart ? `; it starts again in ${backOff / 1000} s` : ''}`);
    if (!options.restart) return;
    if (performance.now() - began > STEADY) backOff = 500;
    await pause(backOff, undefined, { ref: false });
    backOff = Math.min(backOff * 2, BACK_OFF_MAX);
    if (wanted && child === current) await again();
  };

  const again = async (): Promise<void> => {
    try {
      const started = await begin();
      options.say(`${spec.name} is ready again`);
      void watch(started);
    } catch {
      options.say(`${spec.name} did not start; the end of its log:\n${tail(spec.log, 5)}`);
      if (child) void watch(child);
    }
  };

  return {
    name: spec.name,
    log: spec.log,
    get pid() {
      return child?.exit ? undefined : child?.pid;
    },
    async start() {
      if (child && !child.exit) return;
      wanted = true;
      child = undefined; // whoever waits to start the one before it has nothing to do any more
      const started = await begin();
      void watch(started);
    },
    async kill(signal = 'SIGKILL') {
      wanted = false;
      child?.signal(signal);
      return child?.exited;
    },
    async stop() {
      wanted = false;
      if (child) await end(child, ['SIGTERM'], 20_000);
    },
  };
}

/** Logs go on from start to start; one file before the current one is kept. */
function rotate(log: string): void {
  mkdirSync(dirname(log), { recursive: true });
  if (existsSync(log) && statSync(log).size > LOG_BYTES_MAX) renameSync(log, `${log}.1`);
}

/** What a service listens for it may not be able to do yet: its consumers, say, are still on their way. */
async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Looks for the line that every service logs when it serves. */
function saidReady(log: string, from: number): boolean {
  const size = statSync(log).size;
  if (size <= from) return false;
  const file = openSync(log, 'r');
  try {
    const bytes = Buffer.alloc(Math.min(size - from, 4 * 1024 * 1024));
    readSync(file, bytes, 0, bytes.length, from);
    return bytes.toString('utf8').split('\n').some(isReadyLine);
  } finally {
    closeSync(file);
  }
}

function isReadyLine(line: string): boolean {
  if (!line.includes('"ready"')) return false;
  try {
    return (JSON.parse(line) as { msg?: unknown }).msg === 'ready';
  } catch {
    return false; // half a line: the rest comes
  }
}
