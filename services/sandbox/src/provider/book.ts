import { randomBytes } from 'node:crypto';
import type { Sql } from '@yunshi/db/connect';
import type { SaasRequest } from '@yunshi/protocols/saas/actions';
import type { Behaviour, ProviderInstance } from './answer.ts';

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
  product_name as "productName", spec, is_trial as "isTrial", status, expires_at as "expiresAt", login, password, ticket, created_at as "createdAt"`;

export function providerBook(sql: Sql) {
  const columns = sql.unsafe(instanceColumns);
  return {
    /** Does what a genuine call asks and answers what it now has of the instance. The same order makes the same instance, however often it is asked. */
    async obey(providerId: string, request: SaasRequest): Promise<StoredInstance | undefined> {
      switch (request.action) {
        case 'verifyInterface':
          return undefined;
        case 'createInstance': {
          const { orderId, accountId, resourceId, productId, productInfo } = request;
          await sql`insert into provider_instances
              (sign_id, provider_id, order_id, account_id, resource_id, product_number, product_name, spec, is_trial, status, expires_at, login, password, ticket)
            values (${drawSignId()}, ${providerId}, ${orderId}, ${accountId}, ${resourceId}, ${productId}, ${productInfo.productName}, ${productInfo.spec},
              ${productInfo.isTrial === 'true'}, 'active', '', ${`u${randomBytes(4).toString('hex')}`}, ${randomBytes(9).toString('base64url')}, ${randomBytes(16).toString('hex')})
            on conflict (provider_id, order_id) do nothing`;
          const [made] = await sql<StoredInstance[]>`
            select ${columns} from provider_instances where provider_id = ${providerId} and order_id = ${orderId} and status <> 'reclaimed'`;
          return made;
        }
        case 'renewInstance': {
          const [renewed] = await sql<StoredInstance[]>`
            update provider_instances set expires_at = ${request.instanceExpireTime}, status = 'active', changed_at = now()
            where provider_id = ${providerId} and sign_id = ${request.signId} and status <> 'reclaimed' returning ${columns}`;
          return renewed;
        }
        case 'modifyInstance': {
          const [modified] = await sql<StoredInstance[]>`
            update provider_instances set spec = ${request.spec}, changed_at = now(),
              expires_at = coalesce(${request.instanceExpireTime ?? null}, expires_at), is_trial = is_trial and ${request.instanceExpireTime === undefined}
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
        case 'flowSetting': {
          const [known] = await sql<StoredInstance[]>`
            select ${columns} from provider_instances where provider_id = ${providerId} and sign_id = ${request.signId} and status <> 'reclaimed'`;
          return known;
        }
      }
    },

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

    async record(providerId: string, request: StoredRequest): Promise<void> {
      await sql`insert into provider_requests (provider_id, verdict, action, order_id, body, answer, at)
        values (${providerId}, ${request.verdict}, ${request.action}, ${request.orderId}, ${request.body}, ${request.answer}, ${request.at})`;
    },
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

/** Eleven characters, the most that the protocol allows, and never "0". */
const drawSignId = (): string => `s${randomBytes(5).toString('hex')}`;
