import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer } from '@yunshi/local/nats-server';
import { startPostgres } from '@yunshi/local/postgres';
import { endLeftovers, isAlive } from '@yunshi/local/leftovers';
import type { TestProject } from 'vitest/node';
import { postgresContainer } from './containers.ts';

/**
 * What the run gives to its test files: a folder that is removed at its end, a superuser's URL, the nats-server program, which each file
 * starts for itself, and, when one was given, the URL of a server that all share instead.
 */
export type TestServers = { folder: string; postgresUrl: string; natsServer?: string; natsUrl?: string };

declare module 'vitest' {
  interface ProvidedContext {
    servers: TestServers;
  }
}

type Run = { servers: TestServers; stop(): Promise<void> };

/** Every project of a run comes by here, each with modules of its own: the one run they share hangs on the process. */
const shared = globalThis as { yunshiTestRun?: { users: number; run: Promise<Run> } };

/**
 * One PostgreSQL and one nats-server program for the whole run: URLs given in TEST_DATABASE_URL and TEST_NATS_URL, else containers
 * where a Docker engine answers and has the images, else servers of our own. The run says which, and fails rather than skips.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const current = (shared.yunshiTestRun ??= { users: 0, run: begin() });
  current.users++;
  const run = await current.run;
  project.provide('servers', run.servers);
  return async () => {
    if (--current.users === 0) await run.stop();
  };
}

async function begin(): Promise<Run> {
  const folder = await temporaryFolder();
  const database = await beginPostgres(folder);
  say(`PostgreSQL: ${database.kind}`);
  const natsUrl = process.env['TEST_NATS_URL'];
  // Tests that kill nats-server start one of their own even when a URL is given.
  const program = natsUrl ? await findNatsServer(say).catch(() => undefined) : await findNatsServer(say);
  const own = program && `a process per test file, ${program.version} from ${program.from}`;
  say(`nats-server: ${natsUrl ? `given by TEST_NATS_URL; for tests that kill it ${own ?? 'there is none'}` : own}`);
  return {
    servers: { folder, postgresUrl: database.url, ...(program && { natsServer: program.path }), ...(natsUrl && { natsUrl }) },
    async stop() {
      await database.stop();
      await sweep(folder);
    },
  };
}

async function beginPostgres(folder: string): Promise<{ kind: string; url: string; stop(): Promise<void> }> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) return { kind: 'given by TEST_DATABASE_URL', url: given, stop: () => Promise.resolve() };
  const container = await postgresContainer();
  if (container) return { kind: 'in a container', ...container };
  const own = await startPostgres({ dir: join(folder, 'postgres'), password: 'test', durable: false });
  return { kind: `embedded, pid ${own.pid}, fsync off, in ${folder}`, url: own.url, stop: () => own.stop('fast') };
}

function say(line: string): void {
  console.log(`[servers] ${line}`);
}

const prefix = 'yunshi-test-';

/** A folder for this run; runs that were killed before they could tidy up are tidied up now. */
async function temporaryFolder(): Promise<string> {
  for (const name of readdirSync(tmpdir())) {
    const owner = name.startsWith(prefix) ? Number(name.split('-')[2]) : 0;
    if (owner > 0 && !isAlive(owner)) await sweep(join(tmpdir(), name));
  }
  const folder = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as another user and must be able to enter
  return folder;
}

async function sweep(folder: string): Promise<void> {
  await endLeftovers(folder);
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  } catch {
    // Another user's run: theirs to tidy up.
  }
}
