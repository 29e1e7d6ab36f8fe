import type { InstanceId } from '@yunshi/kernel/ids';
import { meterPolicy } from '../policy.ts';
import type { Entry, Journal } from './journal.ts';
import type { Ending, Ledger } from './ledger.ts';
import { wanted } from './lease.ts';

/*
 * Exact counting (docs/decisions/calls-are-leased.md): calls are taken from a lease in memory, written to the journal before their first byte goes out,
 * and stored in batches. A call that was taken and never forwarded goes back into the lease.
 */

export type Taken = 'taken' | 'used-up' | 'overloaded';

type Meter = {
  /** Leased, and not taken yet. */
  left: number;
  /** Taken, and not yet forwarded or given back. */
  taken: number;
  /** Forwarded, and not yet stored. */
  unsettled: number;
  lastTakenMs: number;
  /** The last lease: how large it was, when it began, and how long it took to be used up. */
  lease: { size: number; sinceMs: number };
  last: { size: number; tookMs: number } | undefined;
  usedUpUntilMs: number;
  /** One question to the ledger about an instance at a time. */
  busy: Promise<unknown>;
  refilling: Promise<boolean> | undefined;
};

export type Metering = ReturnType<typeof metering>;

export type MeteringParts = {
  readonly ledger: Pick<Ledger, 'grant' | 'settle' | 'end' | 'hold'>;
  readonly journal: Journal;
  readonly nowMs: () => number;
  readonly pause: (ms: number) => Promise<void>;
  readonly onFault: (what: string, error: unknown) => void;
};

