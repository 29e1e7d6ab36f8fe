import type { Sql } from '@yunshi/db/connect';
import type { StreamEvent } from '@yunshi/http/events';
import { isTerminal } from '@yunshi/kernel/flow';
import type { Changes } from './changes.ts';
import { orderFlow, type Entry } from './order.ts';
import { findEntries, type Seen } from './orders.ts';
import { shownEntry } from './wire.ts';

type Following = {
  readonly sql: Sql;
  readonly changes: Changes;
  readonly seen: Seen;
  readonly lastSeen: number | undefined;
  readonly signal: AbortSignal;
};

const told = (entry: Entry): StreamEvent => ({ id: String(entry.version), event: 'status', data: shownEntry(entry) });

/** The version that a client saw last; nonsense counts as having seen nothing. */
export function lastSeenOf(lastEventId: string | undefined): number | undefined {
  const version = Number(lastEventId);
  return lastEventId !== undefined && Number.isSafeInteger(version) && version > 0 ? version : undefined;
}

/**
 * An order's present status, or all that a returning client has missed; then every change, until the order has ended.
 * The timeline is what is told: a change that happened between two looks is in it, so none is left out.
 */
export async function* followOrder({ sql, changes, seen, lastSeen, signal }: Following): AsyncGenerator<StreamEvent> {
  const bell = latch(signal);
  // Before the first read, so that nothing can happen unnoticed between the two.
  const unfollow = changes.follow(seen.orderId, bell.ring);
  try {
    const sofar = await findEntries(sql, seen, lastSeen);
    let newest = sofar.at(-1);
    for (const entry of lastSeen === undefined ? sofar.slice(-1) : sofar) yield told(entry);
    let version = newest?.version ?? lastSeen ?? 0;
    while (!signal.aborted && !(newest && isTerminal(orderFlow, newest.status))) {
      await bell.rung();
      for (const entry of await findEntries(sql, seen, version)) {
        yield told(entry);
        newest = entry;
        version = entry.version;
      }
    }
  } finally {
    unfollow();
  }
}

/** Waits for a ring, or for the end; a ring while nobody waits is kept. */
function latch(signal: AbortSignal) {
  let wake: (() => void) | undefined;
  let isRung = false;
  const ring = (): void => {
    isRung = true;
    wake?.();
  };
  signal.addEventListener('abort', ring, { once: true });
  return {
    ring,
    async rung(): Promise<void> {
      if (!isRung) await new Promise<void>((resolve) => (wake = resolve));
      isRung = false;
      wake = undefined;
    },
  };
}
