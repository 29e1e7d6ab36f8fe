import type { Clock } from '@yunshi/kernel/clock';
import { crashpoint } from './crashpoint.ts';
import type { DeadLetterRecords } from './dead-letters.ts';
import { isPassing } from './faults.ts';
import type { Handler, Performer } from './handle.ts';
import type { Host } from './host.ts';
import type { Lane } from './lane.ts';
import { leaseMs } from './decide.ts';
import type { CallRow } from './store.ts';
import { activeTraceparent, span } from '@yunshi/telemetry/trace';

const atOnceMax = 128;
const takenMax = 64;
/** Below the lease, so that nobody else takes over while it still runs. */
const callTimeoutMs = 15_000;
/** A call that begins later than this would outlive its lease, and somebody else would make it too: it is left until the lease has ended. */
const waitMsMax = leaseMs - callTimeoutMs;
/** When as many run as may, it is looked again after this time. */
const fullMs = 100;
const attemptsMax = 20;
const settleTriesMax = 15;
const settleAgainMs = 1_000;
const retryMs = (attempt: number): number => Math.min(1_000 * 2 ** attempt, 300_000);

/** What the handler of an outcome is given. */
type Called = { readonly key: string; readonly request: unknown; readonly outcome: unknown; readonly attempt: number };

/** The table of intents. */
export type CallRecords = {
  /** Leases what is due by business time and nobody is at, and counts the attempt. */
  readonly takeDue: (now: Date, max: number) => PromiseLike<readonly CallRow[]>;
  /** When the next one after this time is to be made. */
  readonly nextAfter: (now: Date) => PromiseLike<Date | undefined>;
  /** Ends the lease of one that is still open. */
  readonly putBack: (id: string, why: { readonly notBefore: Date; readonly lastError: string }) => PromiseLike<unknown>;
  readonly giveUp: (id: string) => PromiseLike<unknown>;
};

/** Carries out intents of calls that leave the system, and hands their outcomes to the lane. */
export function caller({
  records,
  letters,
  host,
  clock,
  lane,
  performers,
  handlers,
  onFault,
}: {
  readonly records: CallRecords;
  readonly letters: DeadLetterRecords;
  readonly host: Host;
  readonly clock: Clock;
  readonly lane: Lane;
  readonly performers: readonly Performer[];
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly onFault: (what: string, error: unknown) => void;
}) {
  const byKind = new Map(performers.map((performer) => [performer.kind, performer]));
  const waiting: { readonly call: CallRow; readonly takenAtMs: number }[] = [];
  const running = new Set<Promise<void>>();
  let stopped = false;

  const settle = (call: CallRow, called: Called): Promise<void> =>
    new Promise((resolve, reject) => {
      lane.push({
        handler: handlers.get(call.kind)!,
        data: called,
        key: call.key,
        identity: { kind: 'call', id: call.id },
        traceparent: activeTraceparent() ?? call.traceparent ?? undefined,
        done: () => resolve(),
        failed: reject,
      });
    });

  /** The outcome is known, so a database that is away for a moment is waited for: a repeated call would be the greater cost. */
  async function settleSurely(call: CallRow, called: Called): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await settle(call, called);
      } catch (error) {
        if (!isPassing(error) || stopped || tries === settleTriesMax) throw error;
        await new Promise<void>((resolve) => host.after(settleAgainMs, resolve));
      }
    }
  }

  async function carryOut(call: CallRow): Promise<void> {
    try {
      const performer = byKind.get(call.kind);
      if (!performer || !handlers.has(call.kind)) throw new Error(`nobody performs '${call.kind}' or takes its outcome`);
      await span(`call ${call.kind}`, { parent: call.traceparent ?? undefined }, async () => {
        crashpoint('call.before', call.kind);
        const outcome = await performed(performer, call);
        crashpoint('call.after', call.kind);
        await settleSurely(call, { key: call.key, request: call.request, outcome, attempt: call.attempts });
        crashpoint('call.recorded', call.kind);
      });
    } catch (error) {
      onFault(`call ${call.kind} ${call.key}`, error);
      await putBack(call, error).catch((fault: unknown) => onFault('calls', fault));
    }
  }

  async function performed(performer: Performer, call: CallRow): Promise<unknown> {
    const limit = new AbortController();
    const callOff = host.after(callTimeoutMs, () => limit.abort(new DOMException(`no answer within ${callTimeoutMs} ms`, 'TimeoutError')));
    try {
      return await performer.perform(call.request as never, { attempt: call.attempts, signal: limit.signal, callId: call.id });
    } finally {
      callOff();
    }
  }

  /** The intent stays open and is tried again later; after too many attempts an operator sees it too. */
  async function putBack(call: CallRow, error: unknown): Promise<void> {
    const notBefore = new Date(clock.now().getTime() + retryMs(call.attempts));
    await records.putBack(call.id, { notBefore, lastError: error instanceof Error ? error.message : String(error) });
    if (call.attempts < attemptsMax) return;
    await letters.bury({
      source: 'call',
      name: call.kind,
      subject: null,
      messageId: call.id,
      body: JSON.stringify(call),
      headers: {},
      error,
      attempts: call.attempts,
    });
    await records.giveUp(call.id);
  }

  function pump(): void {
    while (!stopped && running.size < atOnceMax) {
      const next = waiting.shift();
      if (!next) return;
      const { call, takenAtMs } = next;
      if (host.elapsedMs() - takenAtMs > waitMsMax) continue;
      const run = carryOut(call).finally(() => {
        running.delete(run);
        pump();
      });
      running.add(run);
    }
  }

  function begin(calls: readonly CallRow[]): void {
    const takenAtMs = host.elapsedMs();
    for (const call of calls) waiting.push({ call, takenAtMs });
    pump();
  }

  return {
    /** Intents that this process has just committed, and holds the lease of. */
    take: (calls: readonly CallRow[]): void => begin(calls.filter((call) => call.attempts > 0)),
    /** Takes over what is due and nobody is at; answers when the next one falls due. */
    async check(): Promise<Date | undefined> {
      const now = clock.now();
      const room = Math.min(takenMax, atOnceMax - running.size);
      if (room === 0) return new Date(now.getTime() + fullMs);
      if (!stopped) {
        const due = await records.takeDue(now, room);
        begin(due);
        if (due.length === room) return now;
      }
      return records.nextAfter(now);
    },
    running: () => running.size,
    async stop(): Promise<void> {
      stopped = true;
      await Promise.allSettled(running);
    },
  };
}
