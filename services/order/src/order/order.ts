import type { OrderEnd, PriceKept } from '@yunshi/contracts/order';
import type { Channel } from '@yunshi/contracts/payment';
import type { BankCode } from '@yunshi/kernel/banks';
import { chinaDay, startOfChinaDay } from '@yunshi/kernel/calendar';
import { flow, isTerminal, move, type ActionOf, type StateOf } from '@yunshi/kernel/flow';
import type { AccountId, ClaimId, InstanceId, OrderId, PaymentId, ProviderId, SkuId, ProductId, UserId } from '@yunshi/kernel/ids';
import type { DeliveryType, Line, OrderKind } from '@yunshi/kernel/marketplace';
import type { Fen } from '@yunshi/kernel/money';
import { no, ok, type Result } from '@yunshi/kernel/result';
import { agreementName, type OrderPolicy } from '../policy.ts';
import { needsApproval, type Rules } from '../purchasing/purchasing.ts';
import {
  isTrial,
  needsPeople,
  price,
  quote,
  type CouponChoice,
  type CouponNotUsable,
  type Coupons,
  type Product,
  type Quote,
  type Wish,
  type WishRefusal,
} from '../quote/quote.ts';
import { kindOf, limitOf } from '../quote/renewal.ts';
import { serverFor, type ServerPrice, type ServerRefusal, type ServerSale } from '../quote/server.ts';

/**
 * 待审批 (only where the buyer's organisation wants it) → 待支付 → 处理中 → 交易成功, or 已取消, 已关闭, failed. Money and the buyer's wish to cancel may cross: an order that was paid for a
 * moment can still end cancelled or closed, with everything given back.
 */
export const orderFlow = flow('order', {
  pending_approval: { approve: 'pending_payment', cancel: 'cancelled', lapse: 'closed' },
  /** `waive`: its provider has let the price go to nothing. */
  pending_payment: { receive: 'processing', waive: 'processing', cancel: 'cancelled', lapse: 'closed' },
  processing: { complete: 'completed', fail: 'failed', cancel: 'cancelled', lapse: 'closed' },
  completed: {},
  cancelled: {},
  closed: {},
  failed: {},
});
export type OrderStatus = StateOf<typeof orderFlow>;
type OrderAction = ActionOf<typeof orderFlow>;

export const priceChangeFlow = flow('price-change', {
  /** Nobody can pay meanwhile. */
  asked: { change: 'changed', keep: 'kept' },
  /** The order costs the new price, which the payment is about to be told. */
  changed: { settle: 'settled' },
  settled: {},
  kept: {},
});
export type PriceChangeStatus = StateOf<typeof priceChangeFlow>;

/** An order: what was bought, frozen, and what has become of it. */
export type Order = {
  readonly orderId: OrderId;
  readonly orderNumber: string;
  readonly accountId: AccountId;
  readonly userId: UserId;
  readonly kind: OrderKind;
  readonly status: OrderStatus;
  /** Grows by one with each entry of the timeline. */
  readonly version: number;
  readonly providerId: ProviderId;
  readonly providerName: string;
  readonly productId: ProductId;
  readonly productName: string;
  readonly skuId: SkuId;
  readonly skuName: string;
  readonly deliveryType: DeliveryType;
  /** People deliver it 人工交付, whatever the delivery type is. */
  readonly humanDelivery: boolean;
  readonly isTrial: boolean;
  /** The instance that a renewal or a conversion is for. */
  readonly forInstanceId: InstanceId | null;
  readonly line: Line;
  /** Of an image: the cloud server, a sale of the marketplace's own. */
  readonly server: ServerSale | null;
  readonly total: Fen;
  readonly claimId: ClaimId | null;
  readonly couponName: string | null;
  readonly deduction: Fen;
  readonly payable: Fen;
  /** What it cost when the buyer confirmed it: a provider may lower that 改价, never raise it. */
  readonly firstTotal: Fen;
  readonly firstPayable: Fen;
  /** How often its price was to be changed, and the last time that it was. */
  readonly priceChanges: number;
  readonly priceChange: PriceChange | null;
  /** The buyer's own number for it 采购单号. */
  readonly poNumber: string | null;
  /** Until when somebody must approve it, where somebody must. */
  readonly approveBy: Date | null;
  readonly decidedBy: UserId | null;
  readonly decidedAt: Date | null;
  readonly decisionNote: string | null;
  /** The agreements that the buyer accepted, as `id@version`. */
  readonly agreements: readonly string[];
  readonly placedAt: Date;
  readonly payBy: Date;
  readonly cancelRequestedAt: Date | null;
  readonly paymentId: PaymentId | null;
  readonly channel: Channel | null;
  readonly paidAt: Date | null;
  readonly instanceId: InstanceId | null;
  readonly endedAt: Date | null;
  readonly endReason: OrderEnd | null;
  readonly refunded: Fen;
  /** Since when its buyer does not want to see it any more. */
  readonly deletedAt: Date | null;
};

