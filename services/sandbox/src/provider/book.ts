import { randomBytes } from 'node:crypto';
import type { Sql } from '@yunshi/db/connect';
import type { SaasRequest } from '@yunshi/protocols/saas/actions';
import { together } from '../together.ts';
import type { Behaviour, Meter, ProviderInstance } from './answer.ts';
import { converted } from './meter.ts';

/** The played providers' own records: the only SQL for them. */

export type StoredInstance = ProviderInstance & {
  orderId: string;
  accountId: string;
  isTrial: boolean;
  productNumber: number;
  createdAt: Date;
};
export type StoredScript = { id: number; action: string; behaviour: Behaviour; productNumber: number | null; remaining: number | null };
export type StoredRequest = { verdict: string; action: string; orderId: string | null; body: string; answer: string; at: Date };
export type ScriptAsk = { action: string; behaviour: Behaviour; productNumber?: number | undefined; times?: number | undefined };

export type ProviderBook = ReturnType<typeof providerBook>;

const instanceColumns = `sign_id as "signId", order_id as "orderId", account_id as "accountId", product_number as "productNumber",
  product_name as "productName", spec, is_trial as "isTrial", status, expires_at as "expiresAt", login, password, ticket, created_at as "createdAt",
  case when flow_total is null then null else json_build_object(
    'total', trim_scale(flow_total)::text, 'used', trim_scale(flow_used)::text, 'unit', flow_unit) end as flow`;

