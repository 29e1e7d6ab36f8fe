import { businessTimeJumps } from './clocks.ts';
import { linkFaults } from './links.ts';
import type { Nemesis } from './nemesis.ts';
import { channelMisbehaves, providerMisbehaves } from './outside.ts';
import { ending, endingAll, pausing, wiping } from './processes.ts';
import type { Stage } from './stage.ts';

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
    ...(natsServers.length > 1 ? [endingAll('kill all nats-servers', nats)] : []),
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
