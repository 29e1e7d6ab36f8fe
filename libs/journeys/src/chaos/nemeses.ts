import { businessTimeJumps, movableClocks, wallClockJumps } from './clocks.ts';
import { losingOneThenTheLeader } from './cluster.ts';
import { filling, smallDisks } from './disks.ts';
import { findFaketime, whyNoMounts } from './machine.ts';
import { linkFaults } from './links.ts';
import type { Nemesis } from './nemesis.ts';
import { channelMisbehaves, providerMisbehaves } from './outside.ts';
import { ending, endingAll, pausing, wiping } from './processes.ts';
import type { Prepared, Stage } from './stage.ts';

/** What can happen to the processes. */
function processFaults({ system, services, natsServers, dir, sql }: Stage): Nemesis[] {
  const service = { system, parts: services };
  const nats = { system, parts: natsServers };
  const postgres = { system, parts: ['postgres'] };
  return [
    ending('kill a service', service, 'SIGKILL'),
    ending('restart a service', service, 'SIGTERM'),
    pausing('pause a service', service),
    ending('kill nats-server', nats, 'SIGKILL'),
    ending('restart nats-server', nats, 'SIGTERM'),
    pausing('pause nats-server', nats),
    ending('kill PostgreSQL', postgres, 'SIGKILL'),
    ending('shut PostgreSQL down at once', postgres, 'SIGQUIT'),
    pausing('pause PostgreSQL', postgres),
    wiping({ ...nats, dir, sql }),
    ...(natsServers.length > 1 ? [endingAll('kill all nats-servers', nats), losingOneThenTheLeader({ system, natsServers })] : []),
  ];
}

/** What the outside world and time can do. */
function outsideFaults({ operator, sql }: Stage): Nemesis[] {
  const outside = { shopper: operator, sql };
  return [channelMisbehaves(outside), providerMisbehaves(outside), businessTimeJumps(operator)];
}

/** Everything that can be tried anywhere. */
export const usualFaults = (stage: Stage): Nemesis[] => [
  ...processFaults(stage),
  ...linkFaults(stage.links, stage.services),
  ...outsideFaults(stage),
];

/** What a cluster has to stand; what has nothing to do with the bus has been tried without one. */
export const clusterFaults = (stage: Stage): Nemesis[] => [
  ...processFaults(stage).filter(({ kind }) => !kind.includes('PostgreSQL')),
  ...linkFaults(stage.links, stage.services).filter(({ kind }) => kind.includes('nats') || kind.includes('ack') || kind.includes('Ack')),
];

/** What was not tried, and why. */
export type NotTried = { readonly what: string; readonly why: string };

/** Faults that not every machine can bring about: what has to be prepared for them, the faults, and which of them cannot be tried here. */
export type Demanding = {
  readonly prepare: (dir: string) => Promise<Prepared>;
  readonly nemeses: (stage: Stage) => readonly Nemesis[];
  readonly notTried: readonly NotTried[];
};

export function demandingFaults(): Demanding {
  const noDisks = whyNoMounts();
  const faketime = findFaketime();
  return {
    async prepare(dir) {
      const undo = noDisks === undefined ? await smallDisks(dir) : () => Promise.resolve();
      return { undo, ...('library' in faketime && { env: movableClocks(faketime.library, dir) }) };
    },
    nemeses: (stage) => [
      ...(noDisks === undefined ? [filling('postgres', stage), filling('nats', stage)] : []),
      ...('library' in faketime ? [wallClockJumps(stage)] : []),
    ],
    notTried: [
      ...(noDisks === undefined ? [] : [{ what: 'full disks', why: noDisks }]),
      ...('why' in faketime ? [{ what: 'jumps of the wall clock', why: faketime.why }] : []),
    ],
  };
}
