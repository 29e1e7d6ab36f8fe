import { parseArgs } from 'node:util';
import { play, type Played } from './act.ts';
import { usualFaults } from './nemeses.ts';

// `npm run chaos`: starts systems of its own, breaks what can be broken while customers buy, and examines what is left. What is tried
// and what it proves stands in docs/how-to/chaos.md.

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Date.now()) },
    rate: { type: 'string', default: '6' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

const began = performance.now();
const say = (line: string): void => console.error(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} ${line}`);

async function main(): Promise<void> {
  const minutes = Number(flags.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes ${flags.minutes}: a number above 0 is needed`);
  say(`seed ${flags.seed}; the same faults again: npm run chaos -- --minutes ${minutes} --seed ${flags.seed}`);
  const played = await play({
    seed: flags.seed,
    seconds: minutes * 60,
    perS: Number(flags.rate),
    nemeses: usualFaults,
    keep: flags.keep,
    say,
  });
  report({ ...played, seed: flags.seed, minutes });
  if (played.violations.length > 0) process.exitCode = 1;
}

function report(result: Played & { seed: string; minutes: number }): void {
  const { arrivals, orders, ends, faultsByKind, violations, ...run } = result;
  if (flags.json) return console.log(JSON.stringify({ orders, arrivals, ...ends, faultsByKind, notTried: [], violations, ...run }));
  for (const [kind, { begun, seen }] of Object.entries(faultsByKind)) console.log(`${kind}: ${begun} times, seen ${seen}`);
  console.log(`${orders} orders: ${JSON.stringify(ends)}; ${violations.length} rules broken`);
}

await main();
