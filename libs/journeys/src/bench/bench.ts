import { availableParallelism } from 'node:os';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '@yunshi/testing/until';
import { violations } from '../invariants.ts';
import type { Violation } from '../rules.ts';
import { startBalancer } from './balancer.ts';
import { measureCalls, type Calls, type CallsPlan } from './calls.ts';
import { residentMb } from './cpu.ts';
import type { Size } from './full-tables.ts';
import { measureFloor } from './floor.ts';
import { measureLists, type Lists } from './lists.ts';
import { measureParcels } from './parcels.ts';
import { startPlace, type Place } from './place.ts';
import { nowUs, readProfiles, type Profile } from './profile.ts';
import { report } from './report.ts';
import { highestRate, type Tried } from './search.ts';
import { countStatements, type Statement } from './statements.ts';
import { idleCpu, offer, type Window } from './window.ts';

// `npm run bench`: starts a system of its own and measures it. `--json` ends with one line of JSON; `--only PART` (several times: floor,
// system, parcels, growth, lists, instances, calls) leaves out the rest; `--quick` is coarse; `--long` goes to 50,000 purchases. To look closer:
// `--rate N --seconds S --windows W` offers one rate again and again, `--profile DIR` records where each service spends its time, and
// `--set NAME=VALUE` and `--postgres NAME=VALUE` give the services an environment variable and PostgreSQL a setting to be tried.

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    profile: { type: 'string' },
    rate: { type: 'string' },
    seconds: { type: 'string' },
    windows: { type: 'string' },
    only: { type: 'string', multiple: true },
    set: { type: 'string', multiple: true, default: [] },
    postgres: { type: 'string', multiple: true, default: [] },
  },
});

const parts = ['floor', 'system', 'parcels', 'growth', 'lists', 'instances', 'calls'] as const;
type Part = (typeof parts)[number];
const strange = flags.only?.filter((name) => !(parts as readonly string[]).includes(name)) ?? [];
if (strange.length > 0) throw new Error(`--only ${strange.join(', ')}: the parts are ${parts.join(', ')}`);
const wanted = (part: Part): boolean => flags.only === undefined || flags.only.includes(part);

/** `NAME=VALUE` */
const settings = (given: readonly string[]): Record<string, string> =>
  Object.fromEntries(given.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]));

type Plan = {
  /** A process that has just started runs code that is not compiled yet: windows until one is no cheaper than the one before. */
  readonly warmUp: { readonly seconds: number; readonly windowsMin: number; readonly windowsMax: number };
  readonly windowS: number;
  /** The best rate is held for so long before it is believed: a queue that grows slowly is not seen in a short window. */
  readonly holdS: number;
  readonly halfS: number;
  readonly idleS: number;
  readonly floor: { readonly concurrencies: readonly number[]; readonly seconds: number };
  readonly parcels: number;
  readonly search: { readonly from: number; readonly factor: number; readonly halvings: number; readonly max: number };
  /** Orders of which the memory is compared with that of ten times as many. */
  readonly memoryAt: number | undefined;
  readonly instances: readonly number[];
  /** How full the tables are when lists are read, and how often each is asked for. */
  readonly lists: { readonly size: Size; readonly asksEach: number };
  /** Turns of the gateway for calls and of the proxy that it is measured beside. */
  readonly calls: CallsPlan;
};

const usual: Plan = {
  warmUp: { seconds: 15, windowsMin: 3, windowsMax: 8 },
  windowS: 8,
  holdS: 30,
  halfS: 12,
  idleS: 5,
  floor: { concurrencies: [2, 4, 8, 16], seconds: 3 },
  parcels: 20_000,
  search: { from: 80, factor: 1.5, halvings: 3, max: 2_000 },
  memoryAt: 2_000,
  instances: [1, 2, 4],
  lists: { size: { orders: 1_000_000, claims: 100_000, products: 20_000 }, asksEach: 200 },
  calls: { rounds: 5, seconds: 8, connections: 32 },
};
const plan: Plan = flags.quick
  ? {
      ...usual,
      warmUp: { seconds: 3, windowsMin: 1, windowsMax: 1 },
      windowS: 3,
      holdS: 3,
      halfS: 4,
      idleS: 2,
      floor: { concurrencies: [4, 8], seconds: 1 },
      parcels: 4_000,
      search: { from: 120, factor: 1.6, halvings: 0, max: 1_000 },
      memoryAt: undefined,
      instances: [],
      lists: { size: { orders: 50_000, claims: 10_000, products: 2_000 }, asksEach: 20 },
      calls: { rounds: 1, seconds: 3, connections: 32 },
    }
  : flags.long
    ? { ...usual, memoryAt: 5_000 }
    : usual;

