import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
const integers = {
  // Amounts and counters are integers below 2^53 by contract, so that a JavaScript number holds them exactly.
  bigint: { to: 20, from: [20], serialize: String, parse: Number },
};
/** Opens a pool with limits on everything that could otherwise wait for ever. */
export function connect({ url, name, connectionsMax }) {
  return postgres(url, {
    max: connectionsMax,
    connect_timeout: 5,
    keep_alive: 10,
    idle_timeout: 0,
    max_lifetime: null,
    prepare: true,
    onnotice: () => undefined,
    types: integers,
    connection: {
      application_name: name,
      statement_timeout: 15_000,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 20_000,
    },
  });
}
/**
 * drizzle over a pool of its own: it turns off the date parsers of the client that it is given,
 * which would change what raw statements on the same client return.
 */
export function connectOrm(options, schema) {
  const client = connect(options);
  return { orm: drizzle({ client, schema }), close: () => client.end({ timeout: 5 }) };
}
