import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sql } from '@yunshi/db/connect';
import { isAlive } from '@yunshi/local/leftovers';
import type { Part, System } from '@yunshi/local/system';
import { until } from '@yunshi/testing/until';
import { raise, type Fault, type Nemesis } from './nemesis.ts';
import type { Random } from './random.ts';

/** The process and all that it has started, from /proc. */
export function treeOf(pid: number): number[] {
  const parents = new Map(readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [[Number(name), parentOf(Number(name))]] : [])));
  const tree = [pid];
  for (const known of tree) for (const [child, parent] of parents) if (parent === known) tree.push(child);
  return tree;
}

/** In /proc/PID/stat the parent stands after the name, which is in brackets and may hold anything. */
const statOf = (pid: number): string[] => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return []; // it has ended
  }
};
const parentOf = (pid: number): number | undefined => Number(statOf(pid)[1]);
const isStopped = (pid: number): boolean => statOf(pid)[0] === 'T';

const pick = (random: Random, parts: readonly Part[], claim: (part: Part) => boolean): Part | undefined =>
  random.shuffled(parts).find(claim);

type Hitting = { readonly system: System; readonly parts: readonly Part[] };

/** Ends one of the parts with the signal, and starts it again. SIGTERM lets it finish what is in hand. */
export const ending = (kind: string, { system, parts }: Hitting, signal: NodeJS.Signals): Nemesis => ({
  kind,
  async strike(random, claim): Promise<Fault | undefined> {
    const part = pick(random, parts, claim);
    const pid = part && system.pidOf(part);
    if (part === undefined || pid === undefined) return undefined;
    await system.kill(part, signal);
    return {
      target: part,
      seen: () => (isAlive(pid) ? 0 : 1),
      heal: async () => void (await raise(system, part)),
    };
  },
});

/** Stops one of the parts, with all its processes, as if the machine had gone to sleep; later it goes on as if nothing had happened. */
export const pausing = (kind: string, { system, parts }: Hitting): Nemesis => ({
  kind,
  async strike(random, claim): Promise<Fault | undefined> {
    const part = pick(random, parts, claim);
    const pid = part && system.pidOf(part);
    if (part === undefined || pid === undefined) return undefined;
    const tree = treeOf(pid);
    const tell = (signal: NodeJS.Signals) => tree.filter(isAlive).forEach((one) => process.kill(one, signal));
    tell('SIGSTOP');
    return {
      target: part,
      seen: () => (isStopped(pid) ? 1 : 0),
      heal: () => Promise.resolve(tell('SIGCONT')),
    };
  },
});

/** Several servers at once, gone without a farewell. */
export const endingAll = (kind: string, { system, parts }: Hitting): Nemesis => ({
  kind,
  async strike(_random, claim): Promise<Fault | undefined> {
    if (!parts.map(claim).every(Boolean)) return undefined;
    const pids = parts.map((part) => system.pidOf(part)!);
    await Promise.all(parts.map((part) => system.kill(part)));
    return {
      target: parts.join(', '),
      seen: () => (pids.some(isAlive) ? 0 : 1),
      heal: async () => void (await Promise.all(parts.map((part) => raise(system, part)))),
    };
  },
});

/** Stops nats-server, deletes its whole store, and starts it empty: every stream, message and consumer is gone. */
export const wiping = ({ system, parts, dir, sql }: Hitting & { readonly dir: string; readonly sql: Sql }): Nemesis => ({
  kind: 'wipe JetStream',
  async strike(_random, claim): Promise<Fault | undefined> {
    if (!parts.map(claim).every(Boolean)) return undefined;
    // Another fault of the period may have taken PostgreSQL away for as long as it lasts.
    const before = await until(() => streamsSeen(sql), { within: 60_000, every: 500, what: 'the streams that are known can be read' });
    await Promise.all(parts.map((part) => system.kill(part)));
    await Promise.all(parts.map((part) => rm(join(dir, part, 'store'), { recursive: true, force: true })));
    await Promise.all(parts.map((part) => raise(system, part)));
    // The relays note which stream they publish to: what they noted has changed when they have met the new one.
    let met = 0;
    const meeting = until(async () => (await streamsSeen(sql)) !== before, { within: 60_000, every: 500 }).then(
      () => void met++,
      () => undefined,
    );
    return { target: parts.join(', '), seen: () => meeting.then(() => met), heal: () => Promise.resolve() };
  },
});

const streamsSeen = async (sql: Sql): Promise<string> =>
  JSON.stringify(await sql`select stream, created from svc_order.streams_seen order by stream`);