const warmUpRate = 50;
/** A window that is cheaper than the one before by less than this share tells that what can be compiled is. */
const warmWithin = 0.05;
/** Each next rate that is held is so many times the one that was not. */
const stepDown = 0.93;
const holdsMax = 8;
const p99MsMax = 2_000;
const quietWithinMs = 60_000;

export type Result = {
  readonly cores: number;
  readonly floor?: { readonly purchasesPerS: number; readonly connections: number; readonly rows: number };
  readonly best?: Window;
  readonly tried?: readonly Tried[];
  readonly ratio?: number;
  readonly half?: Window;
  readonly idle?: Window['cpu'];
  readonly parcelsPerS?: number;
  readonly statementsPerPurchase?: number;
  readonly commitsPerPurchase?: number;
  readonly messagesPerPurchase?: number;
  readonly statements?: readonly Statement[];
  readonly instances?: readonly { readonly orders: number; readonly window: Window }[];
  readonly growth?: {
    readonly purchases: readonly [number, number];
    readonly cpu: readonly [number, number];
    readonly memoryMb: Readonly<Record<string, readonly [number, number]>>;
  };
  readonly lists?: Pick<Lists, 'size' | 'looks'>;
  readonly calls?: Calls;
  readonly profiles?: readonly Profile[];
  readonly violations: readonly Violation[];
};
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const say = (line: string): void => console.error(`· ${line}`);
const shown = ({ rate, perS, end, cpu, failed, busiest }: Window): string =>
  `${rate}/s offered: ${perS}/s, end to end p50 ${end.p50} ms, p99 ${end.p99} ms, ${cpu.ours} ms CPU a purchase, ${busiest.part} at ${busiest.percent} % of a core${failed ? `, ${failed} FAILED` : ''}`;

async function warmUp(place: Place, rate = warmUpRate): Promise<void> {
  const { seconds, windowsMin, windowsMax } = plan.warmUp;
  let before = Number.POSITIVE_INFINITY;
  for (let nth = 1; nth <= windowsMax; nth++) {
    const window = await offer(place, rate, seconds);
    say(`warm-up: ${shown(window)}`);
    if (nth >= windowsMin && window.cpu.ours > before * (1 - warmWithin)) return;
    before = window.cpu.ours;
  }
}

/** All purchases made so far in this place. */
const placed = async ({ sql }: Place): Promise<number> => (await sql<{ n: number }[]>`select count(*) as n from svc_order.orders`)[0]!.n;

/** What holds only when nothing is under way any more is waited for; what then does not hold is broken. */
async function broken(place: Place): Promise<readonly Violation[]> {
  let last: readonly Violation[] = [];
  await until(
    async () => {
      last = await violations(place.sql);
      return last.length === 0;
    },
    { within: quietWithinMs, every: 1_000 },
  ).catch(() => undefined);
  return last;
}

const isKept = ({ end, failed }: Window): boolean => end.p99 < p99MsMax && failed === 0;

async function offered(place: Place, rate: number, seconds: number): Promise<Window> {
  const window = await offer(place, rate, seconds);
  say(shown(window));
  return window;
}

/** The highest rate that is held: looked for in short windows, then held in a long one. A rate that fails once gets another chance. */
async function search(place: Place): Promise<{ best: Window | undefined; tried: Tried[] }> {
  const keeps = async (rate: number): Promise<boolean> =>
    isKept(await offered(place, rate, plan.windowS)) || isKept(await offered(place, rate, plan.windowS));
  const { rate: highest, tried } = await highestRate(plan.search, keeps);
  let rate = highest;
  for (let left = holdsMax; left > 0 && rate > 0; left--) {
    const held = await offered(place, rate, plan.holdS);
    tried.push({ rate, kept: isKept(held) });
    if (isKept(held)) return { best: held, tried };
    rate = Math.floor(rate * stepDown);
  }
  return { best: undefined, tried };
}

