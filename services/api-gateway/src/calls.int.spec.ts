import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { apiAccessChanged } from '@yunshi/contracts/fulfillment';
import { buyer, otherBuyer, testIssuer } from '@yunshi/http/testing';
import { newId } from '@yunshi/kernel/ids';
import { messageOut } from '@yunshi/messaging/envelope';
import { vault } from '@yunshi/service/vault';
import { testDatabase } from '@yunshi/testing/database';
import { testNats } from '@yunshi/testing/nats';
import { until } from '@yunshi/testing/until';
import { Agent, fetch } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { start, type Running } from './app.ts';
import { readConfig } from './config.ts';

/** The data plane before an upstream that counts, with real PostgreSQL and nats-server; some of its processes are killed. */

const database = await testDatabase('api-gateway');
const nats = await testNats();
const issuer = await testIssuer();
const encryptionKey = randomBytes(32);
const journalDir = await mkdtemp(join(tmpdir(), 'yunshi-calls-'));
const agent = new Agent({ connections: 64 });

type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly bytes: number };
const seen: Seen[] = [];
const upstream = createServer((request, response) => {
  let bytes = 0;
  const one = { method: request.method!, url: request.url!, headers: request.headers };
  // Counted when its head is there, whatever becomes of the rest.
  const at = seen.push({ ...one, bytes }) - 1;
  request.on('data', (piece: Buffer) => (bytes += piece.length));
  request.on('end', () => {
    seen[at] = { ...one, bytes };
    if (request.url!.includes('/breaks')) return request.socket.destroy();
    response.writeHead(request.url!.includes('/teapot') ? 418 : 200, {
      'content-type': 'application/json',
      'x-own': 'yes',
      connection: 'keep-alive',
    });
    response.end(JSON.stringify({ bytes }));
  });
});
const gateways: Running[] = [];
let environment: Record<string, string>;

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  environment = {
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    AUTH_ISSUER: issuer.issuer,
    AUTH_JWKS_URL: 'http://127.0.0.1/jwks',
    AUTH_AUDIENCE: issuer.audience,
    NODE_ENV: 'test',
    LOG_LEVEL: 'error',
    ENCRYPTION_KEY: encryptionKey.toString('base64'),
    JOURNAL_DIR: journalDir,
    UPSTREAM_SANDBOX_URL: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
  };
  for (let count = 0; count < 2; count++) gateways.push(await start(readConfig(environment), { auth: issuer.auth }));
});
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await agent.close();
  upstream.close();
  upstream.closeAllConnections();
  await rm(journalDir, { recursive: true, force: true });
});

type Package = ReturnType<typeof packageOf>;
function packageOf(calls: number, changes: Partial<Parameters<typeof apiAccessChanged>[0]> = {}) {
  const now = new Date();
  const secretId = `YSID${randomBytes(16).toString('hex')}`;
  const secret = randomBytes(24).toString('hex');
  const told = {
    instanceId: newId('ins', now),
    instanceVersion: 1,
    accountId: buyer.accountId,
    providerId: newId('prv', now),
    productId: newId('prd', now),
    isUsable: true,
    callsBought: calls,
    expiresAt: new Date(now.getTime() + 86_400_000).toISOString(),
    keys: [
      {
        secretId,
        secretKey: vault([encryptionKey]).seal(secret, `api_keys.secret_key ${secretId}`),
        status: 'active' as const,
        validUntil: null,
      },
    ],
    ...changes,
  };
  return { secretId, secret, told };
}
async function tell({ told }: Package): Promise<Package['told']> {
  const { core } = gateways[0]!;
  const { subject, body } = messageOut(apiAccessChanged(told), undefined, new Date(), undefined);
  core.nc.publish(subject, body);
  await core.nc.flush();
  const known = () => core.sql`select 1 from accesses where instance_id = ${told.instanceId} and version >= ${told.instanceVersion}`;
  await until(async () => (await known()).length === 1, { what: 'the gateway has heard of it', every: 5 });
  return told;
}
async function bought(calls: number, changes?: Parameters<typeof packageOf>[1]): Promise<Package> {
  const made = packageOf(calls, changes);
  await tell(made);
  return made;
}
const changed = ({ secretId, secret, told }: Package, changes: Partial<Package['told']>): Package => ({
  secretId,
  secret,
  told: { ...told, instanceVersion: told.instanceVersion + 1, ...changes },
});

