import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect } from '@yunshi/db/connect';
import { newId } from '@yunshi/kernel/ids';
import { services } from '@yunshi/local/services';
import { root, startSystem } from '@yunshi/local/system';
import { vault } from '@yunshi/service/vault';
import { until } from '@yunshi/testing/until';
import type { LoadAsk, LoadTold } from './calls-load.ts';
import type { UpstreamTold } from './calls-upstream.ts';
import { cpuOfProcess } from './cpu.ts';
import { quantile } from './generator.ts';
import { startSink } from './sink.ts';
import { startWorker } from './worker.ts';

/** One proxy under load: calls a second, its own CPU for each, and how long they took. */
export type CallsWindow = {
  readonly perS: number;
  readonly cpuMs: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
};
export type Calls = {
  /** Of rounds in turn, the medians: with as many callers as it takes, and at half of what the gateway served. */
  readonly full: { readonly gateway: CallsWindow; readonly bare: CallsWindow; readonly ratio: number; readonly cpuRatio: number };
  readonly half: { readonly perS: number; readonly gateway: CallsWindow; readonly bare: CallsWindow; readonly addedP99Ms: number };
  readonly counted: number;
  readonly atUpstream: number;
};
export type CallsPlan = { readonly rounds: number; readonly seconds: number; readonly connections: number };

const round = (value: number, digits = 2): number => Math.round(value * 10 ** digits) / 10 ** digits;

