import type { Claim } from '@yunshi/coupon/claim/claim';
import type { Coupon } from '@yunshi/coupon/coupon/coupon';
import type { Instance } from '@yunshi/fulfillment/instance/instance';
import type { Books } from '@yunshi/journeys/rules';
import type { Entry, Order } from '@yunshi/order/order/order';
import type { Payment } from '@yunshi/payment-gateway/payment/state';
import type { Market } from './market.ts';
import type { Service } from './service.ts';

type Rows<R> = ReadonlyMap<string, R>;

/** The books of a run, from the memory of its databases, of WeChat Pay and of the provider. */
export function readBooks(market: Market, acknowledged: Books['acknowledged']) {
  const { services, wechat, providers, world } = market;
  const { order, coupon, catalog, payment, fulfillment } = services;
  const payments = [...payment.database.table<Payment>('payments').values()];
  const refundsOf = (outTradeNo: string): number =>
    [...wechat.refunds.values()].reduce(
      (sum, refund) => sum + (refund.outTradeNo === outTradeNo && refund.status === 'SUCCESS' ? refund.amount : 0),
      0,
    );
  const now = world.now();
  const all = Object.values(services);
  return {
    orders: rows<Order>(order, 'orders').map((row) => ({
      ...row,
      cancelRequested: row.cancelRequestedAt !== null,
      priceChange: row.priceChange?.status ?? null,
      change: row.priceChange,
    })),
    acknowledged,
    entries: rows<Entry>(order, 'timeline'),
    sagas: [...order.database.sagas.values()],
    instances: rows<Instance>(fulfillment, 'instances'),
    claims: rows<Claim>(coupon, 'claims'),
    coupons: rows<Coupon>(coupon, 'coupons').map((row) => ({ ...row, counted: row.claimed, before: 0 })),
    sales: rows<{ orderId: string; productId: string }>(catalog, 'sales'),
    saleCounts: rows<{ productId: string; completed: number }>(catalog, 'sale_counts').map((row) => ({
      productId: row.productId,
      counted: row.completed,
      before: 0,
    })),
    payments,
    attempts: payments.flatMap((one) => one.attempts),
    refunds: payments.flatMap((one) => one.refunds),
    postings: rows<Books['postings'][number]>(payment, 'ledger_postings'),
    takings: [...wechat.orders.values()]
      .filter((one) => one.state === 'SUCCESS')
      .flatMap(({ subOrders }) =>
        subOrders.map((sub) => ({
          number: sub.outTradeNo,
          transactionId: sub.transactionId!,
          paid: sub.amount,
          refunded: refundsOf(sub.outTradeNo),
        })),
      ),
    givings: [...wechat.refunds.values()].map(({ outRefundNo: refundNo, amount, status }) => ({ refundNo, amount, status })),
    provided: [...providers.instances.values()],
    unsent: all.flatMap((service) => [...service.database.outbox.values()].map(({ subject }) => `${service.name} ${subject}`)),
    unreceived: all.flatMap((service) => unreceived(service, all)),
    ghosts: all.flatMap((service) => ghosts(service, all)),
    receivedTwice: all.flatMap((service) =>
      [...service.database.inbox].filter(([, receipts]) => receipts > 1).map(([id]) => `${service.name} ${id}`),
    ),
    deadLetters: all.flatMap((service) =>
      [...service.database.letters.values()].map(({ name, error }) => `${service.name} ${name}: ${String(error)}`),
    ),
    openCalls: all.flatMap((service) =>
      [...service.database.calls.values()]
        .filter((call) => call.open && call.notBefore <= now)
        .map(({ kind, key }) => `${service.name} ${kind} ${key}`),
    ),
  } satisfies Books;
}

const rows = <R>({ database }: Service, table: string): R[] => [...(database.table<R>(table) as Rows<R>).values()];

/** Messages that were received though no committed transaction sent them. */
const ghosts = (receiver: Service, all: readonly Service[]): string[] =>
  [...receiver.database.inbox.keys()]
    .filter((id) => !all.some(({ database }) => database.sent.has(id) || database.outbox.has(id)))
    .map((id) => `${receiver.name} has received ${id}`);

/** Messages that were sent and that somebody who listens has not received. */
function unreceived(sender: Service, all: readonly Service[]): string[] {
  const missed: string[] = [];
  for (const { id, subject } of sender.database.sent.values()) {
    for (const receiver of all) {
      if (receiver.listensTo(subject) && !receiver.database.inbox.has(id))
        missed.push(`${receiver.name} has not received ${subject} ${id} of ${sender.name}`);
    }
  }
  return missed;
}
