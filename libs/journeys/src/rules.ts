/**
 * What must be true of the books of all services, of the channels and of the providers once everything has come to rest. Written once:
 * the simulation checks its memory against these rules, the tests on real servers what stands in PostgreSQL (see invariants.ts).
 */

type OrderStatus = 'pending_approval' | 'pending_payment' | 'processing' | 'completed' | 'cancelled' | 'closed' | 'failed';

/** A counter, and what it stood at before anything that the books tell of; absent where that is not known, as with a demo world. */
type Counted = { readonly counted: number; readonly before?: number | undefined };

/** The rows that the rules look at, and nothing more of them. */
export type Books = {
  readonly orders: readonly {
    readonly orderId: string;
    readonly status: OrderStatus;
    readonly total: number;
    readonly deduction: number;
    readonly payable: number;
    /** What the buyer confirmed when the order was placed. */
    readonly firstPayable: number;
    /** What became of the last change of its price. */
    readonly priceChange: string | null;
    readonly refunded: number;
    readonly claimId: string | null;
    readonly cancelRequested: boolean;
    /** Whether it prolongs an instance that another order made. */
    readonly renews?: boolean;
  }[];
  /** What clients were told, and may rely on: an order was taken, perhaps the wish to cancel it too. */
  readonly acknowledged: readonly { readonly orderId: string; readonly cancelAccepted?: boolean }[];
  /** The entries of the orders' timelines. */
  readonly entries: readonly { readonly orderId: string; readonly version: number; readonly status: OrderStatus }[];
  readonly sagas: readonly { readonly id: string; readonly phase: string; readonly step: string | null }[];
  readonly instances: readonly {
    readonly orderId: string;
    readonly status: 'shipping' | 'shipped' | 'expired' | 'closed' | 'failed';
    readonly deliveryType: string;
  }[];
  readonly claims: readonly {
    readonly claimId: string;
    readonly couponId: string;
    readonly accountId: string;
    readonly status: 'usable' | 'reserved' | 'used';
    readonly orderId: string | null;
    readonly deduction: number | null;
  }[];
  readonly coupons: readonly (Counted & { readonly couponId: string; readonly stock: number; readonly perBuyer: number })[];
  readonly sales: readonly { readonly orderId: string; readonly productId: string }[];
  readonly saleCounts: readonly (Counted & { readonly productId: string })[];
  readonly payments: readonly { readonly orderId: string; readonly status: string }[];
  readonly attempts: readonly {
    readonly orderId: string;
    readonly status: string;
    readonly received: number | null;
    readonly transactionId: string | null;
  }[];
  readonly refunds: readonly { readonly refundNo: string; readonly amount: number; readonly status: string }[];
  readonly postings: readonly {
    readonly entryId: string;
    readonly account: string;
    readonly amount: number;
    readonly orderId: string | null;
  }[];
  /** The channels' own books: what was paid, and what of it went back. */
  readonly takings: readonly {
    readonly number: string;
    readonly transactionId: string;
    readonly paid: number;
    readonly refunded: number;
  }[];
  readonly givings: readonly { readonly refundNo: string; readonly amount: number; readonly status: string }[];
  /** The providers' own books. */
  readonly provided: readonly { readonly signId: string; readonly orderId: string; readonly status: 'active' | 'isolated' | 'reclaimed' }[];
  /** Messages that have not left their outbox. */
  readonly unsent: readonly unknown[];
  /** Messages that were sent and that one who should have them has not received. */
  readonly unreceived: readonly unknown[];
  /** Messages that were received though no committed transaction sent them, and those whose receipt was written more than once. */
  readonly ghosts: readonly unknown[];
  readonly receivedTwice: readonly unknown[];
  readonly deadLetters: readonly unknown[];
  /** Calls of the outside whose outcome is not known although it is time. */
  readonly openCalls: readonly unknown[];
};

/** Answers what breaks it. */
export type Rule = { readonly name: string; readonly broken: (books: Books) => readonly unknown[] };

const ended: ReadonlySet<string> = new Set<OrderStatus>(['completed', 'cancelled', 'closed', 'failed']);
const isDelivered = ({ status }: Books['instances'][number]): boolean =>
  status === 'shipped' || status === 'expired' || status === 'closed';

