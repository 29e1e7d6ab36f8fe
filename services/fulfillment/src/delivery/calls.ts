import { z } from 'zod';
import { InstanceId, ProductId, SkuId } from '@yunshi/kernel/ids';
import { outsideCall } from '@yunshi/messaging/handle';
import { Exchange, ProviderRequest } from './request.ts';

/** The calls that leave the service: their requests, as they are stored before the call, and what may come of them. */

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
  /** `again`: not made yet, because the provider's line was full; to be made at that moment. */
  outcome: z.union([z.object({ outcome: Outcome, exchange: Exchange }), z.object({ again: z.iso.datetime({ offset: true }) })]),
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
