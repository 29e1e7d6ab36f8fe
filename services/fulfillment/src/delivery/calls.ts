import { z } from 'zod';
import { AccountId, InstanceId, OrderId, ProductId, ProviderId, SkuId } from '@yunshi/kernel/ids';
import { PeriodUnit } from '@yunshi/kernel/marketplace';
import { outsideCall } from '@yunshi/messaging/handle';
import { tasks } from '../instance/instance.ts';

/** The calls that leave the service: their requests, as they are stored before the call, and what may come of them. */

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
  /** The new expiry, of a renewal or conversion; of a creation the one that it will have if it is delivered now. */
  expiresAt: Time.optional(),
  /** Absent until the provider has said one. */
  signId: z.string().optional(),
});
export type ProviderRequest = z.infer<typeof ProviderRequest>;

/** What a provider says of a metered product 计量类, in its own figures. */
export const FlowUnit = z.enum(['m', 'h', 'Mb', 'Gb']);
export const FlowReading = z.object({ total: z.string(), used: z.string(), unit: FlowUnit });
export type FlowReading = z.infer<typeof FlowReading>;
/** At what is left the provider is to warn. */
export const FlowAlert = z.object({ on: z.boolean(), span: z.string(), unit: FlowUnit });
export type FlowAlert = z.infer<typeof FlowAlert>;

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

/** `access` is encrypted before it gets here, because outcomes pass through tables. */
const Outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('delivered'), signId: z.string(), access: z.string() }),
  z.object({ kind: z.literal('pending') }),
  z.object({ kind: z.literal('agreed') }),
  z.object({ kind: z.literal('declined') }),
  z.object({ kind: z.literal('failed'), sent: z.boolean() }),
]);

export const callProvider = outsideCall('fulfillment.call-provider', {
  request: ProviderRequest,
  outcome: z.object({ outcome: Outcome, exchange: Exchange }),
});

/** Not outside the company but outside a decision: keys come from randomness and the encryption key. */
export const issueKey = outsideCall('fulfillment.issue-key', {
  request: z.object({ seq: z.int(), instanceId: InstanceId, productId: ProductId, skuId: SkuId }),
  outcome: z.object({
    secretId: z.string(),
    secretKey: z.string(),
    access: z.string(),
    calls: z.int().optional(),
    validDays: z.int().optional(),
  }),
});
