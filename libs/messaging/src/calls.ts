import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from '@yunshi/db/connect';
import type { Clock } from '@yunshi/kernel/clock';
import { crashpoint } from './crashpoint.ts';
import { bury } from './dead-letters.ts';
import { leaseMs } from './decide.ts';
import { isPassing } from './faults.ts';
import type { Handler, Performer } from './handle.ts';
import type { Lane } from './lane.ts';
import type { CallRow } from './store.ts';
import { activeTraceparent, span } from '@yunshi/telemetry/trace';

const atOnceMax = 128;
const takenMax = 64;
/** Below the lease, so that nobody else takes over while it still runs. */
const callTimeoutMs = 15_000;
const attemptsMax = 20;
const settleTriesMax = 15;
const settleAgainMs = 1_000;
const retryMs = (attempt: number): number => Math.min(1_000 * 2 ** attempt, 300_000);

/** What the handler of an outcome is given. */
type Called = { readonly key: string; readonly request: unknown; readonly outcome: unknown; readonly attempt: number };

/** Carries out intents of calls that leave the system, and hands their outcomes to the lane. */
export function caller({
  sql,
  clock,
  lane,
  performers,
  handlers,
  onFault,
}: {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly lane: Lane;
  readonly performers: readonly Performer[];
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly onFault: (what: string, error: unknown) => void;
}) {
  const byKind = new Map(performers.map((performer) => [performer.kind, performer]));
  const waiting: CallRow[] = [];
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
        await pause(settleAgainMs);
      }
    }
  }

  async function carryOut(call: CallRow): Promise<void> {
    try {
      const performer = byKind.get(call.kind);
      if (!performer || !handlers.has(call.kind)) throw new Error(`nobody performs '${call.kind}' or takes its outcome`);
      await span(`call ${call.kind}`, { parent: call.traceparent ?? undefined }, async () => {
        crashpoint(`call.before ${call.kind}`);
        const signal = AbortSignal.timeout(callTimeoutMs);
        const outcome = await performer.perform(call.request as never, { attempt: call.attempts, signal, callId: call.id });
        crashpoint(`call.after ${call.kind}`);
        await settleSurely(call, { key: call.key, request: call.request, outcome, attempt: call.attempts });
      });
    } catch (error) {
      onFault(`call ${call.kind} ${call.key}`, error);
      await putBack(call, error).catch((fault: unknown) => onFault('calls', fault));
    }
  }

  /** The intent stays open and is tried again later; after too many attempts an operator sees it too. */
  async function putBack(call: CallRow, error: unknown): Promise<void> {
    const again = new Date(clock.now().getTime() + retryMs(call.attempts));
    const message = error instanceof Error ? error.message : String(error);
    await sql`update calls set leased_until = 'epoch', not_before = ${again}, last_error = ${message} where id = ${call.id} and open`;
    if (call.attempts < attemptsMax) return;
    await bury(sql, {
      source: 'call',
      name: call.kind,
      subject: null,
      messageId: call.id,
      body: JSON.stringify(call),
      headers: {},
      error,
      attempts: call.attempts,
    });
    await sql`update calls set open = false where id = ${call.id}`;
  }

  function pump(): void {
    while (!stopped && running.size < atOnceMax) {
      const call = waiting.shift();
      if (!call) return;
      const run = carryOut(call).finally(() => {
        running.delete(run);
        pump();
      });
      running.add(run);
    }
  }

  return {
    /** Intents that this process has just committed, and holds the lease of. */
    take(calls: readonly CallRow[]): void {
      waiting.push(...calls.filter((call) => call.attempts > 0));
      pump();
    },
    /** Takes over what is due and nobody is at; answers when the next one falls due. */
    async check(): Promise<Date | undefined> {
      const now = clock.now();
      const room = Math.min(takenMax, atOnceMax - running.size);
      if (room > 0 && !stopped) {
        const due = await sql<CallRow[]>`
          update calls set leased_until = now() + ${leaseMs} * interval '1 millisecond', attempts = attempts + 1
          where id in (select id from calls where open and not_before <= ${now} and leased_until < now() order by not_before limit ${room} for update skip locked)
          returning id, kind, key, request, open, attempts, not_before as "notBefore", leased_until as "leasedUntil", last_error as "lastError", created_at as "createdAt", traceparent`;
        waiting.push(...due);
        pump();
        if (due.length === room) return now;
      }
      const [next] = await sql<{ at: Date | null }[]>`select min(not_before) as at from calls where open and not_before > ${now}`;
      return next?.at ?? undefined;
    },
    running: () => running.size,
    async stop(): Promise<void> {
      stopped = true;
      await Promise.allSettled(running);
    },
  };
}
