import { createServer } from 'node:net';

/** Below the range from which systems take the ports of outgoing connections, so that nobody takes ours between two starts. */
const LOWEST = 20_000;
const HIGHEST = 32_000;

export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/**
 * A free port nobody asked for by number. It is this process's until it ends: whoever is to listen there may not do so yet, and systems that
 * start side by side would else be given the same one.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if ((await isFree(port)) && (await claim(port))) return port;
  }
  throw new Error(`no free port found between ${LOWEST} and ${HIGHEST} in 100 tries`);
}

const claimed = new Set<number>();

/** On Linux by a socket that has a name but no file: the kernel knows whose it is, and forgets it with its process. */
function claim(port: number): Promise<boolean> {
  if (claimed.has(port)) return Promise.resolve(false);
  claimed.add(port);
  if (process.platform !== 'linux') return Promise.resolve(true);
  return new Promise((resolve) => {
    const holder = createServer();
    holder.once('error', () => resolve(false));
    holder.listen({ path: `\0yunshi-port-${port}`, exclusive: true }, () => resolve(true));
    holder.unref();
  });
}

/** The wished port, or the next free one above it. */
export async function portFrom(wished: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let port = wished; port < wished + 100; port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free port between ${wished} and ${wished + 99}`);
}
