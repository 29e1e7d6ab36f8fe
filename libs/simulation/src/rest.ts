import { demoPersonas } from '@yunshi/contracts/demo-world';
import type { Payment } from '@yunshi/payment-gateway/payment/state';
import type { Market } from './market.ts';
import { surely } from './outside/clients.ts';

const minute = 60_000;
const hour = 60 * minute;
/** A run that goes on for longer than this goes on for ever. */
const eventsMax = 200_000;

/**
 * Lets everything come to rest, with an operator who looks after stuck refunds. Time passes by itself for some minutes and then leaps,
 * further each time, so that a provider's bad week takes a few rounds only. Answers whether it came to rest.
 */
export function rest(market: Market): boolean {
  const { world } = market;
  for (let leapMs = 20 * minute; world.now().getTime() < world.endsAtMs && world.loop.count < eventsMax; leapMs *= 3) {
    if (world.loop.runUntil(world.loop.now + 2 * minute) && !isStuck(market)) return true;
    operate(market);
    world.leap(Math.max(Math.min(leapMs, 24 * hour), world.idleMs()));
  }
  return false;
}

/** What a person does with refunds that went wrong at the channel. */
function operate({ services: { payment }, wechat, writes }: Market): void {
  wechat.settleAbnormal();
  for (const { orderId, refunds } of payment.database.table<Payment>('payments').values()) {
    const last = refunds.toSorted((a, b) => b.generation - a.generation)[0];
    if (last?.status !== 'closed') continue;
    const asked = { orderId, refundNo: last.refundNo, by: demoPersonas.operator.userId };
    // Refused where somebody was faster.
    surely(payment, (process) => process.engine!.write(writes.retryRefund, asked)).catch(() => undefined);
  }
}

const isStuck = ({ services }: Market): boolean =>
  [...services.payment.database.table<Payment>('payments').values()].some(
    ({ refunds }) => refunds.some((refund) => refund.status === 'abnormal') || refunds.at(-1)?.status === 'closed',
  );

/** What has not come to rest. */
export const unrest = ({ services, world }: Market): string[] => [
  `${world.loop.count} events, ${Math.round(world.loop.now / hour)} hours`,
  ...Object.values(services).flatMap(({ name, database }) => [
    ...[...database.sagas.values()].filter(({ endedAt }) => !endedAt).map(({ id, phase, step }) => `saga ${id} ${phase} ${step}`),
    ...[...database.calls.values()]
      .filter(({ open }) => open)
      .map(({ kind, key, attempts }) => `${name} calls ${kind} ${key}, ${attempts} times`),
    ...[...database.deadlines.values()].map(({ id, attempts }) => `${name} deadline ${id} ${attempts}`),
    ...[...database.outbox.values()].map(({ subject }) => `${name} has not sent ${subject}`),
  ]),
];