const memory = ({ system, parts }: Place): Record<string, number> =>
  Object.fromEntries([...parts, 'nats'].map((part) => [part, residentMb(system.pidOf(part) ?? 0)]));

type Early = { readonly purchases: number; readonly memory: Readonly<Record<string, number>>; readonly cpu: number };

const makeUntil = async (place: Place, purchases: number, rate: number): Promise<void> => {
  const left = purchases - (await placed(place));
  if (left > 0) await offered(place, rate, left / rate);
};

/** Memory and cost while there are few orders. */
async function lookEarly(place: Place, purchases: number): Promise<Early> {
  await makeUntil(place, purchases, growthRate);
  return { purchases, memory: memory(place), cpu: (await offered(place, growthRate, plan.halfS)).cpu.ours };
}

/** Goes on until there are ten times as many orders, and compares memory and cost at the same rate. */
async function grow(place: Place, before: Early, rate: number): Promise<NonNullable<Result['growth']>> {
  const purchases = before.purchases * 10;
  await makeUntil(place, purchases, rate);
  const after = memory(place);
  const { cpu } = await offered(place, growthRate, plan.halfS);
  const parts = Object.keys(after).map((part) => [part, [before.memory[part] ?? 0, after[part] ?? 0]] as const);
  return { purchases: [before.purchases, purchases], cpu: [before.cpu, cpu.ours], memoryMb: Object.fromEntries(parts) };
}

/** The same load on one, two and four instances of the order service, behind a balancer. */
async function measureInstances(
  counts: readonly number[],
  rate: number,
): Promise<{ readonly instances: NonNullable<Result['instances']>; readonly violations: readonly Violation[] }> {
  const balancer = await startBalancer();
  const most = Math.max(...counts);
  const env = { ...crowd.env, gateway: { ORDER_URL: balancer.url } };
  const place = await startPlace({ ...crowd, moreOrders: most - 1, env, balancer, say });
  const measured: { orders: number; window: Window }[] = [];
  try {
    for (let nth = 2; nth <= most; nth++) await place.system.kill(`order-${nth}`, 'SIGTERM');
    let running = 1;
    for (const orders of counts) {
      for (; running < orders; running++) await place.system.restart(`order-${running + 1}`);
      balancer.to(
        Array.from({ length: orders }, (_, nth) => Number(new URL(place.system.urls[nth === 0 ? 'order' : `order-${nth + 1}`]!).port)),
      );
      await warmUp(place, rate);
      const window = await offer(place, rate, plan.windowS);
      say(`${orders} × order: ${shown(window)}`);
      measured.push({ orders, window });
    }
    return { instances: measured, violations: await broken(place) };
  } finally {
    await place.stop();
    await balancer.stop();
  }
}

const crowd = {
  buyers: 1_000,
  coupons: flags.quick || flags.rate ? 200 : flags.long ? 3_000 : 1_500,
  env: { '*': settings(flags.set) },
  postgresSettings: settings(flags.postgres),
};

/** One rate, and nothing else: for comparing before and after. */
async function measureOne(place: Place, rate: number, result: Mutable<Result>): Promise<void> {
  const seconds = Number(flags.seconds ?? 10);
  for (let left = Number(flags.windows ?? 1); left > 0; left--) {
    result.best = await offer(place, rate, seconds);
    say(shown(result.best));
  }
  await count(place, rate, Math.min(seconds, 5), result);
}

/** What one purchase asks of PostgreSQL, and how many messages it sends. */
async function count(place: Place, rate: number, seconds: number, result: Mutable<Result>): Promise<void> {
  const { commits, statements } = await countStatements(place.sql, () => offer(place, rate, seconds));
  const each = (sum: number): number => Math.round((sum / Math.round(rate * seconds)) * 10) / 10;
  result.statements = statements;
  result.statementsPerPurchase = each(statements.reduce((sum, { calls }) => sum + calls, 0));
  result.commitsPerPurchase = each(commits);
  const toOutbox = statements.filter(({ text }) => /^\s*insert into outbox/.test(text));
  result.messagesPerPurchase = each(toOutbox.reduce((sum, { rows }) => sum + rows, 0));
}

