import { parseArgs } from 'node:util';
import { simulateMany } from './pool.ts';
import { replayOf, report } from './report.ts';
import { simulate } from './run.ts';

// `npm run simulate -- --seeds N [--seed S]`: runs N seeds from S on, on all cores; with `--fresh`, from where nobody has been yet.
// `--seed S` alone runs one seed and tells everything that happened in it. See docs/how-to/simulate.md.

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string' },
    seed: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const whole = (name: string, value: string): number => {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`--${name} is a whole number from 1 on, not ${value}`);
  return number;
};
const first = flags.seed !== undefined ? whole('seed', flags.seed) : flags.fresh ? Math.floor(Math.random() * 2 ** 40) : 1;

process.exitCode = await (flags.seeds === undefined && flags.seed !== undefined
  ? showOne()
  : runMany(whole('seeds', flags.seeds ?? '1000')));

async function showOne(): Promise<number> {
  const run = await simulate({ seed: first, log: true });
  console.log(report(run));
  return run.violations.length === 0 ? 0 : 1;
}

async function runMany(count: number): Promise<number> {
  const began = performance.now();
  let shown = 0;
  const found = await simulateMany({ first, count }, ({ seeds, failed }) => {
    for (const { seed, violations } of failed.slice(shown))
      console.log(`seed ${seed} breaks: ${violations.map(({ rule }) => rule).join('; ')}\n  again: ${replayOf(seed)}`);
    shown = failed.length;
    if (process.stderr.isTTY) process.stderr.write(`\r${seeds} of ${count} seeds, ${failed.length} failed `);
  });
  if (process.stderr.isTTY) process.stderr.write('\n');
  const seconds = (performance.now() - began) / 1_000;
  const { orders, events, failed, reached } = found;
  for (const [what, times] of [...reached].sort(([a], [b]) => (a < b ? -1 : 1))) console.log(`${String(times).padStart(9)}  ${what}`);
  console.log(
    `\nseeds ${first} to ${first + count - 1}: ${orders} purchases, ${events} events in ${seconds.toFixed(1)} s (${Math.round(count / seconds)} seeds/s)`,
  );
  const [worst] = failed;
  if (worst) console.log(`\nThe first that failed:\n${report(await simulate({ seed: worst.seed, log: true }))}`);
  else console.log('All invariants hold.');
  if (flags.json) console.log(JSON.stringify({ first, seeds: count, orders, events, seconds, failed: failed.map(({ seed }) => seed) }));
  return failed.length === 0 ? 0 : 1;
}
