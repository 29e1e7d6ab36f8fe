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
