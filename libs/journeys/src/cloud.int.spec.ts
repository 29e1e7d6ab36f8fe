import { randomBytes, randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { connect } from '@yunshi/db/connect';
import { migrate } from '@yunshi/db/migrate';
import { cloudPerformers } from '@yunshi/fulfillment/cloud/performers';
import { cloudShelf } from '@yunshi/fulfillment/cloud/shelf';
import { tencentCloud } from '@yunshi/fulfillment/cloud/tencent-cloud';
import { effects } from '@yunshi/fulfillment/instance/handlers';
import { begin, expire, release, type Instance, type Step } from '@yunshi/fulfillment/instance/instance';
import { serverHandlers } from '@yunshi/fulfillment/server/handlers';
import { testClock, wallClock } from '@yunshi/kernel/clock';
import { newId } from '@yunshi/kernel/ids';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import type { CallIntent, Decision } from '@yunshi/messaging/handle';
import { guardedAgent } from '@yunshi/protocols/egress/agent';
import { cloudSandbox } from '@yunshi/sandbox/cloud/plugin';
import { vault } from '@yunshi/service/vault';
import { testDatabase } from '@yunshi/testing/database';
import { fastify } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

/* The decisions about a server and the adapter to Tencent Cloud's SDK, against the played cloud over HTTP: whatever goes wrong there, an order ends with one server or with none. */

const database = await testDatabase('sandbox');
const sql = connect({ url: database.url, name: 'cloud', connectionsMax: 4 });
const app = fastify();
const clock = testClock(0, wallClock);
const pass = (ms: number) => clock.moveTo(clock.offsetMs() + ms);
const credential = { secretId: 'AKIDtest', secretKey: 'the-key-of-the-test' };
let url = '';
const cloud = () =>
  tencentCloud({ ...credential, url, agentFor: (to) => guardedAgent(to, { development: true, allowed: [new URL(url).host] }) });

beforeAll(async () => {
  const migrations = fileURLToPath(new URL('../../../services/sandbox/migrations/cloud', import.meta.url));
  await migrate(database.url, [{ name: 'cloud', path: migrations }]);
  await app.register(cloudSandbox, { sql, clock, wall: wallClock, credential });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  await sql.end();
});
beforeEach(async () => void (await fetch(`${url}/sandbox/cloud/next/clear`, { method: 'POST' })));

const arm = (what: string, times = 1) =>
  fetch(`${url}/sandbox/cloud/next`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ what, times }),
  });
type Shown = { name: string; state: string; expiresAt: string };
const serversOf = async (id: string) =>
  ((await (await fetch(`${url}/sandbox/cloud/servers`)).json()) as { items: Shown[] }).items.filter(({ name }) => name === id);

const productId = newId('prd', clock.now());
async function configured(): Promise<ServerConfiguration> {
  const offers = await cloudShelf({ cloud: cloud(), nowMs: Date.now }).offers('ap-guangzhou', productId);
  return {
    region: 'ap-guangzhou',
    zone: 'ap-guangzhou-6',
    machineType: 'S5.MEDIUM4',
    imageId: offers.images[0]!.id,
    systemDisk: { type: 'CLOUD_BSSD', sizeGb: 50 },
    dataDisks: [],
    bandwidth: { billing: 'by_bandwidth', mbps: 5 },
    securityGroupId: offers.securityGroups[0]!.id,
    login: { method: 'password' },
  };
}

/** What fulfillment does with an instance: it is one row, its calls are made in turn, and business time goes on with them. */
class Delivery {
  instance!: Instance;
  readonly answers: string[] = [];
  readonly #calls: CallIntent[] = [];
  readonly #performers = new Map(
    cloudPerformers({ cloud: cloud(), vault: vault([randomBytes(32)]), randomInt }).map((one) => [one.kind, one.perform]),
  );

  take(step: Step): this {
    return this.#decided(effects(step, clock.now()));
  }

  #decided({ save, calls = [], answers = [] }: Decision<Instance>): this {
    this.instance = save ?? this.instance;
    this.#calls.push(...calls);
    this.answers.push(...answers.map(({ reply }) => reply.reply));
    return this;
  }

  /** Until nothing is left to be asked. `twice`: a process dies over each first try, and the call is made again. */
  async quiet({ twice = false } = {}): Promise<this> {
    for (let made = 0; this.#calls.length > 0; made++) {
      if (made > 200) throw new Error('the cloud is asked for ever');
      const { kind, request, notBefore } = this.#calls.shift()!;
      if (notBefore && notBefore > clock.now()) pass(notBefore.getTime() - clock.now().getTime());
      const perform = (attempt: number) =>
        this.#performers.get(kind)!(request as never, { attempt, signal: AbortSignal.timeout(5_000), callId: `${kind} ${made}` });
      const first = await perform(1);
      const [outcome, attempt] = twice ? [await perform(2), 2] : [first, 1];
      const decide = serverHandlers.find(({ name }) => name === kind)!.decide!;
      this.#decided(decide({ request, outcome, attempt } as never, this.instance, { now: clock.now() } as never) as Decision<Instance>);
    }
    return this;
  }
}

