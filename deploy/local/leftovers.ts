import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * The processes with `mark` (the path of a folder of ours) in their command line. They are found by that and not by a noted pid, because
 * after a crash the system may have given the pid to a stranger.
 */
export function processesWith(mark: string): number[] {
  const listed = process.platform === 'linux' ? fromProc() : fromPs();
  return listed.filter(({ pid, command }) => pid !== process.pid && command.includes(mark)).map(({ pid }) => pid);
}

/** Ends what an earlier run left behind when it was killed before it could stop it, and waits until it is gone. Returns how many there were. */
export async function endLeftovers(mark: string): Promise<number> {
  const pids = processesWith(mark);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile, or belongs to another user.
    }
  }
  // A killed server holds its port and its lock until the system has taken it away.
  for (let looks = 0; looks < 250 && pids.some(isAlive); looks++) await pause(20);
  return pids.length;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

type Listed = { pid: number; command: string };

function fromProc(): Listed[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') }];
      } catch {
        return [];
      }
    });
}

function fromPs(): Listed[] {
  const table = execFileSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8', maxBuffer: 16 << 20 });
  return table.split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+(.*)$/.exec(line);
    return found ? [{ pid: Number(found[1]), command: found[2] ?? '' }] : [];
  });
}
