import { availableParallelism } from 'node:os';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '@yunshi/testing/until';
import { violations } from '../invariants.ts';
import type { Violation } from '../rules.ts';
import { startBalancer } from './balancer.ts';
import { residentMb } from './cpu.ts';
import { measureFloor } from './floor.ts';
import { measureParcels } from './parcels.ts';
import { startPlace, type Place } from './place.ts';
import { nowUs, readProfiles, type Profile } from './profile.ts';
import { report } from './report.ts';
import { highestRate, type Tried } from './search.ts';
import { countStatements, type Statement } from './statements.ts';
import { idleCpu, offer, type Window } from './window.ts';

// `npm run bench`: starts a system of its own and measures it. `--json` ends with one line of JSON, `--quick` is coarse and done in half
// a minute, `--long` goes to 50,000 purchases, `--profile DIR` records where each service spends its time, `--rate N` measures one rate only.

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    profile: { type: 'string' },
    rate: { type: 'string' },
    seconds: { type: 'string' },
  },
});

type Plan = {
  readonly warmUpS: number;
  readonly windowS: number;
  readonly halfS: number;
  readonly idleS: number;
  readonly floor: { readonly concurrencies: readonly number[]; readonly seconds: number };
  readonly parcels: number;
  readonly search: { readonly from: number; readonly factor: number; readonly halvings: number; readonly max: number };
  /** Orders of which the memory is compared with that of ten times as many. */
  readonly memoryAt: number | undefined;
  readonly instances: readonly number[];
};

const usual: Plan = {
  warmUpS: 8,
  windowS: 8,
  halfS: 12,
  idleS: 5,
  floor: { concurrencies: [2, 4, 8, 16], seconds: 3 },
  parcels: 20_000,
  search: { from: 100, factor: 1.5, halvings: 3, max: 2_000 },
  memoryAt: 2_000,
  instances: [1, 2, 4],
};
const plan: Plan = flags.quick
  ? {
      ...usual,
      warmUpS: 3,
      windowS: 3,
      halfS: 4,
      idleS: 2,
      floor: { concurrencies: [4, 8], seconds: 1 },
      parcels: 4_000,
      search: { from: 120, factor: 1.6, halvings: 0, max: 1_000 },
      memoryAt: undefined,
      instances: [],
    }
  : flags.long
    ? { ...usual, memoryAt: 5_000 }
    : usual;

const warmUpRate = 60;
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
  readonly statements?: readonly Statement[];
  readonly instances?: readonly { readonly orders: number; readonly window: Window }[];
  readonly growth?: {
    readonly purchases: readonly [number, number];
    readonly cpu: readonly [number, number];
    readonly memoryMb: Readonly<Record<string, readonly [number, number]>>;
  };
  readonly profiles?: readonly Profile[];
  readonly violations: readonly Violation[];
};
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const say = (line: string): void => console.error(`· ${line}`);
const shown = ({ rate, perS, end, cpu, failed }: Window): string =>
  `${rate}/s offered: ${perS}/s, end to end p50 ${end.p50} ms, p99 ${end.p99} ms, ${cpu.ours} ms CPU a purchase${failed ? `, ${failed} FAILED` : ''}`;

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

async function search(place: Place): Promise<{ best: Window | undefined; tried: Tried[] }> {
  let best: Window | undefined;
  const { tried } = await highestRate(plan.search, async (rate) => {
    const window = await offer(place, rate, plan.windowS);
    say(shown(window));
    const kept = window.end.p99 < p99MsMax && window.failed === 0;
    if (kept) best = window;
    return kept;
  });
  return { best, tried };
}

const memory = ({ system, parts }: Place): Record<string, number> =>
  Object.fromEntries([...parts, 'nats'].map((part) => [part, residentMb(system.pidOf(part) ?? 0)]));

/** Goes on until there are ten times as many orders, and compares memory and cost. */
async function grow(place: Place, at: number, rate: number, before: { memory: Record<string, number>; cpu: number }) {
  const left = at * 10 - (await placed(place));
  if (left > 0) say(shown(await offer(place, rate, left / rate)));
  const after = memory(place);
  const again = await offer(place, Math.round(rate / 1.6), plan.windowS);
  say(shown(again));
  const parts = Object.keys(after).map((part) => [part, [before.memory[part] ?? 0, after[part] ?? 0]] as const);
  return { purchases: [at, at * 10] as const, cpu: [before.cpu, again.cpu.ours] as const, memoryMb: Object.fromEntries(parts) };
}

