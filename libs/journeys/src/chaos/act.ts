import type { Violation } from '../rules.ts';
import { evidenceOf } from './evidence.ts';
import { startLoad, type Load } from './load.ts';
import type { Nemesis } from './nemesis.ts';
import { broughtToRest } from './quiet.ts';
import { randomFrom } from './random.ts';
import { setStage, type Stage, type StageOptions } from './stage.ts';
import { idle, torment, type Torment } from './torment.ts';

export type Played = {
  /** Purchases that were begun, those that were acknowledged, and how all orders ended. */
  readonly arrivals: number;
  readonly orders: number;
  readonly ends: Readonly<Record<string, number>>;
  readonly faultsByKind: Torment['faultsByKind'];
  readonly violations: readonly Violation[];
};

type ActOptions = Omit<StageOptions, 'random'> & {
  readonly seed: string;
  readonly seconds: number;
  /** Customers who arrive in a second. */
  readonly perS: number;
  /** Keeps what the system has left behind even when nothing is broken. */
  readonly keep?: boolean;
  readonly nemeses: (stage: Stage) => readonly Nemesis[];
};

/** A system under open load, tormented for a while, then left in peace until it has come to rest, and examined. */
export async function play({ seed, seconds, perS, nemeses, keep = false, ...options }: ActOptions): Promise<Played> {
  const { say } = options;
  const stage = await setStage({ ...options, random: randomFrom(`${seed} links`) });
  let found: readonly Violation[] = [];
  try {
    const load = startLoad({ ...stage, perS, random: randomFrom(`${seed} load`) });
    const { faultsByKind, unhealed } = await torment({ nemeses: nemeses(stage), random: randomFrom(`${seed} faults`), seconds, say });
    say('the faults are over: waiting for rest');
    const began = performance.now();
    found = [...unhealed, ...idle(faultsByKind), ...(await broughtToRest(stage, load))];
    say(`${found.length === 0 ? 'at rest' : 'NOT at rest'} after ${Math.round((performance.now() - began) / 1_000)} s`);
    tell(load, say);
    if (found.length > 0) for (const line of await evidenceOf(stage, found)) say(line);
    return { arrivals: load.started(), ...(await endsOf(stage)), faultsByKind, violations: found };
  } finally {
    const isKept = keep || found.length > 0;
    if (isKept) say(`what the services have logged is kept in ${stage.dir}/log`);
    await stage.stop(isKept);
  }
}

export async function endsOf({ sql }: Stage): Promise<{ orders: number; ends: Record<string, number> }> {
  const rows = await sql<{ status: string; count: number }[]>`select status, count(*)::int as count from svc_order.orders group by status`;
  return {
    orders: rows.reduce((sum, { count }) => sum + count, 0),
    ends: Object.fromEntries(rows.map(({ status, count }) => [status, count])),
  };
}

export function tell({ ends, unsure }: Load, say: (line: string) => void): void {
  for (const [end, count] of [...ends].toSorted(([a], [b]) => a.localeCompare(b))) say(`  ${String(count).padStart(5)} × ${end}`);
  say(`  asked again: ${[...unsure].map(([why, count]) => `${why} × ${count}`).join(', ') || 'never'}`);
}
