import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Part, System } from '@yunshi/local/system';
import type { Shopper } from '../shopper.ts';
import type { Nemesis } from './nemesis.ts';

const jumps = ['PT5M', 'PT1H', 'PT24H1M'] as const;

/** Business time jumps forward for all services: deadlines, patience and back-offs come all at once. It never goes back. */
export const businessTimeJumps = (operator: Shopper): Nemesis => ({
  kind: 'business time jumps',
  async strike(random) {
    const advance = random.pick(jumps);
    const moved = await operator.post('/v1/test/clock', { advance });
    return { target: advance, seen: () => (moved.status === 200 ? 1 : 0), heal: () => Promise.resolve() };
  },
});

/** Those whose clocks matter to others: tokens, signatures and deadlines. */
const skewed: readonly Part[] = ['order', 'payment-gateway', 'fulfillment'];
const skewsS = [3_600, -3_600, 86_400, 400, -400] as const;
/** A jump that nobody could take for slowness. */
const noticedMs = 300_000;

const clockFile = (dir: string, part: Part): string => join(dir, 'clocks', part);

/** The environment that lets the wall clocks of some services be moved while they run. */
export function movableClocks(library: string, dir: string): Record<string, Record<string, string>> {
  mkdirSync(join(dir, 'clocks'), { recursive: true });
  return Object.fromEntries(
    skewed.map((part) => {
      writeFileSync(clockFile(dir, part), '+0');
      const settings = {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: clockFile(dir, part),
        FAKETIME_CACHE_DURATION: '1',
        // How long something takes is still measured as it is.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      };
      return [part, settings];
    }),
  );
}

/** The wall clock of one service jumps, forward or back, and later jumps home. */
export const wallClockJumps = ({ system, dir }: { readonly system: System; readonly dir: string }): Nemesis => ({
  kind: 'a wall clock jumps',
  strike(random) {
    const part = random.shuffled(skewed)[0]!;
    const seconds = random.pick(skewsS);
    const set = (to: number) => writeFileSync(clockFile(dir, part), `${to < 0 ? '' : '+'}${to}`);
    set(seconds);
    return Promise.resolve({
      target: `${part} ${seconds} s`,
      // Every HTTP answer carries the time that the service believes in.
      seen: async () => {
        const date = await fetch(`${system.urls[part]}/readyz`, { signal: AbortSignal.timeout(5_000) }).then(
          ({ headers }) => headers.get('date'),
          () => null,
        );
        return date !== null && Math.abs(new Date(date).getTime() - Date.now()) > noticedMs ? 1 : 0;
      },
      heal: () => Promise.resolve(set(0)),
    });
  },
});
