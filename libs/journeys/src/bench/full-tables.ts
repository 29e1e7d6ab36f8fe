import { connect } from '@yunshi/db/connect';
import type { Caller } from '@yunshi/http/auth';
import type { AccountId, InstanceId, OrderId, ProductId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { copyRows } from '@yunshi/testing/copies';

// Fills the tables of a running system with copies of what stands in them, as if it had been used for two years. Only for reading: no
// payment, instance or saga belongs to the copies, so the books are looked at before.

export type Size = { readonly orders: number; readonly claims: number; readonly products: number };

/** 5,000 buyers with three users each, of whom the first has one order in twenty; 50 shops with ten products each. */
const accounts = 5_000;
const users = 15_000;
const providers = 50;
const products = 500;
const orderEveryMs = 60_000;

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const idOf = <T extends string>(prefix: string, nth: number): T => `${prefix}_${hex(nth, 32)}` as T;

/** How the copies are told apart, and who may see them. */
export type Full = {
  readonly size: Size;
  readonly placedAt: (nth: number) => Date;
  readonly orderId: (nth: number) => OrderId;
  readonly instanceId: (nth: number) => InstanceId;
  readonly orderNumber: (nth: number) => string;
  readonly claimId: (nth: number) => string;
  readonly productOf: (nth: number) => ProductId;
  readonly buyerOf: (nth: number) => Caller;
  readonly providerOf: (nth: number) => Caller;
};

/** `now` is when the newest order was placed. */
function named(size: Size, now: number): Full {
  const ms = (nth: number) => now - (size.orders - nth) * orderEveryMs;
  const timely = <T extends string>(prefix: string, nth: number): T => `${prefix}_${hex(ms(nth), 12)}${hex(nth, 20)}` as T;
  return {
    size,
    placedAt: (nth) => new Date(ms(nth)),
    orderId: (nth) => timely('ord', nth),
    instanceId: (nth) => timely('ins', nth),
    orderNumber: (nth) => `${new Date(ms(nth)).toISOString().slice(0, 10).replaceAll('-', '')}${String(nth).padStart(16, '0')}`,
    claimId: (nth) => idOf('ccl', nth),
    productOf: (nth) => idOf('prd', nth % products),
    buyerOf: (nth) => ({
      userId: idOf<UserId>('usr', nth % users),
      accountId: idOf<AccountId>('acc', nth % 20 === 0 ? 0 : nth % accounts),
      roles: ['buyer'],
    }),
    providerOf: (nth) => ({
      userId: idOf<UserId>('usr', users + (nth % providers)),
      accountId: idOf<AccountId>('acc', accounts + (nth % providers)),
      providerId: idOf<ProviderId>('prv', nth % providers),
      roles: ['provider'],
    }),
  };
}

const id = (prefix: string, number: string): string => `'${prefix}_' || lpad(to_hex(${number}), 32, '0')`;
const account = `case when nth % 20 = 0 then 0 else nth % ${accounts} end`;
const first = async (sql: ReturnType<typeof connect>, text: string): Promise<string> => {
  const [row] = await sql.unsafe<{ id: string }[]>(text);
  if (!row) throw new Error(`nothing to copy: ${text}`);
  return row.id;
};

/** At least one purchase must have been completed, and one coupon claimed: they are what is copied. */
export async function fillTables(adminUrl: string, size: Size): Promise<Full> {
  const sql = connect({ url: adminUrl, name: 'bench', connectionsMax: 1, planning: { statement_timeout: '0', synchronous_commit: 'off' } });
  const now = Date.now();
  try {
    await fillOrders(sql, size, now);
    await fillClaims(sql, size);
    await fillCatalogue(sql, size);
    for (const schema of ['svc_order', 'svc_coupon', 'svc_catalog']) await vacuum(sql, schema);
  } finally {
    await sql.end();
  }
  return named(size, now);
}

async function vacuum(sql: ReturnType<typeof connect>, schema: string): Promise<void> {
  const tables = await sql<
    { name: string }[]
  >`select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = ${schema}`;
  await sql.unsafe(`vacuum (analyze) ${tables.map(({ name }) => name).join(', ')}`);
}

async function fillOrders(sql: ReturnType<typeof connect>, { orders }: Size, now: number): Promise<void> {
  const original = await first(sql, `select order_id as id from svc_order.orders where status = 'completed' and claim_id is null limit 1`);
  const ms = `(${now - orders * orderEveryMs} + nth::bigint * ${orderEveryMs})`;
  const timely = (prefix: string) => `'${prefix}_' || lpad(to_hex(${ms}), 12, '0') || lpad(to_hex(nth), 20, '0')`;
  const at = `to_timestamp(${ms} / 1000.0)`;
  // Of a thousand: 880 completed, 60 cancelled, 40 closed, 10 failed, 6 at work, 4 waiting for their payment; 100 renewals, one conversion.
  const status = `case when nth % 1000 < 60 then 'cancelled' when nth % 1000 < 100 then 'closed' when nth % 1000 < 110 then 'failed'
    when nth % 1000 < 116 then 'processing' when nth % 1000 < 120 then 'pending_payment' else 'completed' end`;
  const kind = `case when nth % 1000 = 7 then 'trial_conversion' when nth % 10 = 3 then 'renewal' else 'new_purchase' end`;
  await copyRows(sql, 'svc_order.orders', {
    count: orders,
    where: `order_id = '${original}'`,
    changes: {
      order_id: timely('ord'),
      order_number: `to_char(${at} at time zone 'UTC', 'YYYYMMDD') || lpad(nth::text, 16, '0')`,
      account_id: id('acc', account),
      user_id: id('usr', `nth % ${users}`),
      provider_id: id('prv', `nth % ${providers}`),
      product_id: id('prd', `nth % ${products}`),
      status,
      kind,
      for_instance_id: `case when nth % 1000 = 7 or nth % 10 = 3 then ${timely('ins')} end`,
      placed_at: at,
      ended_at: `case when nth % 1000 between 110 and 119 then null else ${at} end`,
      instance_id: `case when nth % 1000 < 120 then null else ${timely('ins')} end`,
    },
  });
  await copyRows(sql, 'svc_order.timeline', {
    count: orders,
    where: `order_id = '${original}' and version <= 2`,
    changes: { order_id: timely('ord'), entry_id: `entry_id || '-' || nth` },
  });
}

async function fillClaims(sql: ReturnType<typeof connect>, { claims }: Size): Promise<void> {
  const original = await first(sql, `select claim_id as id from svc_coupon.claims where status = 'usable' limit 1`);
  const isUsed = 'nth % 3 = 1';
  await copyRows(sql, 'svc_coupon.claims', {
    count: claims,
    where: `claim_id = '${original}'`,
    changes: {
      claim_id: id('ccl', 'nth'),
      number: `'n' || nth`,
      account_id: id('acc', account),
      claimed_at: `now() - (${claims} - nth) * interval '5 minutes'`,
      valid_until: `now() - (${claims} - nth) * interval '5 minutes' + (100 + nth % 300) * interval '1 day'`,
      status: `case when ${isUsed} then 'used' else 'usable' end`,
      order_id: `case when ${isUsed} then ${id('ord', 'nth')} end`,
      deduction: `case when ${isUsed} then 100 end`,
      used_at: `case when ${isUsed} then now() end`,
    },
  });
}

async function fillCatalogue(sql: ReturnType<typeof connect>, { products: wanted }: Size): Promise<void> {
  const [shelf] = await sql<{ n: number }[]>`select count(*) as n from svc_catalog.products where status = 'published'`;
  const count = Math.ceil(wanted / shelf!.n);
  const copy = `left(product_id, 4) || lpad(to_hex(nth), 8, '0') || right(product_id, 24)`;
  const dice = (sides: number) => `abs(hashtext(product_id || nth::text)) % ${sides}`;
  const published = `product_id in (select product_id from svc_catalog.products where status = 'published')`;
  await copyRows(sql, 'svc_catalog.sale_counts', { count, where: published, changes: { product_id: copy, completed: dice(50_000) } });
  await copyRows(sql, 'svc_catalog.ratings', { count, where: published, changes: { product_id: copy } });
  await copyRows(sql, 'svc_catalog.products', {
    count,
    where: `status = 'published'`,
    changes: {
      product_id: copy,
      price_from: dice(1_000_000),
      published_at: `published_at - (${dice(20_000_000)}) * interval '1 second'`,
      skus: `jsonb_set(skus, '{0,skuId}', to_jsonb('sku_' || lpad(to_hex(nth), 8, '0') || right(product_id, 24)))`,
    },
  });
}