/** Measures the gateway for calls of API products beside the same proxy that neither checks nor counts, turn by turn. */
export async function measureCalls(plan: CallsPlan, say: (line: string) => void): Promise<Calls> {
  const dir = await mkdtemp(join(tmpdir(), 'yunshi-calls-'));
  const sink = await startSink();
  const upstream = startWorker<object, UpstreamTold>(new URL('./calls-upstream.ts', import.meta.url));
  const loader = startWorker<LoadAsk, LoadTold>(new URL('./calls-load.ts', import.meta.url));
  const bareProgram = pathToFileURL(join(root, 'services', 'api-gateway', 'src', 'forward', 'bare.fixture.ts'));
  // It tells of itself as the services do, so that telemetry is no part of the difference.
  const bare = startWorker<object, { url: string }>(bareProgram, { execArgv: ['--import', '@yunshi/telemetry/register'], env: sink.env });
  const { url: upstreamUrl } = await upstream.ask({});
  const own = services.filter(({ name }) => name === 'api-gateway');
  const settings = { AUTH_ISSUER: 'bench', AUTH_JWKS_URL: 'http://127.0.0.1/jwks', UPSTREAM_SANDBOX_URL: upstreamUrl, ...sink.env };
  const system = await startSystem({ dir, services: own, seed: 'none', env: { 'api-gateway': settings } });
  const sql = connect({ url: system.adminUrl, name: 'yunshi-bench', connectionsMax: 2 });
  try {
    const key = await buyCalls(sql, system.secrets.encryptionKey);
    const { url: bareUrl } = await bare.ask({ upstream: upstreamUrl });
    const proxies = {
      gateway: { url: system.urls['api-gateway']!, path: `/service-${key.productId.slice(4)}/v1/ask`, pid: system.pidOf('api-gateway')! },
      bare: { url: bareUrl, path: `/sandbox/upstream/${key.productId}/v1/ask`, pid: bare.pid },
    };
    const before = (await upstream.ask({})).calls;
    let toBare = 0;
    const offer = async (name: keyof typeof proxies, how: LoadAsk['how'], seconds = plan.seconds): Promise<CallsWindow> => {
      const { url, path, pid } = proxies[name];
      const cpu = cpuOfProcess(pid);
      const { calls, failed, wallMs, ms } = await loader.ask({ url, path, ...key, how, seconds });
      if (name === 'bare') toBare += calls + failed;
      const window = {
        perS: Math.round((calls * 1_000) / wallMs),
        cpuMs: round((cpuOfProcess(pid) - cpu) / calls, 3),
        p50: round(quantile(ms, 0.5)),
        p99: round(quantile(ms, 0.99)),
        failed,
      };
      say(`${name}: ${window.perS} calls/s, p50 ${window.p50} ms, p99 ${window.p99} ms, ${window.cpuMs} ms CPU a call, ${failed} failed`);
      return window;
    };
    const inTurn = async (how: LoadAsk['how']) => {
      const seen: Record<keyof typeof proxies, CallsWindow[]> = { gateway: [], bare: [] };
      for (let nth = 0; nth < plan.rounds; nth++) for (const name of ['gateway', 'bare'] as const) seen[name].push(await offer(name, how));
      return { gateway: median(seen.gateway), bare: median(seen.bare) };
    };
    for (const name of ['gateway', 'bare'] as const) await offer(name, { connections: plan.connections });
    const full = await inTurn({ connections: plan.connections });
    const perS = Math.floor(full.gateway.perS / 2);
    const half = await inTurn({ perS });
    const atUpstream = (await upstream.ask({})).calls - before - toBare;
    const counted = await until(async () => {
      const [row] = await sql<{ used: number; leased: number }[]>`select used, leased from svc_api_gateway.meters`;
      return row?.leased === 0 ? row.used : undefined;
    });
    if (counted !== atUpstream) throw new Error(`${counted} calls were counted, ${atUpstream} came to the upstream`);
    return {
      full: { ...full, ratio: round(full.gateway.perS / full.bare.perS), cpuRatio: round(full.bare.cpuMs / full.gateway.cpuMs) },
      half: { perS, ...half, addedP99Ms: round(half.gateway.p99 - half.bare.p99) },
      counted,
      atUpstream,
    };
  } finally {
    await sql.end();
    await Promise.all([loader.stop(), bare.stop(), upstream.stop()]);
    await system.stop();
    await sink.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const median = (windows: readonly CallsWindow[]): CallsWindow => ({
  perS: middle(windows.map(({ perS }) => perS)),
  cpuMs: middle(windows.map(({ cpuMs }) => cpuMs)),
  p50: middle(windows.map(({ p50 }) => p50)),
  p99: middle(windows.map(({ p99 }) => p99)),
  failed: windows.reduce((sum, { failed }) => sum + failed, 0),
});

/** As if fulfillment had told of an instance with more calls than can be made here. */
async function buyCalls(sql: ReturnType<typeof connect>, encryptionKey: string) {
  const now = new Date();
  const [instanceId, productId] = [newId('ins', now), newId('prd', now)];
  const secretId = `YSID${randomBytes(16).toString('hex')}`;
  const secret = randomBytes(24).toString('hex');
  const sealed = vault([Buffer.from(encryptionKey, 'base64')]).seal(secret, `api_keys.secret_key ${secretId}`);
  await sql`insert into svc_api_gateway.accesses (instance_id, version, account_id, provider_id, product_id, is_usable, calls_bought, expires_at)
    values (${instanceId}, 1, ${newId('acc', now)}, ${newId('prv', now)}, ${productId}, true, 1000000000, null)`;
  await sql`insert into svc_api_gateway.api_keys (secret_id, instance_id, secret_key, status, valid_until)
    values (${secretId}, ${instanceId}, ${sealed}, 'active', null)`;
  return { secretId, secret, productId };
}

export function callLines({ full, half, counted, atUpstream }: Calls): string[] {
  const line = (name: string, { perS, cpuMs, p50, p99, failed }: CallsWindow) =>
    `  ${name.padEnd(8)} ${perS} calls/s, p50 ${p50} ms, p99 ${p99} ms, ${cpuMs} ms CPU a call${failed > 0 ? `, ${failed} FAILED` : ''}`;
  return [
    `calls of an API product: ${full.ratio} of the throughput of the same proxy without checking and counting; by the CPU of the proxies alone ${full.cpuRatio}`,
    line('gateway', full.gateway),
    line('bare', full.bare),
    `  at ${half.perS} calls/s: p99 ${half.addedP99Ms} ms above it`,
    line('gateway', half.gateway),
    line('bare', half.bare),
    `  ${counted} counted, ${atUpstream} at the upstream`,
  ];
}