function byOrder<R extends { readonly orderId: string }>(rows: readonly R[]): ReadonlyMap<string, R> {
  return new Map(rows.map((row) => [row.orderId, row]));
}

const withPayment =
  (...statuses: readonly string[]) =>
  ({ payments }: Books): ((order: { readonly orderId: string }) => boolean) => {
    const found = new Set(payments.filter(({ status }) => statuses.includes(status)).map(({ orderId }) => orderId));
    return ({ orderId }) => found.has(orderId);
  };
/** The bank has taken the money back, and two persons settle what follows: the order stands as it stood, whatever the channel holds. */
const isRevoked = withPayment('revoked', 'restored', 'ended');
/** Nor has the money come again. */
const isLost = withPayment('revoked', 'ended');

/** What the channels hold of each order's money, found by the transaction number that the payer's bank would show. */
function heldOutside({ attempts, takings }: Books): ReadonlyMap<string, number> {
  const orderOf = new Map(attempts.map((attempt) => [attempt.transactionId, attempt.orderId]));
  const held = new Map<string, number>();
  for (const { transactionId, paid, refunded } of takings) {
    const orderId = orderOf.get(transactionId);
    if (orderId !== undefined) held.set(orderId, (held.get(orderId) ?? 0) + paid - refunded);
  }
  return held;
}

function sums<R>(rows: readonly R[], keyOf: (row: R) => string, amountOf: (row: R) => number): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  for (const row of rows) all.set(keyOf(row), (all.get(keyOf(row)) ?? 0) + amountOf(row));
  return all;
}

const total = <R>(rows: readonly R[], amountOf: (row: R) => number): number => rows.reduce((sum, row) => sum + amountOf(row), 0);
const agrees = ({ counted, before }: Counted, rows: number): boolean =>
  before === undefined ? counted >= rows : counted === before + rows;
const repeated = (values: readonly string[]): string[] => values.filter((value, index) => values.indexOf(value) !== index);

const ordersAndSagas: readonly Rule[] = [
  { name: 'every order is in one terminal state', broken: ({ orders }) => orders.filter(({ status }) => !ended.has(status)) },
  {
    name: 'the story of an order has no gap and one end',
    broken: ({ orders, entries }) => {
      const told = Map.groupBy(entries, ({ orderId }) => orderId);
      return orders.filter(({ orderId, status }) => {
        const story = (told.get(orderId) ?? []).toSorted((a, b) => a.version - b.version);
        const ends = story.filter((entry) => ended.has(entry.status));
        return (
          story.some((entry, index) => entry.version !== index + 1) ||
          story.at(-1)?.status !== status ||
          new Set(ends.map((entry) => entry.status)).size > 1
        );
      });
    },
  },
  {
    name: 'a request that was acknowledged to a client is never lost',
    broken: ({ orders, acknowledged }) => {
      const kept = byOrder(orders);
      return acknowledged.filter(({ orderId, cancelAccepted }) => {
        const order = kept.get(orderId);
        return !order || (cancelAccepted === true && !order.cancelRequested && order.status !== 'cancelled');
      });
    },
  },
  {
    name: 'an order costs its total less its coupon, and never more than its buyer confirmed',
    broken: ({ orders }) =>
      orders.filter(({ total: sum, deduction, payable, firstPayable }) => payable !== sum - deduction || payable > firstPayable),
  },
  {
    name: 'no change of a price is under way',
    broken: ({ orders }) => orders.filter(({ priceChange }) => priceChange === 'asked' || priceChange === 'changed'),
  },
  { name: 'every saga has ended', broken: ({ sagas }) => sagas.filter(({ phase }) => phase === 'forward' || phase === 'backward') },
];

