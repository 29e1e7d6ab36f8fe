import type { Sql } from '@yunshi/db/connect';

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

/** What an operator reads: the message of the error and of its causes, without stack traces. */
function described(error: unknown): string {
  const parts: string[] = [];
  for (let cause: unknown = error; cause !== undefined && parts.length < 5; cause = cause instanceof Error ? cause.cause : undefined) {
    parts.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : JSON.stringify(cause));
  }
  return parts.join(' ← ').slice(0, 4_000);
}

/** Keeps what could not be handled, for an operator to look at, retry or discard. */
export async function bury(sql: Sql, letter: DeadLetter): Promise<void> {
  await sql`
    insert into dead_letters (source, name, subject, message_id, body, headers, error, attempts, state)
    values (${letter.source}, ${letter.name}, ${letter.subject}, ${letter.messageId}, ${letter.body}, ${sql.json(letter.headers)}, ${described(letter.error)}, ${letter.attempts}, 'open')`;
}
