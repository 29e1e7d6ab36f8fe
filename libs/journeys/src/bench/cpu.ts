import { readdirSync, readFileSync } from 'node:fs';
import type { Sql } from '@yunshi/db/connect';
import type { System } from '@yunshi/local/system';

/** CPU time in milliseconds since each part began, by part. */
export type Cpu = ReadonlyMap<string, number>;

/** The kernel counts in ticks of 10 ms on every Linux that Node runs on. */
const msPerTick = 10;

type Stat = { readonly pid: number; readonly parent: number; readonly ownMs: number; readonly endedChildrenMs: number };

function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // it has ended meanwhile
  }
  // The name stands in brackets and may hold anything; the numbers follow behind the last one.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
  return { pid, parent: fields[1] ?? 0, ownMs: (user + system) * msPerTick, endedChildrenMs: (childUser + childSystem) * msPerTick };
}

/** What all processes of the machine have used so far, in milliseconds of one core. */
export function busyMs(): number {
  // user, nice, system, idle, iowait, irq, softirq
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) * msPerTick;
}

/** What one process has used so far, in milliseconds. */
export const cpuOfProcess = (pid: number): number => statOf(pid)?.ownMs ?? 0;

const childrenOf = (parent: number): Stat[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? [])
    .filter((stat) => stat.parent === parent);

/** `yunshi-order-lane-1` works for `order`. */
const clientOf = (application: string): string => /^yunshi-([a-z]+)/.exec(application)?.[1] ?? application;

/** The resident memory of a process, in MB. */
export function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kb ?? 0) / 1024);
}

/**
 * Reads what every process of the system has used so far. PostgreSQL is divided by whom its processes work for: `postgres: order`; what
 * works for all (the log, the checkpoints, vacuum) is `postgres`.
 */
export async function readCpu(system: System, parts: readonly string[], sql: Sql): Promise<Cpu> {
  const cpu = new Map<string, number>();
  const add = (name: string, ms: number) => cpu.set(name, (cpu.get(name) ?? 0) + ms);
  const postmaster = system.pidOf('postgres');
  const clients = await sql<
    { pid: number; name: string }[]
  >`select pid, application_name as name from pg_stat_activity where backend_type = 'client backend'`;
  const nameOf = new Map(clients.map(({ pid, name }) => [pid, clientOf(name)]));
  for (const part of [...parts, 'nats']) {
    const stat = statOf(system.pidOf(part) ?? 0);
    if (stat) add(part, stat.ownMs);
  }
  const own = statOf(postmaster ?? 0);
  add('postgres', (own?.ownMs ?? 0) + (own?.endedChildrenMs ?? 0));
  for (const { pid, ownMs } of childrenOf(postmaster ?? 0)) {
    const name = nameOf.get(pid);
    add(name === undefined ? 'postgres' : `postgres: ${name}`, ownMs);
  }
  return cpu;
}

/** What was used between two readings, in milliseconds. */
export const used = (before: Cpu, after: Cpu): Cpu => new Map([...after].map(([name, ms]) => [name, ms - (before.get(name) ?? 0)]));
