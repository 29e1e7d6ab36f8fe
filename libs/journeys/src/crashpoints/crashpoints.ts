import { parseArgs } from 'node:util';
import { sweep } from './sweep.ts';
import { allTargets, eachPointOnce } from './targets.ts';

// `npm run crashpoints`: ends every service at every crash point that it comes by, the first, the second and the third time. `--once` ends
// a process at each point once, `--only TEXT` takes the points whose line has the text, `--json` ends with one line of JSON.

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    minutes: { type: 'string', default: '40' },
  },
});

const all = flags.once ? eachPointOnce() : allTargets();
const targets = all.filter(({ service, point, nth, of }) => [service, point, nth, of].join(' ').includes(flags.only));
if (targets.length === 0) throw new Error(`no crash point has «${flags.only}»`);

const result = await sweep({ targets, withinMs: Number(flags.minutes) * 60_000, say: (line) => console.error(line) });
const { missed, lost, crashes } = result;
const isClean = missed.length === 0 && lost.length === 0 && crashes === targets.length;
console.log(flags.json ? JSON.stringify({ points: targets.length, ...result, clean: isClean }) : result);
if (!isClean) process.exitCode = 1;
