import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from './leftovers.ts';

export type Lock = { release(): void; /** The start before this one was killed. */ afterCrash: boolean };
type Holder = { pid: number; began: string };

/** One system per folder: a second start on the same data is refused, and a start after a crash is told so. */
export function takeLock(dir: string): Lock {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, 'running.json');
  const mine: Holder = { pid: process.pid, began: beginOf(process.pid) };
  let afterCrash = false;
  for (;;) {
    try {
      writeFileSync(file, JSON.stringify(mine), { flag: 'wx' });
      return { afterCrash, release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(file);
    if (holder && runs(holder)) {
      throw new Error(
        `it already runs in ${dir}, as process ${holder.pid}: stop that one first (Ctrl-C where it runs, or \`kill ${holder.pid}\`)`,
      );
    }
    rmSync(file, { force: true });
    afterCrash = true;
  }
}

/** Whether a system runs in this folder now. */
export function isTaken(dir: string): number | undefined {
  const holder = holderOf(join(dir, 'running.json'));
  return holder && runs(holder) ? holder.pid : undefined;
}

function holderOf(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

/** A pid is given again after a while; together with the time at which its process began it is not. */
function runs({ pid, began }: Holder): boolean {
  return isAlive(pid) && beginOf(pid) === began;
}

function beginOf(pid: number): string {
  try {
    if (process.platform !== 'linux') {
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    }
    // The 22nd field, counted after the command's name in brackets, which may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