/** A provider's wish to change the price 改价, and what has become of it. */
export type PriceChange = {
  readonly changeId: string;
  readonly status: PriceChangeStatus;
  readonly total: Fen;
  readonly deduction: Fen;
  readonly payable: Fen;
  readonly note: string | null;
  readonly askedBy: UserId;
  /** RFC 3339. */
  readonly askedAt: string;
  readonly keptBecause: PriceKept | null;
};

/** What an order waits for, and until when, if that is known. */
export type Awaited = {
  readonly what: 'approval' | 'payment' | 'price-change' | 'bank-approval' | 'delivery' | 'cancellation';
  readonly until: string | null;
};
export type What =
  | 'placed'
  | 'approved'
  /** A company's payment was begun at a bank, waits there for a second person, came to nothing, or was taken back after all 退票. */
  | 'bank-started'
  | 'bank-approving'
  | 'bank-ended'
  | 'payment-revoked'
  | 'refunded'
  | 'payment-restored'
  | 'revocation-ended'
  | 'paid'
  | 'price-change-asked'
  | 'price-changed'
  | 'price-kept'
  | 'cancel-requested'
  | 'completed'
  | 'cancelled'
  | 'closed'
  | 'failed';

/** One thing that happened to an order, as its buyer may read it. Never changed afterwards. */
export type Entry = {
  /** `<order id>:<version>`, zero-padded, so that it sorts. */
  readonly entryId: string;
  readonly orderId: OrderId;
  readonly version: number;
  readonly at: Date;
  readonly what: What;
  readonly status: OrderStatus;
  readonly reason: OrderEnd | null;
  /** Fen paid or given back, where the entry is about money. */
  readonly amount: Fen | null;
  /** The bank that a company pays by, where the entry is about that. */
  readonly bank: BankCode | null;
  readonly awaits: Awaited | null;
};

/** An order after a change, with what is to be told about it. */
export type Changed = { readonly order: Order; readonly entries: readonly Entry[] };

/** What a buyer asks for. */
export type Request = {
  readonly orderId: OrderId;
  readonly accountId: AccountId;
  readonly userId: UserId;
  readonly wish: Wish;
  readonly coupon: CouponChoice;
  readonly acceptedAgreements: readonly string[];
  /** The payable amount that the buyer saw; another one is refused. */
  readonly expectedPayable?: Fen | undefined;
  readonly poNumber?: string | undefined;
};
/** What is known when the request is decided. */
export type Facts = {
  readonly product: Product | undefined;
  readonly coupons: Coupons;
  readonly trialTaken: boolean;
  /** How many orders of the SKU count against its limit for the buyer, where it has one. */
  readonly bought: number;
  /** Whether delivery cases are opened, where the product needs one. */
  readonly casesOpened: boolean;
  /** What the cloud says to the server of an image. */
  readonly server: ServerPrice | undefined;
  /** What the buyer's organisation has decided. */
  readonly rules: Rules;
};

