import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type Child = {
  readonly pid: number;
  /** Resolves when the process has ended; never rejects. */
  readonly exited: Promise<Exit>;
  readonly exit: Exit | undefined;
  signal(name: NodeJS.Signals): void;
};

type Launch = {
  command: string;
  args?: readonly string[];
  /** stdout and stderr are appended to this file: a process must be able to outlive the reader of its output. */
  log: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number | undefined;
  gid?: number | undefined;
};

/**
 * Starts a process in a session of its own, so that a Ctrl-C in the terminal reaches only us: we then stop the others in order.
 */
export async function launch({ command, args = [], log, env, cwd, uid, gid }: Launch): Promise<Child> {
  mkdirSync(dirname(log), { recursive: true });
  const output = openSync(log, 'a');
  const child = spawn(command, args, {
    stdio: ['ignore', output, output],
    detached: true,
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  closeSync(output);
  let exit: Exit | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      exit = { code, signal };
      resolve(exit);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new Error(`${command} cannot be started: ${cause.message}`, { cause })));
  });
  const pid = child.pid ?? 0;
  return {
    pid,
    exited,
    get exit() {
      return exit;
    },
    signal: (name) => void (exit ?? child.kill(name)),
  };
}

/** Asks each signal in turn to end the process, and gives it `patience` ms before the next; the last resort is SIGKILL. */
export async function end(child: Child, signals: readonly NodeJS.Signals[], patience: number): Promise<Exit> {
  for (const signal of [...signals, 'SIGKILL'] as const) {
    if (child.exit) return child.exit;
    child.signal(signal);
    await Promise.race([child.exited, pause(patience, undefined, { ref: false })]);
  }
  return child.exited;
}

/** Looks until `ready` says yes; fails at once, with the end of the log, when the process ends before. */
export async function whenReady(
  child: Child,
  { name, log, ready, within }: { name: string; log: string; ready: () => boolean | Promise<boolean>; within: number },
): Promise<void> {
  const started = performance.now();
  while (!(await ready())) {
    if (child.exit) throw new Error(`${name} ended at its start (${told(child.exit)}):\n${tail(log)}`);
    if (performance.now() - started > within) {
      await end(child, [], 1_000);
      throw new Error(`${name} was not ready after ${within} ms:\n${tail(log)}`);
    }
    await Promise.race([pause(10), child.exited]);
  }
}

export function told({ code, signal }: Exit): string {
  return signal ? `by ${signal}` : `with code ${code}`;
}

export function tail(log: string, lines = 15): string {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return `(nothing in ${log})`;
  }
}
