import { orderPlaced } from '@yunshi/contracts/order';
import type { AccountId, OrderId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { httpWrite, write, type Context, type Decision } from '@yunshi/messaging/handle';
import { orderPolicy } from '../policy.ts';
import { Problem, refused, refusedPrice } from '../problems.ts';
import { allowanceId, allowances, type Allowance } from './allowances.ts';
import { approve, decline } from './approval.ts';
import { approvalDue, endedEarly, saved } from './handlers.ts';
import { place, remove, requestCancel, type Changed, type Facts, type Order, type Request } from './order.ts';
import { orders } from './orders.ts';
import { askPrice, type PriceAsked } from './price-change.ts';
import { beginPurchase, beginRepricing, sagaOf } from './purchase.ts';
import { trialId, trials, type Trial } from './trials.ts';
import { shownOrder } from './wire.ts';

export type Placing = { readonly request: Request; readonly facts: Facts };

function placing({ request, facts }: Placing, now: Date): Decision<Order> & { readonly placed?: Order } {
  const placed = place(request, facts, orderPolicy, now);
  if (!placed.ok) return { response: refused(placed.error) };
  const { order } = placed.value;
  return { ...begun(placed.value), placed: order, response: { status: 201, body: shownOrder(order) } };
}

/** What an order that was just placed sets going. */
export function begun(placed: Changed): Decision<Order> {
  const { orderId, accountId, kind, payable, version, status, approveBy } = placed.order;
  return {
    ...saved(undefined, placed),
    ...(status === 'pending_approval'
      ? { deadlines: [{ kind: approvalDue, key: orderId, dueAt: approveBy ?? placed.order.placedAt }] }
      : { start: [beginPurchase(placed.order)] }),
    events: [orderPlaced({ orderId, orderVersion: version, accountId, kind, payable })],
  };
}

export const placeOrder = httpWrite('order.place', {
  of: orders,
  key: ({ request }: Placing) => request.orderId,
  decide: (asked, _, { now }) => placing(asked, now),
});

/** As `placeOrder`, for a SKU that a buyer may have once: whether it is still to be had is read under a lock. */
export const placeTrialOrder = httpWrite('order.place-trial', {
  of: orders,
  key: ({ request }: Placing) => request.orderId,
  beside: { of: trials, key: ({ request, facts }) => trialOf(request, facts) },
  decide: ({ request, facts }, _, { now, beside }: Context & { readonly beside: Trial | undefined }) => {
    const taken = beside !== undefined && beside.orderId !== null;
    const { placed, writes = [], ...decision } = placing({ request, facts: { ...facts, trialTaken: taken } }, now);
    if (!placed) return decision;
    return { ...decision, writes: [...writes, write(trials, { trialId: trialId(placed), orderId: placed.orderId })] };
  },
});

/** As `placeOrder`, for a SKU that is limited per account: how often it was bought is counted under a lock. */
export const placeLimitedOrder = httpWrite('order.place-limited', {
  of: orders,
  key: ({ request }: Placing) => request.orderId,
  beside: { of: allowances, key: ({ request }) => allowanceId({ accountId: request.accountId, skuId: request.wish.skuId }) },
  decide: ({ request, facts }, _, { now, beside }: Context & { readonly beside: Allowance | undefined }) => {
    if (!beside) throw new Error(`SKU ${request.wish.skuId} is ordered under no lock`);
    const { placed, writes = [], ...decision } = placing({ request, facts: { ...facts, bought: beside.bought } }, now);
    return placed ? { ...decision, writes: [...writes, write(allowances, { ...beside, bought: beside.bought + 1 })] } : decision;
  },
});

function trialOf({ accountId, wish }: Request, { product }: Facts): string {
  if (!product) throw new Error(`SKU ${wish.skuId} is ordered as the trial of no product`);
  return trialId({ accountId, productId: product.productId });
}

type Own = { readonly orderId: OrderId; readonly accountId: AccountId };
const isOf = (order: Order | undefined, accountId: AccountId): order is Order => order?.accountId === accountId && order.deletedAt === null;

export const cancelOrder = httpWrite('order.cancel', {
  of: orders,
  key: ({ orderId }: Own) => orderId,
  decide: ({ accountId }, order, { now }) => {
    if (!isOf(order, accountId)) return { response: Problem.response('not-found') };
    const asked = requestCancel(order, now);
    if (!asked.ok) return { response: Problem.response(asked.error, { detail: `The order is ${order.status}.` }) };
    const { order: changed } = asked.value;
    const response = { status: 202, body: shownOrder(changed) };
    if (order.status === 'pending_approval') return { ...endedEarly(order, asked.value), response };
    const stop = changed === order ? [] : [{ sagaId: sagaOf(order.orderId), reason: 'cancelled' }];
    return { ...saved(order, asked.value), stop, response };
  },
});

type Deciding = Own & { readonly by: UserId; readonly note: string | null };

export const approveOrder = httpWrite('order.approve', {
  of: orders,
  key: ({ orderId }: Deciding) => orderId,
  decide: ({ accountId, ...deciding }, order, { now }) => {
    if (!isOf(order, accountId)) return { response: Problem.response('not-found') };
    const approved = approve(order, deciding, orderPolicy, now);
    if (!approved.ok) return { response: Problem.response(approved.error, { detail: `The order is ${order.status}.` }) };
    const { order: changed } = approved.value;
    const response = { status: 200, body: shownOrder(changed) };
    if (changed === order) return { response };
    const cancelDeadlines = [{ kind: approvalDue, key: order.orderId }];
    return { ...saved(order, approved.value), start: [beginPurchase(changed)], cancelDeadlines, response };
  },
});

export const declineOrder = httpWrite('order.decline', {
  of: orders,
  key: ({ orderId }: Deciding) => orderId,
  decide: ({ accountId, ...deciding }, order, { now }) => {
    if (!isOf(order, accountId)) return { response: Problem.response('not-found') };
    const declined = decline(order, deciding, now);
    if (!declined.ok) return { response: Problem.response(declined.error, { detail: `The order is ${order.status}.` }) };
    return { ...endedEarly(order, declined.value), response: { status: 200, body: shownOrder(declined.value.order) } };
  },
});

export const changeOrderPrice = httpWrite('order.ask-price', {
  of: orders,
  key: ({ orderId }: PriceAsked & { readonly orderId: OrderId; readonly providerId: ProviderId }) => orderId,
  decide: ({ providerId, ...wish }, order, { now }) => {
    if (order?.providerId !== providerId) return { response: Problem.response('not-found') };
    const asked = askPrice(order, wish, orderPolicy, now);
    if (!asked.ok) return { response: refusedPrice(asked.error, order) };
    const { order: changed } = asked.value;
    const start = changed.priceChange ? [beginRepricing(changed, changed.priceChange)] : [];
    return { ...saved(order, asked.value), start, response: { status: 202, body: shownOrder(changed) } };
  },
});

export const deleteOrder = httpWrite('order.delete', {
  of: orders,
  key: ({ orderId }: Own) => orderId,
  decide: ({ accountId }, order, { now }) => {
    if (!isOf(order, accountId)) return { response: Problem.response('not-found') };
    const removed = remove(order, now);
    if (!removed.ok) return { response: Problem.response(removed.error, { detail: `The order is ${order.status}.` }) };
    return { save: removed.value, response: { status: 204, body: undefined } };
  },
});
