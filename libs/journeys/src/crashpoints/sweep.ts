import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connect, type Sql } from '@yunshi/db/connect';
import { startSystem, type System } from '@yunshi/local/system';
import { connectBus } from '@yunshi/messaging/bus';
import { queryRefund } from '@yunshi/payment-gateway/payment/calls';
import { until } from '@yunshi/testing/until';
import { violations } from '../invariants.ts';
import { Shopper } from '../shopper.ts';
import { buyers } from './buyers.ts';
import { plansIn, type Plans } from './plans.ts';
import { crashing, crashingServices, type CrashingService, type Target } from './targets.ts';

export type Swept = {
  /** Points that no process came by in time, so that none ended there. */
  readonly missed: readonly string[];
  /** How often a process ended by itself. */
  readonly crashes: number;
  /** Orders that were acknowledged to their buyers. */
  readonly acknowledged: number;
  /** Those of them that are not there. */
  readonly lost: readonly string[];
  readonly completed: number;
  readonly refunded: number;
};

type Sweeping = { readonly targets: readonly Target[]; readonly withinMs: number; readonly say: (line: string) => void };

/** A new buyer comes this often, as long as no more than so many are at it. */
const arrivalMs = 150;
const buyersMax = 40;
/** All buyers are one account, and ask again and again while a service is away. */
const manyAsk = '999999/60';
/** How often something is done that makes rare points come by: business time moves, messages are poisoned, callbacks get lost. */
const provokeMs = 2_000;
/** Sagas ask again after 15 s of silence, so that what a dead process held need not be waited for. */
const asksAgain = 'PT16S';
const natsRestartMs = 10_000;
/** A process that ends again and again at its start has something wrong with it. */
const startsMax = 20;
const quietMsMax = 240_000;
const poison = JSON.stringify({ poisoned: 'by the sweep' });

/**
 * Runs purchases of every kind on a whole system while its processes end at the points, each by a SIGKILL of its own, and are started
 * again. Then lets everything come to rest. Throws when that does not come, or the invariants do not hold.
 */
