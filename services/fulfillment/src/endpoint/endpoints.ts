import { demoSpiProviders } from '@yunshi/contracts/demo-world';
import type { Sql } from '@yunshi/db/connect';
import { selectListOf } from '@yunshi/db/select-list';
import type { CheckId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { playedProviderToken } from '@yunshi/protocols/saas/played';
import type { Vault } from '@yunshi/service/vault';
import { boundTo } from '../bound-to.ts';
import type { Endpoint as Called } from '../delivery/dialect.ts';
import { endpointChecks, endpoints } from '../tables.ts';
import type { Endpoint } from './endpoint.ts';

/** Where each SaaS product's provider wants to be called, and how that was checked: the only SQL that reads it. */

export type ProductEndpoint = Called & { readonly dialect: string; readonly isPlayed: boolean };
export type CheckRow = typeof endpointChecks.$inferSelect;

/** Where the sandbox plays every provider that has not given an endpoint. Development only. */
export type SandboxProviders = { readonly url: string; readonly secret: string };

/** Whose endpoints may be seen: one provider's, or everybody's. */
export type EndpointScope = { readonly providerId: ProviderId } | 'all';
export type EndpointQuery = {
  readonly scope: EndpointScope;
  readonly isFailing: boolean | undefined;
  readonly after: ProductId | undefined;
  readonly take: number;
};
export type CheckQuery = {
  readonly productId: ProductId;
  readonly providerId: ProviderId;
  readonly after: readonly [string, CheckId] | undefined;
  readonly take: number;
};

export type EndpointBook = ReturnType<typeof endpointBook>;

export function endpointBook({ sql, vault, sandbox }: { sql: Sql; vault: Vault; sandbox: SandboxProviders | undefined }) {
  const numberKnown = async (productId: ProductId) =>
    (await sql<{ number: number }[]>`select number from product_numbers where product_id = ${productId}`)[0]?.number;

  /** The number by which the protocols know the product; given once, kept for ever. */
  async function numberOf(productId: ProductId): Promise<number> {
    const given = await numberKnown(productId);
    if (given !== undefined) return given;
    // Looked up first, because an insert that meets a conflict uses up a number too.
    await sql`insert into product_numbers (product_id) values (${productId}) on conflict (product_id) do nothing`;
    const made = await numberKnown(productId);
    if (made === undefined) throw new Error(`product ${productId} has no number`);
    return made;
  }

  async function find(productId: ProductId, providerId: ProviderId): Promise<Endpoint | undefined> {
    const [row] = await sql<Endpoint[]>`
      select ${sql.unsafe(selectListOf(endpoints))} from endpoints where product_id = ${productId} and provider_id = ${providerId}`;
    return row;
  }

  type Address = { readonly dialect: string | null; readonly url: string | null; readonly token: string | null };
  async function opened(productId: ProductId, providerId: ProviderId, own: Address | undefined): Promise<ProductEndpoint | undefined> {
    if (own?.dialect && own.url && own.token) {
      const token = vault.open(own.token, boundTo.token(productId));
      return { dialect: own.dialect, url: own.url, token, isPlayed: false, productNumber: await numberOf(productId) };
    }
    if (sandbox === undefined) return undefined;
    const speaksSpi = demoSpiProviders.includes(providerId);
    return {
      dialect: speaksSpi ? 'alibaba-spi' : 'tencent-saas',
      url: `${sandbox.url}/sandbox/provider/${providerId}/${speaksSpi ? 'spi' : 'deliver'}`,
      token: playedProviderToken(sandbox.secret, providerId),
      isPlayed: true,
      productNumber: await numberOf(productId),
    };
  }

  return {
    isPlayed: sandbox !== undefined,
    numberOf,
    find,
    /** Where deliveries go. */
    of: async (productId: ProductId, providerId: ProviderId): Promise<ProductEndpoint | undefined> =>
      opened(productId, providerId, await find(productId, providerId)),
    /** What is checked, and which setting of it that is. */
    async debugOf(productId: ProductId, providerId: ProviderId): Promise<(ProductEndpoint & { readonly seq: number }) | undefined> {
      const row = await find(productId, providerId);
      const debug = row && { dialect: row.debugDialect, url: row.debugUrl, token: row.debugToken };
      const endpoint = await opened(productId, providerId, debug);
      return endpoint && { ...endpoint, seq: row?.debugSeq ?? 0 };
    },
    seal: (productId: ProductId, token: string): string => vault.seal(token, boundTo.token(productId)),

    /** Those that have been published. */
    list: ({ scope, isFailing, after, take }: EndpointQuery): PromiseLike<Endpoint[]> => sql<Endpoint[]>`
      select ${sql.unsafe(selectListOf(endpoints))} from endpoints
      where published_at is not null ${scope === 'all' ? sql`` : sql`and provider_id = ${scope.providerId}`}
        ${isFailing === undefined ? sql`` : isFailing ? sql`and failing_since is not null` : sql`and failing_since is null`}
        ${after === undefined ? sql`` : sql`and product_id > ${after}`}
      order by product_id limit ${take}`,
    async countFailing(): Promise<number> {
      const [row] = await sql<{ count: number }[]>`select count(*)::int as count from endpoints where failing_since is not null`;
      return row?.count ?? 0;
    },

    checks: ({ productId, providerId, after, take }: CheckQuery): PromiseLike<CheckRow[]> => sql<CheckRow[]>`
      select ${sql.unsafe(selectListOf(endpointChecks))} from endpoint_checks where product_id = ${productId} and provider_id = ${providerId}
        ${after === undefined ? sql`` : sql`and (started_at, check_id) < (${after[0]}::text::timestamptz, ${after[1]})`}
      order by started_at desc, check_id desc limit ${take}`,
    async check(productId: ProductId, providerId: ProviderId, checkId: CheckId): Promise<CheckRow | undefined> {
      const [row] = await sql<CheckRow[]>`
        select ${sql.unsafe(selectListOf(endpointChecks))} from endpoint_checks
        where check_id = ${checkId} and product_id = ${productId} and provider_id = ${providerId}`;
      return row;
    },
  };
}
