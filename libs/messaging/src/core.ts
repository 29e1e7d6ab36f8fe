import type { z } from 'zod';
import type { Query } from '@yunshi/contracts/define';
import type { Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import type { Answerer, Handler, HttpWrite, Idempotency, Performer, Response } from './handle.ts';
import type { Saga } from '@yunshi/saga/define';

export type CoreOptions = {
  /** First word of the message types that it owns: `order`, `payment`, … */
  readonly service: string;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** On: business time can be moved over the bus. Never in production. */
  readonly testClock: boolean;
  readonly handlers: (core: { readonly clock: Clock }) => readonly Handler[];
  readonly performers?: readonly Performer[];
  readonly answerers?: (sql: Sql) => readonly Answerer[];
  readonly sagas?: readonly Saga[];
};

/** The running message core of one service. */
export type Core = {
  readonly clock: Clock;
  /** For reads outside the lane. */
  readonly sql: Sql;
  /**
   * Runs a write through the lane and answers after its COMMIT.
   * With an idempotency key, a repeated request gets the stored answer (`replayed: true`); another body under the same key is refused.
   * Throws `Overloaded` when the lane is full, `Unavailable` when the database cannot be reached (outcome unknown: repeat with the same key).
   */
  readonly write: <Data, K extends string, R>(how: HttpWrite<Data, K, R>, data: Data, idempotency?: Idempotency) => Promise<Response & { readonly replayed: boolean }>;
  /** Asks another service. Throws `Unavailable` when nobody answers in time. */
  readonly ask: <D extends z.ZodType, A extends z.ZodType>(query: Query<string, D, A>, data: z.input<D>, timeoutMs?: number) => Promise<z.output<A>>;
  /** Calls the listener after each commit that saved the row, in this process only: a hint to look, never the truth. */
  readonly watch: (rows: { readonly name: string }, key: string, listener: () => void) => () => void;
  /** Checks for /readyz: name → whether it is well. */
  readonly ready: () => Promise<Readonly<Record<string, boolean>>>;
  /** Finishes what is in hand, then closes everything. */
  readonly stop: () => Promise<void>;
};
