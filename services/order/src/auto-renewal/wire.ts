import { z } from 'zod';
import { InstanceId, OrderId } from '@yunshi/kernel/ids';
import { autoRenewalPolicy } from '../policy.ts';
import { isDecided, planFor } from './auto-renewal.ts';
import type { Seen } from './auto-renewals.ts';

const Time = z.iso.datetime({ offset: true });

export const AutoRenewalRequest = z.strictObject({
  duration: z.int().min(1).max(120).meta({ description: "How many of the SKU's own periods each order is for" }),
  po_number: z.string().trim().min(1).max(64).optional().meta({ description: '采购单号 of each order' }),
  accepted_agreements: z.array(z.string().max(100)).max(20).meta({ description: 'As the quote names them; they hold for each order' }),
});

export const ShownAutoRenewal = z
  .object({
    instance_id: InstanceId,
    status: z.enum(['on', 'off']),
    duration: z.int(),
    po_number: z.string().nullable(),
    expires_at: Time.nullable().meta({ description: 'The end that the instance has now' }),
    announces_at: Time.nullable().meta({ description: 'When you are told that an order will be placed' }),
    orders_at: Time.nullable().meta({ description: 'When the order is placed; until then, switch it off and there is none' }),
    order_id: OrderId.nullable().meta({ description: 'The order that was placed for this end' }),
    refusal: z.string().nullable().meta({ description: 'Why none could be: the code of the problem that ordering by hand has' }),
    changed_at: Time,
  })
  .meta({ id: 'AutoRenewal' });

export function shownAutoRenewal({ expiresNow, ...renewal }: Seen): z.infer<typeof ShownAutoRenewal> {
  const plan = renewal.isOn && expiresNow !== null ? planFor(expiresNow, autoRenewalPolicy) : undefined;
  const decided = expiresNow !== null && isDecided({ ...renewal, expiresAt: expiresNow });
  return {
    instance_id: renewal.instanceId,
    status: renewal.isOn ? 'on' : 'off',
    duration: renewal.duration,
    po_number: renewal.poNumber,
    expires_at: expiresNow?.toISOString() ?? null,
    announces_at: plan?.announceAt.toISOString() ?? null,
    orders_at: plan?.orderAt.toISOString() ?? null,
    order_id: decided ? renewal.orderId : null,
    refusal: decided ? renewal.refusal : null,
    changed_at: renewal.changedAt.toISOString(),
  };
}
