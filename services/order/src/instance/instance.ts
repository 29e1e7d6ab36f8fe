import type { InstanceStatus } from '@yunshi/contracts/fulfillment';
import type { AccountId, InstanceId, OrderId, ProductId, SkuId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';

/** What this service knows of an instance 资源实例, to price its renewal: the newest version that it was told. */
export type Instance = {
  readonly instanceId: InstanceId;
  readonly instanceVersion: number;
  readonly accountId: AccountId;
  /** The order that made it. */
  readonly orderId: OrderId;
  readonly productId: ProductId;
  readonly skuId: SkuId;
  readonly quantity: number;
  readonly isTrial: boolean;
  readonly deliveryType: DeliveryType;
  readonly status: InstanceStatus;
  readonly expiresAt: Date | null;
};

export type InstanceNews = Pick<Instance, 'instanceId' | 'instanceVersion' | 'status'> &
  Partial<Pick<Instance, 'skuId' | 'quantity' | 'isTrial' | 'expiresAt'>>;
/** What its order says of it: an instance is what was bought, until something changes it. */
export type Bought = Omit<Instance, 'instanceId' | 'instanceVersion' | 'status' | 'expiresAt'>;

/** Takes in the news, in whatever order they arrive. */
export function learn(known: Instance | undefined, bought: Bought, news: InstanceNews): Instance | undefined {
  if (known && known.instanceVersion >= news.instanceVersion) return undefined;
  return { expiresAt: null, ...bought, ...known, ...news };
}
