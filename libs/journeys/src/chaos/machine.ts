import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '@yunshi/testing/until';

const run = promisify(execFile);

const hasProgram = (name: string): boolean =>
  [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => existsSync(join(folder, name)));

/** Why no file system can be mounted here; undefined when it can. */
export function whyNoMounts(): string | undefined {
  if (process.platform !== 'linux') return 'mounting a file system for it needs Linux';
  if (process.getuid?.() !== 0) return 'mounting a file system needs root';
  const missing = ['mount', 'umount'].filter((name) => !hasProgram(name));
  if (missing.length > 0) return `there is no ${missing.join(' and no ')} here (apt-get install mount)`;
  const folder = mkdtempSync(join(tmpdir(), 'yunshi-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `mounting is refused here: ${error instanceof Error ? error.message.trim() : String(error)}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Why no power cut can be played here; undefined when it can. */
export function whyNoPowerCut(): string | undefined {
  const why = whyNoMounts();
  if (why !== undefined) return why;
  if (!existsSync('/dev/loop-control')) return 'there are no loop devices here (/dev/loop-control)';
  if (!hasProgram('mkfs.ext4')) return 'there is no mkfs.ext4 here (apt-get install e2fsprogs)';
  if (!hasProgram('xfs_io') && !hasProgram('perl')) return 'there is neither xfs_io nor perl here (apt-get install xfsprogs)';
  return undefined;
}

/** A small file system in memory at the folder. Answers how to take it away. */
export async function mountSmall(folder: string, megabytes: number): Promise<() => Promise<void>> {
  mkdirSync(folder, { recursive: true });
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder]);
  return () => unmount(folder);
}

/** A file system whose power can be cut: what it has not synced by then is lost. */
export type Disk = {
  /** From now on nothing reaches the disk any more. */
  readonly cut: () => Promise<void>;
  /** Mounts what is left; whoever had files open on it must have ended. */
  readonly mountAgain: () => Promise<void>;
  readonly remove: () => Promise<void>;
};

const diskSize = '3G';

export async function makeDisk(image: string, folder: string): Promise<Disk> {
  mkdirSync(folder, { recursive: true });
  await run('truncate', ['--size', diskSize, image]);
  await run('mkfs.ext4', ['-q', '-F', image]);
  const mount = () => run('mount', ['-o', 'loop', image, folder]);
  await mount();
  return {
    cut: () => shutDown(folder),
    async mountAgain() {
      await unmount(folder);
      await mount();
    },
    async remove() {
      await unmount(folder);
      rmSync(image, { force: true });
    },
  };
}

/** EXT4_IOC_SHUTDOWN with «do not flush the journal», which is what `xfs_io -x -c shutdown` asks for. */
const shutdownByPerl =
  'open(my $f, "<", $ARGV[0]) or die $!; my $flag = pack("L", 2); ioctl($f, 0x8004587d, $flag) or die "the file system cannot be shut down: $!"';

async function shutDown(folder: string): Promise<void> {
  if (hasProgram('xfs_io')) await run('xfs_io', ['-x', '-c', 'shutdown', folder]);
  else await run('perl', ['-e', shutdownByPerl, folder]);
}

/** Processes that were killed may hold their files for a moment longer. */
async function unmount(folder: string): Promise<void> {
  const isMounted = () => readFileSync('/proc/mounts', 'utf8').includes(` ${folder} `);
  await until(() => !isMounted() || run('umount', [folder]).then(() => !isMounted()), {
    within: 30_000,
    every: 100,
    what: `${folder} is unmounted`,
  });
}

/** The library that shows a process another wall clock; or why there is none. */
export function findFaketime(): { readonly library: string } | { readonly why: string } {
  if (process.platform !== 'linux') return { why: 'libfaketime is loaded as Linux does it' };
  const given = process.env['FAKETIME_LIBRARY'];
  const present = [given, ...installed('/usr/lib'), ...installed(cacheFolder())].find((path) => path !== undefined && existsSync(path));
  if (present !== undefined) return { library: present };
  try {
    return { library: fetchFaketime() };
  } catch (error) {
    const said = error instanceof Error ? error.message.trim().split('\n')[0] : String(error);
    return {
      why: `there is no libfaketime here, and its package could not be fetched (${said}): apt-get install faketime, or FAKETIME_LIBRARY=…`,
    };
  }
}

const cacheFolder = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'yunshi', 'faketime');
const libraryName = 'libfaketime.so.1';

function installed(root: string): string[] {
  if (!existsSync(root)) return [];
  const platforms = readdirSync(root).filter((name) => name.includes('linux-gnu'));
  return platforms.map((name) => join(root, name, 'faketime', libraryName));
}

/** Debian's package, unpacked into the cache and not installed. */
function fetchFaketime(): string {
  const work = mkdtempSync(join(tmpdir(), 'yunshi-faketime-'));
  try {
    const options = { cwd: work, stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], timeout: 60_000 };
    execFileSync('apt-get', ['--quiet', '--quiet', '-o', 'APT::Sandbox::User=root', 'download', 'libfaketime'], options);
    const file = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (file === undefined) throw new Error('apt-get download left no package');
    execFileSync('dpkg-deb', ['--extract', file, 'unpacked'], options);
    const [library] = installed(join(work, 'unpacked', 'usr', 'lib'));
    if (library === undefined) throw new Error('the package holds no library');
    const folder = join(cacheFolder(), library.split('/').at(-3)!, 'faketime');
    mkdirSync(folder, { recursive: true });
    // In one step, so that two runs at once cannot see half a file.
    const staged = join(folder, `${libraryName}.${process.pid}`);
    writeFileSync(staged, readFileSync(library));
    renameSync(staged, join(folder, libraryName));
    return join(folder, libraryName);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
