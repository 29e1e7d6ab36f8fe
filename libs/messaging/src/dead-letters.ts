export type DeadLetter = {
  readonly source: 'message' | 'deadline' | 'call';
  /** Type of the message, kind of the deadline or of the call. */
  readonly name: string;
  readonly subject: string | null;
  readonly messageId: string | null;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly error: unknown;
  readonly attempts: number;
};

/** Keeps what could not be handled, for an operator to look at, retry or discard. */
export type DeadLetterRecords = { readonly bury: (letter: DeadLetter) => PromiseLike<unknown> };

/** What an operator reads: the message of the error and of its causes, without stack traces. */
export function described(error: unknown): string {
  const parts: string[] = [];
  for (let cause: unknown = error; cause !== undefined && parts.length < 5; cause = cause instanceof Error ? cause.cause : undefined) {
    parts.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : JSON.stringify(cause));
  }
  return parts.join(' ← ').slice(0, 4_000);
}
