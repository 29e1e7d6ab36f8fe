import { isAlive } from '@yunshi/local/leftovers';
import type { Part } from '@yunshi/local/system';
import { connectBus, managerOf, streamNames } from '@yunshi/messaging/bus';
import { until } from '@yunshi/testing/until';
import { raise, type Fault, type Nemesis } from './nemesis.ts';
import type { Stage } from './stage.ts';

/** Which of the servers leads the streams; the one that leads most of them. Undefined while there is no leader. */
async function leaderOf(natsUrl: string): Promise<Part | undefined> {
  const nc = await connectBus(natsUrl, 'chaos');
  try {
    const jsm = await managerOf(nc);
    const leaders = await Promise.all(streamNames.map((name) => jsm.streams.info(name).then((info) => info.cluster?.leader)));
    const known = leaders.filter((leader) => leader !== undefined);
    return known.toSorted((a, b) => known.filter((one) => one === b).length - known.filter((one) => one === a).length)[0];
  } finally {
    await nc.close();
  }
}

type Losing = Pick<Stage, 'system' | 'natsServers'>;

/** Of three servers one is killed, and while it is away the others go on; then, when it is back, the one that leads the streams. */
export const losingOneThenTheLeader = ({ system, natsServers }: Losing): Nemesis => ({
  kind: 'lose a nats-server, then the leader',
  async strike(random, claim): Promise<Fault | undefined> {
    if (!natsServers.map(claim).every(Boolean)) return undefined;
    const leads = await until(() => leaderOf(system.natsUrl), { within: 30_000, every: 500 });
    const follower = random.shuffled(natsServers.filter((server) => server !== leads))[0]!;
    await system.kill(follower);
    await raise(system, follower);
    const leader = await until(() => leaderOf(system.natsUrl), { within: 30_000, every: 500 });
    const pid = system.pidOf(leader)!;
    await system.kill(leader);
    return {
      target: `${follower}, then ${leader}`,
      // The two that are left have made one of them the leader.
      seen: async () => {
        const next = await until(() => leaderOf(system.natsUrl), { within: 30_000, every: 500 });
        return next !== leader && !isAlive(pid) ? 1 : 0;
      },
      heal: async () => void (await raise(system, leader)),
    };
  },
});
