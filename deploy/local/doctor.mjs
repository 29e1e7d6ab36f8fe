// Says what is missing on this machine, and how to mend it. Works before anything is installed, so: plain JavaScript, no dependencies.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { freemem, homedir, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';

const GIB = 1024 ** 3;
const OLDEST_NATS = [2, 10, 27];

/** @typedef {{ name: string, level: 'ok' | 'note' | 'bad', found: string, mend?: string }} Finding */

/** Prints the findings; resolves to the exit code: 1 when something must be mended before `npm start` can work. */
export async function doctor(root) {
  const findings = [
    nodeVersion(),
    npmVersion(),
    platform(),
    installed(root),
    disk(root),
    memory(),
    writable(root),
    natsServer(),
    postgresUser(),
    await ports(),
    earlierStart(root),
  ];
  const marks = { ok: '✓', note: '•', bad: '✗' };
  for (const { name, level, found, mend } of findings) {
    console.log(`${marks[level]} ${name.padEnd(14)} ${found}`);
    if (mend) console.log(`  ${' '.repeat(14)} → ${mend}`);
  }
  const bad = findings.filter(({ level }) => level === 'bad').length;
  console.log(bad === 0 ? '\nNothing stands in the way of `npm start`.' : `\n${bad} to mend before \`npm start\` can work.`);
  return bad === 0 ? 0 : 1;
}

/** @returns {Finding} */
function nodeVersion() {
  const version = process.versions.node;
  const good = Number(version.split('.')[0]) >= 20;
  return {
    name: 'Node',
    level: good ? 'ok' : 'bad',
    found: `${version} (the services run on the version that package.json pins, installed by npm)`,
    ...(!good && { mend: 'install Node 20 or newer' }),
  };
}

/** @returns {Finding} */
function npmVersion() {
  const version = output('npm', ['--version']);
  if (!version) return { name: 'npm', level: 'bad', found: 'not found', mend: 'install npm 10 or newer; it comes with Node' };
  const good = Number(version.split('.')[0]) >= 10;
  const scriptsOff = output('npm', ['config', 'get', 'ignore-scripts']) === 'true';
  if (!good) return { name: 'npm', level: 'bad', found: version, mend: 'npm install --global npm' };
  return {
    name: 'npm',
    level: 'ok',
    found: scriptsOff ? `${version}; ignore-scripts is set, our install sets it off for itself` : version,
  };
}

/** @returns {Finding} */
function platform() {
  const name = `${process.platform} ${process.arch}`;
  const known = ['linux x64', 'linux arm64', 'darwin arm64', 'darwin x64'].includes(name);
  if (!known) {
    const mend = process.platform === 'win32' ? 'use WSL 2, or docker compose up' : 'use docker compose up';
    return { name: 'platform', level: 'bad', found: `${name}: there is no PostgreSQL to embed`, mend };
  }
  if (isMusl())
    return {
      name: 'platform',
      level: 'bad',
      found: `${name} with musl: the embedded PostgreSQL needs glibc`,
      mend: 'use docker compose up',
    };
  return { name: 'platform', level: 'ok', found: name };
}

function isMusl() {
  return process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;
}

/** @returns {Finding} */
function installed(root) {
  if (existsSync(join(root, 'node_modules', '.bin', 'node'))) return { name: 'packages', level: 'ok', found: 'installed' };
  return { name: 'packages', level: 'note', found: 'not installed yet: npm start does it' };
}

/** @returns {Finding} */
function disk(root) {
  const { bavail, bsize } = statfsSync(root);
  const free = (bavail * bsize) / GIB;
  const needed = existsSync(join(root, 'node_modules')) ? 1 : 2;
  const level = free >= needed ? 'ok' : 'bad';
  return { name: 'disk', level, found: `${free.toFixed(1)} GiB free`, ...(level === 'bad' && { mend: `free at least ${needed} GiB` }) };
}

/** @returns {Finding} */
function memory() {
  const total = totalmem() / GIB;
  const found = `${total.toFixed(1)} GiB, ${(freemem() / GIB).toFixed(1)} GiB of it unused`;
  if (total < 2) return { name: 'memory', level: 'bad', found, mend: 'the nine processes need about 1.5 GiB' };
  return { name: 'memory', level: 'ok', found };
}

