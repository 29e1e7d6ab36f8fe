import type { Result } from './bench.ts';
import { callLines } from './calls.ts';
import { lookedLine } from './lists.ts';
import type { Profile } from './profile.ts';
import type { Statement } from './statements.ts';
import type { Window } from './window.ts';

/** The result for people. */
export function report(result: Result): string[] {
  const {
    floor,
    best,
    half,
    idle,
    ratio,
    parcelsPerS,
    statementsPerPurchase,
    commitsPerPurchase,
    messagesPerPurchase,
    instances,
    growth,
    lists,
    calls,
    statements,
    profiles,
  } = result;
  const lines: string[] = [];
  const say = (...more: string[]) => lines.push(...more);
  if (floor)
    say(
      `floor                    ${floor.purchasesPerS} purchases/s (one process, ${floor.connections} connections, ${floor.rows} rows in one transaction)`,
    );
  if (best) say(`system                   ${best.perS} purchases/s at ${best.rate}/s offered, on ${result.cores} cores`);
  if (ratio !== undefined) say(`system / floor           ${ratio}`);
  if (parcelsPerS !== undefined) say(`outbox → stream → inbox  ${parcelsPerS} messages/s`);
  if (statementsPerPurchase !== undefined)
    say(`a purchase               ${statementsPerPurchase} statements, ${commitsPerPurchase} commits, ${messagesPerPurchase} messages`);
  if (idle) say(`idle                     ${idle.ours} ms CPU a second: ${told(idle.parts)}`);
  if (best) say('', ...windowLines('at the best rate', best));
  if (half) say('', ...windowLines('at half that rate', half));
  for (const { orders, window } of instances ?? [])
    say('', `${orders} × order: ${window.cpu.ours} ms CPU a purchase, end to end p99 ${window.end.p99} ms`);
  if (growth) {
    const [few, many] = growth.purchases;
    say('', `memory after ${few} and ${many} purchases (MB): ${told(growth.memoryMb)}`);
    say(`CPU a purchase after ${few} and ${many}: ${growth.cpu[0]} and ${growth.cpu[1]} ms`);
  }
  if (lists) {
    const { orders, claims, products } = lists.size;
    say(
      '',
      `lists with ${orders} orders, ${claims} coupons and ${products} products`,
      ...lists.looks.map((look) => `  ${lookedLine(look)}`),
    );
  }
  if (calls) say('', ...callLines(calls));
  if (statements) say('', 'statements by their time', ...statements.slice(0, 30).map(statementLine));
  for (const profile of profiles ?? []) say('', ...profileLines(profile));
  say('', result.violations.length === 0 ? 'All invariants hold.' : `BROKEN: ${JSON.stringify(result.violations, null, 1)}`);
  return lines;
}

const told = (parts: Readonly<Record<string, number | readonly number[]>>): string =>
  Object.entries(parts)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? value : value.join(' → ')}`)
    .join(', ');

const statementLine = ({ role, calls, ms, plans, planMs, text }: Statement): string =>
  `${(ms + planMs).toFixed(0).padStart(7)} ms ${String(calls).padStart(6)} × ${(((ms + planMs) * 1_000) / calls).toFixed(0).padStart(5)} µs, ${String(plans).padStart(5)} plans ${planMs.toFixed(0).padStart(5)} ms  ${role.slice(4).padEnd(11)} ${text
    .replaceAll(/\s+/g, ' ')
    .replace(/(select|insert into "\w+") .*? (from|select)/, '$1 … $2')
    .slice(0, 90)}`;

const windowLines = (when: string, { order, end, cpu, rate, perS, failed, busiest, repeated, errors }: Window): string[] => [
  `${when} (${rate}/s offered, ${perS}/s completed${failed ? `, ${failed} failed` : ''})`,
  `  POST /v1/orders        p50 ${order.p50} ms, p99 ${order.p99} ms`,
  `  order to completion    p50 ${end.p50} ms, p99 ${end.p99} ms`,
  `  CPU a purchase         ${cpu.ours} ms: ${told(cpu.parts)}`,
  `  busiest process        ${busiest.part} at ${busiest.percent} % of a core`,
  `  apart                  ${told(cpu.apart)}`,
  ...(Object.keys(repeated).length > 0 ? [`  asked again            ${told(repeated)}`] : []),
  ...errors.map((error) => `  error                  ${error}`),
];

const profileLines = ({ name, busyMs, functions, modules }: Profile): string[] => [
  `${name}: ${busyMs.toFixed(0)} ms busy`,
  ...modules
    .slice(0, 14)
    .map(({ what, ms, share }) => `  ${(share * 100).toFixed(1).padStart(5)} % ${ms.toFixed(0).padStart(6)} ms  ${what}`),
  '  by function',
  ...functions.map(({ what, ms, share }) => `  ${(share * 100).toFixed(1).padStart(5)} % ${ms.toFixed(0).padStart(6)} ms  ${what}`),
];
