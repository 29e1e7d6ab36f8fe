import type { OrderId } from '@yunshi/kernel/ids';
import type { Core } from '@yunshi/messaging/core';
import { orders, versionsOf } from './orders.ts';

/** How often the database is asked for changes that another instance of this service has made. */
const lookEveryMs = 1_000;

/** Tells who follows an order that there is something new to read. */
export type Changes = {
  /** Calls the listener after each change; answers how to stop. A listener may be called without need, but never too seldom. */
  readonly follow: (orderId: OrderId, listener: () => void) => () => void;
  readonly stop: () => void;
};

type Followed = { readonly listeners: Set<() => void>; version: number | undefined; readonly unwatch: () => void };

/**
 * Changes of this process are told by the core at once. Those of other instances are found by one look at the database for all
 * followed orders together, so that what a look costs does not grow with the number of open streams.
 */
export function orderChanges(core: Pick<Core, 'sql' | 'watch'>, onFault: (what: string, error: unknown) => void): Changes {
  const followed = new Map<OrderId, Followed>();
  let looking = false;

  async function look(): Promise<void> {
    if (looking || followed.size === 0) return;
    looking = true;
    try {
      for (const { orderId, version } of await versionsOf(core.sql, [...followed.keys()])) {
        const entry = followed.get(orderId);
        if (!entry || entry.version === version) continue;
        entry.version = version;
        for (const listener of entry.listeners) listener();
      }
    } catch (error) {
      onFault('following orders', error);
    } finally {
      looking = false;
    }
  }

  const timer = setInterval(() => void look(), lookEveryMs);
  timer.unref();

  function begin(orderId: OrderId): Followed {
    const listeners = new Set<() => void>();
    const tell = () => {
      for (const listener of listeners) listener();
    };
    const entry: Followed = { listeners, version: undefined, unwatch: core.watch(orders, orderId, tell) };
    followed.set(orderId, entry);
    return entry;
  }

  return {
    follow(orderId, listener) {
      const entry = followed.get(orderId) ?? begin(orderId);
      entry.listeners.add(listener);
      return () => {
        entry.listeners.delete(listener);
        if (entry.listeners.size > 0) return;
        entry.unwatch();
        followed.delete(orderId);
      };
    },
    stop: () => clearInterval(timer),
  };
}
