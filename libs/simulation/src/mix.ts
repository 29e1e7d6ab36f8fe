import type { Dice } from './time/dice.ts';

/** How likely each thing is to go wrong in one run. Every seed draws its own: most runs have a few faults, some none, some all of them. */
export type Mix = {
  /** Of a process dying at any one step of its work. */
  readonly crash: number;
  /** The same for some steps, by their names. */
  readonly crashAt: Readonly<Record<string, number>>;
  readonly downMsMax: number;
  /** Services that have two processes. */
  readonly pairs: readonly string[];
  /** Of a connection to the database being cut around one statement, and of a statement failing for reasons of the database's own. */
  readonly cut: number;
  readonly passing: number;
  /** Of the database shutting down, for each ten seconds. */
  readonly databaseOutage: number;
  /** Of a message, or its acknowledgement, getting lost on the way to the stream; of it arriving long after it was sent. */
  readonly publishLost: number;
  readonly pubAckLost: number;
  readonly publishThrows: number;
  /** Of a message being delivered late, twice, or being acknowledged in vain. */
  readonly late: number;
  readonly lateMsMax: number;
  readonly twice: number;
  readonly ackLost: number;
  /** Of a `do` being so late that its undo overtakes it. */
  readonly overtaken: number;
  /** Of the message server restarting with the newest messages gone, or with all of them, for each ten seconds. */
  readonly serverRestart: number;
  readonly wiped: number;
  /** Of a decision breaking once. */
  readonly breaks: number;
  /** Of business time leaping ahead, for each ten seconds. */
  readonly leap: number;
  readonly leapMs: readonly number[];
  /** Of a request to us, or our answer to it, getting lost. */
  readonly requestLost: number;
  readonly answerLost: number;
  /** The same for what we ask of the outside, and of it being slow or down. */
  readonly outsideLost: number;
  readonly outsideUnheard: number;
  readonly outsideSlow: number;
  readonly outsideRefuses: number;
  readonly callbackLost: number;
  readonly callbackNever: number;
  readonly callbackTwice: number;
  /** Of the buyer paying in the moment that the order is closed. */
  readonly paidBeforeClose: number;
  readonly refundAbnormal: number;
  readonly refundClosed: number;
  readonly refundUnfunded: number;
  /** Of money coming by an order that the channel had said is closed. */
  readonly paidAfterClose: number;
  /** Of a provider having a bad time, and how long it has it, in business milliseconds. */
  readonly providerSick: number;
  readonly sickMsMin: number;
  readonly sickMsMax: number;
  /** Of a buyer using a coupon, cancelling, looking at the code without paying, and not even looking. */
  readonly coupons: number;
  readonly cancels: number;
  readonly looksOnly: number;
  readonly leaves: number;
  /** Of a provider changing the price of an order. */
  readonly bargains: number;
  /** Of buyers claiming coupons all at once. */
  readonly claims: number;
  /** How many purchases there are, each as likely. */
  readonly purchases: readonly number[];
};

const habits = {
  coupons: 0.5,
  cancels: 0.3,
  looksOnly: 0.15,
  leaves: 0.05,
  bargains: 0.25,
  claims: 0.15,
  purchases: [1, 1, 2, 2, 3, 4],
} as const;

const minute = 60_000;
const hour = 60 * minute;

/** No faults at all. */
export const calm: Mix = {
  crash: 0,
  crashAt: {},
  downMsMax: 0,
  pairs: [],
  cut: 0,
  passing: 0,
  databaseOutage: 0,
  publishLost: 0,
  pubAckLost: 0,
  publishThrows: 0,
  late: 0,
  lateMsMax: 0,
  twice: 0,
  ackLost: 0,
  overtaken: 0,
  serverRestart: 0,
  wiped: 0,
  breaks: 0,
  leap: 0,
  leapMs: [minute],
  requestLost: 0,
  answerLost: 0,
  outsideLost: 0,
  outsideUnheard: 0,
  outsideSlow: 0,
  outsideRefuses: 0,
  callbackLost: 0,
  callbackNever: 0,
  callbackTwice: 0,
  paidBeforeClose: 0,
  refundAbnormal: 0,
  refundClosed: 0,
  refundUnfunded: 0,
  paidAfterClose: 0,
  providerSick: 0,
  sickMsMin: 1_000,
  sickMsMax: 1_000,
  ...habits,
};

/** What stays when nothing fails any more: that there are two of a process, and what payers and their banks may do on any day. */
export const healed = ({ pairs, callbackNever, callbackTwice, paidBeforeClose, paidAfterClose, refundAbnormal }: Mix): Mix => ({
  ...calm,
  pairs,
  callbackNever,
  callbackTwice,
  paidBeforeClose,
  paidAfterClose,
  refundAbnormal,
});

/**
 * Draws a mix (swarm testing): each fault is on or off in a run, and if on, rare or frequent. A mix of everything at once would keep the
 * faults from being seen in their pure form: a crash after each lost message hides what the lost message alone would have shown.
 */
export function drawMix(dice: Dice, services: readonly string[]): Mix {
  const share = dice.pick([0, 0.2, 0.3, 0.5, 0.8]);
  const one = (min: number, max: number): number => (dice.chance(share) ? dice.spread(min, max) : 0);
  /** What the outside does is not rare even where everything of ours is well. */
  const often = (min: number, max: number): number => (dice.chance(Math.max(share, 0.4)) ? dice.spread(min, max) : 0);
  return {
    crash: one(0.001, 0.03),
    crashAt: {},
    downMsMax: dice.spread(20, 8_000),
    pairs: services.filter(() => dice.chance(share)),
    cut: one(0.002, 0.1),
    passing: one(0.005, 0.1),
    databaseOutage: one(0.05, 0.5),
    publishLost: one(0.005, 0.3),
    pubAckLost: one(0.005, 0.3),
    publishThrows: one(0.002, 0.05),
    late: one(0.01, 0.5),
    lateMsMax: dice.spread(50, 40_000),
    twice: one(0.01, 0.5),
    ackLost: one(0.01, 0.3),
    overtaken: one(0.1, 0.9),
    serverRestart: one(0.05, 0.6),
    wiped: one(0.05, 0.6),
    breaks: one(0.002, 0.05),
    leap: one(0.1, 0.9),
    leapMs: [dice.pick([20_000, 5 * minute]), dice.pick([2 * hour, 11 * minute]), dice.pick([25 * hour, 80 * hour])],
    requestLost: one(0.01, 0.3),
    answerLost: one(0.01, 0.4),
    outsideLost: often(0.01, 0.4),
    outsideUnheard: often(0.01, 0.5),
    outsideSlow: often(0.01, 0.4),
    outsideRefuses: often(0.01, 0.2),
    callbackLost: often(0.05, 0.6),
    callbackNever: often(0.1, 0.9),
    callbackTwice: often(0.05, 0.6),
    paidBeforeClose: often(0.2, 1),
    refundAbnormal: often(0.1, 0.8),
    refundClosed: often(0.1, 0.8),
    refundUnfunded: often(0.1, 0.8),
    paidAfterClose: often(0.2, 1),
    providerSick: often(0.2, 1),
    sickMsMin: 1_000,
    sickMsMax: dice.pick([dice.spread(10_000, hour), dice.spread(hour, 100 * hour)]),
    ...habits,
  };
}
