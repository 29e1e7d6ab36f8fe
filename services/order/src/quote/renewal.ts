import type { SkuSnapshot } from '@yunshi/contracts/catalog';
import type { InstanceId, SkuId } from '@yunshi/kernel/ids';
import type { OrderKind } from '@yunshi/kernel/marketplace';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { ServerConfiguration } from '@yunshi/kernel/server';
import type { Instance } from '../instance/instance.ts';
import { periodsOf, type Product, type Wish } from './quote.ts';

/** What a buyer asks for: a SKU, or that an instance of the account goes on. */
export type Asked =
  | {
      readonly kind: 'new_purchase';
      readonly skuId: SkuId;
      readonly quantity: number;
      readonly duration?: number | undefined;
      readonly server?: ServerConfiguration | undefined;
    }
  | {
      readonly kind: Exclude<OrderKind, 'new_purchase'>;
      readonly instanceId: InstanceId;
      readonly duration?: number | undefined;
      readonly server?: ServerConfiguration | undefined;
      /** Of a conversion only: a renewal is of what is there. */
      readonly quantity?: number | undefined;
    };

export type RenewalRefusal =
  | { readonly code: 'instance-not-found'; readonly field: 'instance_id' }
  | {
      readonly code: 'instance-not-renewable';
      readonly field: 'instance_id';
      readonly why: 'closed' | 'trial' | 'not-a-trial' | 'has-no-periods' | 'not-offered' | 'not-in-use';
    };

/** Which SKU is to be priced: the instance's own for a renewal 续费, the one that its trial leads to for a conversion 转正式版. */
export function wishOf(asked: Asked, instance: Instance | undefined, product: Product | undefined): Result<Wish, RenewalRefusal> {
  if (asked.kind === 'new_purchase')
    return ok({ skuId: asked.skuId, quantity: asked.quantity, duration: asked.duration, server: asked.server });
  const { kind, instanceId, duration, server } = asked;
  const refuse = (why: (RenewalRefusal & { code: 'instance-not-renewable' })['why']) =>
    no({ code: 'instance-not-renewable', field: 'instance_id', why } as const);
  if (!instance) return no({ code: 'instance-not-found', field: 'instance_id' });
  if (instance.status !== 'shipped' && instance.status !== 'expired') return refuse('closed');
  if (instance.deliveryType === 'human_service') return refuse('not-offered');
  // Once it has expired, the cloud may take its server back any moment.
  if (instance.deliveryType === 'image' && instance.status !== 'shipped') return refuse('not-in-use');
  if (kind === 'renewal' && instance.isTrial) return refuse('trial');
  if (kind === 'trial_conversion' && !instance.isTrial) return refuse('not-a-trial');
  const skuOf = (skuId: SkuId | undefined) => product?.skus.find((one) => one.skuId === skuId);
  const sku = kind === 'renewal' ? skuOf(instance.skuId) : skuOf(skuOf(instance.skuId)?.trialOf);
  // A package of calls is topped up: more calls, and for longer.
  if (!sku || (!periodsOf(sku.price) && sku.price.model !== 'per_package')) return refuse('has-no-periods');
  const quantity = kind === 'renewal' ? instance.quantity : (asked.quantity ?? 1);
  return ok({ skuId: sku.skuId, quantity, duration, server, renews: { kind, instanceId } });
}

/** How often the buyer may buy it. A renewal goes on with what was bought. */
export const limitOf = ({ renews }: Wish, sku: SkuSnapshot): number | undefined =>
  renews?.kind === 'renewal' ? undefined : sku.perAccountMax;

export const kindOf = ({ renews }: Wish): OrderKind => renews?.kind ?? 'new_purchase';
