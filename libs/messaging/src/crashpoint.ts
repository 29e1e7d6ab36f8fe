import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** Every point at which a test can end the process. A point that is not here cannot be named in the code; one that the code lacks fails the sweep. */
export const crashpoints = [
  // The rows of a batch are read and locked; nothing is decided.
  'handle.looked',
  // It is decided; nothing is written.
  'handle.decided',
  // Everything is written; COMMIT is not sent.
  'commit.before',
  // COMMIT is sent; its answer has not come.
  'commit.in-flight',
  // It is committed; nothing is published, acknowledged or answered.
  'commit.after',
  // A request's work is committed and published; who asked has no answer.
  'write.before-answer',
  // A message's work is committed and published; the stream will deliver it again.
  'receive.before-ack',
  'receive.after-ack',
  // A message has failed for the last time; it is in no table.
  'receive.before-bury',
  // It is a dead letter; the stream will deliver it again.
  'receive.after-bury',
  'relay.before-publish',
  'relay.after-publish',
  // The stream has acknowledged messages that the outbox still holds.
  'relay.before-move',
  'relay.after-move',
  // What another server may have lost is in the outbox again; which server it was is not noted.
  'relay.after-take-back',
  // Within the transaction in which a saga …
  'saga.begun',
  'saga.advanced',
  'saga.turned-back',
  'saga.woken',
  'saga.ended',
  // A deadline has come, and then has been handled.
  'deadline.due',
  'deadline.handled',
  // An intent is leased; nothing has left the system.
  'call.before',
  // The other side has answered; nobody has noted what.
  'call.after',
  'call.recorded',
] as const;
export type Crashpoint = (typeof crashpoints)[number];

/** One line of the file that `CRASH_AT` names: the point, the how-manieth time that a process reaches it, and which call it is about. */
export type Crash = { readonly point: Crashpoint; readonly nth: number; readonly of?: string | undefined };
export const lineOf = ({ point, nth, of }: Crash): string => [point, nth, ...(of === undefined ? [] : [of])].join(' ');

const file = process.env['NODE_ENV'] === 'production' ? undefined : process.env['CRASH_AT'];
const linesLeft = (path: string): string[] => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []);
/** Undefined, unless this process is to be ended somewhere. */
const armed = file === undefined ? undefined : { path: file, lines: new Set(linesLeft(file)), reached: new Map<string, number>() };
/** A frame that was handed to a socket leaves the process in a later turn of the event loop. */
const leavesWithinMs = 1;

function isReached(point: Crashpoint, of: string | undefined): boolean {
  if (armed === undefined || armed.lines.size === 0) return false;
  const where = of === undefined ? point : `${point} ${of}`;
  const nth = (armed.reached.get(where) ?? 0) + 1;
  armed.reached.set(where, nth);
  const line = lineOf({ point, nth, of });
  if (!armed.lines.delete(line)) return false;
  // Noted before it happens: the process that comes after this one must not end at the same point.
  writeFileSync(`${armed.path}.new`, [...armed.lines].join('\n'));
  renameSync(`${armed.path}.new`, armed.path);
  armed.lines.clear();
  return true;
}

const die = (): void => void process.kill(process.pid, 'SIGKILL');

/**
 * A named point at which a test may end the process, with SIGKILL. `of` tells calls of different kinds apart. Does nothing unless
 * `CRASH_AT` names a file: each line of it ends one process, and is gone from the file then.
 */
export function crashpoint(point: Crashpoint, of?: string): void {
  if (armed !== undefined && isReached(point, of)) die();
}

/** The same, where something has just been sent: the process ends when it has left, and before an answer is likely to have come. */
export function crashpointInFlight(point: Crashpoint): void {
  if (armed !== undefined && isReached(point, undefined)) setTimeout(die, leavesWithinMs);
}
