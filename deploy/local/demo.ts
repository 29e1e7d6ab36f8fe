import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endLeftovers } from './leftovers.ts';
import { isTaken } from './lock.ts';
import { tellStory } from './story/story.ts';
import { voice } from './story/voice.ts';
import { root, startSystem } from './system.ts';

// `npm run demo`: the whole story, against the system that GATEWAY_URL and SANDBOX_URL name (docker compose, another machine), else the one
// that runs here, else one started just for it.

const dir = join(root, '.local');
const say = (line: string): void => console.log(line);
const teller = voice(say, process.stdout.isTTY);

async function withSystem(tell: (urls: Readonly<Record<string, string>>) => Promise<void>): Promise<void> {
  const { GATEWAY_URL: gateway, SANDBOX_URL: sandbox } = process.env;
  if (gateway && sandbox) return tell({ gateway, sandbox });
  if (isTaken(dir) !== undefined) return tell(JSON.parse(await readFile(join(dir, 'urls.json'), 'utf8')) as Record<string, string>);
  say('No system runs here (`npm start` starts one that stays). Starting one just for the story …');
  const own = await mkdtemp(join(tmpdir(), 'yunshi-demo-'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void clear(own).then(() => process.exit(130)));
  const system = await startSystem({ dir: own, seed: 'demo', testClock: true, ports: 'free', durable: false });
  try {
    await tell(system.urls);
  } finally {
    await system.stop();
    await clear(own);
  }
}

/** What was started for the story alone goes with it, however it ends. */
async function clear(own: string): Promise<void> {
  await endLeftovers(own);
  await rm(own, { recursive: true, force: true, maxRetries: 5 });
}

try {
  await withSystem(({ gateway = '', sandbox = '' }) => tellStory({ gateway, sandbox }, teller));
  say(`\nEverything was as told: ${teller.checks()} checks.`);
} catch (error) {
  say(`\n✗ ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