export function providerBook(sql: Sql) {
  const columns = sql.unsafe(instanceColumns);
  const [create, record] = [creating(sql), recording(sql)];
  async function known(providerId: string, signId: string): Promise<StoredInstance | undefined> {
    const [found] = await sql<StoredInstance[]>`
      select ${columns} from provider_instances where provider_id = ${providerId} and sign_id = ${signId} and status <> 'reclaimed'`;
    return found;
  }
  return {
    /**
     * Does what a genuine call asks and answers what it now has of the instance. The same order makes the same instance, however often it
     * is asked. `named`: what a new one is to be called.
     */
    async obey(providerId: string, request: SaasRequest, named?: string): Promise<StoredInstance | undefined> {
      switch (request.action) {
        case 'verifyInterface':
          return undefined;
        case 'createInstance':
          return create({ providerId, request, signId: named ?? drawSignId() });
        case 'renewInstance': {
          const [renewed] = await sql<StoredInstance[]>`
            update provider_instances set expires_at = ${request.instanceExpireTime}, status = 'active', changed_at = now(),
              flow_total = coalesce(${request.productInfo?.flowSpan ?? null}, flow_total),
              flow_used = case expires_at when ${request.instanceExpireTime} then flow_used else 0 end,
              is_warned = is_warned and expires_at = ${request.instanceExpireTime}
            where provider_id = ${providerId} and sign_id = ${request.signId} and status <> 'reclaimed' returning ${columns}`;
          return renewed;
        }
        case 'modifyInstance': {
          const [modified] = await sql<StoredInstance[]>`
            update provider_instances set spec = ${request.spec}, changed_at = now(),
              expires_at = coalesce(${request.instanceExpireTime ?? null}, expires_at), is_trial = false,
              flow_total = coalesce(${request.productInfo?.flowSpan ?? null}, flow_total),
              flow_unit = coalesce(${request.productInfo?.flowUnit ?? null}, flow_unit)
            where provider_id = ${providerId} and sign_id = ${request.signId} and status <> 'reclaimed' returning ${columns}`;
          return modified;
        }
        case 'expireInstance': {
          const [isolated] = await sql<StoredInstance[]>`
            update provider_instances set status = case status when 'reclaimed' then status else 'isolated' end, changed_at = now()
            where provider_id = ${providerId} and sign_id = ${request.signId} returning ${columns}`;
          return isolated;
        }
        case 'destroyInstance': {
          // Before the marketplace has heard a signId it can name only the order, and says "0" for the rest.
          const [reclaimed] = await sql<StoredInstance[]>`
            update provider_instances set status = 'reclaimed', changed_at = now()
            where provider_id = ${providerId} and (sign_id = ${request.signId} or (${request.signId} = '0' and order_id = ${request.orderId})) returning ${columns}`;
          return reclaimed;
        }
        case 'flowQuery':
          return known(providerId, request.signId);
        case 'flowSetting': {
          const instance = await known(providerId, request.signId);
          const at = instance?.flow ? converted(request.warnSpan, request.warnUnit, instance.flow.unit) : undefined;
          if (at === undefined) return undefined;
          const [set] = await sql<StoredInstance[]>`
            update provider_instances set warn_at = ${request.switch === 'ON' ? at : null}, is_warned = false, changed_at = now()
            where provider_id = ${providerId} and sign_id = ${request.signId} returning ${columns}`;
          return set;
        }
      }
    },

    ...meters(sql),

    /** Takes the oldest script for this call and uses it up by one. */
    async nextScript(providerId: string, action: string, productNumber: number | undefined): Promise<Behaviour | undefined> {
      const [script] = await sql<{ behaviour: Behaviour }[]>`
        update provider_scripts set remaining = remaining - 1
        where id = (
          select id from provider_scripts
          where provider_id = ${providerId} and action = ${action} and (remaining is null or remaining > 0)
            and (product_number is null or product_number = ${productNumber ?? null})
          order by id limit 1 for update
        ) returning behaviour`;
      return script?.behaviour;
    },
    async addScript(providerId: string, { action, behaviour, productNumber, times }: ScriptAsk): Promise<void> {
      await sql`insert into provider_scripts (provider_id, action, behaviour, product_number, remaining)
        values (${providerId}, ${action}, ${behaviour}, ${productNumber ?? null}, ${times ?? null})`;
    },
    async clearScripts(providerId: string): Promise<void> {
      await sql`delete from provider_scripts where provider_id = ${providerId}`;
    },
    scripts: (providerId: string): Promise<StoredScript[]> => sql<StoredScript[]>`
      select id, action, behaviour, product_number as "productNumber", remaining from provider_scripts
      where provider_id = ${providerId} and (remaining is null or remaining > 0) order by id limit 100`,

    record: async (providerId: string, request: StoredRequest): Promise<void> => record({ providerId, ...request }),
    requests: (providerId: string, orderId?: string): Promise<StoredRequest[]> => sql<StoredRequest[]>`
      select verdict, action, order_id as "orderId", body, answer, at from provider_requests
      where provider_id = ${providerId} and ${orderId === undefined ? sql`true` : sql`order_id = ${orderId}`} order by id desc limit 100`,

    instances: (providerId: string, orderId?: string): Promise<StoredInstance[]> => sql<StoredInstance[]>`
      select ${columns} from provider_instances
      where provider_id = ${providerId} and ${orderId === undefined ? sql`true` : sql`order_id = ${orderId}`} order by created_at desc limit 100`,
    async instance(providerId: string, by: { signId: string } | { login: string }): Promise<StoredInstance | undefined> {
      const [found] = await sql<StoredInstance[]>`
        select ${columns} from provider_instances
        where provider_id = ${providerId} and ${'signId' in by ? sql`sign_id = ${by.signId}` : sql`login = ${by.login}`}`;
      return found;
    },
    providers: (): Promise<{ providerId: string; instances: number }[]> => sql<{ providerId: string; instances: number }[]>`
      select provider_id as "providerId", count(*)::int as instances from provider_instances group by provider_id order by provider_id limit 100`,
  };
}

export type CloudKey = { readonly secretId: string; readonly secretKey: string; readonly endpoint: string };
export type Metered = { readonly flow: Meter; readonly resourceId: string; readonly left: string; readonly isDue: boolean };

