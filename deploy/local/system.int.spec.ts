import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until } from '@yunshi/testing/until';
import postgres from 'postgres';
import { afterEach, expect, test } from 'vitest';
import { isAlive, processesWith } from './leftovers.ts';
import { freePort, portFrom } from './ports.ts';
import type { Service } from './services.ts';
import { startSystem } from './system.ts';
import type { System, SystemOptions } from './system.ts';

/** Two services that do what their environment says, in place of the real ones. */
const program = 'deploy/local/fixtures/service.mjs';
const two: Service[] = [
  { name: 'gateway', port: 8080, program },
  { name: 'order', port: 8102, program, schema: 'svc_order' },
];

const dirs: string[] = [];
const running: System[] = [];

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'yunshi-system-'));
  dirs.push(dir);
  return dir;
}

async function start(options: Partial<SystemOptions> = {}): Promise<System & { dir: string; said: string[] }> {
  const dir = options.dir ?? folder();
  const said: string[] = [];
  const system = await startSystem({ dir, services: two, durable: false, say: (line) => said.push(line), ...options });
  running.push(system);
  return { ...system, dir, said };
}

const environmentOf = async (url = '') => (await (await fetch(url)).json()) as Record<string, string>;

afterEach(async () => {
  await Promise.all(running.splice(0).map((system) => system.stop()));
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
});

test('a start makes roles, schemas and secrets, and ends with every service ready', async () => {
  const { urls, dir } = await start({ seed: 'none', testClock: true });
  const order = await environmentOf(urls['order']);
  expect(order).toMatchObject({ SEED: 'none', TEST_CLOCK: 'on', HOST: '127.0.0.1', AUTH_ISSUER: urls['gateway'] });
  const sql = postgres(order['DATABASE_URL'] ?? '', { max: 1 });
  expect(await sql`SELECT current_user, current_schema()`).toEqual([{ current_user: 'svc_order', current_schema: 'svc_order' }]);
  await sql.end();
  expect(statSync(join(dir, 'secrets.json')).mode & 0o777).toBe(0o600);
});

test('a service gets no password but its own', async () => {
  const { urls, secrets } = await start({ env: { order: { ONLY_ORDER: 'yes' } } });
  const gateway = JSON.stringify(await environmentOf(urls['gateway']));
  expect(gateway).not.toContain(secrets.roles['svc_order']);
  expect(gateway).not.toContain(secrets.postgres);
  expect(gateway).not.toContain('ONLY_ORDER');
});

test('a second start keeps the data and the secrets', async () => {
  const first = await start();
  const before = postgres(first.adminUrl, { max: 1 });
  await before`CREATE TABLE kept AS SELECT 42 AS answer`;
  await before.end();
  await first.stop();
  const second = await start({ dir: first.dir });
  const after = postgres(second.adminUrl, { max: 1 });
  expect(await after`SELECT answer FROM kept`).toEqual([{ answer: 42 }]);
  await after.end();
  expect(second.secrets).toEqual(first.secrets);
});

test('a second start on the same folder is refused, and names the one that runs', async () => {
  const { dir } = await start();
  await expect(start({ dir })).rejects.toThrow(`it already runs in ${dir}, as process ${process.pid}`);
});

test('stopping ends every process, the services in order', async () => {
  const { dir, stop, logOf } = await start({ env: { order: { SLOW_STOP: '200' } } });
  await stop();
  expect(processesWith(dir)).toEqual([]);
  expect(readFileSync(logOf('order'), 'utf8')).toContain('bye');
  expect(existsSync(join(dir, 'running.json'))).toBe(false);
});

test('a service that dies is started again, and it is said', async () => {
  const { pidOf, said, urls } = await start({ restart: true });
  const before = pidOf('order') ?? 0;
  process.kill(before, 'SIGKILL');
  await until(() => said.includes('order is ready again'), { what: 'the supervisor says that order is back' });
  expect(said).toContain('order ended by SIGKILL; it starts again in 0.5 s');
  expect(pidOf('order')).not.toBe(before);
  expect(await environmentOf(urls['order'])).toMatchObject({ OTEL_SERVICE_NAME: 'order' });
});

