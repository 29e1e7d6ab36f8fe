import { streamOf, streamNames, type StreamName } from './bus.ts';
import type { Outgoing } from './envelope.ts';
import { crashpoint, crashpointInFlight } from './crashpoint.ts';
import type { Host } from './host.ts';
import { messageSent } from '@yunshi/telemetry/metrics';
import { traceparentOf } from '@yunshi/telemetry/trace';
import { publishSpan } from './trace.ts';

const flushEveryMs = 50;
const sweepEveryMs = 1_000;
const housekeepingEveryMs = 60_000;
/** After a restart services make missing streams at the same moment, and the first one that was made may not be the one that stays. */
const lookAgainAfterMs = 10_000;
const ackTimeoutMs = 5_000;
/** Rows younger than this are still on their way by the process that committed them. */
const sweepAfterMs = 2_000;
const inFlightMax = 8_192;
const sweepMax = 1_000;
/** Acknowledged rows are kept this long, and published again when the stream may have lost them. */
export const keepMinutes = 20;
/** After a restart of the server with its store intact, at most the unsynced tail is missing. */
const unsyncedTailS = 60;

type InFlight = { readonly id: string; readonly stream: StreamName; readonly sentAtMs: number };
/** What a stream answers to a message. */
export type PubAck = { readonly stream?: string; readonly seq?: number; readonly error?: { readonly description?: string } };

/** The way to the streams. */
export type Publisher = {
  /** Hands over one message. Its acknowledgement, if one comes, is told under the token. */
  readonly publish: (message: Outgoing & { readonly stream: StreamName }, token: string) => void;
  /** Which server it goes to. */
  readonly serverId: () => string;
  /** When the stream was made, and how far it has come. */
  readonly stream: (name: StreamName) => Promise<{ readonly created: string; readonly lastSeq: number }>;
  /** Answers when everything handed over has left this process. */
  readonly flush: () => Promise<void>;
  readonly close: () => void;
};
/** Opens the way; `acknowledged` is told of every acknowledgement. */
export type OpenPublisher = (acknowledged: (token: string, ack: PubAck) => void) => Publisher;

/** Which server and stream a service last published to. */
export type StreamSeen = { readonly serverId: string; readonly created: string; readonly lastSeq: number };

/** The tables of the relay: committed messages that no stream has acknowledged, and those that one has. */
export type OutboxRecords = {
  /** From the outbox to those that were sent. */
  readonly move: (ids: readonly string[]) => PromiseLike<unknown>;
  readonly waiting: (of: { readonly olderThanMs: number; readonly max: number }) => PromiseLike<readonly Outgoing[]>;
  /** Those sent to the stream within the last seconds of sending, however long ago that was, back to the outbox. */
  readonly takeBack: (stream: StreamName, withinS: number) => PromiseLike<unknown>;
  readonly seen: (stream: StreamName) => PromiseLike<StreamSeen | undefined>;
  readonly saw: (stream: StreamName, seen: StreamSeen) => PromiseLike<unknown>;
  /** Forgets what has been kept long enough. */
  readonly tidy: () => PromiseLike<unknown>;
};

export type RelayStats = { readonly inFlight: number; readonly oldestPendingMs: number };

/**
 * Carries committed outbox rows to the streams. Rows are published at once after their commit, moved to `sent` in batches when the
 * stream has acknowledged them, and swept up after a crash. One map of pending acknowledgements serves all.
 */
