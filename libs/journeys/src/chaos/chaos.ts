import { parseArgs } from 'node:util';
import { play, type Played } from './act.ts';
import { clusterFaults, demandingFaults, usualFaults, type NotTried } from './nemeses.ts';
import type { Stage } from './stage.ts';

// `npm run chaos`: starts systems of its own, breaks what can be broken while customers buy, and examines what is left. What is tried
// and what it proves stands in docs/how-to/chaos.md.

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now()) },
    rate: { type: 'string', default: '6' },
    json: { type: 'boolean', default: false },
    /** 1 or 3: only that many nats-servers, for all of the time. */
    nats: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

const began = performance.now();
const say = (line: string): void => console.error(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} ${line}`);

/** This part of the time is spent on one nats-server, the rest on a cluster of three. */
const singleShare = 0.6;

async function main(): Promise<void> {
  const minutes = Number(flags.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes ${flags.minutes}: a number above 0 is needed`);
  const { seed } = flags;
  say(`seed ${seed}; the same faults again: npm run chaos -- --minutes ${minutes} --seed ${seed}`);
  const { prepare, nemeses, notTried } = demandingFaults();
  for (const { what, why } of notTried) say(`NOT TRIED: ${what}: ${why}`);
  const seconds = minutes * 60;
  const usual = { perS: Number(flags.rate), keep: flags.keep, say };
  const acts: Played[] = [];
  if (flags.nats !== '3') {
    say('one nats-server');
    const all = (stage: Stage) => [...usualFaults(stage), ...nemeses(stage)];
    acts.push(await play({ ...usual, seed, prepare, nemeses: all, seconds: flags.nats === '1' ? seconds : seconds * singleShare }));
  }
  if (flags.nats !== '1') {
    say('a cluster of three nats-servers');
    const left = flags.nats === '3' ? seconds : seconds * (1 - singleShare);
    acts.push(await play({ ...usual, seed: `${seed} cluster`, natsServers: 3, nemeses: clusterFaults, seconds: left }));
  }
  report({ ...together(acts), notTried, seed, minutes });
}

function together(acts: readonly Played[]): Played {
  const sum = (of: (played: Played) => number) => acts.reduce((total, played) => total + of(played), 0);
  const names = (of: (played: Played) => object) => [...new Set(acts.flatMap((played) => Object.keys(of(played))))];
  const tried = (kind: string, what: 'begun' | 'seen') => sum(({ faultsByKind }) => faultsByKind[kind]?.[what] ?? 0);
  return {
    arrivals: sum(({ arrivals }) => arrivals),
    orders: sum(({ orders }) => orders),
    ends: Object.fromEntries(names(({ ends }) => ends).map((status) => [status, sum(({ ends }) => ends[status] ?? 0)])),
    faultsByKind: Object.fromEntries(
      names(({ faultsByKind }) => faultsByKind).map((kind) => [kind, { begun: tried(kind, 'begun'), seen: tried(kind, 'seen') }]),
    ),
    violations: acts.flatMap(({ violations }) => violations),
  };
}

function report(result: Played & { notTried: readonly NotTried[]; seed: string; minutes: number }): void {
  const { arrivals, orders, ends, faultsByKind, violations, ...run } = result;
  if (violations.length > 0) process.exitCode = 1;
  if (flags.json) return console.log(JSON.stringify({ orders, arrivals, ...ends, faultsByKind, violations, ...run }));
  for (const [kind, { begun, seen }] of Object.entries(faultsByKind)) console.log(`${kind}: ${begun} times, seen ${seen}`);
  for (const { what, why } of run.notTried) console.log(`NOT TRIED: ${what}: ${why}`);
  console.log(`${orders} orders: ${JSON.stringify(ends)}; ${violations.length} rules broken`);
}

await main();
