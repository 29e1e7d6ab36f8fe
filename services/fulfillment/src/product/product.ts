import type { SkuSnapshot } from '@yunshi/contracts/catalog';
import type { ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import type { DeliveryType } from '@yunshi/kernel/marketplace';

/** What the catalogue last said of a product. */
export type Product = {
  productId: ProductId;
  productVersion: number;
  providerId: ProviderId;
  providerName: string;
  name: string;
  deliveryType: DeliveryType;
  humanDelivery: boolean;
  skus: readonly SkuSnapshot[];
};

/** Events come in any order: the newest version stays. */
export const newest = (known: Product | undefined, told: Product): Product | undefined =>
  known !== undefined && known.productVersion >= told.productVersion ? undefined : told;

/** How many calls and days a package holds, where the SKU is sold as one. */
export function packageOf(product: Product | undefined, skuId: SkuId): { calls?: number; validDays?: number } {
  const price = product?.skus.find((sku) => sku.skuId === skuId)?.price;
  if (price?.model === 'per_package') return { calls: price.calls, validDays: price.validDays };
  if (price?.model === 'one_off' && price.validDays !== undefined) return { validDays: price.validDays };
  return {};
}

/** Whether any of its SKUs is metered 计量类, on sale or not yet. */
export const isMeteredProduct = ({ skus }: Pick<Product, 'skus'>): boolean => skus.some(({ flow }) => flow !== undefined);
