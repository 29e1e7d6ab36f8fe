import type { Sql } from '@yunshi/db/connect';
import { broken, type Books, type Violation } from './rules.ts';

const services = ['svc_catalog', 'svc_order', 'svc_payment', 'svc_coupon', 'svc_fulfillment'] as const;

/** Who must have received the messages that others send: each command its owner, each reply its asker, and these events these services. */
const listeners: Readonly<Record<string, readonly string[]>> = {
  'evt.payment.received.v1': ['svc_order'],
  'evt.payment.corporate-moved.v1': ['svc_order'],
  'evt.payment.refunded.v1': ['svc_order'],
  'evt.payment.revoked.v1': ['svc_order', 'svc_fulfillment'],
  'evt.payment.revocation-settled.v1': ['svc_order', 'svc_fulfillment'],
  'evt.order.completed.v1': ['svc_payment'],
  'evt.catalog.product-changed.v1': ['svc_order', 'svc_coupon', 'svc_fulfillment'],
};

/** What clients were told, as far as the test kept it. */
export type Acknowledged = Books['acknowledged'];

/** Reads the books of the running system. What it reads is small beside the database: columns of the rules only. */
export async function readBooks(sql: Sql, acknowledged: Acknowledged = []): Promise<Books> {
  const rows = async <R>(query: PromiseLike<readonly unknown[]>): Promise<readonly R[]> => (await query) as readonly R[];
  return {
    orders: await rows(sql`
      select order_id as "orderId", status, total, deduction, payable, first_payable as "firstPayable",
        price_change->>'status' as "priceChange", refunded, claim_id as "claimId", cancel_requested_at is not null as "cancelRequested",
        for_instance_id is not null as renews
      from svc_order.orders`),
    acknowledged,
    entries: await rows(sql`select order_id as "orderId", version, status from svc_order.timeline`),
    sagas: await rows(sql`select id, phase, step from svc_order.sagas`),
    instances: await rows(sql`select order_id as "orderId", status, delivery_type as "deliveryType" from svc_fulfillment.instances`),
    claims: await rows(
      sql`select claim_id as "claimId", coupon_id as "couponId", account_id as "accountId", status, order_id as "orderId", deduction from svc_coupon.claims`,
    ),
    coupons: await rows(sql`select coupon_id as "couponId", stock, per_buyer as "perBuyer", claimed as counted from svc_coupon.coupons`),
    sales: await rows(sql`select order_id as "orderId", product_id as "productId" from svc_catalog.sales`),
    saleCounts: await rows(sql`select product_id as "productId", completed as counted from svc_catalog.sale_counts`),
    payments: await rows(sql`select order_id as "orderId", status from svc_payment.payments`),
    attempts: await rows(
      sql`select order_id as "orderId", status, received, transaction_id as "transactionId" from svc_payment.payment_attempts`,
    ),
    refunds: await rows(sql`select refund_no as "refundNo", amount, status from svc_payment.payment_refunds`),
    postings: await rows(sql`select entry_id as "entryId", account, amount, order_id as "orderId" from svc_payment.ledger_postings`),
    takings: await rows(sql`
      select s.out_trade_no as number, s.transaction_id as "transactionId", s.amount as paid,
        coalesce((select sum(r.amount) from svc_sandbox.wechat_refunds r where r.out_trade_no = s.out_trade_no and r.status = 'SUCCESS'), 0)::bigint as refunded
      from svc_sandbox.wechat_sub_orders s join svc_sandbox.wechat_orders o on o.number = s.order_number where o.state = 'SUCCESS'
      union all
      select b.out_payment_id, b.payment_id, b.amount, case b.status when 'REVOKED' then b.amount else
        coalesce((select sum(r.amount) from svc_sandbox.bank_refunds r where r.out_payment_id = b.out_payment_id and r.status = 'SUCCEEDED'), 0)::bigint end
      from svc_sandbox.bank_payments b where b.status in ('SUCCEEDED', 'REVOKED') and b.acquirer = 'mse-pay'
      union all
      select u.order_id, u.query_id, u.amount,
        coalesce((select sum(r.amount) from svc_sandbox.unionpay_refunds r where r.payment_key = u.order_key and r.state = 'succeeded'), 0)::bigint
      from svc_sandbox.unionpay_orders u where u.state = 'paid'`),
    givings: await rows(sql`
      select out_refund_no as "refundNo", amount, status from svc_sandbox.wechat_refunds
      union all
      select out_refund_id, amount, case status when 'SUCCEEDED' then 'SUCCESS' else status end from svc_sandbox.bank_refunds
      union all
      select replace(order_id, 'G', '-'), amount, case state when 'succeeded' then 'SUCCESS' else state end from svc_sandbox.unionpay_refunds`),
    provided: await rows(sql`select sign_id as "signId", order_id as "orderId", status from svc_sandbox.provider_instances`),
    unsent: await perService((schema) => sql`select ${schema} as service, subject, created_at from ${sql(schema)}.outbox`),
    unreceived: await unreceived(sql),
    ghosts: await ghosts(sql),
    receivedTwice: await perService(
      (schema) => sql`select id, count(*) from ${sql(schema)}.inbox group by id having count(*) > 1 limit 20`,
    ),
    deadLetters: await perService(
      (schema) => sql`select ${schema} as service, name, error from ${sql(schema)}.dead_letters where state = 'open'`,
    ),
    openCalls: await perService(
      (schema) => sql`select ${schema} as service, kind, key, last_error from ${sql(schema)}.calls where open and not_before <= now()`,
    ),
  };
}

async function perService(rows: (schema: string) => PromiseLike<readonly unknown[]>): Promise<readonly unknown[]> {
  return (await Promise.all(services.map(rows))).flat();
}

/**
 * Of the messages that are still kept: those that have no receipt where they should have one, and that no operator has laid aside there
 * either. The database compares them.
 */
async function unreceived(sql: Sql): Promise<readonly unknown[]> {
  const receiversOf = (sender: string) =>
    services.map(
      (receiver) => sql`
        select ${sender} as sender, ${receiver} as receiver, s.id, s.subject from ${sql(sender)}.sent s
        where (s.subject like ${`cmd.${receiver.slice('svc_'.length)}.%`} or s.subject = ${`rpl.${receiver.slice('svc_'.length)}`}
            or s.subject = any(${Object.keys(listeners).filter((subject) => listeners[subject]!.includes(receiver))}))
          and not exists (select 1 from ${sql(receiver)}.inbox i where i.id = s.id)
          and not exists (select 1 from ${sql(receiver)}.dead_letters d where d.message_id = s.id::text and d.state = 'discarded') limit 20`,
    );
  return (await Promise.all(services.flatMap(receiversOf))).flat();
}

/** Of the messages received so lately that their sender must still keep them: those that stand in nobody's `outbox` or `sent`. */
const ghosts = (sql: Sql): Promise<readonly unknown[]> =>
  perService((receiver) => {
    const kept = services.flatMap((sender) =>
      ['outbox', 'sent'].map((table) => sql`and not exists (select 1 from ${sql(sender)}.${sql(table)} m where m.id = i.id)`),
    );
    return sql`
      select ${receiver} as receiver, i.id from ${sql(receiver)}.inbox i
      where i.received_at > now() - interval '10 minutes' ${kept} limit 20`;
  });

/** Checks all rules; answers those that do not hold, with the first rows that break them. */
export const violations = async (sql: Sql, acknowledged?: Acknowledged): Promise<readonly Violation[]> =>
  broken(await readBooks(sql, acknowledged));