export type OrderRefusal =
  | WishRefusal
  | ServerRefusal
  | CouponNotUsable
  | { readonly code: 'trial-already-taken'; readonly field: 'sku_id' }
  | { readonly code: 'purchase-limit-reached'; readonly field: 'sku_id'; readonly maximum: number }
  | { readonly code: 'agreements-not-accepted'; readonly field: 'accepted_agreements'; readonly missing: readonly string[] }
  | { readonly code: 'po-number-missing'; readonly field: 'po_number' }
  | { readonly code: 'price-changed'; readonly field: 'expected_payable'; readonly payable: Fen };

/** What the wish costs this buyer: the quote, as the checkout shows it and as an order freezes it. */
export function quoteFor(
  wish: Wish,
  choice: CouponChoice,
  { product, coupons, trialTaken, bought, casesOpened, server: told }: Omit<Facts, 'rules'>,
): Result<Quote, OrderRefusal> {
  const priced = price(product, wish);
  if (!priced.ok) return priced;
  if (needsPeople(priced.value.product) && !casesOpened) return no({ code: 'delivery-not-offered', field: 'sku_id' });
  if (isTrial(priced.value.sku) && trialTaken) return no({ code: 'trial-already-taken', field: 'sku_id' });
  const maximum = limitOf(wish, priced.value.sku);
  if (maximum !== undefined && bought >= maximum) return no({ code: 'purchase-limit-reached', field: 'sku_id', maximum });
  const server = serverFor(wish, priced.value.line, told);
  return server.ok ? quote(priced.value, server.value, coupons, choice) : server;
}

/** Places an order at the server's price. An order with nothing to pay is in processing at once; one above its organisation's limit waits. */
export function place(request: Request, facts: Facts, policy: OrderPolicy, now: Date): Result<Changed, OrderRefusal> {
  const missing = policy.agreements.map(agreementName).filter((name) => !request.acceptedAgreements.includes(name));
  if (missing.length > 0) return no({ code: 'agreements-not-accepted', field: 'accepted_agreements', missing });
  if (facts.rules.poNumberRequired && request.poNumber === undefined) return no({ code: 'po-number-missing', field: 'po_number' });
  const quoted = quoteFor(request.wish, request.coupon, facts);
  if (!quoted.ok) return quoted;
  const { line, server, product, sku, total, coupon, deduction, payable } = quoted.value;
  if (request.expectedPayable !== undefined && request.expectedPayable !== payable) {
    return no({ code: 'price-changed', field: 'expected_payable', payable });
  }
  const waits = needsApproval(facts.rules, payable);
  const order: Order = {
    orderId: request.orderId,
    orderNumber: orderNumber(request.orderId, now),
    accountId: request.accountId,
    userId: request.userId,
    kind: kindOf(request.wish),
    status: waits ? 'pending_approval' : payable > 0 ? 'pending_payment' : 'processing',
    version: 0,
    providerId: product.providerId,
    providerName: product.providerName,
    productId: product.productId,
    productName: product.name,
    skuId: sku.skuId,
    skuName: sku.name,
    deliveryType: product.deliveryType,
    humanDelivery: needsPeople(product),
    isTrial: isTrial(sku),
    forInstanceId: request.wish.renews?.instanceId ?? null,
    line,
    server,
    total,
    claimId: coupon?.claimId ?? null,
    couponName: coupon?.name ?? null,
    deduction,
    payable,
    firstTotal: total,
    firstPayable: payable,
    priceChanges: 0,
    priceChange: null,
    poNumber: request.poNumber ?? null,
    approveBy: waits ? new Date(now.getTime() + policy.approveWithinMs) : null,
    decidedBy: null,
    decidedAt: null,
    decisionNote: null,
    agreements: policy.agreements.map(agreementName),
    placedAt: now,
    payBy: new Date(now.getTime() + policy.payWithinMs),
    cancelRequestedAt: null,
    paymentId: null,
    channel: null,
    paidAt: null,
    instanceId: null,
    endedAt: null,
    endReason: null,
    refunded: 0,
    deletedAt: null,
  };
  return ok(told(order, [], now, 'placed', { awaits: awaitedOf(order) }));
}

