import { recordSale } from '@yunshi/contracts/catalog';
import { reserveCoupon } from '@yunshi/contracts/coupon';
import { fulfilOrder } from '@yunshi/contracts/fulfillment';
import { completeOrder } from '@yunshi/contracts/order';
import { collectPayment } from '@yunshi/contracts/payment';
import { callCloud, drawServerPassword } from '@yunshi/fulfillment/cloud/calls';
import { callProvider, issueKey } from '@yunshi/fulfillment/delivery/calls';
import { crashpoints, type Crash, type Crashpoint } from '@yunshi/messaging/crashpoint';
import { applyRefund, closeOrder, placeOrder, queryOrder, queryRefund } from '@yunshi/payment-gateway/payment/calls';

/** Where a process is to end. */
export type Target = Crash & { readonly service: CrashingService };
type Where = Pick<Target, 'service' | 'of'>;

/** Services that can be ended at points of the core, and a command of each, to poison. */
export const crashing = {
  order: completeOrder.subject,
  'payment-gateway': collectPayment.subject,
  coupon: reserveCoupon.subject,
  fulfillment: fulfilOrder.subject,
  catalog: recordSale.subject,
} as const;
export type CrashingService = keyof typeof crashing;
export const crashingServices = Object.keys(crashing) as readonly CrashingService[];

const inAll: readonly Where[] = crashingServices.map((service) => ({ service }));
const inOrder: readonly Where[] = [{ service: 'order' }];
const inPayment: readonly Where[] = [{ service: 'payment-gateway' }];
/** Every kind of call to the payment channel, the providers and the cloud that the buyers of the sweep bring about. */
const calls: readonly Where[] = [
  ...[placeOrder, queryOrder, closeOrder, applyRefund, queryRefund].map(({ kind }) => ({ service: 'payment-gateway' as const, of: kind })),
  ...[callProvider, issueKey, drawServerPassword, callCloud].map(({ kind }) => ({ service: 'fulfillment' as const, of: kind })),
];

/** Which services come by each point; none that has no such work. */
const reachedBy: Readonly<Record<Crashpoint, readonly Where[]>> = {
  'handle.looked': inAll,
  'handle.decided': inAll,
  'commit.before': inAll,
  'commit.in-flight': inAll,
  'commit.after': inAll,
  'write.before-answer': [...inOrder, ...inPayment],
  'receive.before-ack': inAll,
  'receive.after-ack': inAll,
  'receive.before-bury': inAll,
  'receive.after-bury': inAll,
  'relay.before-publish': inAll,
  'relay.after-publish': inAll,
  'relay.before-move': inAll,
  'relay.after-move': inAll,
  'relay.after-take-back': inAll,
  'saga.begun': inOrder,
  'saga.advanced': inOrder,
  'saga.turned-back': inOrder,
  'saga.woken': inOrder,
  'saga.ended': inOrder,
  'deadline.due': inPayment,
  'deadline.handled': inPayment,
  'call.before': calls,
  'call.after': calls,
  'call.recorded': calls,
};

const nths = [1, 2, 3] as const;

/** Every point in every service that comes by it, the first, the second and the third time. */
export const allTargets = (): readonly Target[] =>
  crashpoints.flatMap((point) => reachedBy[point].flatMap((where) => nths.map((nth) => ({ point, nth, ...where }))));

/** Every point once, each in another service than the one before where there is a choice, and the times in turn. */
export const eachPointOnce = (): readonly Target[] =>
  crashpoints.map((point, index) => {
    const where = reachedBy[point];
    return { point, nth: nths[index % nths.length]!, ...where[index % where.length]! };
  });
