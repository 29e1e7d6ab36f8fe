import { connect, type Connection, type ConnectOptions } from './connect.ts';

/** One connection held for transactions, until it is lost. */
export type Session = {
  readonly connection: Connection;
  /** True from the moment that the connection has gone: nothing may be sent on it any more, because no answer would ever come. */
  readonly isLost: () => boolean;
  /** Rejects when the connection goes; to be raced against every wait for an answer. */
  readonly lost: Promise<never>;
};

const connectionLost = (): Error => Object.assign(new Error('the connection to PostgreSQL was lost'), { code: 'CONNECTION_CLOSED' });

/**
 * A single connection on which statements can be pipelined inside a transaction. `get` answers the same session until it is lost, then a new
 * one. The client is its own, with one connection: postgres.js never answers a `reserve` that has to open a connection again, and a
 * statement on a reserved connection that has closed, so the session is opened by a plain statement first and knows when it has ended.
 */
export function session(options: Omit<ConnectOptions, 'connectionsMax'>): {
  readonly get: () => Promise<Session>;
  readonly end: () => Promise<void>;
} {
  let current: { readonly session: Session; readonly lose: () => void } | undefined;
  const client = connect({ ...options, connectionsMax: 1, onClose: () => current?.lose() });
  return {
    async get() {
      if (current) return current.session;
      await client`select 1`;
      const connection = (await client.reserve()) as unknown as Connection;
      const ending = Promise.withResolvers<never>();
      ending.promise.catch(() => undefined);
      let lost = false;
      const lose = (): void => {
        lost = true;
        current = undefined;
        ending.reject(connectionLost());
      };
      current = { session: { connection, isLost: () => lost, lost: ending.promise }, lose };
      return current.session;
    },
    end: () => client.end({ timeout: 1 }),
  };
}
