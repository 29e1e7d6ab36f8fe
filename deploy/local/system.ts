import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBankKeys, platformEnvironment } from '@yunshi/sandbox/bank/keys';
import { ensureUnionpayKeys, unionpayEnvironment } from '@yunshi/sandbox/unionpay/keys';
import { ensureKeys, merchantEnvironment } from '@yunshi/sandbox/wechat/keys';
import { endLeftovers } from './leftovers.ts';
import { takeLock } from './lock.ts';
import { startCluster, startNats } from './nats.ts';
import type { Nats } from './nats.ts';
import { findNatsServer } from './nats-server.ts';
import { freePort, portFrom } from './ports.ts';
import { startPostgres } from './postgres.ts';
import type { Postgres } from './postgres.ts';
import { analyze, databaseUrl, provision } from './provision.ts';
import type { ServiceRole } from './provision.ts';
import { secretsIn } from './secrets.ts';
import type { Secrets } from './secrets.ts';
import { environment, services as all } from './services.ts';
import type { Service } from './services.ts';
import { supervise } from './supervise.ts';
import type { Supervised } from './supervise.ts';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const DATABASE = 'yunshi';
const usual = { nats: 8142, postgres: 8154 };

export type SystemOptions = {
  /** Data, logs and secrets live here: `.local`, or a temporary folder. */
  dir: string;
  seed?: 'demo' | 'none';
  testClock?: boolean;
  /** `usual`: the documented ports, or the next free ones; `free`: any, so that many systems can run beside each other. */
  ports?: 'usual' | 'free';
  services?: readonly Service[];
  /** More environment, for all services (`*`) or for one by name. */
  env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Whether a service that dies by itself is started again. */
  restart?: boolean;
  /** false switches fsync off, for a system whose data is thrown away. */
  durable?: boolean;
  /** More settings of PostgreSQL. */
  postgresSettings?: Readonly<Record<string, string>>;
  /** One nats-server, or a cluster of three whose streams have three replicas. */
  natsServers?: 1 | 3;
  /** Answers the port by which a service reaches a server, where that shall not be the server's own: for a proxy between them. */
  between?: (service: string, server: string, port: number) => Promise<number>;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
  /** Told what happens, for people. */
  say?: (line: string) => void;
};

/** A service by its name, `postgres`, `nats`, or in a cluster `nats-1` to `nats-3`. */
export type Part = 'nats' | 'postgres' | (string & {});

export type System = {
  readonly urls: Readonly<Record<string, string>>;
  readonly natsUrl: string;
  /** A superuser's URL of the database that holds all schemas: for looking at things, never given to a service. */
  readonly adminUrl: string;
  /** The URL that the service with this schema uses. */
  databaseUrlOf(schema: string): string;
  readonly secrets: Secrets;
  pidOf(part: Part): number | undefined;
  logOf(part: Part): string;
  /** Ends a part with this signal (SIGKILL unless told; SIGQUIT shuts PostgreSQL down at once), and leaves it ended until `restart`. */
  kill(part: Part, signal?: NodeJS.Signals): Promise<void>;
  /** Starts a part (again), and waits until it is ready. */
  restart(part: Part): Promise<void>;
  /** Ends all in order: services, nats-server, PostgreSQL. */
  stop(): Promise<void>;
};

type Servers = { postgres: Postgres; nats: ReadonlyMap<Part, Nats> };

/**
 * Starts PostgreSQL, nats-server and every service as a process of its own, and resolves when all are ready. `npm start` and the journeys
 * are both this. When anything fails, all that was started is stopped again.
 */
