import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { end, launch, whenReady } from './child.ts';
import type { Child, Exit } from './child.ts';
import { freePort } from './ports.ts';

export type NatsOptions = {
  /** The nats-server to run, see nats-server.ts. */
  binary: string;
  /** Holds the configuration, the log and the streams. */
  dir: string;
  port?: number;
  /** How long acknowledged messages may sit unsynced; `always` costs two thirds of the throughput. */
  syncInterval?: string;
  /** Its place in a cluster. */
  member?: Member;
};

type Member = {
  name: string;
  /** Where the other servers reach it. */
  port: number;
  /** Where the servers of the cluster reach each other. */
  routes: readonly number[];
  /** Answers over HTTP whether the server has caught up with the others. */
  healthPort: number;
};

export type Nats = {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly log: string;
  readonly exited: Promise<Exit>;
  /** Ends the server on the spot, as a crash would. */
  kill(): Promise<void>;
  /** Ends the server in order. */
  stop(): Promise<void>;
  /** Starts it again on the same store and port (after stopping it, if it still runs). */
  restart(): Promise<void>;
};

/** Starts a nats-server with JetStream on its own store. */
export async function startNats(options: NatsOptions): Promise<Nats> {
  await mkdir(options.dir, { recursive: true });
  const first = await onFreePort(options);
  const { port } = first;
  let child = first.child;
  const log = join(options.dir, 'nats.log');
  const stop = async () => void (await end(child, ['SIGTERM'], 10_000));
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    log,
    get pid() {
      return child.pid;
    },
    get exited() {
      return child.exited;
    },
    async kill() {
      child.signal('SIGKILL');
      await child.exited;
    },
    stop,
    async restart() {
      await stop();
      child = await run(options, port);
    },
  };
}

/** Starts servers that keep replicas of the streams among them; resolves when they have elected a leader. Each has its folder in `dir`. */
export async function startCluster({ binary, dir, servers }: { binary: string; dir: string; servers: number }): Promise<Map<string, Nats>> {
  const names = Array.from({ length: servers }, (_, nth) => `nats-${nth + 1}`);
  const routes = await freePorts(servers);
  const healthPorts = await freePorts(servers);
  // All at once: none of them is ready before most of them are there.
  const starting = names.map(async (name, nth): Promise<[string, Nats]> => {
    const member = { name, port: routes[nth]!, routes, healthPort: healthPorts[nth]! };
    return [name, await startNats({ binary, dir: join(dir, name), member })];
  });
  const started = await Promise.allSettled(starting);
  const failed = started.find((one) => one.status === 'rejected');
  if (!failed) return new Map(await Promise.all(starting));
  for (const one of started) if (one.status === 'fulfilled') await one.value[1].stop();
  throw failed.reason;
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** Another process may take a port between our look and nats-server's: then we look again, unless the port was asked for. */
async function onFreePort(options: NatsOptions): Promise<{ child: Child; port: number }> {
  if (options.port) return { child: await run(options, options.port), port: options.port };
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    try {
      return { child: await run(options, port), port };
    } catch (error) {
      if (tries === 5 || !String(error).includes('address already in use')) throw error;
    }
  }
}

async function run({ binary, dir, syncInterval = '1s', member }: NatsOptions, port: number): Promise<Child> {
  const config = join(dir, 'nats.conf');
  const log = join(dir, 'nats.log');
  await writeFile(config, configuration({ port, store: join(dir, 'store'), syncInterval, member }));
  const child = await launch({ command: binary, args: ['--config', config], log });
  const ready = async () => (await answers(port)) && (!member || (await isHealthy(member.healthPort)));
  await whenReady(child, { name: 'nats-server', log, ready, within: member ? 30_000 : 15_000 });
  return child;
}

type Configured = { port: number; store: string; syncInterval: string; member: Member | undefined };

function configuration({ port, store, syncInterval, member }: Configured): string {
  return `# Written at every start; changes here are lost.
server_name: ${member?.name ?? 'yunshi'}
host: 127.0.0.1
port: ${port}
max_payload: 1MB
lame_duck_duration: 30s
jetstream {
  store_dir: ${JSON.stringify(store)}
  # Else it is what happens to be free on the disk, and the streams may not find the room that they reserve.
  max_file_store: 10GB
  # An acknowledged message is durable only after a sync; the default of two minutes loses too much in a power failure.
  sync_interval: ${syncInterval}
}
${member ? membership(member) : ''}`;
}

function membership({ port, routes, healthPort }: Member): string {
  return `http: "127.0.0.1:${healthPort}"
cluster {
  name: yunshi
  host: 127.0.0.1
  port: ${port}
  routes: [${routes.map((route) => `"nats://127.0.0.1:${route}"`).join(', ')}]
  # Clients know all servers by NATS_URL, and reach them as it says.
  no_advertise: true
}
`;
}

/** Healthy is a server that knows the leader and has caught up with it. */
async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** nats-server greets every connection with INFO; it says whether JetStream has recovered its streams. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const finish = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.setTimeout(1_000, () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('data', (greeting) => finish(greeting.toString().includes('"jetstream":true')));
  });
}