export async function sweep({ targets, withinMs, say }: Sweeping): Promise<Swept> {
  const dir = await mkdtemp(join(tmpdir(), 'yunshi-crashpoints-'));
  const plans = plansIn(join(dir, 'crashes'));
  const env = {
    gateway: { RATE_LIMIT_ACCOUNT: manyAsk, RATE_LIMIT_ADDRESS: manyAsk },
    ...Object.fromEntries(crashingServices.map((service) => [service, { CRASH_AT: plans.fileOf(service) }])),
  };
  const system = await startSystem({ dir, seed: 'demo', testClock: true, ports: 'free', durable: false, env });
  const sql = connect({ url: system.adminUrl, name: 'crash points', connectionsMax: 4 });
  const bus = await connectBus(system.natsUrl, 'crash points');
  const over = new AbortController();
  const fail = (error: unknown): void => over.abort(error);
  const processes = restarting(system, fail);
  try {
    plans.write(targets);
    // A process reads at its start where it shall end.
    await processes.kill(crashingServices.filter((service) => plans.left(service).length > 0));
    const shopping = shop(system, over.signal, fail);
    shopping.catch(fail);
    const provoking = provoke({ system, bus, plans, over: over.signal }).catch(fail);
    await untilNothingIsLeft({ plans, over: over.signal, withinMs, say });
    // Whatever ended it early is thrown.
    over.signal.throwIfAborted();
    over.abort();
    await provoking;
    const acknowledged = await shopping;
    const missed = plans.left();
    if (missed.length > 0) {
      plans.write([]);
      await processes.kill(crashingServices);
    }
    say(`${processes.crashes()} crashes, ${acknowledged.length} orders; waiting until all is quiet`);
    await rest({ system, sql });
    const orders = await sql<{ id: string; status: string; refunded: number }[]>`
      select order_id as id, status, refunded from svc_order.orders`;
    const kept = new Set(orders.map(({ id }) => id));
    return {
      missed,
      crashes: processes.crashes(),
      acknowledged: acknowledged.length,
      lost: acknowledged.filter((orderId) => !kept.has(orderId)),
      completed: orders.filter(({ status }) => status === 'completed').length,
      refunded: orders.filter(({ refunded }) => refunded > 0).length,
    };
  } finally {
    over.abort();
    await processes.stop();
    await bus.close();
    await sql.end();
    await system.stop();
    await rm(dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Starts services again as soon as they have died. `failed` is told when one cannot be started. */
function restarting(system: System, failed: (error: unknown) => void) {
  const stopped = new AbortController();
  let deaths = 0;
  let kills = 0;
  /** One that finds nats-server away, because it is being started again itself, ends at its start, as it should. */
  async function isUp(service: CrashingService, tries: number): Promise<boolean> {
    try {
      await system.restart(service);
      return true;
    } catch (error) {
      if (String(error).includes('by SIGKILL')) deaths++;
      else if (tries >= startsMax) throw new Error(`${service} does not start`, { cause: error });
      return false;
    }
  }
  async function keepUp(service: CrashingService): Promise<void> {
    while (!stopped.signal.aborted) {
      await pause(20);
      if (system.pidOf(service) !== undefined) continue;
      deaths++;
      for (let tries = 1; !stopped.signal.aborted && !(await isUp(service, tries)); tries++);
    }
  }
  const kept = Promise.all(crashingServices.map(keepUp)).catch(failed);
  return {
    /** Deaths that were not brought about by `kill`. */
    crashes: () => deaths - kills,
    async kill(services: readonly CrashingService[]): Promise<void> {
      for (const service of services) {
        const before = system.pidOf(service);
        kills++;
        await system.kill(service);
        await until(() => ![before, undefined].includes(system.pidOf(service)), { within: 60_000, what: `${service} is up again` });
      }
    },
    async stop(): Promise<void> {
      stopped.abort();
      await kept;
    },
  };
}

/** A service that ends again and again is away for most of a minute or two: whoever wants something of it must be patient. */
const patientShopper = ({ urls }: System): Shopper =>
  new Shopper({ gateway: urls['gateway']!, sandbox: urls['sandbox']! }, { triesMax: 5_000 });

/** Lets buyers of every kind come, one after the other, until it is over. Answers the orders that were acknowledged to them. */
async function shop(system: System, over: AbortSignal, failed: (error: unknown) => void): Promise<readonly string[]> {
  const orders: Promise<string | undefined>[] = [];
  let atIt = 0;
  const shopper = await patientShopper(system).login('lin');
  for (let nth = 0; !over.aborted; nth++) {
    if (atIt < buyersMax) {
      atIt++;
      const bought = buyers[nth % buyers.length]!(shopper, nth).finally(() => atIt--);
      bought.catch(failed);
      orders.push(bought);
    }
    await pause(arrivalMs);
  }
  return (await Promise.all(orders)).filter((orderId) => orderId !== undefined);
}

type Bus = Awaited<ReturnType<typeof connectBus>>;
type Provoking = { readonly system: System; readonly bus: Bus; readonly plans: Plans; readonly over: AbortSignal };

/** Makes happen what buyers alone do not bring about. */
async function provoke({ system, bus, plans, over }: Provoking): Promise<void> {
  const operator = await patientShopper(system).login('operator');
  let natsRestartedAt = 0;
  while (!over.aborted) {
    await operator.post('/v1/test/clock', { advance: asksAgain });
    for (const service of crashingServices.filter((one) => awaitsPoison(plans, one))) bus.publish(crashing[service], poison);
    if (plans.waitsFor({ of: queryRefund.kind })) await operator.arm('callback-lost', 3);
    if (plans.waitsFor({ point: 'relay.after-take-back' }) && performance.now() - natsRestartedAt > natsRestartMs) {
      await system.kill('nats');
      await system.restart('nats');
      natsRestartedAt = performance.now();
    }
    await pause(provokeMs);
  }
}

const awaitsPoison = (plans: Plans, service: CrashingService): boolean =>
  plans.waitsFor({ service, point: 'receive.before-bury' }) || plans.waitsFor({ service, point: 'receive.after-bury' });

type Awaiting = Omit<Sweeping, 'targets'> & Pick<Provoking, 'plans' | 'over'>;

async function untilNothingIsLeft({ plans, over, withinMs, say }: Awaiting): Promise<void> {
  const began = performance.now();
  for (let told = began; plans.left().length > 0 && !over.aborted && performance.now() - began < withinMs;) {
    await pause(100);
    if (performance.now() - told < 10_000) continue;
    told = performance.now();
    const left = plans.left();
    say(`${left.length} crashes to come, such as ${left[0]}`);
  }
}

async function rest({ system, sql }: { readonly system: System; readonly sql: Sql }): Promise<void> {
  const operator = await patientShopper(system).login('operator');
  // Those that nobody paid end at the end of their payment window, …
  await operator.post('/v1/test/clock', { advance: 'PT24H1M' });
  const isQuiet = async (): Promise<true> => {
    for (const service of crashingServices) await discardPoison(operator, service);
    const broken = await violations(sql);
    if (broken.length === 0) return true;
    // … and those whose provider never delivers after many tries.
    await operator.post('/v1/test/clock', { advance: 'PT20M' });
    throw new Error(JSON.stringify(broken, null, 1));
  };
  await until(isQuiet, { within: quietMsMax, every: 1_000, what: 'all invariants hold' });
}

/** Lays aside what the sweep itself has poisoned, and nothing else. */
async function discardPoison(operator: Shopper, service: CrashingService): Promise<void> {
  const letters = `/v1/ops/${service}/dead-letters`;
  const { body } = await operator.get(`${letters}?state=open&limit=100&name=${crashing[service]}`);
  for (const { letter_id: id } of body['items'] as { letter_id: string }[]) {
    const letter = await operator.get(`${letters}/${id}`);
    if (JSON.stringify(letter.body['body']) === poison)
      await operator.post(`${letters}/${id}/discard`, { reason: 'poisoned by the sweep' });
  }
}