const moneyAndGoods: readonly Rule[] = [
  {
    name: 'nothing is delivered unpaid',
    broken: (books) => {
      const held = heldOutside(books);
      const orders = byOrder(books.orders);
      const revoked = isRevoked(books);
      return books.instances.filter(
        (instance) =>
          isDelivered(instance) && !revoked(instance) && (held.get(instance.orderId) ?? 0) !== orders.get(instance.orderId)?.payable,
      );
    },
  },
  {
    name: 'nothing is paid and neither delivered nor refunded in full',
    broken: (books) => {
      const held = heldOutside(books);
      const revoked = isRevoked(books);
      return books.orders.filter(
        (order) => (held.get(order.orderId) ?? 0) !== (order.status === 'completed' && !revoked(order) ? order.payable : 0),
      );
    },
  },
  {
    name: 'no money lies at a channel that no attempt of ours knows of',
    broken: ({ takings, attempts }) => {
      const known = new Set(attempts.map(({ transactionId }) => transactionId));
      return takings.filter(({ transactionId }) => !known.has(transactionId));
    },
  },
  {
    name: 'completed means delivered, and delivered means completed',
    broken: ({ orders, instances }) => {
      const delivered = new Set(instances.filter(isDelivered).map(({ orderId }) => orderId));
      const known = byOrder(orders);
      const stray = instances.filter(({ orderId }) => !known.has(orderId));
      const own = orders.filter(({ renews }) => renews !== true);
      return [...own.filter(({ orderId, status }) => (status === 'completed') !== delivered.has(orderId)), ...stray];
    },
  },
  {
    name: 'a provider keeps one live instance for each delivered order, and none for any other',
    broken: ({ provided, instances }) => {
      const live = provided.filter(({ status }) => status === 'active').map(({ orderId }) => orderId);
      const wanted = instances.filter(({ status, deliveryType }) => status === 'shipped' && deliveryType === 'saas');
      const stray = live.filter((orderId) => !wanted.some((instance) => instance.orderId === orderId));
      return [...stray, ...repeated(live), ...wanted.filter(({ orderId }) => !live.includes(orderId))];
    },
  },
  {
    name: 'an order has given back no more than the channels have',
    broken: (books) => {
      const orderOf = new Map(books.attempts.map((attempt) => [attempt.transactionId, attempt.orderId]));
      const back = sums(
        books.takings.filter(({ transactionId }) => orderOf.has(transactionId)),
        ({ transactionId }) => orderOf.get(transactionId)!,
        ({ refunded }) => refunded,
      );
      // Money that came twice goes back beside the order, which says what became of its own.
      return books.orders.filter(({ orderId, refunded }) => refunded > (back.get(orderId) ?? 0));
    },
  },
];

const couponsAndSales: readonly Rule[] = [
  {
    name: 'no coupon is used twice',
    broken: ({ orders }) =>
      repeated(orders.flatMap(({ status, claimId }) => (status === 'completed' && claimId !== null ? [claimId] : []))),
  },
  {
    name: 'a coupon is used by the completed order that names it, and by no other',
    broken: ({ orders, claims }) => {
      const completed = new Map(orders.filter(({ status }) => status === 'completed').map((order) => [order.claimId, order.orderId]));
      return claims.filter(
        ({ claimId, status, orderId }) =>
          (status === 'used') !== completed.has(claimId) || (status === 'used' && completed.get(claimId) !== orderId),
      );
    },
  },
  {
    name: 'a used coupon has taken off what its order says',
    broken: ({ orders, claims }) => {
      const known = byOrder(orders);
      return claims.filter(({ status, orderId, deduction }) => status === 'used' && deduction !== known.get(orderId ?? '')?.deduction);
    },
  },
  {
    name: 'no coupon stays reserved by an order that has ended',
    broken: ({ claims }) => claims.filter(({ status }) => status === 'reserved'),
  },
  {
    name: 'no coupon is claimed beyond its stock or by a buyer beyond the limit',
    broken: ({ coupons, claims }) => {
      const claimed = sums(
        claims,
        ({ couponId }) => couponId,
        () => 1,
      );
      const perBuyer = sums(
        claims,
        ({ couponId, accountId }) => `${couponId} ${accountId}`,
        () => 1,
      );
      return coupons.filter(
        (coupon) =>
          coupon.counted > coupon.stock ||
          !agrees(coupon, claimed.get(coupon.couponId) ?? 0) ||
          [...perBuyer].some(([key, count]) => key.startsWith(`${coupon.couponId} `) && count > coupon.perBuyer),
      );
    },
  },
  {
    name: 'each completed order is counted as one sale',
    broken: ({ orders, sales, saleCounts }) => {
      const made = orders.filter(({ status, renews }) => status === 'completed' && renews !== true);
      const completed = new Set(made.map(({ orderId }) => orderId));
      const sold = sums(
        sales,
        ({ productId }) => productId,
        () => 1,
      );
      return [
        ...sales.filter(({ orderId }) => !completed.has(orderId)),
        ...[...completed].filter((orderId) => !sales.some((sale) => sale.orderId === orderId)),
        ...saleCounts.filter((count) => !agrees(count, sold.get(count.productId) ?? 0)),
      ];
    },
  },
];