/** Notes that the buyer wants the order cancelled. One that waits for approval is, at once; else it is cancelled once the channel has confirmed that nothing can be paid any more. */
export function requestCancel(order: Order, now: Date): Result<Changed, 'order-not-cancellable'> {
  if (order.status === 'cancelled' || order.cancelRequestedAt !== null) return ok({ order, entries: [] });
  if (order.status === 'pending_approval') {
    const ended = { ...moved(order, 'cancel'), cancelRequestedAt: now, endedAt: now, endReason: 'cancelled' } as const;
    return ok(told(ended, [], now, 'cancelled', { reason: 'cancelled' }));
  }
  if (order.status !== 'pending_payment') return no('order-not-cancellable');
  const asked = { ...order, cancelRequestedAt: now };
  return ok(told(asked, [], now, 'cancel-requested', { awaits: { what: 'cancellation', until: null } }));
}

/** 删除: only what ended without a payment, and only from the buyer's own sight. */
export function remove(order: Order, now: Date): Result<Order, 'order-not-deletable'> {
  const endedUnpaid = (order.status === 'cancelled' || order.status === 'closed') && order.paidAt === null;
  return endedUnpaid ? ok({ ...order, deletedAt: now }) : no('order-not-deletable');
}

export type Receipt = { readonly paymentId: PaymentId; readonly channel: Channel; readonly paidAt: Date };

/** The money has come. Told late, after the order has gone on without it, only the facts are noted. */
export function receive(order: Order, { paymentId, channel, paidAt }: Receipt, now: Date): Changed {
  const paid = { ...order, paymentId, channel, paidAt };
  return order.status === 'pending_payment' ? received(paid, [], now) : { order: paid, entries: [] };
}

export type BankNews = {
  readonly stage: 'started' | 'approving' | 'ended';
  readonly bank: BankCode | null;
  readonly since: Date;
  readonly until: Date | null;
  readonly payBy: Date;
};

/** A company pays through its bank, where it takes two persons and days: the order waits for as long as that may last. */
export function bankMoved(order: Order, { stage, bank, since, until, payBy }: BankNews): Changed {
  if (order.status !== 'pending_payment') return { order, entries: [] };
  const held = payBy > order.payBy ? { ...order, payBy } : order;
  const awaits: Awaited | null =
    stage === 'ended' ? awaitedOf(held) : { what: stage === 'started' ? 'payment' : 'bank-approval', until: until?.toISOString() ?? null };
  return told(held, [], since, `bank-${stage}`, { bank, awaits });
}

/** The bank has taken the money back. The order stays what it is; what was delivered is suspended where it is kept. */
export const paymentTakenBack = (order: Order, { amount, at }: { readonly amount: Fen; readonly at: Date }): Changed =>
  told(order, [], at, 'payment-revoked', { amount, awaits: awaitedOf(order) });

/** Two persons have settled that: the money came again, or what was delivered is ended. */
export const paymentSettled = (order: Order, { outcome, at }: { readonly outcome: 'repaid' | 'ended'; readonly at: Date }): Changed =>
  told(order, [], at, outcome === 'repaid' ? 'payment-restored' : 'revocation-ended', { awaits: awaitedOf(order) });

/** So much of the money of a completed order has gone back by now, in all. News may come late: the most that was ever told counts. */
export function refunded(order: Order, { amount, at }: { readonly amount: Fen; readonly at: Date }): Changed {
  const back = Math.min(amount, order.payable);
  if (order.status !== 'completed' || back <= order.refunded) return { order, entries: [] };
  return told({ ...order, refunded: back }, [], at, 'refunded', { amount: back - order.refunded });
}

/** 交易成功. Asked again, nothing changes. */
export function complete(order: Order, instanceId: InstanceId, now: Date): Changed {
  if (isTerminal(orderFlow, order.status)) return { order, entries: [] };
  const { order: paid, entries } = caughtUp(order, now);
  const completed = { ...moved(paid, 'complete'), instanceId, endedAt: now };
  return told(completed, entries, now, 'completed', {});
}

