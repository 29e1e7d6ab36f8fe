import { isTestClock, type Clock } from '@yunshi/kernel/clock';
import type { Host } from './host.ts';

/** How long it sleeps at most: rows written by other instances of the service are seen by then. */
const idleMsMax = 2_000;

export type Alarm = { readonly poke: (at?: Date) => void; readonly stop: () => Promise<void> };

/**
 * Runs `check` whenever something falls due. `check` handles what is due and answers when the next thing is, if anything.
 * Sleeps until then; wakes earlier when poked with an earlier time, or when the test clock moves.
 */
export function alarm(
  { clock, host }: { readonly clock: Clock; readonly host: Pick<Host, 'restFor'> },
  check: () => Promise<Date | undefined>,
  onFault: (error: unknown) => void,
): Alarm {
  let stopped = false;
  let wakeAt = 0;
  let wake: (() => void) | undefined;
  const poke = (at?: Date): void => {
    if (!at || at.getTime() < wakeAt) wake?.();
  };
  const unlisten = isTestClock(clock) ? clock.onMove(() => poke()) : () => undefined;

  async function run(): Promise<void> {
    while (!stopped) {
      let poked = false;
      wake = () => (poked = true);
      wakeAt = Number.POSITIVE_INFINITY;
      const next = await check().catch((error: unknown) => {
        onFault(error);
        return undefined;
      });
      if (stopped) return;
      const now = clock.now().getTime();
      wakeAt = Math.min(next?.getTime() ?? Number.POSITIVE_INFINITY, now + idleMsMax);
      if (poked || wakeAt <= now) continue;
      await new Promise<void>((resolve) => {
        const callOff = host.restFor(wakeAt - now, resolve);
        wake = () => {
          callOff();
          resolve();
        };
      });
    }
  }
  const running = run();
  return {
    poke,
    stop: async () => {
      stopped = true;
      unlisten();
      wake?.();
      await running;
    },
  };
}
