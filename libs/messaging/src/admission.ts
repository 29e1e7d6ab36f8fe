import type { JetStreamManager } from '@nats-io/jetstream';
import type { Sql } from '@yunshi/db/connect';
import { managerOf, streamNames } from './bus.ts';
import type { Core } from './core.ts';
import { Overloaded } from './faults.ts';

/** How much may wait before nothing new is begun. What has begun always goes on. */
export type AdmissionLimits = {
  /**
   * Commands and replies, of all services, that nobody has carried out: one for each saga that waits for a service. Sagas that wait for
   * their buyer or a provider hold no message, so they do not count.
   */
  readonly messagesMax: number;
  /** Rows of this service's outbox: what no stream takes. */
  readonly outboxRowsMax: number;
  /** How full a stream may be; 1 is full. The rest is for what has begun. */
  readonly fullnessMax: number;
};
/** What five hundred orders a second would need seconds to work off: an accepted order should not wait longer than its buyer does. */
export const admissionLimits: AdmissionLimits = { messagesMax: 5_000, outboxRowsMax: 5_000, fullnessMax: 0.9 };

/** What waits. */
export type Load = { readonly messages: number; readonly outboxRows: number; readonly fullness: number };

export type Admission = {
  /** Runs what begins something new. Throws `Overloaded`, without running it, when too much waits already. */
  readonly admit: <T>(begin: () => Promise<T>) => Promise<T>;
  readonly stop: () => void;
};

const measureEveryMs = 500;
/** Refused callers come back one by one over this time, and not all together. */
const backMsMin = 2_000;
const backMsMax = 8_000;

type Parts = {
  readonly limits: AdmissionLimits;
  /** Each by itself, since the bus may take long to answer. What cannot be found out is left as it was: with the bus away the outbox tells. */
  readonly measures: readonly (() => Promise<Partial<Load>>)[];
  readonly random: () => number;
  /** Runs it again and again, each time when the last one has ended. Answers how to end it. */
  readonly every: (run: () => Promise<void>) => () => void;
  readonly onFault: (what: string, error: unknown) => void;
};

/**
 * Lets new work in as long as what waits can be worked off. What waits is measured twice a second, not at each request; in between, what has
 * been let in since is added to it, so that a burst cannot run over the limit.
 */
export function admission({ limits, measures, random, every, onFault }: Parts): Admission {
  let load: Load = { messages: 0, outboxRows: 0, fullness: 0 };
  let inHand = 0;
  /** Those that have ended since it was measured: what they have sent off may not have been seen. */
  const ended = { messages: 0, outboxRows: 0 };
  let refusing = false;

  const endings = measures.map((measure) =>
    every(async () => {
      const before = { ...ended };
      const measured = await measure();
      load = { ...load, ...measured };
      // What ends while it is measured may or may not be seen: it is counted once more rather than not at all.
      if (measured.messages !== undefined) ended.messages -= before.messages;
      if (measured.outboxRows !== undefined) ended.outboxRows -= before.outboxRows;
    }),
  );

  function tooMuch(): string | undefined {
    const messages = load.messages + ended.messages + inHand;
    if (messages >= limits.messagesMax) return `${messages} messages`;
    const outboxRows = load.outboxRows + ended.outboxRows + inHand;
    if (outboxRows >= limits.outboxRowsMax) return `${outboxRows} messages of this service`;
    if (load.fullness >= limits.fullnessMax) return `${Math.round(load.fullness * 100)} % of what a stream holds`;
    return undefined;
  }

  return {
    async admit(begin) {
      const what = tooMuch();
      if (what !== undefined) {
        const error = new Overloaded(what, (backMsMin + random() * (backMsMax - backMsMin)) / 1_000);
        // Told once, when it begins: the answers say the rest.
        if (!refusing) onFault('admission', error);
        refusing = true;
        throw error;
      }
      refusing = false;
      inHand++;
      try {
        return await begin();
      } finally {
        inHand--;
        ended.messages++;
        ended.outboxRows++;
      }
    },
    stop: () => endings.forEach((end) => end()),
  };
}

async function inStreams(jsm: JetStreamManager): Promise<Pick<Load, 'messages' | 'fullness'>> {
  const infos = await Promise.all(streamNames.map((name) => jsm.streams.info(name)));
  const queues = infos.filter(({ config }) => config.name !== 'EVT');
  return {
    messages: queues.reduce((sum, { state }) => sum + state.messages, 0),
    fullness: Math.max(...infos.map(({ state, config }) => state.bytes / config.max_bytes)),
  };
}

/** Counts no further than it must. */
async function inOutbox(sql: Sql, max: number): Promise<Pick<Load, 'outboxRows'>> {
  const [row] = await sql<{ n: number }[]>`select count(*) as n from (select from outbox limit ${max}) as waiting`;
  return { outboxRows: row!.n };
}

/** Asks, and answers nothing when there is no answer; that is told when it begins, not each time. */
function asking<T>(ask: () => Promise<T>, onFault: (error: unknown) => void): () => Promise<Partial<T>> {
  let failing = false;
  return async () => {
    try {
      const answer = await ask();
      failing = false;
      return answer;
    } catch (error) {
      if (!failing) onFault(error);
      failing = true;
      return {};
    }
  };
}

const again = (run: () => Promise<void>): (() => void) => {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  const round = async (): Promise<void> => {
    await run();
    if (!stopped) timer = setTimeout(() => void round(), measureEveryMs);
  };
  void round();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
};

/** Admission to a service, by what waits on its bus and in its outbox. */
export function admissionTo(
  { nc, sql }: Pick<Core, 'nc' | 'sql'>,
  limits: AdmissionLimits,
  onFault: (what: string, error: unknown) => void,
): Admission {
  let manager: JetStreamManager | undefined;
  const told = (error: unknown): void => onFault('admission', error);
  const streams = asking(async () => inStreams((manager ??= await managerOf(nc))), told);
  const outbox = asking(() => inOutbox(sql, limits.outboxRowsMax), told);
  return admission({ limits, measures: [streams, outbox], random: Math.random, every: again, onFault });
}
