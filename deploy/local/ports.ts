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

/** A free port nobody asked for by number. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${LOWEST} and ${HIGHEST} in 100 tries`);
}

/** The wished port, or the next free one above it. */
export async function portFrom(wished: number, taken: ReadonlySet<number> = new Set()): Promise<number> {
  for (let port = wished; port < wished + 100; port++) {
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free port between ${wished} and ${wished + 99}`);
}