const sign = (secret: string, text: string) => createHmac('sha1', secret).update(text).digest('base64');
const dialects = {
  A: ({ secretId, secret }: Package) => {
    const date = new Date().toUTCString();
    const signature = sign(secret, `date: ${date}\nsource: any`);
    return {
      date,
      source: 'any',
      authorization: `hmac id="${secretId}", algorithm="hmac-sha1", headers="date source", signature="${signature}"`,
    };
  },
  B: ({ secretId, secret }: Package) => {
    const date = new Date().toUTCString();
    const signature = sign(secret, `x-date: ${date}\nx-source: market`);
    const authorization = `hmac id="${secretId}", algorithm="hmac-sha1", headers="x-date x-source", signature="${signature}"`;
    return { 'x-date': date, 'x-source': 'market', authorization };
  },
  C: ({ secretId, secret }: Package) => {
    const date = new Date().toUTCString();
    return { authorization: JSON.stringify({ id: secretId, 'x-date': date, signature: sign(secret, `x-date: ${date}`) }) };
  },
};
const addressOf = (url: string, { told }: Package, path: string) => `${url}/service-${told.productId.slice(4)}${path}`;
type Init = { readonly method?: string; readonly body?: string | Buffer; readonly headers?: Record<string, string> };
async function call(of: Package, path: string, { headers, ...init }: Init = {}, url = gateways[0]!.url) {
  const response = await fetch(addressOf(url, of, path), { ...init, headers: { ...dialects.B(of), ...headers }, dispatcher: agent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) as Record<string, unknown> };
}
const stateOf = async ({ told }: Package) => {
  const [row] = await gateways[0]!.core.sql<
    { used: number; leased: number }[]
  >`select used, leased from meters where instance_id = ${told.instanceId}`;
  return row ?? { used: 0, leased: 0 };
};
const atUpstream = ({ told }: Package) => seen.filter(({ url }) => url.includes(told.productId));
/** When nothing is on its way any more. */
const settled = (of: Package) =>
  until(async () => ((await stateOf(of)).leased === 0 ? stateOf(of) : undefined), { what: 'all is counted', within: 10_000 });

