import { busyMs, cpuOfProcess, readCpu, used, type Cpu } from './cpu.ts';
import { quantile, type Measured } from './generator.ts';
import type { Place } from './place.ts';
import { committed } from './statements.ts';

/** What is not ours: the world outside and the measuring itself. */
const apart = new Set(['sandbox', 'postgres: sandbox', 'postgres: bench', 'load generator', 'others on the machine']);

/** A time of load: what came of it, and what it cost. */
export type Window = {
  readonly rate: number;
  readonly perS: number;
  readonly purchases: number;
  readonly failed: number;
  readonly order: { readonly p50: number; readonly p99: number };
  readonly end: { readonly p50: number; readonly p99: number };
  /** Milliseconds of one core for each purchase, by part; those that are not ours apart. */
  readonly cpu: {
    readonly ours: number;
    readonly parts: Readonly<Record<string, number>>;
    readonly apart: Readonly<Record<string, number>>;
  };
  /** All transactions of the database, the sandbox's and single reads among them. */
  readonly transactionsPerPurchase: number;
  /** The process that used most of a core. Each has one thread for its own code: near 100 % it is what holds the rate down. */
  readonly busiest: { readonly part: string; readonly percent: number };
  readonly repeated: Measured['repeated'];
  readonly errors: Measured['errors'];
};

const round = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;
const times = (ms: readonly number[]) => ({ p50: round(quantile(ms, 0.5), 1), p99: round(quantile(ms, 0.99), 1) });

/** Offers purchases at a rate for some seconds, waits for them all to end, and reckons up. */
export async function offer(place: Place, rate: number, seconds: number): Promise<Window> {
  const { system, sql, generator, parts } = place;
  const read = async () => {
    const cpu = new Map(await readCpu(system, parts, sql));
    cpu.set('load generator', cpuOfProcess(generator.pid));
    const ours = [...cpu.values()].reduce((sum, ms) => sum + ms, 0);
    // Where this is not small, the machine was not ours alone, and rates and times say little.
    return { cpu: cpu.set('others on the machine', busyMs() - ours), commits: await committed(sql) };
  };
  const before = await read();
  const measured = await generator.offer(rate, seconds);
  const after = await read();
  const { started, completed, endMs, orderMs, wallMs, repeated, errors } = measured;
  const cpu = used(before.cpu, after.cpu);
  return {
    rate,
    perS: round((completed * 1_000) / wallMs, 1),
    purchases: completed,
    failed: started - completed,
    order: times(orderMs),
    // One that did not end took longer than any that did.
    end: times([...endMs, ...Array<number>(started - completed).fill(Number.POSITIVE_INFINITY)]),
    cpu: perPurchase(cpu, completed),
    transactionsPerPurchase: round((after.commits - before.commits) / completed),
    busiest: busiestOf(cpu, wallMs),
    repeated,
    errors,
  };
}

function busiestOf(cpu: Cpu, wallMs: number): Window['busiest'] {
  const [[part, ms] = ['nothing', 0]] = [...cpu]
    .filter(([name]) => name !== 'others on the machine' && !name.startsWith('postgres'))
    .sort(([, a], [, b]) => b - a);
  return { part, percent: Math.round((ms * 100) / wallMs) };
}

function perPurchase(cpu: Cpu, purchases: number): Window['cpu'] {
  const each = [...cpu].map(([name, ms]) => [name, round(ms / purchases, 3)] as const).sort(([, a], [, b]) => b - a);
  const ours = each.filter(([name]) => !apart.has(name));
  return {
    ours: round(ours.reduce((sum, [, ms]) => sum + ms, 0)),
    parts: Object.fromEntries(ours),
    apart: Object.fromEntries(each.filter(([name]) => apart.has(name))),
  };
}

/** Milliseconds of one core that the system uses in a second in which nobody asks for anything, by part. */
export async function idleCpu({ system, sql, parts }: Place, seconds: number): Promise<Window['cpu']> {
  const before = await readCpu(system, parts, sql);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return perPurchase(used(before, await readCpu(system, parts, sql)), seconds);
}
