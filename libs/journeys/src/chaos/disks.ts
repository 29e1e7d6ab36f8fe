import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, symlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive } from '@yunshi/local/leftovers';
import type { System } from '@yunshi/local/system';
import { mountSmall } from './machine.ts';
import { raise, type Nemesis } from './nemesis.ts';

const megabytes = 700;
const fillable = ['postgres', 'nats'] as const;
type Fillable = (typeof fillable)[number];

/** Gives PostgreSQL and nats-server small disks of their own. Their logs stay outside, so that they can say what is wrong. */
export async function smallDisks(dir: string): Promise<() => Promise<void>> {
  mkdirSync(join(dir, 'log'), { recursive: true });
  const undo: (() => Promise<void>)[] = [];
  for (const part of fillable) {
    undo.push(await mountSmall(join(dir, part), megabytes));
    symlinkSync(join(dir, 'log', `${part}.log`), join(dir, part, `${part}.log`));
  }
  return async () => {
    for (const one of undo) await one();
  };
}

/** Not a byte more can be written to the disk of a server. */
export const filling = (part: Fillable, { system, dir }: { readonly system: System; readonly dir: string }): Nemesis => ({
  kind: `disk of ${part} full`,
  strike() {
    const ballast = join(dir, part, 'ballast');
    const log = join(dir, 'log', `${part}.log`);
    const from = existsSync(log) ? statSync(log).size : 0;
    fill(ballast);
    return Promise.resolve({
      target: part,
      // The server has said so itself.
      seen: () =>
        readFileSync(log, 'utf8')
          .slice(from)
          .match(/no space left on device|insufficient storage/gi)?.length ?? 0,
      async heal() {
        rmSync(ballast, { force: true });
        const pid = system.pidOf(part);
        if (pid === undefined || !isAlive(pid)) await raise(system, part);
      },
    });
  },
});

function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [1 << 20, 1 << 12]) while (wasWritten(file, Buffer.alloc(size)));
  } finally {
    closeSync(file);
  }
}

function wasWritten(file: number, bytes: Buffer): boolean {
  try {
    return writeSync(file, bytes) === bytes.length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false;
    throw error;
  }
}
