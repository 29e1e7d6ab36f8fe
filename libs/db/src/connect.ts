import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { parse as parseArray } from 'postgres-array';
import { lines } from './line.ts';

/** A raw client: tagged SQL, `int8` as number, `timestamptz` as Date, every statement prepared. */
export type Sql = postgres.Sql<{ bigint: number }>;
/** One connection, taken out of the pool: statements sent without awaiting each other are pipelined on it. */
export type Connection = postgres.ReservedSql<{ bigint: number }>;
/** What a repository gets to run its statements on: inside a transaction a connection, for plain reads the pool. */
export type Tx = Sql | Connection;

export type ConnectOptions = {
  readonly url: string;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly connectionsMax: number;
  /** How statements are planned; as PostgreSQL thinks best, if not said otherwise. */
  readonly planning?: Readonly<Record<string, string>>;
  /** Called whenever one of the connections has closed. */
  readonly onClose?: () => void;
};

/** An array as PostgreSQL reads it: `{"a","b",NULL}`. */
const arrayLiteral = (items: readonly unknown[]): string =>
  `{${items.map((item) => (item === null || item === undefined ? 'NULL' : quotedElement(elementText(item)))).join(',')}}`;
/** Looks first, because most elements have nothing to escape; by two plain replacements, because one with a pattern takes half as long again. */
const quotedElement = (text: string): string =>
  text.includes('"') || text.includes('\\') ? `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : `"${text}"`;
const elementText = (item: unknown): string => {
  if (item instanceof Date) return item.toISOString();
  return typeof item === 'object' ? JSON.stringify(item) : String(item as string | number | boolean);
};

const arrayOf = <T>(oids: readonly [number, ...number[]], element: (text: string) => T) => ({
  to: oids[0],
  from: [...oids],
  serialize: arrayLiteral,
  parse: (text: string) => parseArray(text, element),
});

/**
 * The types by their numbers in pg_type, written down instead of asked for: the client asks with a statement whose failure nobody
 * could catch, and a server that goes away in that moment would take the process with it.
 */
const types = {
  // Amounts and counters are integers below 2^53 by contract, so that a JavaScript number holds them exactly.
  bigint: { to: 20, from: [20], serialize: String, parse: Number },
  texts: arrayOf([1009, 1015, 2951], String),
  numbers: arrayOf([1007, 1005, 1016, 1021, 1022], Number),
  booleans: arrayOf([1000], (text) => text === 't'),
  times: arrayOf([1185, 1115], (text) => new Date(text)),
  documents: arrayOf([3807, 199], (text) => JSON.parse(text) as unknown),
};

/**
 * For a service's own connections. A plan that was made while a table was small reads it from end to end, and is kept while it grows: a
 * thousand orders cost a key lookup ten times what it should. Nothing that a service asks may need to read a whole table.
 */
export const neverWholeTables = { enable_seqscan: 'off', jit: 'off' } as const;

/** For lookups by keys alone, whose plan is the same whatever the keys: it is made once, not each time. */
export const plannedOnce = { ...neverWholeTables, plan_cache_mode: 'force_generic_plan' } as const;

/** Opens a pool with limits on everything that could otherwise wait for ever. */
export function connect({ url, name, connectionsMax, planning, onClose }: ConnectOptions): Sql {
  const options = {
    max: connectionsMax,
    connect_timeout: 5,
    keep_alive: 10,
    idle_timeout: 0,
    max_lifetime: null,
    prepare: true,
    onnotice: () => undefined,
    socket: lines(), // an option that its types do not know
    ...(onClose && { onclose: onClose }),
    fetch_types: false,
    types,
    connection: {
      application_name: name,
      statement_timeout: 15_000,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 20_000,
      ...planning,
    },
  };
  return postgres(url, options) as unknown as Sql;
}

/**
 * drizzle over a pool of its own: it turns off the date parsers of the client that it is given,
 * which would change what raw statements on the same client return.
 */
export function connectOrm<S extends Record<string, unknown>>(options: ConnectOptions, schema: S) {
  const client = connect(options);
  return { orm: drizzle({ client, schema }), close: () => client.end({ timeout: 5 }) };
}
