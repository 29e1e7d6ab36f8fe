import { AccountId, InstanceId, OrderId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { outsideCall } from '@yunshi/messaging/handle';
import { z } from 'zod';
import { Exchange, FlowAlert, FlowReading } from '../delivery/request.ts';
import { meteringActions } from '../delivery/log.ts';

const Time = z.iso.datetime({ offset: true });

/** A question to a provider about usage, or what it is to warn at: in nobody's dialect, as a delivery is. */
export const MeteringRequest = z.object({
  action: z.enum(meteringActions),
  /** Counted apart from the calls that deliver. */
  seq: z.int(),
  createdAt: Time,
  dueAt: Time,
  instanceId: InstanceId,
  orderId: OrderId,
  accountId: AccountId,
  providerId: ProviderId,
  productId: ProductId,
  signId: z.string(),
  /** Of a setting. */
  alert: FlowAlert.optional(),
});
export type MeteringRequest = z.infer<typeof MeteringRequest>;

export const callMeter = outsideCall('fulfillment.call-meter', {
  request: MeteringRequest,
  /** `again`: not made yet, because the provider's line was full; to be made at that moment. */
  outcome: z.union([
    z.object({
      outcome: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('told'), reading: FlowReading.optional() }),
        /** `info`: why, in the provider's own words. */
        z.object({ kind: z.literal('declined'), info: z.string().optional() }),
        z.object({ kind: z.literal('failed') }),
      ]),
      exchange: Exchange,
    }),
    z.object({ again: Time }),
  ]),
});
