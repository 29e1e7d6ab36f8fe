import { broken, type Violation } from '@yunshi/journeys/rules';
import type { Wrapping } from './breaches/breach.ts';
import { readBooks } from './books.ts';
import { buyers, Market, serviceNames } from './market.ts';
import { calm, drawMix, type Mix } from './mix.ts';
import { buy, claimOne, drawPlan, type Told } from './outside/buyer.ts';
import { rest, unrest } from './rest.ts';
import { Dice } from './time/dice.ts';
import { onEventLoop } from './time/microtasks.ts';
import { World } from './world.ts';

export type RunOptions = {
  readonly seed: number;
  /** Put around the parts, so that a part of the protocol is missing. */
  readonly wrapping?: Wrapping | undefined;
  /** Keeps what happened, line by line. */
  readonly log?: boolean | undefined;
  /** Instead of the mix that the seed draws. */
  readonly mix?: Partial<Mix> | undefined;
};

export type Run = {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** What happened how often: proof that a run was about something. */
  readonly reached: ReadonlyMap<string, number>;
  /** How many things happened. */
  readonly events: number;
  readonly orders: number;
  /** The same for two runs only if the same happened in both. */
  readonly digest: string;
  /** What was likely to go wrong. */
  readonly mix: Mix;
  readonly lines: readonly string[];
};

/** One run, from its seed alone. */
export const simulate = (options: RunOptions): Promise<Run> => onEventLoop(() => run(options));

function run({ seed, log = false, mix: wanted, wrapping }: RunOptions): Run {
  const mix = wanted ? { ...calm, ...wanted } : drawMix(new Dice(seed ^ 0x5eed), serviceNames);
  const world = new World({ seed, mix, log, wrapping });
  const market = new Market(world);
  const told: Told[] = [];
  const errors: string[] = [];
  market.open();
  trade(market, told, errors);
  weather(market);
  world.loop.runUntil(world.dice.spread(2_000, 90_000));
  world.heal();
  const violations: Violation[] = [];
  if (!rest(market)) violations.push({ rule: 'everything comes to rest when nothing goes wrong any more', rows: unrest(market) });
  const books = readBooks(market, told);
  violations.push(...broken(books));
  const unasked = books.orders.filter(({ orderId }) => !told.some((one) => one.orderId === orderId));
  if (unasked.length > 0) violations.push({ rule: 'a repeated request makes no second order', rows: unasked });
  for (const [rule, rows] of world.brokenLaws) violations.push({ rule, rows: rows.slice(0, 5) });
  if (errors.length > 0) violations.push({ rule: 'no client is left with an error', rows: errors });
  if (world.faults.length > 0) violations.push({ rule: 'nothing fails silently', rows: world.faults.slice(0, 5) });
  for (const end of ends(books)) world.reach(end);
  const { lines = [], reached, loop, dice } = world;
  const digest = `${(loop.digest >>> 0).toString(16)}${dice.hex8()}`;
  return { seed, violations, reached, events: loop.count, orders: told.length, digest, mix, lines };
}

/** How everything ended: proof that the runs come to every end there is. */
const ends = ({ orders, payments, attempts, refunds, instances }: ReturnType<typeof readBooks>): string[] => [
  ...orders.map((order) => `order ended: ${order.status} ${order.endReason ?? ''}`.trimEnd()),
  ...orders.flatMap(({ change }) =>
    change ? [`price change ended: ${change.status} ${change.keptBecause ?? (change.payable === 0 ? 'for nothing' : '')}`.trimEnd()] : [],
  ),
  ...payments.map(({ status }) => `payment ended: ${status}`),
  ...attempts.map(({ status, orphanReason, failure }) => `attempt ended: ${status} ${orphanReason ?? failure ?? ''}`.trimEnd()),
  ...refunds.map(({ status, generation }) => `refund ended: ${status}${generation > 1 ? ' again' : ''}`),
  ...instances.map(({ status, failure }) => `instance ended: ${status} ${failure ?? ''}`.trimEnd()),
];

/** The buyers do what they are about to do. */
function trade(market: Market, told: Told[], errors: string[]): void {
  const { dice } = market.world;
  let key = 0;
  const keys = (): string => `key-${++key}`;
  const failed = (error: unknown): void => void errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const count = dice.pick(market.world.mix.purchases);
  for (let nth = 0; nth < count; nth++) buy(market, drawPlan(market), told, keys).catch(failed);
  if (!dice.chance(market.world.mix.claims)) return;
  const allAtOnce = dice.spread(1, 5_000);
  for (let nth = 0; nth < 4; nth++) claimOne(market, dice.pick(buyers), keys(), allAtOnce).catch(failed);
}

/** Faults that do not wait for something to happen: each ten seconds they may come. */
function weather({ world, services }: Market): void {
  const { dice, loop } = world;
  const strike = (): void => {
    if (world.healed) return;
    const { mix } = world;
    const soon = (run: () => void): void => void loop.after(dice.next() * 10_000, () => !world.healed && run());
    if (dice.chance(mix.databaseOutage)) soon(() => dice.pick(Object.values(services)).shutDown(dice.spread(50, 6_000)));
    if (dice.chance(mix.serverRestart)) soon(() => world.streams.restart(dice.spread(50, 5_000), 'synced'));
    if (dice.chance(mix.wiped)) soon(() => world.streams.restart(dice.spread(50, 5_000), 'nothing'));
    if (dice.chance(mix.leap)) soon(() => world.leap(dice.pick(mix.leapMs)));
    loop.after(10_000, strike);
  };
  strike();
}
