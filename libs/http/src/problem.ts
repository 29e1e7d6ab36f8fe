import { z } from 'zod';

/** One kind of problem. `title` says what is wrong, `remedy` what the caller can do; both are the same for every occurrence. */
export type ProblemEntry = { readonly status: number; readonly title: string; readonly remedy: string };
export type ProblemEntries = Readonly<Record<string, ProblemEntry>>;

/**
 * The problems that any service may answer. Codes are API: they are never renamed, and a code's status never changes.
 * A service declares its own beside these by `problemTable`.
 */
export const commonProblems = {
  'request-not-valid': {
    status: 400,
    title: 'The request is not valid',
    remedy: 'Correct the fields that `errors` names and send the request again.',
  },
  'body-not-json': {
    status: 400,
    title: 'The body is not JSON',
    remedy: 'Send one JSON value, with `content-type: application/json`.',
  },
  'cursor-not-valid': {
    status: 400,
    title: 'The cursor is not valid here',
    remedy: 'Use `next_cursor` of the previous page as it is, with the same filters and sort; leave `cursor` out for the first page.',
  },
  'idempotency-key-missing': {
    status: 400,
    title: 'The Idempotency-Key header is missing',
    remedy: 'Send a new random key, such as a UUID, with each new action, and the same key whenever you repeat it.',
  },
  'idempotency-key-not-valid': {
    status: 400,
    title: 'The Idempotency-Key header is not valid',
    remedy: 'Use 1 to 255 printable ASCII characters.',
  },
  'token-missing': {
    status: 401,
    title: 'This needs a token',
    remedy: 'Send `Authorization: Bearer <token>` with a token of the configured issuer.',
  },
  'token-not-valid': {
    status: 401,
    title: 'The token is not valid',
    remedy: 'Sign in again, and send the token as the issuer gave it.',
  },
  'token-expired': { status: 401, title: 'The token has expired', remedy: 'Get a new token from the issuer.' },
  'role-not-allowed': {
    status: 403,
    title: 'Your role may not do this',
    remedy: 'Use an account with one of the roles that the API description names for this route.',
  },
  'route-not-found': {
    status: 404,
    title: 'There is no such route',
    remedy: 'Compare method and path with the API description at `/openapi.json`.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here, or it is not yours',
    remedy: 'Check the id, and that the token belongs to the account that owns it.',
  },
  'body-too-large': { status: 413, title: 'The body is too large', remedy: 'Send less at a time.' },
  'media-type-not-supported': {
    status: 415,
    title: 'The body has a media type that this route does not read',
    remedy: 'Send JSON, with `content-type: application/json`.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used before with another request',
    remedy: 'Use a new key for a new action; repeat an action with exactly the same body.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    remedy: 'Wait as long as `Retry-After` says. `RateLimit` tells what is left.',
  },
  'too-many-streams': {
    status: 429,
    title: 'Too many event streams are open',
    remedy: 'Close a stream that you no longer read.',
  },
  'headers-too-large': { status: 431, title: 'The headers are too large', remedy: 'Send fewer or shorter headers.' },
  'internal-error': {
    status: 500,
    title: 'Something went wrong on our side',
    remedy: 'Repeat the request later, with the same Idempotency-Key if it has one. If it persists, report the `trace_id`.',
  },
  unavailable: {
    status: 503,
    title: 'This is not available at the moment',
    remedy: 'Repeat the request after `Retry-After`, with the same Idempotency-Key if it has one.',
  },
  'issuer-unavailable': {
    status: 503,
    title: "The token issuer's keys cannot be read at the moment",
    remedy: 'Repeat the request after `Retry-After`.',
  },
  'timed-out': {
    status: 504,
    title: 'The answer took too long',
    remedy: 'Whether the action happened is unknown: repeat it with the same Idempotency-Key, or read the resource.',
  },
} as const satisfies ProblemEntries;
export type CommonCode = keyof typeof commonProblems;

/** What is wrong with one field. `field` is a JSON pointer (RFC 6901) into the part of the request that `in` names. */
export const FieldProblem = z
  .strictObject({
    in: z.enum(['body', 'query', 'path', 'header']),
    field: z.string().meta({ example: '/lines/0/quantity' }),
    detail: z.string(),
    remedy: z.string(),
  })
  .meta({ id: 'FieldProblem' });
export type FieldProblem = z.infer<typeof FieldProblem>;

/** RFC 9457, with a stable `code`, a `remedy`, the fields at fault and the trace to ask about. */
export const ProblemDocument = z
  .object({
    type: z.string().meta({ description: 'Resolves to the explanation of the code', example: '/problems/not-found' }),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'Stable: programs decide by it', example: 'not-found' }),
    detail: z.string(),
    remedy: z.string(),
    instance: z.string().optional().meta({ description: 'The path that was asked' }),
    errors: z.array(FieldProblem).optional(),
    trace_id: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'A problem, as RFC 9457 describes it' });
export type ProblemDocument = z.infer<typeof ProblemDocument>;

export type ProblemOptions = {
  /** What is wrong this time. Never secrets, never another account's data. */
  readonly detail?: string;
  readonly errors?: readonly FieldProblem[];
  /** Extension members, in snake_case, such as `order_id`. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
};

/** Base of all problems; thrown as the `Problem` of a table. */
export class HttpProblem extends Error {
  readonly code: string;
  readonly entry: ProblemEntry;
  readonly options: ProblemOptions;
  constructor(code: string, entry: ProblemEntry, options: ProblemOptions = {}) {
    super(options.detail ?? entry.title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.entry = entry;
    this.options = options;
  }

  /** The problem as its JSON document, without what only the request knows (`instance`, `trace_id`). */
  document(): ProblemDocument {
    const { detail, errors, members } = this.options;
    return {
      type: `/problems/${this.code}`,
      title: this.entry.title,
      status: this.entry.status,
      code: this.code,
      detail: detail ?? this.entry.title,
      remedy: this.entry.remedy,
      ...(errors && { errors: [...errors] }),
      ...members,
    };
  }
}

/** A status and a body, as a decision returns and stores them. */
export type ProblemResponse = { readonly status: number; readonly body: ProblemDocument };

type NewCodes<T> = { readonly [K in keyof T]: K extends CommonCode ? never : ProblemEntry };

/**
 * The problems of one service beside the common ones. A code that is taken does not compile:
 *
 *     export const Problem = problemTable({ 'order-not-open': { status: 409, title: …, remedy: … } });
 *     throw new Problem('order-not-open', { detail: …, cause });          // where something is thrown
 *     return { response: Problem.response('order-not-open') };             // where a pure decision answers
 */
export function problemTable<const T extends ProblemEntries>(own: T & NewCodes<T>) {
  for (const code of Object.keys(own)) {
    if (code in commonProblems) throw new Error(`problem code ${code} is taken`);
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code)) throw new Error(`problem code ${code} is not in kebab-case`);
  }
  const entries: ProblemEntries = { ...commonProblems, ...own };
  type Code = CommonCode | (keyof T & string);
  return class Problem extends HttpProblem {
    static readonly entries = entries;
    /** Narrows to this table's codes; the route's `config.problems` takes what it returns. */
    static codes(...codes: readonly Code[]): readonly string[] {
      return codes;
    }
    static response(code: Code, options?: ProblemOptions): ProblemResponse {
      const problem = new Problem(code, options);
      return { status: problem.entry.status, body: problem.document() };
    }
    constructor(code: Code, options?: ProblemOptions) {
      super(code, entries[code]!, options);
    }
  };
}

/** The common problems alone. */
export const Problem = problemTable({});
export type Problem = InstanceType<typeof Problem>;
