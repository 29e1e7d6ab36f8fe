import { z } from 'zod';
import { ProductId, ProviderId, SkuId } from './ids.ts';
import { Fen } from './money.ts';

/** How a product is delivered 交付方式: 镜像, 人工服务, SaaS, API. */
export const DeliveryType = z.enum(['image', 'human_service', 'saas', 'api']);
export type DeliveryType = z.infer<typeof DeliveryType>;

/** What an order is for: 新购, 续费, 转正式版. */
export const OrderKind = z.enum(['new_purchase', 'renewal', 'trial_conversion']);
export type OrderKind = z.infer<typeof OrderKind>;

export const PeriodUnit = z.enum(['month', 'year', 'day']);
export type PeriodUnit = z.infer<typeof PeriodUnit>;

/** What a metered product 计量类 counts in: minutes, hours, Mb, Gb. */
export const FlowUnit = z.enum(['m', 'h', 'Mb', 'Gb']);
export type FlowUnit = z.infer<typeof FlowUnit>;
/** How much of it a metered SKU holds: `amount` units for each piece that is bought. */
export const Flow = z.object({ amount: z.int().min(1).max(999_999_999), unit: FlowUnit });
export type Flow = z.infer<typeof Flow>;

/** One bought SKU with the server's price at the moment of ordering. `amount` is what the line costs before coupons. */
export const Line = z.object({
  skuId: SkuId,
  productId: ProductId,
  providerId: ProviderId,
  deliveryType: DeliveryType,
  quantity: z.int().min(1).max(99_999_999),
  period: z.object({ count: z.int().min(1).max(120), unit: PeriodUnit }).optional(),
  /** Of a metered SKU, as it was when it was ordered. */
  flow: Flow.optional(),
  /** Of what is sold by calls 次数包: how many, and for how many days from the delivery. */
  pack: z.object({ calls: z.int().min(1), validDays: z.int().min(1) }).optional(),
  unitPrice: Fen,
  amount: Fen,
});
export type Line = z.infer<typeof Line>;

/** How many months a period is, where it is whole ones: what servers are rented for. */
export function monthsOf(period: Line['period']): number | undefined {
  if (period === undefined || period.unit === 'day') return undefined;
  return period.unit === 'year' ? 12 * period.count : period.count;
}