export async function startSystem(options: SystemOptions): Promise<System> {
  const dir = resolve(options.dir);
  const say = options.say ?? (() => {});
  const lock = takeLock(dir);
  const began: { stop(): Promise<void> }[] = [];
  const stopAll = async () => {
    while (began.length > 0) await began.pop()?.stop();
    lock.release();
  };
  try {
    if (lock.afterCrash) sayLeftovers(await endLeftovers(dir), say);
    const services = options.services ?? all;
    // Several instances of a service share its role.
    const roles = [...new Set(services.flatMap(({ schema }) => schema ?? []))];
    const secrets = secretsIn(join(dir, 'secrets.json'), roles);
    const keysFolder = join(dir, 'wechat');
    await ensureKeys(keysFolder, new Date());
    const wechat = { keysFolder, merchant: await merchantEnvironment(keysFolder) };
    const bankFolder = join(dir, 'bank');
    await ensureBankKeys(bankFolder);
    const bank = { keysFolder: bankFolder, platform: await platformEnvironment(bankFolder) };
    const unionpayFolder = join(dir, 'unionpay');
    await ensureUnionpayKeys(unionpayFolder, new Date());
    const unionpay = { keysFolder: unionpayFolder, merchant: unionpayEnvironment(unionpayFolder) };
    const servers = await startServers({ ...options, dir, say }, secrets, began);
    const ofRole = (role: string): ServiceRole => ({ role, password: secrets.roles[role] ?? '' });
    options.signal?.throwIfAborted();
    await provision(servers.postgres.url, DATABASE, roles.map(ofRole));
    const urls = await choosePorts(services, options.ports ?? 'free', say);
    const databaseUrlOf = (schema: string) => databaseUrl(servers.postgres.url, DATABASE, ofRole(schema));
    const natsUrl = [...servers.nats.values()].map(({ url }) => url).join(',');
    const choices = { seed: options.seed ?? 'demo', testClock: options.testClock ?? false };
    const place = { ...choices, dir, urls, secrets, wechat, bank, unionpay };
    const running = await Promise.all(
      services.map(async (service) => {
        const way = await wayToServers(service.name, servers, options.between);
        const ownUrl = service.schema && databaseUrl(way.postgresUrl, DATABASE, ofRole(service.schema));
        return superviseService(service, {
          dir,
          say,
          restart: options.restart ?? false,
          url: urls[service.name] ?? '',
          env: {
            ...passedOn(),
            ...environment(service, { ...place, natsUrl: way.natsUrl, databaseUrl: ownUrl }),
            ...(servers.nats.size > 1 && { NATS_REPLICAS: String(servers.nats.size) }),
            ...options.env?.['*'],
            ...options.env?.[service.name],
          },
        });
      }),
    );
    began.push(stopGatewayFirst(running));
    await orAborted(startServices(running, say), options.signal);
    await analyze(servers.postgres.url, DATABASE);
    const adminUrl = databaseUrl(servers.postgres.url, DATABASE);
    return { urls, natsUrl, adminUrl, databaseUrlOf, secrets, ...controls(servers, running), stop: stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

async function startServers(
  { dir, say, ports, durable = true, postgresSettings = {}, natsServers = 1 }: SystemOptions & { dir: string; say: (line: string) => void },
  secrets: Secrets,
  began: { stop(): Promise<void> }[],
): Promise<Servers> {
  if (ports !== 'usual') chmodSync(dir, 0o755); // as root, PostgreSQL runs as another user and must be able to enter
  const port = async (wished: number) => (ports === 'usual' ? portFrom(wished) : freePort());
  const postgresPort = await port(usual.postgres);
  const natsPort = await port(usual.nats);
  // PostgreSQL is stopped last, so it is noted first, whichever is ready first.
  const postgres = startPostgres({
    dir: join(dir, 'postgres'),
    password: secrets.postgres,
    port: postgresPort,
    durable,
    settings: postgresSettings,
  }).then((server) => {
    began.unshift(server);
    say(`PostgreSQL is ready on port ${server.port}`);
    return server;
  });
  const nats = findNatsServer(say).then(async ({ path, version, from }) => {
    const all =
      natsServers === 1
        ? new Map([['nats', await startNats({ binary: path, dir: join(dir, 'nats'), port: natsPort })]])
        : await startCluster({ binary: path, dir, servers: natsServers });
    for (const [name, server] of all) {
      began.push(server);
      say(`${name} ${version} (from ${from}) is ready on port ${server.port}`);
    }
    return all;
  });
  const [first, second] = await Promise.allSettled([postgres, nats]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return { postgres: first.value, nats: second.value };
}

/** The URLs by which a service reaches the servers. */
async function wayToServers(
  service: string,
  { postgres, nats }: Servers,
  between: SystemOptions['between'],
): Promise<{ postgresUrl: string; natsUrl: string }> {
  const through = async (server: string, { url, port }: { url: string; port: number }): Promise<string> =>
    between ? url.replace(`:${port}`, `:${await between(service, server, port)}`) : url;
  const natsUrls = await Promise.all([...nats].map(([name, server]) => through(name, server)));
  return { postgresUrl: await through('postgres', postgres), natsUrl: natsUrls.join(',') };
}

async function choosePorts(
  services: readonly Service[],
  ports: 'usual' | 'free',
  say: (line: string) => void,
): Promise<Record<string, string>> {
  const taken = new Set<number>();
  const urls: Record<string, string> = {};
  for (const { name, port: wished } of services) {
    const port = ports === 'usual' ? await portFrom(wished, taken) : await freePort();
    if (ports === 'usual' && port !== wished) say(`port ${wished} is taken: ${name} gets ${port}`);
    taken.add(port);
    urls[name] = `http://127.0.0.1:${port}`;
  }
  return urls;
}

function superviseService(
  { name, program }: Service,
  { dir, say, restart, env, url }: { dir: string; say: (line: string) => void; restart: boolean; env: Record<string, string>; url: string },
): Supervised {
  return supervise(
    {
      name,
      command: join(root, 'node_modules', '.bin', 'node'),
      // The last word changes nothing for the service; it is how we know our processes after a crash.
      args: ['--import', '@yunshi/telemetry/register', program, `--of=${dir}`],
      env,
      cwd: root,
      log: join(dir, 'log', `${name}.log`),
      url,
      readyWithin: 120_000,
    },
    { restart, say },
  );
}

async function startServices(running: readonly Supervised[], say: (line: string) => void): Promise<void> {
  const started = performance.now();
  const results = await Promise.allSettled(
    running.map(async (service) => {
      await service.start();
      say(`${service.name} is ready after ${((performance.now() - started) / 1000).toFixed(1)} s`);
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    work.catch(() => {}); // after an abort its services end, and it fails: that is no news
  }
}

/** The gateway first, so that no request comes in to a service that is about to end. */
function stopGatewayFirst(running: readonly Supervised[]): { stop(): Promise<void> } {
  return {
    async stop() {
      await Promise.all(running.filter(({ name }) => name === 'gateway').map((service) => service.stop()));
      await Promise.all(running.map((service) => service.stop()));
    },
  };
}

function controls({ postgres, nats }: Servers, running: readonly Supervised[]): Pick<System, 'pidOf' | 'logOf' | 'kill' | 'restart'> {
  const service = (name: string): Supervised => {
    const found = running.find((one) => one.name === name);
    if (!found) throw new Error(`there is no part "${name}" in this system`);
    return found;
  };
  const server = (part: Part) => (part === 'postgres' ? postgres : nats.get(part));
  return {
    pidOf: (part) => (server(part) ?? service(part)).pid,
    logOf: (part) => (server(part) ?? service(part)).log,
    async kill(part, signal = 'SIGKILL') {
      const found = server(part);
      if (!found) await service(part).kill(signal);
      else if (signal === 'SIGKILL') await found.kill();
      else if (signal === 'SIGQUIT' && part === 'postgres') await postgres.stop('immediate');
      else await found.stop();
    },
    async restart(part) {
      const found = server(part);
      if (found) return found.restart();
      await service(part).stop();
      return service(part).start();
    },
  };
}

/** A service sees what we give it, not whatever the terminal happens to have; telemetry is configured by its standard variables. */
function passedOn(): Record<string, string> {
  const wanted = ([name]: [string, string | undefined]) =>
    name.startsWith('OTEL_') || ['PATH', 'HOME', 'LANG', 'TMPDIR', 'LOG_LEVEL', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'].includes(name);
  const kept = Object.entries(process.env).filter(wanted) as [string, string][];
  const cache = join(root, '.cache', 'node');
  mkdirSync(cache, { recursive: true });
  return { ...Object.fromEntries(kept), NODE_COMPILE_CACHE: cache };
}

function sayLeftovers(count: number, say: (line: string) => void): void {
  say(
    count > 0
      ? `the last start was killed; ${count} processes it left running were ended`
      : 'the last start was killed; nothing of it runs',
  );
}
