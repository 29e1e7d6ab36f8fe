import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lineOf, type Crash } from '@yunshi/messaging/crashpoint';
import { crashingServices, type CrashingService, type Target } from './targets.ts';

/** Where each service is still to end: a file for each, which its processes strike lines from. */
export type Plans = {
  readonly fileOf: (service: CrashingService) => string;
  readonly write: (targets: readonly Target[]) => void;
  /** What is left, as `<service> <point> <nth>`. */
  readonly left: (service?: CrashingService) => readonly string[];
  readonly waitsFor: (where: Partial<Pick<Target, 'service' | 'point' | 'of'>>) => boolean;
};

export function plansIn(dir: string): Plans {
  mkdirSync(dir, { recursive: true });
  let planned: readonly Target[] = [];
  const fileOf = (service: CrashingService): string => join(dir, service);
  const linesOf = (service: CrashingService): ReadonlySet<string> =>
    new Set(existsSync(fileOf(service)) ? readFileSync(fileOf(service), 'utf8').split('\n') : []);
  const waiting = (): readonly Target[] => {
    const lines = new Map(crashingServices.map((service) => [service, linesOf(service)]));
    return planned.filter((target) => lines.get(target.service)!.has(lineOf(target)));
  };
  return {
    fileOf,
    write(targets) {
      planned = targets;
      for (const service of crashingServices) {
        const crashes: readonly Crash[] = targets.filter((target) => target.service === service);
        writeFileSync(fileOf(service), crashes.map(lineOf).join('\n'));
      }
    },
    left: (service) =>
      waiting()
        .filter((target) => service === undefined || target.service === service)
        .map((target) => `${target.service} ${lineOf(target)}`),
    waitsFor: ({ service, point, of }) =>
      waiting().some(
        (target) =>
          (service === undefined || target.service === service) &&
          (point === undefined || target.point === point) &&
          (of === undefined || target.of === of),
      ),
  };
}