const endings = { cancelled: 'cancel', 'not-delivered': 'fail' } as const satisfies Partial<Record<OrderEnd, OrderAction>>;
const hasEnding = (reason: OrderEnd): reason is keyof typeof endings => reason in endings;

/** Ends an order whose purchase was undone. How it ends follows from the reason alone, in whatever order the news arrives. */
export function reject(order: Order, { reason, refunded }: { readonly reason: OrderEnd; readonly refunded: Fen }, now: Date): Changed {
  if (isTerminal(orderFlow, order.status)) return { order, entries: [] };
  const action = hasEnding(reason) ? endings[reason] : 'lapse';
  const { order: then, entries } = action === 'fail' ? caughtUp(order, now) : { order, entries: [] };
  // Money that came beside the order's own, twice or at an older price, went back beside it.
  const back = Math.min(refunded, order.payable);
  const ended = { ...moved(then, action), endedAt: now, endReason: reason, refunded: back };
  return told(ended, entries, now, ended.status as What, { reason, amount: back > 0 ? back : null });
}

/** The purchase knows of the payment before the order does when its event is late: the order then learns it from what follows. */
function caughtUp(order: Order, now: Date): Changed {
  return order.status === 'pending_payment' ? received(order, [], now) : { order, entries: [] };
}

const received = (order: Order, before: readonly Entry[], now: Date): Changed =>
  told(moved(order, 'receive'), before, now, 'paid', { amount: order.payable, awaits: { what: 'delivery', until: null } });

/** The caller has looked at the status; a move that its table does not have is a mistake in this file. */
export function moved(order: Order, action: OrderAction): Order {
  const status = move(orderFlow, order.status, action);
  if (!status.ok) throw new Error(`order ${order.orderId} is ${order.status} and cannot ${action}`);
  return { ...order, status: status.value };
}

type Telling = {
  readonly reason?: OrderEnd;
  readonly amount?: Fen | null;
  readonly bank?: BankCode | null;
  readonly awaits?: Awaited | null;
};

export function told(order: Order, before: readonly Entry[], at: Date, what: What, { reason, amount, bank, awaits }: Telling): Changed {
  const version = order.version + 1;
  const entry: Entry = {
    entryId: `${order.orderId}:${String(version).padStart(4, '0')}`,
    orderId: order.orderId,
    version,
    at,
    what,
    status: order.status,
    reason: reason ?? null,
    amount: amount ?? null,
    bank: bank ?? null,
    awaits: awaits ?? null,
  };
  return { order: { ...order, version }, entries: [...before, entry] };
}

/** What the order waits for now. */
export function awaitedOf(order: Pick<Order, 'status' | 'approveBy' | 'payBy' | 'cancelRequestedAt' | 'priceChange'>): Awaited | null {
  if (isTerminal(orderFlow, order.status)) return null;
  if (order.status === 'pending_approval') return { what: 'approval', until: order.approveBy?.toISOString() ?? null };
  if (order.status === 'processing') return { what: 'delivery', until: null };
  if (order.cancelRequestedAt !== null) return { what: 'cancellation', until: null };
  if (order.priceChange?.status === 'asked') return { what: 'price-change', until: null };
  return { what: 'payment', until: order.payBy.toISOString() };
}

/**
 * The number that people read out: the day in China, the millisecond of that day, and eight digits of the id's random part.
 * Follows from the id, so that nothing has to be counted; two orders of one millisecond share a number once in 10^8 times, and then
 * the second is refused by its unique index and asked for again.
 */
export function orderNumber(orderId: OrderId, placedAt: Date): string {
  const msOfDay = placedAt.getTime() - startOfChinaDay(placedAt).getTime();
  const chance = Number.parseInt(orderId.slice(-8), 16) % 100_000_000;
  return `${chinaDay(placedAt)}${String(msOfDay).padStart(8, '0')}${String(chance).padStart(8, '0')}`;
}
