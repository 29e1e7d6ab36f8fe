// Runs on the Node that the machine has (20 or newer) before anything is installed: no dependencies, no TypeScript.
// It installs what package-lock.json says, when it says something new, and hands over to the Node that the project pins.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const node = join(root, 'node_modules', '.bin', 'node');
const stamp = join(root, 'node_modules', '.yunshi-installed');
const installer = join(root, '.cache', 'installing.pid');

const commands = {
  start: 'deploy/local/start.ts',
  reset: 'deploy/local/reset.ts',
  demo: 'deploy/local/demo.ts',
  test: 'tools/test.ts',
  bench: 'libs/journeys/src/bench/bench.ts',
  simulate: 'libs/simulation/src/simulate.ts',
  crashpoints: 'libs/journeys/src/crashpoints/crashpoints.ts',
  chaos: 'libs/journeys/src/chaos/chaos.ts',
  powercut: 'libs/journeys/src/chaos/powercut.ts',
};

const [command = '', ...args] = process.argv.slice(2);
if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node ${process.versions.node} is too old: version 20 or newer is needed.`);
process.chdir(root);
if (command === 'doctor') {
  const { doctor } = await import('./doctor.mjs');
  process.exit(await doctor(root));
}
if (!Object.hasOwn(commands, command)) fail(`There is no "${command}": choose one of ${Object.keys(commands).join(', ')}, doctor.`);
await install();
process.exit(await run(node, [commands[command], ...args]));

/** The lock file decides what is installed; the platform decides which binaries come with it. */
function wanted() {
  const lock = readFileSync(join(root, 'package-lock.json'));
  return createHash('sha256').update(lock).update(`${process.platform}-${process.arch}`).digest('hex');
}

function isInstalled() {
  return existsSync(node) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted();
}

/** Two commands may be given at once on a fresh machine: one installs, the other waits for it. */
async function install() {
  if (isInstalled()) return;
  await takeTurn();
  if (!isInstalled()) await installPackages();
  rmSync(installer, { force: true });
}

async function takeTurn() {
  mkdirSync(dirname(installer), { recursive: true });
  for (let told = false; ; told = true) {
    try {
      return writeFileSync(installer, String(process.pid), { flag: 'wx' });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const other = pidIn(installer);
    if (!isAlive(other)) rmSync(installer, { force: true });
    else if (!told) console.log(`Process ${other} is installing already: waiting for it …`);
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function pidIn(file) {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch {
    return 0;
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function installPackages() {
  console.log('Installing the packages of package-lock.json (once, and again when it changes) …');
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const ticking = setInterval(() => console.log(`  … still installing, ${seconds()} s`), 15_000);
  // Only errors are shown: packages that want a newer Node than the machine's get the pinned one, so npm's warnings about it are noise.
  const code = await run(process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'ci',
    '--include=dev',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--engine-strict=false',
    '--ignore-scripts=false',
  ]);
  clearInterval(ticking);
  if (code !== 0) rmSync(installer, { force: true });
  if (code !== 0) fail(`npm ci failed (exit ${code}). \`npm run doctor\` may say why; the log named above says what.`);
  if (!existsSync(node)) fail('npm installed no Node of its own: is `ignore-scripts` set, or the platform without a package "node"?');
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted());
  console.log(`Installed in ${seconds()} s.`);
}

/** Runs a program in our terminal until it ends. Ctrl-C reaches it by itself (it is in our process group); other signals we pass on. */
function run(program, programArgs) {
  return new Promise((resolve) => {
    const env = { ...process.env, PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}` };
    const child = spawn(program, programArgs, { stdio: 'inherit', cwd: root, env });
    const wait = () => {};
    const pass = (signal) => child.kill(signal);
    process.on('SIGINT', wait).on('SIGTERM', pass).on('SIGHUP', pass);
    child.once('error', (error) => {
      console.error(`${program} cannot be started: ${error.message}`);
      resolve(127);
    });
    child.once('exit', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', pass).off('SIGHUP', pass);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 143));
    });
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