async function ordered(): Promise<Delivery> {
  const now = clock.now();
  const orderId = newId('ord', now);
  const line = {
    skuId: newId('sku', now),
    productId,
    providerId: newId('prv', now),
    deliveryType: 'image' as const,
    quantity: 1,
    period: { count: 1, unit: 'month' as const },
    unitPrice: 9_900,
    amount: 9_900,
  };
  const buyer = { orderId, orderNumber: '1', accountId: newId('acc', now), userId: newId('usr', now) };
  const asker = { sagaId: 'sag_1', step: 'fulfil', direction: 'do' as const, replyTo: 'order' };
  const image = { kind: 'new_purchase' as const, productName: '镜像', skuName: '标准版', isTrial: false, humanDelivery: false };
  return new Delivery().take(begin({ ...buyer, ...image, line, server: await configured() }, asker, now));
}

describe('an order of an image', () => {
  test('ends with one server, made in three to five minutes, that is paid for as long as the instance', async () => {
    const since = clock.now().getTime();
    const { instance, answers } = await (await ordered()).quiet();
    expect({ answers, status: instance.status }).toEqual({ answers: ['fulfilled'], status: 'shipped' });
    expect(clock.now().getTime() - since).toBeGreaterThan(3 * 60_000);
    expect(clock.now().getTime() - since).toBeLessThan(6 * 60_000);
    const [server, ...others] = await serversOf(instance.instanceId);
    expect(others).toEqual([]);
    expect(new Date(server!.expiresAt)).toEqual(instance.expiresAt);
    expect(instance.server).toMatchObject({ state: 'running', privateIp: expect.any(String), publicIp: expect.any(String) });
  });

  test.each([
    ['the answer is lost', 'answer-lost', 3],
    ['the cloud fails inside', 'call-fails', 3],
    ['we ask too often', 'call-throttled', 3],
  ])('ends with one server where %s', async (_, what, times) => {
    await arm(what, times);
    const { instance, answers } = await (await ordered()).quiet();
    expect({ answers, status: instance.status }).toEqual({ answers: ['fulfilled'], status: 'shipped' });
    expect(await serversOf(instance.instanceId)).toHaveLength(1);
  });

  test('ends with one server where a process dies over every call', async () => {
    const { instance, answers } = await (await ordered()).quiet({ twice: true });
    expect({ answers, status: instance.status }).toEqual({ answers: ['fulfilled'], status: 'shipped' });
    expect(await serversOf(instance.instanceId)).toHaveLength(1);
  });

  test.each(['sold-out', 'quota', 'launch-fails'])('that meets «%s» is given back, and leaves no server behind', async (what) => {
    await arm(what);
    const { instance, answers } = await (await ordered()).quiet();
    expect({ answers, status: instance.status, failure: instance.failure }).toEqual({
      answers: ['refused'],
      status: 'failed',
      failure: 'server-not-made',
    });
    expect(instance.server?.state).toBe('released');
    expect((await serversOf(instance.instanceId)).filter(({ state }) => state !== 'TERMINATED')).toEqual([]);
  });

  test('is isolated and released when its time is over, also where the cloud fails meanwhile', async () => {
    const delivery = await (await ordered()).quiet();
    const { expiresAt } = delivery.instance;
    pass(expiresAt!.getTime() - clock.now().getTime());
    await arm('call-fails', 2);
    await delivery.take(expire(delivery.instance, clock.now())).quiet();
    expect(delivery.instance).toMatchObject({ status: 'expired', server: { state: 'isolated' } });
    pass(7 * 86_400_000);
    await delivery.take(release(delivery.instance, clock.now())).quiet();
    expect(delivery.instance).toMatchObject({ status: 'closed', server: { state: 'released' }, access: null });
    expect((await serversOf(delivery.instance.instanceId)).map(({ state }) => state)).toEqual(['TERMINATED']);
  });
});
