import type { Outgoing } from './envelope.ts';

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
  /** Tells the saga that the message is about; leaves with the burial. */
  readonly notice?: Outgoing;
};

/** Keeps what could not be handled, for an operator to look at, retry or discard. A message that is buried again reopens its letter. */
export type DeadLetterRecords = { readonly bury: (letter: DeadLetter) => PromiseLike<unknown> };

/** What an operator reads: the message of the error and of its causes, without stack traces. */
export function described(error: unknown): string {
  const parts: string[] = [];
  for (let cause: unknown = error; cause !== undefined && parts.length < 5; cause = cause instanceof Error ? cause.cause : undefined) {
    parts.push(cause instanceof Error ? `${cause.name}: ${cause.message}` : JSON.stringify(cause));
  }
  return parts.join(' ← ').slice(0, 4_000);
}

const classCharsMax = 200;
/** What differs between two cases of one error: ids, times and numbers, quoted values. */
const particular = /'[^']*'|"[^"]*"|«[^»]*»|\b[a-z]{3}_[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\d+(?:[.:,T-]\d+)*/g;

/** The error as a group of letters has it in common. */
export const errorClassOf = (error: unknown): string =>
  described(error).replaceAll(particular, '…').replaceAll(/\s+/g, ' ').slice(0, classCharsMax);
