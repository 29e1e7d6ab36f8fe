import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { debianSources } from './apt-sources.ts';

/** Older servers lack what the streams rely on (and lose more in a crash). */
export const OLDEST = '2.10.27';

export type Found = { path: string; version: string; from: string };
type Say = (line: string) => void;

/**
 * Finds or fetches a nats-server: given by NATS_SERVER, from PATH, from the cache, as the distribution's package (unpacked into the cache,
 * not installed, so that no root is needed), or the official release. Every route that fails says why.
 */
export async function findNatsServer(say: Say = () => {}): Promise<Found> {
  const given = process.env['NATS_SERVER'];
  if (given) return accepted(given, 'NATS_SERVER');
  const present = presentNatsServer();
  if (present) return present;
  const failures: string[] = [];
  const routes = [
    { name: "the distribution's package", get: fromPackage },
    { name: 'the official release', get: fromRelease },
  ];
  for (const { name, get } of routes) {
    try {
      say(`fetching nats-server: ${name}`);
      return await get(say);
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message.trim() : String(error)}`);
    }
  }
  throw new Error(
    `no nats-server >= ${OLDEST} was found, and none could be fetched:\n  ${failures.join('\n  ')}\n` +
      'Install one (https://github.com/nats-io/nats-server/releases, or `brew install nats-server`), or name it: NATS_SERVER=/path/to/nats-server',
  );
}

/** What is there without fetching anything. */
export function presentNatsServer(): Found | undefined {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => ({ path: join(folder, 'nats-server'), from: 'PATH' }));
  const cached = existsSync(cacheFolder())
    ? readdirSync(cacheFolder()).map((entry) => ({ path: join(cacheFolder(), entry, 'nats-server'), from: 'the cache' }))
    : [];
  for (const { path, from } of [...onPath, ...cached]) {
    const version = versionOf(path);
    if (version && !olderThan(version, OLDEST)) return { path, version, from };
  }
  return undefined;
}

function accepted(path: string, from: string): Found {
  const version = versionOf(path);
  if (!version) throw new Error(`${from}: ${path} does not run as a nats-server`);
  if (olderThan(version, OLDEST)) throw new Error(`${from}: ${path} is version ${version}, at least ${OLDEST} is needed`);
  return { path, version, from };
}

function versionOf(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const said = execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] });
    return /v?(\d+\.\d+\.\d+)/.exec(said)?.[1];
  } catch {
    return undefined;
  }
}

export function olderThan(version: string, other: string): boolean {
  const [left, right] = [version, other].map((text) => text.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (left?.[part] ?? 0) - (right?.[part] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'yunshi', 'nats-server');
}

/** Puts the program into the cache in one step, so that two starts at once cannot see half a file. */
function keep(program: string, from: string): Found {
  const found = accepted(program, from);
  const folder = join(cacheFolder(), found.version);
  const staged = mkdtempSync(join(cacheFolder(), '.new-'));
  writeFileSync(join(staged, 'nats-server'), readFileSync(program));
  chmodSync(join(staged, 'nats-server'), 0o755);
  chmodSync(staged, 0o755);
  rmSync(folder, { recursive: true, force: true });
  renameSync(staged, folder);
  return { ...found, path: join(folder, 'nats-server') };
}

/**
 * Debian stable has a nats-server that is new enough, while the suite of an older machine has not. Its package runs there all the same,
 * so apt is given one more suite from the machine's own mirrors, with lists and cache in a folder of ours: nothing of the machine changes.
 */
async function fromPackage(say: Say): Promise<Found> {
  for (const program of ['apt-get', 'dpkg-deb']) {
    if (!runs(program)) throw new Error(`there is no ${program} here`);
  }
  const sources = debianSources();
  if (sources.length === 0) throw new Error('apt has no Debian archive among its sources');
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'yunshi-nats-'));
  try {
    const failures: string[] = [];
    for (const { suite, line } of sources) {
      try {
        return keep(unpack(join(work, suite), line), `the package of Debian ${suite}`);
      } catch (error) {
        say(`  not from ${suite}`);
        failures.push(`${suite}: ${firstLine(error)}`);
      }
    }
    throw new Error(failures.join('; '));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function unpack(folder: string, line: string): string {
  const inside = (name: string) => join(folder, name);
  for (const name of ['lists/partial', 'cache/archives/partial', 'unpacked']) mkdirSync(inside(name), { recursive: true });
  writeFileSync(inside('one.list'), `${line}\n`);
  const options = {
    'Dir::Etc::sourcelist': inside('one.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': inside('lists'),
    'Dir::Cache': inside('cache'),
    // As root, apt fetches as the user _apt, who cannot write into our folder.
    'APT::Sandbox::User': 'root',
    'APT::Get::List-Cleanup': 'false',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const apt = (...args: string[]) =>
    execFileSync('apt-get', ['--quiet', '--quiet', ...flags, ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 180_000,
    });
  apt('update', '--error-on=any');
  apt('download', 'nats-server');
  const file = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (!file) throw new Error('apt-get download left no package');
  execFileSync('dpkg-deb', ['--extract', file, 'unpacked'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const program = ['usr/bin', 'usr/sbin'].map((bin) => join(folder, 'unpacked', bin, 'nats-server')).find(existsSync);
  if (!program) throw new Error('the package holds no nats-server');
  return program;
}

/** The SHA-256 that the project's own container image checks for this release. */
const release = {
  version: '2.10.29',
  sha256: {
    'linux-amd64': 'e314da74a83a1d3876db8814c27eb990fe729640fd6452025b441bcede8390da',
    'linux-arm64': 'da4b27942ecfb4c5f0c54553d2e7f470ddda9d7581cfe8131b351a0e223ed401',
  } as Readonly<Record<string, string>>,
};

async function fromRelease(): Promise<Found> {
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const expected = release.sha256[platform];
  if (!expected) throw new Error(`no checksum is pinned for ${platform}`);
  const name = `nats-server-v${release.version}-${platform}`;
  const address = `https://github.com/nats-io/nats-server/releases/download/v${release.version}/${name}.tar.gz`;
  const response = await fetch(address, { signal: AbortSignal.timeout(120_000) }).catch((cause: unknown) => {
    throw new Error(`${address} cannot be reached`, { cause });
  });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  const archive = Buffer.from(await response.arrayBuffer());
  const actual = createHash('sha256').update(archive).digest('hex');
  if (actual !== expected) throw new Error(`${address} has the SHA-256 ${actual}, not the pinned ${expected}`);
  mkdirSync(cacheFolder(), { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'yunshi-nats-'));
  try {
    writeFileSync(join(work, 'nats-server.tar.gz'), archive);
    execFileSync('tar', ['-xzf', 'nats-server.tar.gz'], { cwd: work });
    return keep(join(work, name, 'nats-server'), 'the official release');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function runs(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function firstLine(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  return said.trim().split('\n')[0] ?? '';
}
