import { demoSpiProviders } from '@yunshi/contracts/demo-world';
import type { Sql } from '@yunshi/db/connect';
import type { ProductId, ProviderId } from '@yunshi/kernel/ids';
import { playedProviderToken } from '@yunshi/protocols/saas/played';
import type { Endpoint } from '../delivery/dialect.ts';
import { boundTo } from '../bound-to.ts';
import type { Vault } from '@yunshi/service/vault';

/** Where each SaaS product's provider wants to be called: the only SQL for it. */

export type ProductEndpoint = Endpoint & { readonly dialect: string; readonly verifiedAt: Date | null };

/** Where the sandbox plays every provider that has not given an endpoint. Development only. */
export type SandboxProviders = { readonly url: string; readonly secret: string };

export type EndpointBook = ReturnType<typeof endpointBook>;

export function endpointBook({ sql, vault, sandbox }: { sql: Sql; vault: Vault; sandbox: SandboxProviders | undefined }) {
  const known = async (productId: ProductId) =>
    (await sql<{ number: number }[]>`select number from product_numbers where product_id = ${productId}`)[0]?.number;

  /** The number by which the protocols know the product; given once, kept for ever. */
  async function numberOf(productId: ProductId): Promise<number> {
    const given = await known(productId);
    if (given !== undefined) return given;
    // Looked up first, because an insert that meets a conflict uses up a number too.
    await sql`insert into product_numbers (product_id) values (${productId}) on conflict (product_id) do nothing`;
    const made = await known(productId);
    if (made === undefined) throw new Error(`product ${productId} has no number`);
    return made;
  }

  return {
    async of(productId: ProductId, providerId: ProviderId): Promise<ProductEndpoint | undefined> {
      const [own] = await sql<{ dialect: string; url: string; token: string; verifiedAt: Date }[]>`
        select dialect, url, token, verified_at as "verifiedAt" from endpoints where product_id = ${productId} and provider_id = ${providerId}`;
      if (own !== undefined)
        return { ...own, token: vault.open(own.token, boundTo.token(productId)), productNumber: await numberOf(productId) };
      if (sandbox === undefined) return undefined;
      const speaksSpi = demoSpiProviders.includes(providerId);
      return {
        dialect: speaksSpi ? 'alibaba-spi' : 'tencent-saas',
        url: `${sandbox.url}/sandbox/provider/${providerId}/${speaksSpi ? 'spi' : 'deliver'}`,
        token: playedProviderToken(sandbox.secret, providerId),
        verifiedAt: null,
        productNumber: await numberOf(productId),
      };
    },
    numberOf,
    async save(
      productId: ProductId,
      endpoint: { providerId: ProviderId; dialect: string; url: string; token: string; verifiedAt: Date },
    ): Promise<void> {
      const token = vault.seal(endpoint.token, boundTo.token(productId));
      await sql`
        insert into endpoints (product_id, provider_id, dialect, url, token, verified_at)
        values (${productId}, ${endpoint.providerId}, ${endpoint.dialect}, ${endpoint.url}, ${token}, ${endpoint.verifiedAt})
        on conflict (product_id) do update set provider_id = excluded.provider_id, dialect = excluded.dialect, url = excluded.url,
          token = excluded.token, verified_at = excluded.verified_at`;
    },
  };
}