/** The same load on one, two and four instances of the order service, behind a balancer. */
async function measureInstances(counts: readonly number[], rate: number): Promise<NonNullable<Result['instances']>> {
  const balancer = await startBalancer();
  const most = Math.max(...counts);
  const place = await startPlace({ ...crowd, moreOrders: most - 1, env: { gateway: { ORDER_URL: balancer.url } }, balancer, say });
  const measured: { orders: number; window: Window }[] = [];
  try {
    for (let nth = 2; nth <= most; nth++) await place.system.kill(`order-${nth}`, 'SIGTERM');
    let running = 1;
    for (const orders of counts) {
      for (; running < orders; running++) await place.system.restart(`order-${running + 1}`);
      balancer.to(
        Array.from({ length: orders }, (_, nth) => Number(new URL(place.system.urls[nth === 0 ? 'order' : `order-${nth + 1}`]!).port)),
      );
      await offer(place, rate, plan.warmUpS);
      const window = await offer(place, rate, plan.windowS);
      say(`${orders} × order: ${shown(window)}`);
      measured.push({ orders, window });
    }
    return measured;
  } finally {
    await place.stop();
    await balancer.stop();
  }
}

const crowd = { buyers: 1_000, coupons: flags.quick || flags.rate ? 200 : flags.long ? 3_000 : 1_500 };

/** One rate, and nothing else: for comparing before and after. */
async function measureOne(place: Place, rate: number, result: Mutable<Result>): Promise<void> {
  const seconds = Number(flags.seconds ?? 10);
  result.best = await offer(place, rate, seconds);
  say(shown(result.best));
  const { statements } = await countStatements(place.sql, () => offer(place, rate, Math.min(seconds, 5)));
  result.statements = statements;
  result.statementsPerPurchase = statementsPer(statements, Math.round(rate * Math.min(seconds, 5)));
}

const statementsPer = (statements: readonly Statement[], purchases: number): number =>
  Math.round((statements.reduce((sum, { calls }) => sum + calls, 0) / purchases) * 10) / 10;

async function measureAll(place: Place, result: Mutable<Result>): Promise<void> {
  const { system, sql } = place;
  result.idle = await idleCpu(place, plan.idleS);
  say(`idle: ${result.idle.ours} ms CPU a second`);
  result.floor = await measureFloor(sql, { url: system.adminUrl, ...plan.floor });
  say(`floor: ${result.floor.purchasesPerS} purchases/s with ${result.floor.connections} connections, ${result.floor.rows} rows each`);
  const early = plan.memoryAt;
  if (early !== undefined) {
    const left = early - (await placed(place));
    if (left > 0) await offer(place, warmUpRate * 2, left / (warmUpRate * 2));
  }
  const earlyMemory = memory(place);
  const { best, tried } = await search(place);
  result.tried = tried;
  if (!best) return;
  result.best = best;
  result.ratio = Math.round((best.perS / result.floor.purchasesPerS) * 1_000) / 1_000;
  const half = Math.round(best.rate / 2);
  result.half = await offer(place, half, plan.halfS);
  say(shown(result.half));
  const { statements } = await countStatements(sql, () => offer(place, half, plan.windowS));
  result.statements = statements;
  result.statementsPerPurchase = statementsPer(statements, half * plan.windowS);
  result.parcelsPerS = await measureParcels(sql, { adminUrl: system.adminUrl, natsUrl: system.natsUrl, parcels: plan.parcels });
  say(`${result.parcelsPerS} messages/s through outbox, stream and inbox`);
  if (early !== undefined)
    result.growth = await grow(place, early, Math.round(best.rate * 0.8), { memory: earlyMemory, cpu: result.half.cpu.ours });
}

async function main(): Promise<void> {
  const result: Mutable<Result> = { cores: availableParallelism(), violations: [] };
  const profiles = flags.profile === undefined ? undefined : resolve(flags.profile);
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true });
  const place = await startPlace({ ...crowd, profiles, say });
  try {
    say(`warm-up: ${shown(await offer(place, warmUpRate, plan.warmUpS))}`);
    const fromUs = nowUs();
    if (flags.rate === undefined) await measureAll(place, result);
    else await measureOne(place, Number(flags.rate), result);
    const untilUs = nowUs();
    result.violations = await broken(place);
    if (profiles !== undefined) {
      await place.stopServices();
      result.profiles = readProfiles(profiles, { fromUs, untilUs });
    }
  } finally {
    await place.stop();
  }
  if (flags.rate === undefined && plan.instances.length > 0 && result.best)
    result.instances = await measureInstances(plan.instances, Math.round(result.best.rate / 2));
  if (!flags.json) for (const line of report(result)) console.log(line);
  else console.log(JSON.stringify({ ...result, statements: result.statements?.slice(0, 20), profiles: undefined }));
  if (result.violations.length > 0) process.exitCode = 1;
}

await main();
