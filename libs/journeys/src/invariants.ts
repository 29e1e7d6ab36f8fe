import type { Sql } from '@yunshi/db/connect';

/** A rule that must hold once the system is quiet: the query answers the rows that break it. */
export type Invariant = { readonly name: string; readonly broken: (sql: Sql) => PromiseLike<readonly unknown[]> };

const services = ['svc_catalog', 'svc_order', 'svc_payment', 'svc_coupon', 'svc_fulfillment'] as const;

/**
 * What WeChat Pay (the sandbox's own book, not ours) has taken and given back for each order. It is joined by the transaction number
 * that the payer's bank would show, so that our book cannot agree with itself.
 */
const outside = (sql: Sql) => sql`
  select a.order_id, sum(w.paid)::bigint as paid, sum(w.refunded)::bigint as refunded
  from svc_payment.payment_attempts a
  join (
    select s.out_trade_no, s.transaction_id, s.amount as paid,
      coalesce((select sum(r.amount) from svc_sandbox.wechat_refunds r where r.out_trade_no = s.out_trade_no and r.status = 'SUCCESS'), 0) as refunded
    from svc_sandbox.wechat_sub_orders s join svc_sandbox.wechat_orders o on o.number = s.order_number
    where o.state = 'SUCCESS'
  ) w on w.transaction_id = a.transaction_id
  group by a.order_id`;

export const invariants: readonly Invariant[] = [
  {
    name: 'every order is in one terminal state',
    broken: (sql) => sql`select order_id, status from svc_order.orders where status in ('pending_payment', 'processing')`,
  },
  {
    name: 'every saga has ended',
    broken: (sql) => sql`select id, phase, step from svc_order.sagas where phase in ('forward', 'backward')`,
  },
  {
    name: 'nothing is delivered unpaid',
    broken: (sql) => sql`
      select i.order_id, o.payable, m.paid from svc_fulfillment.instances i join svc_order.orders o using (order_id)
      left join (${outside(sql)}) m using (order_id)
      where i.status = 'shipped' and coalesce(m.paid - m.refunded, 0) <> o.payable`,
  },
  {
    name: 'nothing is paid and neither delivered nor refunded in full',
    broken: (sql) => sql`
      select o.order_id, o.status, m.paid, m.refunded from svc_order.orders o join (${outside(sql)}) m using (order_id)
      where m.paid - m.refunded <> case when o.status = 'completed' then o.payable else 0 end`,
  },
  {
    name: 'no money lies at WeChat Pay that no attempt of ours knows of',
    broken: (sql) => sql`
      select s.out_trade_no, s.amount from svc_sandbox.wechat_sub_orders s join svc_sandbox.wechat_orders o on o.number = s.order_number
      where o.state = 'SUCCESS' and not exists (select 1 from svc_payment.payment_attempts a where a.transaction_id = s.transaction_id)`,
  },
  {
    name: 'completed means delivered, and delivered means completed',
    broken: (sql) => sql`
      select coalesce(o.order_id, i.order_id) as order_id, o.status as order_status, i.status as instance_status
      from svc_order.orders o full join svc_fulfillment.instances i using (order_id)
      where (o.status = 'completed') is distinct from coalesce(i.status = 'shipped', false)`,
  },
  {
    name: 'a provider keeps one live instance for each delivered order, and none for any other',
    broken: (sql) => sql`
      select p.order_id, p.status from svc_sandbox.provider_instances p left join svc_order.orders o using (order_id)
      where (p.status = 'active') is distinct from coalesce(o.status = 'completed', false)`,
  },
  {
    name: 'no coupon is used twice',
    broken: (sql) => sql`
      select claim_id, count(*) from svc_order.orders where status = 'completed' and claim_id is not null group by claim_id having count(*) > 1`,
  },
  {
    name: 'a coupon is used by the completed order that names it, and by no other',
    broken: (sql) => sql`
      select c.claim_id, c.status, c.order_id, o.order_id as completed from svc_coupon.claims c
      left join svc_order.orders o on o.claim_id = c.claim_id and o.status = 'completed'
      where (c.status = 'used') is distinct from (o.order_id is not null) or (c.status = 'used' and c.order_id <> o.order_id)`,
  },
  {
    name: 'no coupon stays reserved by an order that has ended',
    broken: (sql) => sql`select claim_id, order_id from svc_coupon.claims where status = 'reserved'`,
  },
  {
    name: 'each completed order is counted as one sale',
    broken: (sql) => sql`
      select coalesce(o.order_id, s.order_id) as order_id from (select order_id from svc_order.orders where status = 'completed') o
      full join svc_catalog.sales s using (order_id) where o.order_id is null or s.order_id is null`,
  },
  {
    name: 'every message has left its outbox',
    broken: (sql) => perService(sql, (schema) => sql`select ${schema} as service, subject, created_at from ${sql(schema)}.outbox`),
  },
  {
    name: 'no dead letter is open',
    broken: (sql) =>
      perService(sql, (schema) => sql`select ${schema} as service, name, error from ${sql(schema)}.dead_letters where state = 'open'`),
  },
  {
    name: 'no call that left the system is of unknown outcome',
    broken: (sql) =>
      perService(
        sql,
        (schema) => sql`select ${schema} as service, kind, key, last_error from ${sql(schema)}.calls where open and not_before <= now()`,
      ),
  },
];

async function perService(_sql: Sql, rows: (schema: string) => PromiseLike<readonly unknown[]>): Promise<readonly unknown[]> {
  return (await Promise.all(services.map(rows))).flat();
}

export type Violation = { readonly invariant: string; readonly rows: readonly unknown[] };

/** Checks all rules; answers those that do not hold, with the first rows that break them. */
export async function violations(sql: Sql): Promise<readonly Violation[]> {
  const all = await Promise.all(invariants.map(async ({ name, broken }) => ({ invariant: name, rows: await broken(sql) })));
  return all.filter(({ rows }) => rows.length > 0).map(({ invariant, rows }) => ({ invariant, rows: rows.slice(0, 5) }));
}
