import { InstanceId } from '@yunshi/kernel/ids';
import { Flow, FlowUnit } from '@yunshi/kernel/marketplace';
import { z } from 'zod';
import { leftOf } from './amount.ts';
import { askableAt, isOnItsWay, mayBeAsked } from './usage.ts';
import type { Metered, Usage } from './usage.ts';

const Time = z.iso.datetime({ offset: true });
const Amount = z.string().meta({ description: "The provider's own figure, a decimal", example: '1999.5' });
const alert = { on: z.boolean(), amount: z.string().meta({ description: 'When no more than this is left' }), unit: FlowUnit };

export const ShownUsage = z
  .object({
    instance_id: InstanceId,
    bought: Flow.meta({ description: 'Of each piece, as its SKU said when it was ordered' }),
    quantity: z.int(),
    usage: z
      .object({ total: Amount, used: Amount, left: Amount, unit: FlowUnit, as_of: Time, age_s: z.int().min(0) })
      .nullable()
      .meta({ description: 'What the provider told last; null while it has told nothing' }),
    problem: z
      .object({ kind: z.enum(['provider-declined', 'provider-failed']), at: Time })
      .nullable()
      .meta({ description: 'Why the figures are not newer' }),
    is_being_asked: z.boolean(),
    ask_again_at: Time.nullable().meta({ description: 'The provider is not asked before; null where nobody is asked any more' }),
    reminder: z
      .object({ ...alert, set_at: Time })
      .nullable()
      .meta({ description: 'What the provider has agreed to warn at' }),
    reminder_change: z
      .object({
        ...alert,
        state: z.enum(['in-hand', 'declined', 'failed']),
        at: Time,
        info: z.string().nullable().meta({ description: "Why, in the provider's own words" }),
      })
      .nullable()
      .meta({ description: 'A setting that the provider has not agreed to, or not yet' }),
    reminders: z
      .array(z.object({ flow_id: z.string(), total: Amount, left: Amount, unit: FlowUnit, at: Time }))
      .meta({ description: 'What the provider has told of its own accord, the newest first, up to twenty' }),
  })
  .meta({ id: 'Usage' });

export function usageShown(instance: Metered, usage: Usage, now: Date): z.infer<typeof ShownUsage> {
  return {
    instance_id: instance.instanceId,
    bought: instance.flow,
    quantity: instance.quantity,
    usage: figuresOf(usage, now),
    problem: usage.trouble && { kind: `provider-${usage.trouble.kind}`, at: usage.trouble.at },
    is_being_asked: isOnItsWay(usage.query, now),
    ask_again_at: mayBeAsked(instance) ? (askableAt(usage) ?? now).toISOString() : null,
    reminder: usage.reminder && {
      on: usage.reminder.on,
      amount: usage.reminder.span,
      unit: usage.reminder.unit,
      set_at: usage.reminder.since,
    },
    reminder_change: changeOf(usage, now),
    reminders: usage.reminders.map(({ flowId, total, left, unit, at }) => ({ flow_id: flowId, total, left, unit, at })),
  };
}

function figuresOf({ total, used, unit, asOf }: Usage, now: Date) {
  if (total === null || used === null || unit === null || asOf === null) return null;
  const ageS = Math.max(0, Math.floor((now.getTime() - asOf.getTime()) / 1_000));
  return { total, used, left: leftOf(total, used), unit, as_of: asOf.toISOString(), age_s: ageS };
}

function changeOf({ setting, refused }: Usage, now: Date) {
  // What has said nothing for too long is lost, whatever may still come of it.
  const state = isOnItsWay(setting, now) ? ('in-hand' as const) : ('failed' as const);
  if (setting !== null) return { on: setting.on, amount: setting.span, unit: setting.unit, state, at: setting.since, info: null };
  return (
    refused && { on: refused.on, amount: refused.span, unit: refused.unit, state: refused.kind, at: refused.at, info: refused.info ?? null }
  );
}
