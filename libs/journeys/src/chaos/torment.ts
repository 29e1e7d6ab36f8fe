import { setTimeout as pause } from 'node:timers/promises';
import type { Part } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import type { Violation } from '../rules.ts';
import type { Nemesis } from './nemesis.ts';
import type { Random } from './random.ts';
import { periods, type Lengths, type Period } from './schedule.ts';

/** How often a kind of fault began, and how often it was seen to do something. */
export type Tried = { readonly begun: number; readonly seen: number };

export type Torment = { readonly faultsByKind: Readonly<Record<string, Tried>>; readonly unhealed: readonly Violation[] };

type TormentOptions = {
  readonly nemeses: readonly Nemesis[];
  readonly random: Random;
  readonly seconds: number;
  readonly lengths?: Lengths;
  readonly say: (line: string) => void;
};

/** What another fault has taken away is back by then. */
const lookMsMax = 30_000;

/** Sets the nemeses loose for so long, period by period. When it answers, everything that it broke is whole again, or named. */
export async function torment({ nemeses, random, seconds, lengths, say }: TormentOptions): Promise<Torment> {
  const byKind = new Map(nemeses.map((nemesis) => [nemesis.kind, nemesis]));
  const tried = new Map<string, { begun: number; seen: number }>(nemeses.map(({ kind }) => [kind, { begun: 0, seen: 0 }]));
  const unhealed: { kind: string; target: string; why: string }[] = [];
  const untilMs = performance.now() + seconds * 1_000;

  /** One fault, from its beginning to its healing. */
  async function carryOut({ kind, afterMs }: Period['faults'][number], lengthMs: number, claim: (part: Part) => boolean): Promise<void> {
    await pause(afterMs);
    const fault = await byKind.get(kind)!.strike(random, claim);
    if (!fault) return;
    const count = tried.get(kind)!;
    count.begun++;
    say(`  ${kind}: ${fault.target}`);
    await pause(Math.max(0, lengthMs - afterMs));
    // What is looked at may be away, because another fault of the period has taken it: that one is healed about now.
    const { seen } = await until(async () => ({ seen: await fault.seen() }), {
      within: lookMsMax,
      every: 500,
      what: `${kind} is looked at`,
    });
    count.seen += seen;
    await fault.heal();
  }

  for (const period of periods([...byKind.keys()], random, lengths)) {
    if (performance.now() >= untilMs) break;
    const hit = new Set<Part>();
    const claim = (part: Part): boolean => !hit.has(part) && hit.add(part).has(part);
    if (period.faults.length === 0) say('  (left in peace)');
    await Promise.all([
      pause(period.lengthMs),
      ...period.faults.map((fault) =>
        carryOut(fault, period.lengthMs, claim).catch((error: unknown) => {
          const why = error instanceof Error ? error.message : String(error);
          say(`  ${fault.kind} could not be carried out or healed: ${why}`);
          unhealed.push({ kind: fault.kind, target: period.faults.map(({ kind }) => kind).join(' + '), why });
        }),
      ),
    ]);
  }
  return {
    faultsByKind: Object.fromEntries(tried),
    unhealed: unhealed.length > 0 ? [{ rule: 'what a fault has broken can be put right again', rows: unhealed }] : [],
  };
}

/** Once and again a fault may meet a part that another has just ended; after that, one that does nothing proves nothing. */
const idleMax = 2;

/** The kinds of fault that began and were never seen to do anything. */
export const idle = (faultsByKind: Torment['faultsByKind']): Violation[] => {
  const rows = Object.entries(faultsByKind).filter(([, { begun, seen }]) => begun > idleMax && seen === 0);
  return rows.length > 0
    ? [{ rule: 'every kind of fault was seen to do something', rows: rows.map(([kind, tried]) => ({ kind, ...tried })) }]
    : [];
};