/** What is used of what is metered, and what is needed to tell the marketplace of it. */
function meters(sql: Sql) {
  return {
    /** Counts usage, by so much or up to so much. `isDue`: the marketplace wants to be reminded, and was not yet. */
    async use(
      providerId: string,
      signId: string,
      { add, to }: { add?: number | undefined; to?: number | undefined },
    ): Promise<Metered | undefined> {
      const [counted] = await sql<Metered[]>`
        update provider_instances set flow_used = coalesce(${to ?? null}::numeric, flow_used) + ${add ?? 0}::numeric, changed_at = now()
        where provider_id = ${providerId} and sign_id = ${signId} and flow_total is not null and status = 'active'
        returning resource_id as "resourceId", trim_scale(greatest(flow_total - flow_used, 0))::text as left,
          json_build_object('total', trim_scale(flow_total)::text, 'used', trim_scale(flow_used)::text, 'unit', flow_unit) as flow,
          coalesce(not is_warned and flow_total - flow_used <= warn_at, false) as "isDue"`;
      return counted;
    },
    async warned(providerId: string, signId: string): Promise<void> {
      await sql`update provider_instances set is_warned = true where provider_id = ${providerId} and sign_id = ${signId}`;
    },
    async keepCloudKey(providerId: string, { secretId, secretKey, endpoint }: CloudKey): Promise<void> {
      await sql`insert into provider_cloud_keys (provider_id, secret_id, secret_key, endpoint) values (${providerId}, ${secretId}, ${secretKey}, ${endpoint})
        on conflict (provider_id) do update set secret_id = excluded.secret_id, secret_key = excluded.secret_key, endpoint = excluded.endpoint`;
    },
    async cloudKey(providerId: string): Promise<CloudKey | undefined> {
      const [key] = await sql<CloudKey[]>`
        select secret_id as "secretId", secret_key as "secretKey", endpoint from provider_cloud_keys where provider_id = ${providerId}`;
      return key;
    },
  };
}

type Creation = {
  readonly providerId: string;
  readonly request: Extract<SaasRequest, { action: 'createInstance' }>;
  readonly signId: string;
};

/** Makes instances, as many in one statement as are asked for at once. */
const creating = (sql: Sql) =>
  together(async (creations: readonly Creation[]): Promise<(StoredInstance | undefined)[]> => {
    const rows = creations.map(({ providerId, signId, request: { orderId, accountId, resourceId, productId, productInfo } }) => ({
      sign_id: signId,
      provider_id: providerId,
      order_id: orderId,
      account_id: accountId,
      resource_id: resourceId,
      product_number: productId,
      product_name: productInfo.productName,
      spec: productInfo.spec,
      is_trial: productInfo.isTrial === 'true',
      login: `u${randomBytes(4).toString('hex')}`,
      password: randomBytes(9).toString('base64url'),
      ticket: randomBytes(16).toString('hex'),
      flow_total: productInfo.flowSpan === undefined ? null : Number(productInfo.flowSpan) * (productInfo.cycleNum ?? 1),
      flow_unit: productInfo.flowUnit ?? null,
    }));
    await sql`
      insert into provider_instances
        (sign_id, provider_id, order_id, account_id, resource_id, product_number, product_name, spec, is_trial, status, expires_at, login, password, ticket, flow_total, flow_unit)
      select sign_id, provider_id, order_id, account_id, resource_id, product_number, product_name, spec, is_trial, 'active', '', login, password, ticket, flow_total, flow_unit
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as r(sign_id text, provider_id text, order_id text, account_id text, resource_id text,
        product_number int, product_name text, spec text, is_trial boolean, login text, password text, ticket text, flow_total numeric, flow_unit text)
      on conflict (provider_id, order_id) do nothing`;
    const made = await sql<(StoredInstance & { readonly providerId: string })[]>`
      select ${sql.unsafe(instanceColumns)}, provider_id as "providerId" from provider_instances
      where provider_id = any(${rows.map((row) => row.provider_id)}::text[]) and order_id = any(${rows.map((row) => row.order_id)}::text[])
        and status <> 'reclaimed'`;
    return rows.map((row) => made.find((one) => one.providerId === row.provider_id && one.orderId === row.order_id));
  });

const recording = (sql: Sql) =>
  together(async (requests: readonly (StoredRequest & { readonly providerId: string })[]): Promise<void[]> => {
    await sql`
      insert into provider_requests (provider_id, verdict, action, order_id, body, answer, at)
      select * from unnest(${requests.map((one) => one.providerId)}::text[], ${requests.map((one) => one.verdict)}::text[],
        ${requests.map((one) => one.action)}::text[], ${requests.map((one) => one.orderId)}::text[], ${requests.map((one) => one.body)}::text[],
        ${requests.map((one) => one.answer)}::text[], ${requests.map((one) => one.at.toISOString())}::text[]::timestamptz[])`;
    return requests.map(() => undefined);
  });

/** Eleven characters, the most that the protocol allows, and never "0". */
const drawSignId = (): string => `s${randomBytes(5).toString('hex')}`;