describe('a call', () => {
  test.each(['A', 'B', 'C'] as const)('signed in dialect %s reaches the upstream, without its signature', async (dialect) => {
    const of = await bought(5);
    const response = await fetch(addressOf(gateways[0]!.url, of, '/v1/read?lang=zh%20CN'), {
      method: 'POST',
      body: 'a=1&b=2',
      headers: {
        ...dialects[dialect](of),
        'content-type': 'application/x-www-form-urlencoded',
        'x-market-token': 'forged',
        te: 'trailers',
      },
    });
    expect([response.status, await response.json(), response.headers.get('x-own')]).toEqual([200, { bytes: 7 }, 'yes']);
    const [got] = atUpstream(of);
    expect(got).toMatchObject({ method: 'POST', url: `/sandbox/upstream/${of.told.productId}/v1/read?lang=zh%20CN`, bytes: 7 });
    expect(got?.headers).toMatchObject({ 'x-market-instance': of.told.instanceId, 'content-type': 'application/x-www-form-urlencoded' });
    for (const name of ['authorization', 'x-market-token', 'te']) expect(got?.headers[name]).toBeUndefined();
    expect(await settled(of)).toEqual({ used: 1, leased: 0 });
  });

  test('may be large, and is passed on as it comes', async () => {
    const of = await bought(5);
    const body = randomBytes(3 * 1_024 * 1_024);
    expect(await call(of, '/upload', { method: 'POST', body })).toMatchObject({ status: 200, body: { bytes: body.length } });
  });

  test('is refused with the words that callers know, and is not counted then', async () => {
    const of = await bought(5);
    const other = await bought(5);
    const refusals = [
      [{ ...of, secret: 'wrong' }, 403, 'HMAC signature does not match'],
      [{ ...of, secretId: `YSID${'0'.repeat(32)}` }, 403, 'HMAC signature cannot be verified'],
      [{ ...of, told: other.told }, 403, 'Found no validate usage plan'],
    ] as const;
    for (const [as, status, message] of refusals) expect(await call(as, '/')).toMatchObject({ status, body: { message } });
    const unsigned = await fetch(addressOf(gateways[0]!.url, of, '/'));
    expect(unsigned.status).toBe(401);
    await unsigned.arrayBuffer();
    expect((await call(of, '/a%2Fb')).body['message']).toContain('There is no api match uri');
    expect([atUpstream(of).length, (await settled(of)).used]).toEqual([0, 0]);
  });

  test('that the upstream answers badly, or breaks off, is counted; one that has no upstream any more is not', async () => {
    const of = await bought(10_000);
    expect((await call(of, '/teapot')).status).toBe(418);
    expect(await call(of, '/breaks')).toMatchObject({ status: 502, body: { code: 'upstream-broke-off' } });
    const { core } = gateways[0]!;
    const token = vault([encryptionKey]).seal('x'.repeat(16), `upstreams.token ${of.told.productId}`);
    const away = environment['UPSTREAM_SANDBOX_URL']!;
    await core.sql`insert into upstreams (product_id, version, url, token) values (${of.told.productId}, 1, ${`${away.replace(/:\d+$/, ':1')}/`}, ${token})`;
    await until(async () => (await call(of, '/')).status === 404, { what: 'the upstream has moved to where the guard lets nobody' });
    const { used } = await settled(of);
    expect(used).toBe(atUpstream(of).length);
  });
});

