import { existsSync, lstatSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { endLeftovers } from './leftovers.ts';
import { isTaken } from './lock.ts';
import { root } from './system.ts';

const dir = join(root, '.local');
const holder = isTaken(dir);
if (holder) {
  console.error(`It runs now, as process ${holder}: stop that first (Ctrl-C where it runs, or \`kill ${holder}\`).`);
  process.exit(1);
}
await endLeftovers(dir);
// As root in a closed folder the cluster lives elsewhere, and a link leads to it (see postgres.ts).
const data = join(dir, 'postgres', 'data');
if (lstatSync(data, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(dirname(readlinkSync(data)), { recursive: true, force: true });
const was = existsSync(dir);
rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
console.log(was ? 'Cleared .local: the next `npm start` begins with a new demo world.' : 'There is no .local to clear.');
