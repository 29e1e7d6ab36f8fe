/** More is waiting than there should be: nothing was done; the caller may come back after `retryAfterS` seconds. */
export class Overloaded extends Error {
  readonly retryAfterS: number;
  constructor(what: string, retryAfterS = 1) {
    super(`${what} are waiting already`);
    this.name = 'Overloaded';
    this.retryAfterS = retryAfterS;
  }
}

/** Something that is needed did not answer. Whether the work was done is unknown: repeat it with the same key. */
export class Unavailable extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(`${what} is not available`, options);
    this.name = 'Unavailable';
  }
}

/** The Idempotency-Key was used before with another request. */
export class IdempotencyKeyReused extends Error {
  constructor() {
    super('the Idempotency-Key was used before with another request');
    this.name = 'IdempotencyKeyReused';
  }
}

const codeOf = (error: unknown): string => {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
};

// 57P01 to 57P03 are a server that shuts down: it says so, and closes the connection.
const lostConnection = /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENOTFOUND|08|57P0[1-3])/;
// Serialisation, deadlock, lock and statement time-outs, shutting down, out of resources: the same work may well succeed in a moment.
const passing = /^(40001|40P01|55P03|57|53|25P03|58030)/;

/** The database cannot be reached, or went away: whether a COMMIT in flight took effect is unknown. */
export const isConnectionLost = (error: unknown): boolean => lostConnection.test(codeOf(error));

/** Not the work's own fault: it is tried again as it is, without counting against it. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Unavailable || isConnectionLost(error) || passing.test(codeOf(error));

const coreTables = new Set(['inbox', 'barrier', 'idempotency', 'sagas']);

/**
 * Somebody else did the same work, or made the row that we were about to make, between our look and our insert; a second look will
 * find it. Saves of a row that was there replace it, so a primary key can only be violated by an insert.
 */
export const isLostRace = (error: unknown): boolean =>
  codeOf(error) === '23505' &&
  error instanceof Error &&
  (('table_name' in error && coreTables.has(String(error.table_name))) ||
    ('constraint_name' in error && String(error.constraint_name).endsWith('_pkey')));
