import type { Claim } from '@yunshi/coupon/claim/claim';
import type { Coupon } from '@yunshi/coupon/coupon/coupon';
import type { Order } from '@yunshi/order/order/order';

/** The constraints that PostgreSQL holds rows to (`check` in the tables of the services): the name of the broken one, if any. */
export type Constraint = (row: never) => string | undefined;

const constraint =
  <R>(holds: Readonly<Record<string, (row: R) => boolean>>): Constraint =>
  (row: R) =>
    Object.keys(holds).find((name) => !holds[name]!(row));

const ended: ReadonlySet<string> = new Set(['completed', 'cancelled', 'closed', 'failed']);

export const constraints: ReadonlyMap<string, Constraint> = new Map([
  [
    'orders',
    constraint<Order>({
      orders_payable: ({ payable, total, deduction }) => payable === total - deduction && deduction >= 0 && deduction <= total,
      orders_never_give_back_more_than_was_paid: ({ refunded, payable }) => refunded >= 0 && refunded <= payable,
      orders_ended: ({ endedAt, status }) => (endedAt !== null) === ended.has(status),
      orders_completed_with_an_instance: ({ status, instanceId }) => (status === 'completed') === (instanceId !== null),
    }),
  ],
  ['coupons', constraint<Coupon>({ coupons_never_more_than_the_stock: ({ claimed, stock }) => claimed >= 0 && claimed <= stock })],
  [
    'claims',
    constraint<Claim>({
      claims_held_by_an_order_or_usable: ({ status, orderId, deduction }) =>
        (status === 'usable') === (orderId === null) && (orderId === null) === (deduction === null),
      claims_used_at: ({ status, usedAt }) => (status === 'used') === (usedAt !== null),
    }),
  ],
]);
