import { notValid } from './field-problems.ts';
import { HttpProblem, Problem, type CommonCode } from './problem.ts';

const ofFastify: Readonly<Record<string, CommonCode>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type-not-supported',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body-not-json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body-not-json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request-not-valid',
  FST_ERR_BAD_URL: 'route-not-found',
};

/** The message core's faults, by name: services bring the core and this library together, neither knows the other. */
const ofCore: Readonly<Record<string, CommonCode>> = {
  IdempotencyKeyReused: 'idempotency-key-reused',
  Overloaded: 'unavailable',
  Unavailable: 'unavailable',
};

/** A connection to something we need was refused, lost or shut down: the same request may well succeed in a moment. */
const connectionLost = /^(CONNECTION_|CONNECT_TIMEOUT|ECONNREFUSED|ECONNRESET|EPIPE|57P0)/;

const retryLater = { 'retry-after': '1' };
/** An overload that says how long it may last is believed. */
const retryAfter = (error: Error): typeof retryLater =>
  'retryAfterS' in error && typeof error.retryAfterS === 'number'
    ? { 'retry-after': String(Math.max(1, Math.ceil(error.retryAfterS))) }
    : retryLater;

/** The problem that an error is to the client. What it does not know is an internal error, and tells nothing of its cause. */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (!(error instanceof Error)) return new Problem('internal-error', { cause: error });
  const { name, code, validation, validationContext, statusCode } = error as Error & {
    code?: unknown;
    validation?: readonly unknown[];
    validationContext?: string;
    statusCode?: unknown;
  };
  if (validation) return notValid({ validation, validationContext }, error);
  const known = (typeof code === 'string' ? ofFastify[code] : undefined) ?? ofCore[name];
  if (known === 'unavailable') return new Problem('unavailable', { headers: retryAfter(error), cause: error });
  if (known) return new Problem(known, { cause: error });
  if (typeof code === 'string' && connectionLost.test(code)) return new Problem('unavailable', { headers: retryLater, cause: error });
  // secure-json-parse throws a SyntaxError with 400 for `__proto__` and for what is no JSON.
  if (error instanceof SyntaxError && statusCode === 400) return new Problem('body-not-json', { cause: error });
  return new Problem('internal-error', { cause: error });
}
