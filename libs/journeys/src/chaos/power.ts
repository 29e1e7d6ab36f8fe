import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Violation } from '../rules.ts';
import { endsOf, tell } from './act.ts';
import { evidenceOf } from './evidence.ts';
import { startLoad } from './load.ts';
import { makeDisk, type Disk } from './machine.ts';
import { raise } from './nemesis.ts';
import { treeOf } from './processes.ts';
import { broughtToRest } from './quiet.ts';
import { randomFrom } from './random.ts';
import { setStage, type Prepared, type Stage } from './stage.ts';

export type PowerCuts = {
  readonly cuts: number;
  readonly orders: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
};

type PowerOptions = { readonly cuts: number; readonly seed: string; readonly perS: number; readonly say: (line: string) => void };

/** Milliseconds between one cut and the next, in which customers buy. */
const onMs = { least: 3_000, most: 8_000 };

/** Cuts the power again and again under load, lets the system come to rest, and examines it. */
export async function playPowerCuts({ cuts, seed, perS, say }: PowerOptions): Promise<PowerCuts> {
  const random = randomFrom(`${seed} power`);
  let disk: Disk | undefined;
  const prepare = async (dir: string): Promise<Prepared> => {
    disk = await makeDisk(join(dir, 'disk.img'), join(dir, 'disk'));
    // The data of both servers is on that disk; their logs are not, so that they survive.
    mkdirSync(join(dir, 'log'));
    for (const part of ['postgres', 'nats']) {
      mkdirSync(join(dir, 'disk', part));
      symlinkSync(join(dir, 'disk', part), join(dir, part));
      symlinkSync(join(dir, 'log', `${part}.log`), join(dir, 'disk', part, `${part}.log`));
    }
    return { undo: disk.remove };
  };
  const stage = await setStage({ say, prepare, random: randomFrom(`${seed} links`), restart: false });
  let violations: readonly Violation[] = [];
  try {
    const load = startLoad({ ...stage, perS, random: randomFrom(`${seed} load`) });
    const harmless: number[] = [];
    for (let nth = 1; nth <= cuts; nth++) {
      await pause(onMs.least + random.below(onMs.most - onMs.least));
      const acknowledged = load.acknowledged.orders.size;
      if (!(await cutPower(stage, disk!))) harmless.push(nth);
      say(`power cut ${nth} of ${cuts}: ${acknowledged} orders acknowledged before it; everything runs again`);
    }
    violations = await broughtToRest(stage, load);
    if (harmless.length > 0) violations = [...violations, { rule: 'a power cut loses what was not synced', rows: harmless }];
    tell(load, say);
    if (violations.length > 0) for (const line of await evidenceOf(stage, violations)) say(line);
    return { cuts, ...(await endsOf(stage)), violations };
  } finally {
    if (violations.length > 0) say(`what the services have logged is kept in ${stage.dir}/log`);
    await stage.stop(violations.length > 0);
  }
}

/** The disk first, then every process, and all of it again. Answers whether something that was not synced got lost, as it should. */
async function cutPower({ dir, system, services }: Stage, disk: Disk): Promise<boolean> {
  const unsynced = join(dir, 'disk', `unsynced-${randomUUID()}`);
  writeFileSync(unsynced, 'nobody was promised this');
  const backends = treeOf(system.pidOf('postgres')!);
  await disk.cut();
  await Promise.all([...services, 'nats', 'postgres'].map((part) => system.kill(part)));
  for (const pid of backends) endIfAlive(pid);
  await disk.mountAgain();
  // Whoever else syncs just then writes down that there is such a file, and yet nothing of what is in it.
  const isLost = !existsSync(unsynced) || readFileSync(unsynced, 'utf8') === '';
  await Promise.all(['postgres', 'nats'].map((part) => raise(system, part)));
  await Promise.all(services.map((part) => raise(system, part)));
  return isLost;
}

function endIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has noticed by itself that its parent is gone.
  }
}