describe('what was bought', () => {
  test('is served to the last call by several processes at once, and not one more', async () => {
    const of = await bought(300);
    const statuses = await Promise.all(
      Array.from({ length: 450 }, (_, index) => call(of, '/', {}, gateways[index % 2]!.url).then(({ status }) => status)),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(300);
    expect(statuses.filter((status) => status === 403)).toHaveLength(150);
    expect(atUpstream(of)).toHaveLength(300);
    expect(await settled(of)).toEqual({ used: 300, leased: 0 });
    expect(await call(of, '/')).toMatchObject({ status: 403, body: { code: 'calls-used-up' } });
    const more = changed(of, { callsBought: 301 });
    await tell(more);
    await until(async () => (await call(more, '/')).status === 200, { what: 'topped up' });
    expect((await settled(more)).used).toBe(301);
  });

  test('is in the log and the chart of its owner, and of nobody else', async () => {
    const of = await bought(10);
    for (const path of ['/one?secret=1', '/two', '/teapot']) await call(of, path);
    await settled(of);
    const get = async (path: string, who = buyer) => {
      const response = await fetch(`${gateways[1]!.url}/v1/instances/${of.told.instanceId}${path}`, {
        headers: { authorization: `Bearer ${await issuer.token(who)}` },
      });
      return {
        status: response.status,
        body: (await response.json()) as { items: Record<string, unknown>[]; next_cursor: string; total: number },
      };
    };
    const all = await until(async () => {
      const { body } = await get('/calls');
      return body.items.every(({ status }) => status !== null) ? body.items : undefined;
    });
    expect(all.map(({ path, status }) => [path, status])).toEqual([
      ['/teapot', 418],
      ['/two', 200],
      ['/one', 200],
    ]);
    const first = (await get('/calls?limit=2')).body;
    expect((await get(`/calls?limit=2&cursor=${first.next_cursor}`)).body).toMatchObject({ items: [{ path: '/one' }], next_cursor: null });
    expect((await get('/calls?outcome=failed')).body.items).toMatchObject([{ path: '/teapot' }]);
    expect((await get(`/calls?from=${new Date(Date.now() + 1_000).toISOString()}`)).body.items).toEqual([]);
    expect((await get('/calls/counts')).body).toMatchObject({ total: 3, items: [{ secret_id: of.secretId, calls: 3 }] });
    expect((await get('/calls/counts?from=2020-01-01&to=2024-01-01')).body).toMatchObject({ code: 'days-not-valid' });
    for (const path of ['/calls', '/calls/counts']) expect((await get(path, otherBuyer)).status).toBe(404);
  });

  test.each([
    ['a key that was disabled', (of: Package) => ({ keys: of.told.keys.map((key) => ({ ...key, status: 'disabled' as const })) })],
    [
      'a pair whose time is over',
      (of: Package) => ({ keys: of.told.keys.map((key) => ({ ...key, validUntil: new Date(0).toISOString() })) }),
    ],
    ['an instance that was closed', () => ({ isUsable: false })],
    ['an instance that has expired', () => ({ expiresAt: new Date(0).toISOString() })],
  ])('cannot be used with %s, a second later in every process', async (_what, changes) => {
    const of = await bought(1_000);
    for (const { url } of gateways) expect((await call(of, '/', {}, url)).status).toBe(200);
    const after = changed(of, changes(of) as Partial<Package['told']>);
    await tell(after);
    const since = performance.now();
    for (const { url } of gateways) await until(async () => (await call(of, '/', {}, url)).status === 403, { every: 20 });
    expect(performance.now() - since).toBeLessThan(1_000);
  });
});

describe('a process that is killed', () => {
  const children: ChildProcess[] = [];
  afterAll(() => children.forEach((child) => child.kill('SIGKILL')));

  async function child(): Promise<{ readonly process: ChildProcess; readonly url: string }> {
    const program = fileURLToPath(new URL('./main.ts', import.meta.url));
    const made = spawn(process.execPath, [program], { env: { ...environment, LOG_LEVEL: 'info' }, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(made);
    const url = await new Promise<string>((resolve, reject) => {
      let text = '';
      made.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${text}`)));
      made.stdout.on('data', (piece: Buffer) => {
        text += piece.toString();
        const said = /"url":"(http:[^"]+)"/.exec(text);
        if (said) resolve(said[1]!);
      });
    });
    return { process: made, url };
  }

  test('in the middle of its work leaves no call uncounted, and none of its lease behind', async () => {
    const of = await bought(4_000);
    const victims = [await child(), await child()];
    let isOver = false;
    const urls = [...victims.map(({ url }) => url), gateways[0]!.url];
    const load = urls.flatMap((url) =>
      Array.from({ length: 12 }, async () => {
        // Who called a process that has died goes away.
        for (let isThere = true; isThere && !isOver;)
          isThere = await call(of, '/', {}, url).then(
            () => true,
            () => false,
          );
      }),
    );
    for (const { process: victim } of victims) {
      const before = atUpstream(of).length;
      await until(() => atUpstream(of).length > before + 400, { what: 'all are at work', within: 20_000, every: 10 });
      victim.kill('SIGKILL');
    }
    await until(() => atUpstream(of).length > 1_200, { what: 'the others go on', within: 20_000 });
    isOver = true;
    await Promise.all(load);
    const { used } = await settled(of);
    expect(used).toBe(atUpstream(of).length);
    expect(await gateways[0]!.core.sql`select 1 from leases where instance_id = ${of.told.instanceId} and outstanding > 0`).toEqual([]);
    const [log] = await gateways[0]!.core.sql`
      select (select count(*)::int from api_calls where instance_id = ${of.told.instanceId}) as calls,
        (select sum(calls)::int from api_call_counts where instance_id = ${of.told.instanceId}) as counted`;
    expect(log).toEqual({ calls: used, counted: used });
  });
});