export function relay({
  records,
  open,
  host,
  onFault,
}: {
  readonly records: OutboxRecords;
  readonly open: OpenPublisher;
  readonly host: Host;
  readonly onFault: (what: string, error: unknown) => void;
}) {
  const pending = new Map<string, InFlight>();
  const inFlight = new Set<string>();
  const newestSeq = new Map<StreamName, number>();
  /** What this process has published to. */
  const own = new Map<StreamName, StreamSeen>();
  const endings: (() => void)[] = [];
  let acknowledged: string[] = [];
  let counter = 0;
  let connected = true;
  /** Counts the connections; and which of them is known to lead to which server and streams. */
  let connection = 1;
  let identified = 0;
  let working: Promise<unknown> = Promise.resolve();
  let flushing: (() => void) | undefined;
  let lookingAgain: (() => void) | undefined;

  const publisher = open((token, ack) => {
    const sent = pending.get(token);
    if (!sent) return;
    pending.delete(token);
    if (ack.error || ack.seq === undefined) {
      inFlight.delete(sent.id);
      return onFault('publish', new Error(ack.error?.description ?? 'no sequence in the acknowledgement'));
    }
    if (ack.seq > (newestSeq.get(sent.stream) ?? 0)) newestSeq.set(sent.stream, ack.seq);
    acknowledged.push(sent.id);
    flushSoon();
  });

  function flushSoon(): void {
    flushing ??= host.after(flushEveryMs, () => {
      flushing = undefined;
      void background('flush', flush);
    });
  }

  /** Publishes rows that are committed. What cannot be published now stays in the outbox for the sweep. */
  function send(messages: readonly Outgoing[]): void {
    if (!connected || messages.length === 0) return;
    crashpoint('relay.before-publish');
    for (const { id, subject, body, traceparent } of messages) {
      if (pending.size >= inFlightMax) return;
      const token = String(counter++);
      const stream = streamOf(subject);
      const span = publishSpan(subject, id, traceparent ?? undefined);
      pending.set(token, { id, stream, sentAtMs: host.elapsedMs() });
      inFlight.add(id);
      try {
        publisher.publish({ id, subject, body, stream, traceparent: traceparentOf(span) ?? traceparent }, token);
      } catch (error) {
        // The connection has closed; the row stays in the outbox.
        pending.delete(token);
        inFlight.delete(id);
        return onFault('publish', error);
      } finally {
        span.end();
      }
      messageSent(subject);
    }
    crashpointInFlight('relay.after-publish');
  }

  async function flush(): Promise<void> {
    if (acknowledged.length === 0) return;
    const ids = acknowledged;
    acknowledged = [];
    try {
      crashpoint('relay.before-move');
      await records.move(ids);
      crashpoint('relay.after-move');
      for (const id of ids) inFlight.delete(id);
    } catch (error) {
      acknowledged.push(...ids);
      flushSoon();
      throw error;
    }
  }

  async function sweep(): Promise<void> {
    const tooLate = host.elapsedMs() - ackTimeoutMs;
    for (const [token, sent] of pending) {
      if (sent.sentAtMs > tooLate) break;
      pending.delete(token);
      inFlight.delete(sent.id);
    }
    if (!connected) return;
    if (identified !== connection) await checkIdentity();
    const rows = await records.waiting({ olderThanMs: sweepAfterMs, max: sweepMax });
    send(rows.filter((row) => !inFlight.has(row.id)));
  }

  /** Publishes again what an exchanged or restarted server may have lost. Ids stay the same; the inboxes absorb what arrives twice. */
  async function checkIdentity(): Promise<void> {
    const serverId = publisher.serverId();
    const checked = connection;
    for (const name of streamNames) {
      // Of before the question: what is acknowledged while it is under way is not in its answer.
      const acknowledgedSeq = newestSeq.get(name) ?? 0;
      const { created, lastSeq } = await publisher.stream(name);
      const known = await records.seen(name);
      // Another process may have noted the new stream first, before what this one had published to the old stream was moved to `sent`.
      const before = [known, own.get(name)].filter((seen) => seen !== undefined);
      const newest = Math.max(acknowledgedSeq, known?.created === created ? known.lastSeq : 0);
      if (before.some((seen) => seen.created !== created)) {
        newestSeq.set(name, 0);
        await sendAgain(name, keepMinutes * 60);
      } else if (before.some((seen) => seen.serverId !== serverId) || lastSeq < newest) {
        await sendAgain(name, unsyncedTailS);
      }
      own.set(name, { serverId, created, lastSeq });
      await records.saw(name, { serverId, created, lastSeq });
    }
    identified = checked;
  }

  /** A stream may be exchanged under a connection that stays. */
  function lookAgainSoon(): void {
    lookingAgain?.();
    lookingAgain = host.after(lookAgainAfterMs, () => void background('identity', lookedAgain));
  }
  const lookedAgain = (): Promise<void> => (connected ? checkIdentity() : Promise.resolve());

  async function sendAgain(stream: StreamName, withinS: number): Promise<void> {
    await flush();
    await records.takeBack(stream, withinS);
    crashpoint('relay.after-take-back');
  }

  /** One piece of background work at a time; a fault is told and tried again at the next tick. */
  const background = (what: string, work: () => PromiseLike<unknown>): Promise<void> => {
    const next = working.then(work).then(
      () => undefined,
      (error: unknown) => onFault(what, error),
    );
    working = next;
    return next;
  };

  return {
    async start(): Promise<void> {
      await records.tidy();
      await checkIdentity();
      endings.push(
        host.every(sweepEveryMs, () => void background('sweep', sweep)),
        host.every(housekeepingEveryMs, () => void background('housekeeping', records.tidy)),
        host.every(housekeepingEveryMs, () => void background('identity', lookedAgain)),
      );
      lookAgainSoon();
      await sweep();
    },
    send,
    /** The connection went away: nothing is published until it is back. */
    disconnected(): void {
      connected = false;
    },
    /** The connection is back, perhaps to another server. */
    reconnected(): Promise<void> {
      connected = true;
      connection++;
      pending.clear();
      inFlight.clear();
      lookAgainSoon();
      return background('identity', sweep);
    },
    stats(): RelayStats {
      const [first] = pending.values();
      return { inFlight: pending.size, oldestPendingMs: first ? host.elapsedMs() - first.sentAtMs : 0 };
    },
    async stop(): Promise<void> {
      for (const end of endings) end();
      lookingAgain?.();
      await publisher.flush().catch(() => undefined);
      flushing?.();
      await background('flush', flush);
      publisher.close();
    },
  };
}
export type Relay = ReturnType<typeof relay>;
