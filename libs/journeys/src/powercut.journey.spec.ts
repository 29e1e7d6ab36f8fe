import { expect, it } from 'vitest';
import { whyNoPowerCut } from './chaos/machine.ts';
import { playPowerCuts } from './chaos/power.ts';

// The same as `npm run powercut`, with fewer cuts.
const cuts = 1;
const why = whyNoPowerCut();
if (why !== undefined) console.warn(`NOT TRIED: a power cut: ${why}. Run the tests as root on a machine with loop devices to try it.`);

it.runIf(why === undefined)(
  'a power cut under load loses no acknowledged order, and everything comes to its end',
  async () => {
    const said: string[] = [];
    const played = await playPowerCuts({ cuts, seed: '1', perS: 4, say: (line) => said.push(line) });
    if (played.violations.length > 0) console.log(said.join('\n'));
    expect(played.violations).toEqual([]);
    expect(played.ends['completed']).toBeGreaterThan(played.orders / 3);
  },
  400_000,
);
