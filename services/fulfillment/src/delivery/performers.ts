import { performs } from '@yunshi/messaging/handle';
import type { Performer } from '@yunshi/messaging/handle';
import type { ProductId } from '@yunshi/kernel/ids';
import { packageOf } from '../product/product.ts';
import type { Product } from '../product/product.ts';
import type { EndpointBook } from '../endpoint/endpoints.ts';
import { drawKey } from '../api/keys.ts';
import { boundTo } from '../bound-to.ts';
import type { Vault } from '@yunshi/service/vault';
import { callProvider, issueKey } from './calls.ts';
import type { Access, Dialect } from './dialect.ts';
import { inTurn, type Turn } from './turn.ts';

export type PerformerParts = {
  readonly product: (productId: ProductId) => Promise<Product | undefined>;
  readonly vault: Pick<Vault, 'seal'>;
  readonly endpoints: Pick<EndpointBook, 'of'>;
  readonly dialects: readonly Dialect[];
  readonly turn: Omit<Turn, 'wallNow'>;
  readonly wallNow: () => Date;
  /** `bytes` of randomness as lower-case hexadecimal digits. */
  readonly randomHex: (bytes: number) => string;
};

/** Carry out what was intended, with the endpoint, the token and the clock of this moment. */
export function performers({
  product: productOf,
  vault,
  endpoints,
  dialects,
  turn,
  wallNow,
  randomHex,
}: PerformerParts): readonly Performer[] {
  const byName = new Map(dialects.map((dialect) => [dialect.name, dialect]));
  const sealAccess = (instanceId: string, access: Access) => vault.seal(JSON.stringify(access), boundTo.access(instanceId));
  return [
    performs(
      callProvider,
      inTurn({ ...turn, wallNow }, async (request, { signal }) => {
        const endpoint = await endpoints.of(request.productId, request.providerId);
        const dialect = endpoint === undefined ? undefined : byName.get(endpoint.dialect);
        if (endpoint === undefined || dialect === undefined) {
          const note = endpoint === undefined ? 'not sent: the product has no endpoint' : `not sent: nobody speaks «${endpoint.dialect}»`;
          return {
            outcome: { kind: 'failed' as const, sent: false },
            exchange: { note, performedAt: wallNow().toISOString(), durationMs: 0 },
          };
        }
        const { outcome, exchange } = await dialect.call(endpoint, request, signal);
        if (outcome.kind !== 'delivered') return { outcome, exchange };
        const access = dialect.signIn === undefined ? outcome.access : { ...outcome.access, dialect: dialect.name };
        return {
          outcome: { kind: 'delivered' as const, signId: outcome.signId, access: sealAccess(request.instanceId, access) },
          exchange,
        };
      }),
    ),
    performs(issueKey, async ({ instanceId, productId, skuId }) => {
      const product = await productOf(productId);
      // The keys stand with the instance; there is no application to log in to.
      const access = sealAccess(instanceId, { additional: [] });
      return { ...drawKey({ vault, randomHex }), access, ...packageOf(product, skuId) };
    }),
  ];
}