test('a service that a test kills stays ended until the test starts it', async () => {
  const { kill, restart, pidOf, urls } = await start({ restart: true });
  await kill('order');
  expect(pidOf('order')).toBeUndefined();
  await expect(fetch(urls['order'] ?? '')).rejects.toThrow('fetch failed');
  await restart('order');
  expect((await fetch(urls['order'] ?? '')).ok).toBe(true);
});

test.each(['nats', 'postgres'] as const)('%s can be killed, and comes back on the same port', async (part) => {
  const system = await start();
  const before = system.pidOf(part);
  await system.kill(part);
  await system.restart(part);
  expect(system.pidOf(part)).not.toBe(before);
  const sql = postgres(system.adminUrl, { max: 1 });
  expect(await sql`SELECT 1 AS alive`).toEqual([{ alive: 1 }]);
  await sql.end();
});

test('a service that cannot start fails the start with the end of its log, and nothing is left running', async () => {
  const dir = folder();
  const missing = join(dir, 'never');
  await expect(start({ dir, env: { order: { FAIL: missing } } })).rejects.toThrow(
    /order ended at its start \(with code 1\):[^]*DATABASE_URL is missing/,
  );
  expect(processesWith(dir)).toEqual([]);
});

test('what a killed start left running is ended by the next one', async () => {
  const { dir, kill, pidOf, stop } = await start();
  // As if the supervisor had been killed: its lock names a process that is gone, and a process of it still runs.
  await kill('nats', 'SIGTERM');
  const orphan = pidOf('order') ?? 0;
  const lock = readFileSync(join(dir, 'running.json'), 'utf8');
  writeFileSync(join(dir, 'running.json'), lock.replace(/"began":"[^"]*"/, '"began":"long ago"'));
  const next = await start({ dir });
  expect(next.said[0]).toMatch(/the last start was killed; \d+ processes it left running were ended/);
  await until(() => !isAlive(orphan), { what: 'the orphan is gone' });
  await next.stop();
  await stop();
});

test('a start can be stopped while it is under way', async () => {
  const dir = folder();
  const stop = new AbortController();
  const starting = start({ dir, signal: stop.signal, env: { order: { FAIL: join(dir, 'never') } } });
  stop.abort(new Error('stopped while it started'));
  await expect(starting).rejects.toThrow('stopped while it started');
  expect(processesWith(dir)).toEqual([]);
});

test('a busy port is worked around', async () => {
  const busy = createServer();
  const port = await portFrom(25_000);
  await new Promise<void>((resolve) => {
    busy.listen(port, '127.0.0.1', resolve);
  });
  expect(await portFrom(port)).toBeGreaterThan(port);
  busy.close();
});

test('two processes are never given the same free port', async () => {
  const many = 2_000;
  const module = JSON.stringify(new URL('./ports.ts', import.meta.url).href);
  const program = `const { freePort } = await import(${module});
    console.log(JSON.stringify(await Promise.all(Array.from({ length: ${many} }, freePort))));
    await new Promise((resolve) => process.stdin.on('end', resolve).resume());`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface(other.stdout), 'line')) as [string];
  const theirs = new Set(JSON.parse(line) as number[]);
  const ours = await Promise.all(Array.from({ length: many }, freePort));
  other.stdin.end();
  expect(theirs.size).toBe(many);
  expect(ours.filter((port) => theirs.has(port))).toEqual([]);
});

test('of three nats-servers that keep replicas any one can go and come back', async () => {
  const { urls, kill, restart, natsUrl } = await start({ natsServers: 3 });
  expect(natsUrl.split(',')).toHaveLength(3);
  expect(await environmentOf(urls['order'])).toMatchObject({ NATS_URL: natsUrl, NATS_REPLICAS: '3' });
  for (const server of ['nats-1', 'nats-2', 'nats-3']) {
    await kill(server);
    await restart(server);
  }
});

test('a service reaches the servers by the way that was put between', async () => {
  const asked: string[] = [];
  const between = (service: string, server: string) => Promise.resolve(asked.push(`${service} ${server}`) && 4_711);
  const { urls, adminUrl } = await start({ between });
  expect(new Set(asked)).toEqual(new Set(['gateway postgres', 'gateway nats', 'order postgres', 'order nats']));
  const order = await environmentOf(urls['order']);
  expect([new URL(order['DATABASE_URL'] ?? '').port, new URL(order['NATS_URL'] ?? '').port]).toEqual(['4711', '4711']);
  expect(new URL(adminUrl).port).not.toBe('4711');
});