const ledger: readonly Rule[] = [
  {
    name: 'every entry of the ledger balances to zero',
    broken: ({ postings }) =>
      [
        ...sums(
          postings,
          ({ entryId }) => entryId,
          ({ amount }) => amount,
        ),
      ].filter(([, sum]) => sum !== 0),
  },
  {
    name: 'the ledger holds what the channels hold',
    broken: ({ postings, takings }) => {
      const ours = total(
        postings.filter(({ account }) => account.startsWith('channel_clearing:') && account !== 'channel_clearing:own_bank'),
        ({ amount }) => amount,
      );
      const theirs = total(takings, ({ paid, refunded }) => paid - refunded);
      return ours === theirs ? [] : [{ ours, theirs }];
    },
  },
  {
    name: 'nothing is left in the accounts of money on its way',
    broken: ({ postings }) => {
      const onItsWay = postings.filter(({ account }) => account === 'suspense' || account.startsWith('buyer_funds:'));
      return [
        ...sums(
          onItsWay,
          ({ orderId, account }) => `${orderId} ${account}`,
          ({ amount }) => amount,
        ),
      ].filter(([, sum]) => sum !== 0);
    },
  },
  {
    name: 'a completed order is earned in full, and no other at all',
    broken: (books) => {
      const { orders, postings } = books;
      const lost = isLost(books);
      const earned = sums(
        postings.filter(({ account }) => /^(?:(?:platform_fee|provider_payable|provider_balance):|server_sales$)/.test(account)),
        ({ orderId }) => orderId ?? '',
        ({ amount }) => -amount,
      );
      return orders.filter(
        (order) => (earned.get(order.orderId) ?? 0) !== (order.status === 'completed' && !lost(order) ? order.payable : 0),
      );
    },
  },
  {
    name: 'our book of refunds is that of the channels',
    broken: ({ refunds, givings }) => {
      const theirs = new Map(givings.map((giving) => [giving.refundNo, giving]));
      const ours = new Set(refunds.map(({ refundNo }) => refundNo));
      const differing = refunds.filter(({ refundNo, amount, status }) => {
        const giving = theirs.get(refundNo);
        return (status === 'succeeded') !== (giving?.status === 'SUCCESS') || (giving !== undefined && giving.amount !== amount);
      });
      return [...differing, ...givings.filter(({ refundNo }) => !ours.has(refundNo))];
    },
  },
];

const messages: readonly Rule[] = [
  { name: 'every message has left its outbox', broken: ({ unsent }) => unsent },
  { name: 'every message that was sent has been received', broken: ({ unreceived }) => unreceived },
  { name: 'no message is received that nobody sent', broken: ({ ghosts }) => ghosts },
  { name: 'no message is received twice', broken: ({ receivedTwice }) => receivedTwice },
  { name: 'no dead letter is open', broken: ({ deadLetters }) => deadLetters },
  { name: 'no call that left the system is of unknown outcome', broken: ({ openCalls }) => openCalls },
];

export const rules: readonly Rule[] = [...ordersAndSagas, ...moneyAndGoods, ...couponsAndSales, ...ledger, ...messages];

export type Violation = { readonly rule: string; readonly rows: readonly unknown[] };

/** The rules that do not hold, each with the first rows that break it. */
export const broken = (books: Books): Violation[] =>
  rules.flatMap(({ name, broken: rowsOf }) => {
    const rows = rowsOf(books);
    return rows.length > 0 ? [{ rule: name, rows: rows.slice(0, 5) }] : [];
  });
