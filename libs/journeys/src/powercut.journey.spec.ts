import { expect, it } from 'vitest';
import { whyNoPowerCut } from './chaos/machine.ts';
import { playPowerCuts } from './chaos/power.ts';

// The same as `npm run powercut`, with fewer cuts.
const cuts = 1;
const why = whyNoPowerCut();

it('a power cut under load loses no acknowledged order, and everything comes to its end', async () => {
  if (why !== undefined) return console.warn(`NOT TRIED: a power cut: ${why}. It is tried by root on a machine with loop devices.`);
  const said: string[] = [];
  const played = await playPowerCuts({ cuts, seed: '1', perS: 4, say: (line) => said.push(line) });
  if (played.violations.length > 0) console.log(said.join('\n'));
  expect(played.violations).toEqual([]);
  expect(played.ends['completed']).toBeGreaterThan(played.orders / 3);
}, 400_000);