/** The rate at which memory and cost are compared, early and late. */
const growthRate = 60;

async function measureAll(place: Place, result: Mutable<Result>): Promise<void> {
  const { system, sql } = place;
  result.idle = await idleCpu(place, plan.idleS);
  say(`idle: ${result.idle.ours} ms CPU a second`);
  if (wanted('floor')) {
    result.floor = await measureFloor(sql, { url: system.adminUrl, ...plan.floor });
    say(`floor: ${result.floor.purchasesPerS} purchases/s with ${result.floor.connections} connections, ${result.floor.rows} rows each`);
  }
  const early = wanted('growth') && plan.memoryAt !== undefined ? await lookEarly(place, plan.memoryAt) : undefined;
  if (wanted('system')) await measureSystem(place, result);
  if (wanted('parcels')) {
    result.parcelsPerS = await measureParcels(sql, { adminUrl: system.adminUrl, natsUrl: system.natsUrl, parcels: plan.parcels });
    say(`${result.parcelsPerS} messages/s through outbox, stream and inbox`);
  }
  if (early !== undefined) result.growth = await grow(place, early, result.best ? Math.round(result.best.rate * 0.8) : growthRate);
}

async function measureSystem(place: Place, result: Mutable<Result>): Promise<void> {
  const { best, tried } = await search(place);
  result.tried = tried;
  if (!best) return;
  result.best = best;
  if (result.floor) result.ratio = Math.round((best.perS / result.floor.purchasesPerS) * 1_000) / 1_000;
  const half = Math.round(best.rate / 2);
  result.half = await offer(place, half, plan.halfS);
  say(shown(result.half));
  await count(place, half, plan.windowS, result);
}

async function measureMore(counts: readonly number[], result: Mutable<Result>): Promise<void> {
  const { instances, violations: more } = await measureInstances(counts, result.half?.rate ?? growthRate / 2);
  result.instances = instances;
  result.violations = [...result.violations, ...more];
}

/** The last thing that is done with a place: the copies that its tables are filled with are in no book. */
async function lookAtLists(place: Place, result: Mutable<Result>): Promise<void> {
  if ((await placed(place)) === 0) await makeUntil(place, 5, 5);
  const { size, looks, violations: more } = await measureLists(place, { ...plan.lists, say });
  result.lists = { size, looks };
  result.violations = [...result.violations, ...more];
}

const onlyLists = flags.only?.every((part) => part === 'lists') ?? false;

async function measurePlace(result: Mutable<Result>): Promise<void> {
  const profiles = flags.profile === undefined ? undefined : resolve(flags.profile);
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true });
  const place = await startPlace({ ...crowd, profiles, say });
  try {
    if (!onlyLists) await warmUp(place);
    const fromUs = nowUs();
    if (flags.rate === undefined) await measureAll(place, result);
    else await measureOne(place, Number(flags.rate), result);
    const untilUs = nowUs();
    result.violations = await broken(place);
    if (flags.rate === undefined && wanted('lists')) await lookAtLists(place, result);
    if (profiles !== undefined) {
      await place.stopServices();
      result.profiles = readProfiles(profiles, { fromUs, untilUs });
    }
  } finally {
    await place.stop();
  }
}

/** The gateway for calls has a place of its own, and needs no buyers. */
const onlyCalls = flags.only?.every((part) => part === 'calls') ?? false;

async function main(): Promise<void> {
  const result: Mutable<Result> = { cores: availableParallelism(), violations: [] };
  if (!onlyCalls) await measurePlace(result);
  if (flags.rate === undefined && plan.instances.length > 0 && wanted('instances')) await measureMore(plan.instances, result);
  if (flags.rate === undefined && wanted('calls')) result.calls = await measureCalls(plan.calls, say);
  if (!flags.json) for (const line of report(result)) console.log(line);
  else console.log(JSON.stringify({ ...result, statements: result.statements?.slice(0, 20), profiles: undefined }));
  if (result.violations.length > 0) process.exitCode = 1;
}

await main();
