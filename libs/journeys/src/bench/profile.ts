import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a function has used itself, without those that it calls. */
export type Line = { readonly what: string; readonly ms: number; readonly share: number };
export type Profile = {
  readonly name: string;
  readonly busyMs: number;
  readonly functions: readonly Line[];
  readonly modules: readonly Line[];
};

type Node = {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
};
type Recorded = {
  readonly startTime: number;
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

const idle = new Set(['(idle)', '(root)']);

/** `postgres`, `@nats-io/nats-core`, or a file of ours. */
function moduleOf(url: string): string {
  if (url === '') return '(native)';
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const path = url.slice(url.lastIndexOf('/node_modules/') + 1);
  const found = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
  return found ?? url.slice(url.search(/\/(libs|services)\//) + 1);
}

/** A stretch of time on the clock of `process.hrtime`, in microseconds. */
export type Stretch = { readonly fromUs: number; readonly untilUs: number };
export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);

/** Adds up a recording of `node --cpu-prof` over a stretch of time: self time by function and by module. */
function readProfile(file: string, name: string, { fromUs, untilUs }: Stretch, longest = 40): Profile {
  const { startTime, nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
  const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
  const functions = new Map<string, number>();
  const modules = new Map<string, number>();
  let busy = 0;
  let atUs = startTime;
  samples.forEach((id, index) => {
    const frame = byId.get(id);
    const us = timeDeltas[index] ?? 0;
    atUs += us;
    if (atUs < fromUs || atUs > untilUs) return;
    if (!frame || idle.has(frame.functionName)) return;
    busy += us;
    const module = frame.url === '' ? frame.functionName : moduleOf(frame.url);
    const place =
      frame.url === '' ? frame.functionName : `${frame.functionName || '(anonymous)'} ${moduleOf(frame.url)}:${frame.lineNumber + 1}`;
    functions.set(place, (functions.get(place) ?? 0) + us);
    modules.set(module, (modules.get(module) ?? 0) + us);
  });
  const top = (of: ReadonlyMap<string, number>): Line[] =>
    [...of]
      .sort(([, a], [, b]) => b - a)
      .slice(0, longest)
      .map(([what, us]) => ({ what, ms: us / 1_000, share: us / busy }));
  return { name, busyMs: busy / 1_000, functions: top(functions), modules: top(modules) };
}

/** All recordings in a folder. */
export const readProfiles = (folder: string, stretch: Stretch): Profile[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => readProfile(join(folder, file), file.replace(/\.cpuprofile$/, ''), stretch));