/** @returns {Finding} */
function writable(root) {
  try {
    accessSync(root, constants.W_OK);
    return { name: 'folder', level: 'ok', found: `${root} can be written` };
  } catch {
    return { name: 'folder', level: 'bad', found: `${root} cannot be written`, mend: 'clone into a folder of your own' };
  }
}

/** @returns {Finding} */
function natsServer() {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'yunshi', 'nats-server');
  const cached = existsSync(cache) ? readdirSync(cache).map((entry) => join(cache, entry)) : [];
  const old = [];
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...cached]) {
    const path = join(folder, 'nats-server');
    const version = existsSync(path) && /(\d+)\.(\d+)\.(\d+)/.exec(output(path, ['--version']) ?? '');
    if (!version) continue;
    if (isEnough(version.slice(1).map(Number))) return { name: 'nats-server', level: 'ok', found: `${version[0]}, ${path}` };
    old.push(`${version[0]} in ${path}`);
  }
  const tooOld = old.length > 0 ? ` (too old: ${old.join(', ')})` : '';
  if (process.env.NATS_SERVER) return { name: 'nats-server', level: 'note', found: `NATS_SERVER names ${process.env.NATS_SERVER}` };
  const debian = /^ID=debian$/m.test(text('/etc/os-release')) && output('dpkg-deb', ['--version']) !== undefined;
  if (debian) return { name: 'nats-server', level: 'note', found: `none${tooOld}; npm start unpacks Debian's package into ${cache}` };
  if (process.platform === 'linux')
    return { name: 'nats-server', level: 'note', found: `none${tooOld}; npm start fetches the official release into ${cache}` };
  return {
    name: 'nats-server',
    level: 'bad',
    found: `none${tooOld}`,
    mend: 'brew install nats-server, or name one: NATS_SERVER=/path/to/nats-server',
  };
}

function isEnough(version) {
  const part = version.findIndex((number, index) => number !== OLDEST_NATS[index]);
  return part === -1 || version[part] > OLDEST_NATS[part];
}

/** @returns {Finding} */
function postgresUser() {
  if (process.getuid?.() !== 0) return { name: 'PostgreSQL', level: 'ok', found: 'will run as you' };
  if (output('id', ['-u', 'postgres'])) return { name: 'PostgreSQL', level: 'ok', found: 'you are root: it will run as the user postgres' };
  if (output('useradd', ['--help']))
    return { name: 'PostgreSQL', level: 'note', found: 'you are root: npm start makes a user postgres for it' };
  if (output('id', ['-u', 'nobody']))
    return { name: 'PostgreSQL', level: 'note', found: 'you are root, without useradd: it will run as nobody' };
  return {
    name: 'PostgreSQL',
    level: 'bad',
    found: 'does not run as root, and there is no other user',
    mend: 'start as a user who is not root',
  };
}

/** @returns {Promise<Finding>} */
async function ports() {
  const wished = [8080, 8101, 8102, 8103, 8104, 8105, 8106, 8142, 8154];
  const free = await Promise.all(wished.map(isFree));
  const busy = wished.filter((_, index) => !free[index]);
  if (busy.length === 0) return { name: 'ports', level: 'ok', found: `${wished.join(', ')} are free` };
  return { name: 'ports', level: 'note', found: `${busy.join(', ')} taken: npm start takes the next free ones, and says so` };
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** @returns {Finding} */
function earlierStart(root) {
  const local = join(root, '.local');
  const lock = join(local, 'running.json');
  if (!existsSync(lock))
    return { name: 'earlier start', level: 'ok', found: existsSync(local) ? 'none runs; its data is in .local' : 'none' };
  const { pid } = JSON.parse(text(lock) || '{}');
  if (isAlive(pid)) return { name: 'earlier start', level: 'note', found: `runs now, as process ${pid}` };
  return { name: 'earlier start', level: 'note', found: `was killed (process ${pid}); the next one ends what it left running` };
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function output(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

function text(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
