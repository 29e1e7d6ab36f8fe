import { z } from 'zod';
import { AccountId, InstanceId, OrderId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { Flow, FlowUnit, PeriodUnit } from '@yunshi/kernel/marketplace';
import { tasks } from '../instance/instance.ts';

/** What a call to a provider says and what came of it, as data: decisions speak of these without knowing how a call is made. */

const Time = z.iso.datetime({ offset: true });

/** What a provider is asked, in nobody's dialect. Neither endpoint nor token is in it: the call is made with those of its moment. */
export const ProviderRequest = z.object({
  task: z.enum(tasks),
  seq: z.int(),
  attempt: z.int(),
  createdAt: Time,
  dueAt: Time,
  instanceId: InstanceId,
  orderId: OrderId,
  accountId: AccountId,
  providerId: ProviderId,
  productId: ProductId,
  productName: z.string(),
  skuName: z.string(),
  /** Absent in intents from before a dialect asked for it. */
  skuId: SkuId.optional(),
  isTrial: z.boolean(),
  quantity: z.int(),
  period: z.object({ count: z.int(), unit: PeriodUnit }).optional(),
  /** Of a metered SKU: what each piece holds. */
  flow: Flow.optional(),
  /** The new expiry, of a renewal or conversion; of a creation the one that it will have if it is delivered now. */
  expiresAt: Time.optional(),
  /** Absent until the provider has said one. */
  signId: z.string().optional(),
  /** It may have been sent before without our hearing of it. */
  unheard: z.literal(true).optional(),
});
export type ProviderRequest = z.infer<typeof ProviderRequest>;

/** What was really sent and heard, fit for a log: no token, no signature, no credentials. */
export const Exchange = z.object({
  url: z.string().optional(),
  request: z.string().optional(),
  httpStatus: z.int().optional(),
  answer: z.string().optional(),
  note: z.string().optional(),
  performedAt: Time,
  durationMs: z.int(),
});
export type Exchange = z.infer<typeof Exchange>;

/** What a provider says of a metered product 计量类, in its own figures. */
export const FlowReading = z.object({ total: z.string(), used: z.string(), unit: FlowUnit });
export type FlowReading = z.infer<typeof FlowReading>;
/** At what is left the provider is to warn. */
export const FlowAlert = z.object({ on: z.boolean(), span: z.string(), unit: FlowUnit });
export type FlowAlert = z.infer<typeof FlowAlert>;
