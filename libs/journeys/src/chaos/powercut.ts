import { parseArgs } from 'node:util';
import { whyNoPowerCut } from './machine.ts';
import { playPowerCuts } from './power.ts';

// `npm run powercut`: cuts the power of the disk on which PostgreSQL and JetStream keep their data, under load, five times. Needs root.

const { values: flags } = parseArgs({
  options: {
    cuts: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now()) },
    rate: { type: 'string', default: '6' },
    json: { type: 'boolean', default: false },
  },
});

const began = performance.now();
const say = (line: string): void => console.error(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} ${line}`);

async function main(): Promise<void> {
  const why = whyNoPowerCut();
  if (why !== undefined) {
    console.error(`NOT TRIED: ${why}.`);
    if (flags.json) console.log(JSON.stringify({ notTried: [{ what: 'power cut', why }] }));
    process.exitCode = 2;
    return;
  }
  const { seed } = flags;
  const result = { ...(await playPowerCuts({ cuts: Number(flags.cuts), seed, perS: Number(flags.rate), say })), seed };
  console.log(
    flags.json ? JSON.stringify(result) : `${result.cuts} power cuts, ${result.orders} orders, ${result.violations.length} rules broken`,
  );
  if (result.violations.length > 0) process.exitCode = 1;
}

await main();