export function metering({ ledger, journal, nowMs, pause, onFault }: MeteringParts) {
  const { holder } = journal;
  const meters = new Map<InstanceId, Meter>();
  let begun: Entry[] = [];
  let unstored = 0;
  const open = new Set<string>();
  const ended = new Map<string, Ending>();
  /** Batches that are being stored, or were in vain; each with its file. */
  const batches: { readonly file: string; readonly entries: readonly Entry[]; isTried: boolean }[] = [];
  let settling: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const meterOf = (instanceId: InstanceId): Meter => {
    const known = meters.get(instanceId);
    if (known !== undefined) return known;
    const lease = { size: 0, sinceMs: nowMs() };
    const fresh = { left: 0, taken: 0, unsettled: 0, lastTakenMs: 0, lease, last: undefined, usedUpUntilMs: 0 };
    const meter: Meter = { ...fresh, busy: Promise.resolve(), refilling: undefined };
    meters.set(instanceId, meter);
    return meter;
  };

  /** After what is being asked already, whatever came of that. */
  function inTurn<T>(meter: Meter, ask: () => Promise<T>): Promise<T> {
    const turn = meter.busy.then(ask, ask);
    meter.busy = turn.catch(() => undefined);
    return turn;
  }

  /** Answers whether anything is left, or may come back from others. */
  function refill(instanceId: InstanceId, meter: Meter): Promise<boolean> {
    meter.refilling ??= inTurn(meter, async () => {
      const took = nowMs() - meter.lease.sinceMs;
      if (meter.lease.size > 0) meter.last = { size: meter.lease.size, tookMs: took };
      // Whether the answer comes or not, there may be a lease from now on that has to be given back.
      meter.lease = { ...meter.lease, size: Math.max(1, meter.lease.size) };
      const { granted, leased } = await ledger.grant(holder, instanceId, wanted(meter.last));
      meter.left += granted;
      meter.lease = { size: granted, sinceMs: nowMs() };
      if (granted === 0 && leased === 0) meter.usedUpUntilMs = nowMs() + meterPolicy.usedUpMs;
      return granted > 0 || leased > 0;
    }).finally(() => (meter.refilling = undefined));
    return meter.refilling;
  }

  function takeNow(instanceId: InstanceId, meter: Meter): boolean {
    if (meter.left === 0) return false;
    meter.left--;
    meter.taken++;
    meter.lastTakenMs = nowMs();
    // Before it is empty the next one is fetched, so that nobody waits for it.
    if (meter.left <= meter.lease.size / 4 && meter.lease.size > meterPolicy.leaseMin && meter.refilling === undefined) {
      refill(instanceId, meter).catch((error: unknown) => onFault('fetching a lease ahead', error));
    }
    return true;
  }

  async function takeLater(instanceId: InstanceId, meter: Meter): Promise<Taken> {
    const giveUpMs = nowMs() + meterPolicy.waitMsMax;
    for (;;) {
      const mayCome = await refill(instanceId, meter);
      if (takeNow(instanceId, meter)) return 'taken';
      if (!mayCome) return 'used-up';
      if (nowMs() >= giveUpMs) {
        meter.usedUpUntilMs = nowMs() + meterPolicy.usedUpMs;
        return 'used-up';
      }
      // What is left is held by others, or others here were quicker.
      if (meter.lease.size === 0) await pause(meterPolicy.waitStepMs);
    }
  }

  async function store(): Promise<void> {
    if (begun.length > 0) {
      const entries = begun;
      begun = [];
      batches.push({ file: journal.rotate(), entries, isTried: false });
    }
    for (let batch = batches[0]; batch !== undefined; batch = batches[0]) {
      const { entries, file } = batch;
      const endings = new Map<string, Ending>();
      for (const { callId } of entries) {
        const ending = ended.get(callId);
        if (ending !== undefined) endings.set(callId, ending);
      }
      const { isTried } = batch;
      batch.isTried = true;
      await ledger.settle(holder, entries, endings);
      batches.shift();
      journal.drop(file);
      unstored -= entries.length;
      for (const { callId, instanceId } of entries) {
        meterOf(instanceId).unsettled--;
        // A try whose answer was lost may have stored them before they had ended.
        if (endings.has(callId) && !isTried) ended.delete(callId);
        else open.add(callId);
      }
    }
    const late = [...ended.values()].filter(({ callId }) => open.has(callId));
    await ledger.end(late);
    for (const { callId } of late) {
      ended.delete(callId);
      open.delete(callId);
    }
  }

  async function giveBackIdle(all: boolean): Promise<void> {
    const now = nowMs();
    for (const [instanceId, meter] of meters) {
      if (!all && now - Math.max(meter.lastTakenMs, meter.lease.sinceMs) < meterPolicy.idleMs) continue;
      if (meter.left > 0 || meter.lease.size > 0) {
        await inTurn(meter, async () => {
          meter.left = 0;
          meter.last = undefined;
          await ledger.hold(holder, instanceId, meter.taken + meter.unsettled);
          meter.lease = { size: 0, sinceMs: nowMs() };
        });
      } else if (meter.taken + meter.unsettled === 0 && meter.refilling === undefined) meters.delete(instanceId);
    }
  }

  /** One round at a time; what comes meanwhile goes with the next. */
  function settle(all = false): Promise<void> {
    const round = (settling ?? Promise.resolve()).then(async () => {
      await store();
      await giveBackIdle(all);
    });
    settling = round.catch(() => undefined);
    return round;
  }

  const tick = (): void => {
    void settle()
      .catch((error: unknown) => onFault('storing what was counted', error))
      .finally(() => {
        if (timer !== undefined) timer = setTimeout(tick, meterPolicy.settleEveryMs);
      });
  };

  return {
    run: () => void (timer = setTimeout(tick, meterPolicy.settleEveryMs)),
    /** Takes one call of what was bought: at once where a lease is at hand. */
    take(instanceId: InstanceId): Taken | Promise<Taken> {
      if (unstored >= meterPolicy.unsettledMax) return 'overloaded';
      const meter = meterOf(instanceId);
      if (takeNow(instanceId, meter)) return 'taken';
      return nowMs() < meter.usedUpUntilMs ? 'used-up' : takeLater(instanceId, meter);
    },
    /** The call that was taken was not forwarded. */
    giveBack(instanceId: InstanceId): void {
      const meter = meterOf(instanceId);
      meter.taken--;
      meter.left++;
    },
    /** The call that was taken is forwarded now. Throws where that cannot be written down: then it must not be forwarded. */
    begin(entry: Entry): void {
      journal.append(entry);
      const meter = meterOf(entry.instanceId);
      meter.taken--;
      meter.unsettled++;
      begun.push(entry);
      unstored++;
    },
    end: (ending: Ending): void => void ended.set(ending.callId, ending),
    settle,
    /** Stores everything and gives everything back. */
    async stop(): Promise<void> {
      clearTimeout(timer);
      timer = undefined;
      await settle(true);
      await settle(true);
    },
  };
}
