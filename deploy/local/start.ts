import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftovers } from './leftovers.ts';
import { services } from './services.ts';
import { root, startSystem } from './system.ts';
import type { System } from './system.ts';
import { table } from './table.ts';

const dir = join(root, '.local');
const began = performance.now();
const say = (line: string) => console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(5)} s  ${line}`);

const stop = new AbortController();
const stopped = once(stop.signal, 'abort');
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => (stop.signal.aborted ? hardStop() : stopOnce()));

// Whoever read our output has gone (a closed terminal, a pipe that ended): that is a stop too, and no crash.
process.stdout.on('error', () => stop.abort(new Error('nobody listens any more')));

console.log(`Starting Yunshi 云市: PostgreSQL, nats-server and ${services.length} services, each a process of its own.\n`);
const system = await start();
if (system) {
  // For whoever wants to talk to it without reading the table, such as `npm run demo`.
  writeFileSync(join(dir, 'urls.json'), JSON.stringify(system.urls));
  say('all are ready\n');
  console.log(await table(system, dir));
  await stopped;
  await system.stop();
}
console.log('Stopped. The data stays in .local; `npm run reset` clears it.');
process.exit();

async function start(): Promise<System | undefined> {
  try {
    return await startSystem({ dir, seed: 'demo', testClock: true, ports: 'usual', restart: true, signal: stop.signal, say });
  } catch (error) {
    if (stop.signal.aborted) return undefined;
    console.error(`\nIt did not start: ${error instanceof Error ? error.message : String(error)}`);
    console.error('`npm run doctor` says what may be missing.');
    return process.exit(1);
  }
}

function stopOnce(): void {
  console.log('\nStopping … (once more: at once)');
  stop.abort(new Error('stopped while it started'));
}

/** Everything here survives a crash, so an impatient person may have one. */
async function hardStop(): Promise<never> {
  await endLeftovers(dir);
  process.exit(130);
}
