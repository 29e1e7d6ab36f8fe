import type { Part } from '@yunshi/local/system';
import { startProxy, type Counts, type Mischief, type Proxy } from '@yunshi/testing/proxy/proxy';
import type { Nemesis } from './nemesis.ts';
import type { Random } from './random.ts';

/** The links between services and servers, each with a proxy of its own. */
export type Links = {
  /** Puts a proxy between, and answers its port. */
  readonly between: (service: string, server: string, port: number) => Promise<number>;
  readonly to: (server: 'postgres' | 'nats') => readonly Link[];
  readonly stop: () => Promise<void>;
};
type Link = { readonly name: string; readonly proxy: Proxy };

export function makeLinks(random: Random): Links {
  const links = new Map<string, Link & { readonly server: string }>();
  return {
    async between(service, server, port) {
      const protocol = server === 'postgres' ? 'postgres' : 'nats';
      const proxy = await startProxy({ protocol, port, chance: random.next });
      links.set(`${service} ${server}`, { name: `${service} → ${server}`, proxy, server: protocol });
      return proxy.port;
    },
    to: (server) => [...links.values()].filter((link) => link.server === server),
    stop: async () => void (await Promise.all([...links.values()].map(({ proxy }) => proxy.stop()))),
  };
}

type Bad = {
  readonly kind: string;
  readonly server: 'postgres' | 'nats';
  readonly mischief: (random: Random) => Partial<Mischief>;
  readonly counted: keyof Counts;
  /** The services whose links are struck; all, if not said otherwise. */
  readonly services?: (services: readonly Part[], random: Random) => readonly Part[];
};

const oneOf = (services: readonly Part[], random: Random): readonly Part[] => random.shuffled(services).slice(0, 1);
const chances = (random: Random): number => 0.05 + random.next() * 0.4;

const bads: readonly Bad[] = [
  {
    kind: 'cut after COMMIT',
    server: 'postgres',
    counted: 'cutAfterCommit',
    mischief: (random) => ({ cutAfterCommit: chances(random) }),
  },
  { kind: 'drop PubAck', server: 'nats', counted: 'dropPubAck', mischief: (random) => ({ dropPubAck: chances(random) }) },
  { kind: 'drop acks', server: 'nats', counted: 'dropAck', mischief: (random) => ({ dropAck: chances(random) }) },
  ...(['postgres', 'nats'] as const).flatMap((server): Bad[] => [
    {
      kind: `slow link to ${server}`,
      server,
      counted: 'delayed',
      mischief: (random) => ({ latencyMs: 5 + random.below(200) }),
      services: oneOf,
    },
    { kind: `silent link to ${server}`, server, counted: 'held', mischief: () => ({ silent: true }), services: oneOf },
  ]),
];

/** What can happen between the processes. */
export function linkFaults(links: Links, services: readonly Part[]): Nemesis[] {
  const chosen = (server: Bad['server'], parts: readonly Part[]) =>
    links.to(server).filter(({ name }) => parts.some((part) => name.startsWith(`${part} →`)));
  const sum = (hit: readonly Link[], counted: keyof Counts) => hit.reduce((total, { proxy }) => total + proxy.counts[counted], 0);
  const bad = ({ kind, server, mischief, counted, services: choose }: Bad): Nemesis => ({
    kind,
    strike(random) {
      const parts = choose?.(services, random) ?? services;
      const hit = chosen(server, parts);
      const before = sum(hit, counted);
      const wrong = mischief(random);
      for (const { proxy } of hit) Object.assign(proxy.mischief, wrong);
      const off = Object.fromEntries(Object.keys(wrong).map((name) => [name, name === 'silent' ? false : 0]));
      return Promise.resolve({
        target: `${parts.length === services.length ? 'all' : parts.join(', ')} ${JSON.stringify(wrong)}`,
        seen: () => sum(hit, counted) - before,
        // Only what this one has switched on: others may be at work on the same link.
        heal: () => Promise.resolve(hit.forEach(({ proxy }) => Object.assign(proxy.mischief, off))),
      });
    },
  });
  const resets = (server: Bad['server']): Nemesis => ({
    kind: `reset links to ${server}`,
    strike(random) {
      const parts = random.shuffled(services).slice(0, 1 + random.below(services.length));
      const hit = chosen(server, parts);
      const before = sum(hit, 'reset');
      for (const { proxy } of hit) proxy.reset();
      return Promise.resolve({
        target: parts.join(', '),
        seen: () => sum(hit, 'reset') - before,
        heal: () => Promise.resolve(),
      });
    },
  });
  return [...bads.map(bad), resets('postgres'), resets('nats')];
}
