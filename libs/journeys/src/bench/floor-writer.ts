import { randomBytes, randomUUID } from 'node:crypto';
import { session } from '@yunshi/db/session';
import type { Write } from './floor.ts';

// The process that writes the floor: nothing but rows, statements prepared and pipelined.

const idPattern = /[0-9a-f]{32}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;
const numberPattern = /^\d{20,}$|^[A-Z]{1,3}-?[0-9a-z]{25}/;

/** Values that name this one purchase are made anew; those that several purchases share, like the buyer's account, may as well be. */
function freshValues(values: readonly (string | null)[], fresh: Map<string, string>): (string | null)[] {
  const freshId = (id: string): string => {
    const known = fresh.get(id) ?? (id.includes('-') ? randomUUID() : randomBytes(16).toString('hex'));
    fresh.set(id, known);
    return known;
  };
  return values.map((value) => {
    if (value === null) return null;
    if (numberPattern.test(value)) return `${value.slice(0, 6)}${randomBytes(9).toString('hex')}`;
    return value.replaceAll(idPattern, freshId);
  });
}

export type FloorAsk = { readonly url: string; readonly writes: readonly Write[]; readonly connections: number; readonly seconds: number };
export type FloorTold = { readonly purchases: number; readonly seconds: number };

async function write({ url, writes, connections, seconds }: FloorAsk): Promise<FloorTold> {
  let purchases = 0;
  const until = performance.now() + seconds * 1_000;
  const startMs = performance.now();
  const worker = async (): Promise<void> => {
    const own = session({ url, name: 'floor' });
    const { connection } = await own.get();
    while (performance.now() < until) {
      const fresh = new Map<string, string>();
      const statements = writes.map(({ text, values }) =>
        connection.unsafe(text, freshValues(values, fresh) as never[], { prepare: true }).execute(),
      );
      // Pipelined: one round trip a purchase.
      await Promise.all([connection`begin`.execute(), ...statements, connection`commit`.execute()]);
      purchases++;
    }
    await own.end();
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return { purchases, seconds: (performance.now() - startMs) / 1_000 };
}

process.on('message', (ask: FloorAsk) => void write(ask).then((told) => process.send?.(told)));
