import type { Sql } from '@yunshi/db/connect';
import { rowsOf } from '@yunshi/db/rows';
import { selectListOf } from '@yunshi/db/select-list';
import type { InstanceId, OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { providerCalls } from '../tables.ts';
import type { ProviderCall } from './log.ts';

/** What providers and operators read of the delivery log: the only SQL for it. */

export const providerCallRows = rowsOf(providerCalls, 'callId');

/** Whose calls may be seen: one provider's, or everybody's. */
export type Scope = { readonly providerId: ProviderId } | 'all';

export type CallQuery = {
  readonly scope: Scope;
  readonly state: ProviderCall['state'] | undefined;
  readonly action: ProviderCall['action'] | undefined;
  readonly givenUp: boolean | undefined;
  readonly instanceId: InstanceId | undefined;
  readonly orderId: OrderId | undefined;
  readonly productId: ProductId | undefined;
  readonly after: readonly [string, string] | undefined;
  readonly take: number;
};

export type LogBook = ReturnType<typeof logBook>;

export function logBook(sql: Sql) {
  const within = (scope: Scope) => (scope === 'all' ? sql`true` : sql`provider_id = ${scope.providerId}`);
  return {
    async list({ scope, state, action, givenUp, instanceId, orderId, productId, after, take }: CallQuery): Promise<ProviderCall[]> {
      const ids = await sql<{ callId: string }[]>`
        select call_id as "callId" from provider_calls
        where ${within(scope)}
          ${state === undefined ? sql`` : sql`and state = ${state}`}
          ${action === undefined ? sql`` : sql`and action = ${action}`}
          ${givenUp === undefined ? sql`` : sql`and given_up = ${givenUp}`}
          ${instanceId === undefined ? sql`` : sql`and instance_id = ${instanceId}`}
          ${orderId === undefined ? sql`` : sql`and order_id = ${orderId}`}
          ${productId === undefined ? sql`` : sql`and product_id = ${productId}`}
          ${after === undefined ? sql`` : sql`and (created_at, call_id) < (${after[0]}::text::timestamptz, ${after[1]})`}
        order by created_at desc, call_id desc limit ${take}`;
      const rows = await providerCallRows.find(
        sql,
        ids.map(({ callId }) => callId),
      );
      const found = new Map(rows.map((row) => [row.callId, row]));
      return ids.flatMap(({ callId }) => found.get(callId) ?? []);
    },
    /** What waits for a person to re-drive it, the oldest first. */
    givenUp: (scope: Scope, { action, productId, take }: Pick<CallQuery, 'action' | 'productId' | 'take'>): PromiseLike<ProviderCall[]> =>
      sql<ProviderCall[]>`
        select ${sql.unsafe(selectListOf(providerCalls))} from provider_calls where given_up and ${within(scope)}
          ${action === undefined ? sql`` : sql`and action = ${action}`} ${productId === undefined ? sql`` : sql`and product_id = ${productId}`}
        order by created_at, call_id limit ${take}`,
    /** Those of the calls that may be seen, in no order. */
    async those(scope: Scope, callIds: readonly string[]): Promise<readonly ProviderCall[]> {
      const rows = await providerCallRows.find(sql, callIds);
      return rows.filter((row) => scope === 'all' || row.providerId === scope.providerId);
    },
    /** How many calls wait for a person to re-drive them. */
    async countGivenUp(scope: Scope, { action, productId }: Pick<CallQuery, 'action' | 'productId'>): Promise<number> {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::int as count from provider_calls where given_up and ${within(scope)}
          ${action === undefined ? sql`` : sql`and action = ${action}`} ${productId === undefined ? sql`` : sql`and product_id = ${productId}`}`;
      return row?.count ?? 0;
    },
    async find(scope: Scope, callId: string): Promise<ProviderCall | undefined> {
      const [row] = await providerCallRows.find(sql, [callId]);
      return row !== undefined && (scope === 'all' || row.providerId === scope.providerId) ? row : undefined;
    },
  };
}
