import { calm, type Mix } from './mix.ts';
import type { Run } from './run.ts';
import { faultMark } from './world.ts';

/** The one command that shows a run again. */
export const replayOf = (seed: number): string => `npm run simulate -- --seed ${seed}`;

/** What a person needs to find out why a seed fails: what was broken, which faults there were, and everything that happened. */
export function report({ seed, violations, mix, lines }: Run): string {
  const faults = lines.filter((line) => line.includes(`  ${faultMark} `));
  return [
    `seed ${seed}: ${violations.length === 0 ? 'all invariants hold' : `${violations.length} broken`}`,
    ...violations.flatMap(({ rule, rows }) => [`  broken: ${rule}`, ...rows.map((row) => `    ${JSON.stringify(row)}`)]),
    '',
    `likely to go wrong: ${likely(mix)}`,
    '',
    `faults, by milliseconds since the beginning (${faults.length}):`,
    ...faults,
    '',
    `all that happened (${lines.length}):`,
    ...lines,
    '',
    `again: ${replayOf(seed)}`,
  ].join('\n');
}

function likely(mix: Mix): string {
  const entries = Object.entries(mix).filter(([what, value]) => JSON.stringify(value) !== JSON.stringify(calm[what as keyof Mix]));
  return entries.map(([what, value]) => `${what} ${short(value)}`).join(', ') || 'nothing';
}

const short = (value: Mix[keyof Mix]): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === 'number' ? Number(part.toPrecision(3)) : part)).replaceAll('"', '');
