import { AccountId, InstanceId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import { FlowUnit } from '@yunshi/kernel/marketplace';
import { outsideCall } from '@yunshi/messaging/handle';
import { z } from 'zod';
import { Exchange, FlowAlert, ProviderRequest } from '../delivery/request.ts';
import { checkSteps } from './check.ts';

/** The calls of online checks and probes. The address is that of the moment of the call. */

const of = { productId: ProductId, providerId: ProviderId };

/** What a step about usage asks of a SKU that is sold in the unit `counts`; with an `alert` it sets the reminder. */
const Metering = z.object({
  accountId: AccountId,
  instanceId: InstanceId,
  signId: z.string(),
  counts: FlowUnit,
  alert: FlowAlert.optional(),
});

/** One step of an online check, at the debug address. `request` and `metering` are absent for `verify`. */
export const checkEndpoint = outsideCall('fulfillment.check-endpoint', {
  request: z.object({
    ...of,
    checkId: z.string(),
    debugSeq: z.int(),
    step: z.enum(checkSteps),
    request: ProviderRequest.optional(),
    metering: Metering.optional(),
  }),
  outcome: z.object({
    outcome: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('verified') }),
      z.object({ kind: z.literal('delivered'), signId: z.string() }),
      z.object({ kind: z.enum(['pending', 'agreed', 'declined']) }),
      z.object({ kind: z.literal('failed'), sent: z.boolean() }),
    ]),
    exchange: Exchange,
  }),
});

/** Whether the address that deliveries go to still proves that it knows the token. */
export const probeEndpoint = outsideCall('fulfillment.probe-endpoint', {
  request: z.object(of),
  outcome: z.object({ ok: z.boolean(), note: z.string().optional() }),
});
