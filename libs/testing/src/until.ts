import { setTimeout as pause } from 'node:timers/promises';
import { inspect } from 'node:util';

type Limits = { within?: number; every?: number; what?: string };

/**
 * Waits until `look` gives something truthy, and returns it. Tests wait for conditions, never for a length of time.
 *
 * `look` may throw while the world is not ready yet; the last error or value is shown when `within` (ms, 10 s unless told) has passed.
 */
export async function until<T>(look: () => T | Promise<T>, { within = 10_000, every = 20, what }: Limits = {}): Promise<NonNullable<T>> {
  const started = performance.now();
  for (;;) {
    const seen = await attempt(look);
    if ('value' in seen && seen.value) return seen.value;
    if (performance.now() - started >= within) throw giveUp(what ?? look.toString(), within, seen);
    await pause(every);
  }
}

type Seen<T> = { value: T } | { error: unknown };

async function attempt<T>(look: () => T | Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await look() };
  } catch (error) {
    return { error };
  }
}

function giveUp(what: string, within: number, seen: Seen<unknown>): Error {
  const last = 'error' in seen ? `it threw: ${String(seen.error)}` : `it was ${inspect(seen.value, { depth: 4, breakLength: 120 })}`;
  return new Error(`not so after ${within} ms: ${what}\nat the last look ${last}`, 'error' in seen ? { cause: seen.error } : undefined);
}
