import { answer } from '@yunshi/http/answer';
import { callerOf } from '@yunshi/http/caller';
import type { Routes } from '@yunshi/http/server';
import { InstanceId } from '@yunshi/kernel/ids';
import { FlowUnit } from '@yunshi/kernel/marketplace';
import type { Core } from '@yunshi/messaging/core';
import { follow } from '@yunshi/messaging/follow';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { InstanceBook } from '../instance/instances.ts';
import { Problem } from '../problems.ts';
import { isAmount } from './amount.ts';
import { askUsage, setUsageReminder } from './handlers.ts';
import { usagePolicy } from './policy.ts';
import { isMetered, isToBeAsked, mayBeAsked, unknown } from './usage.ts';
import type { Metered, Trouble, Usage } from './usage.ts';
import { findUsage, usageRows } from './usages.ts';
import { ShownUsage, usageShown } from './wire.ts';

/** 用量: what is left of a metered instance, and at what its provider is to warn. */

export type UsageRouteParts = {
  readonly core: Pick<Core, 'sql' | 'clock' | 'watch' | 'write'>;
  readonly instances: Pick<InstanceBook, 'find'>;
};

const Params = z.object({ instance_id: InstanceId });
const Reminder = z
  .strictObject({
    on: z.boolean(),
    amount: z
      .string()
      .refine((text) => isAmount(text) && !/^[0.]+$/.test(text), { error: 'a decimal greater than 0, with up to six places' })
      .optional()
      .meta({ description: 'When no more than this is left; a decimal', example: '200' }),
    unit: FlowUnit.optional(),
  })
  .refine(({ on, amount }) => !on || amount !== undefined, { error: 'is needed to be reminded', path: ['amount'] })
  .refine(({ on, unit }) => !on || unit !== undefined, { error: 'is needed to be reminded', path: ['unit'] })
  .meta({ id: 'NewUsageReminder', description: '`amount` and `unit` are needed where `on` is true' });

export const usageRoutes =
  (parts: UsageRouteParts): Routes =>
  async (app) => {
    const { core } = parts;
    const own = ownInstance(parts);
    app.get(
      '/v1/instances/:instance_id/usage',
      {
        config: { access: ['buyer'], problems: Problem.codes('not-found', 'usage-not-metered') },
        schema: {
          summary: 'What is used of a metered instance, and what is left',
          description: `Asks the provider, at most once in ${usagePolicy.askedEveryMs / 1_000} s however often this is called, and waits for its word for ${usagePolicy.waitMsMax / 1_000} s. While it cannot be asked, or does not answer, the last known figures are told with their age and the problem. Nobody is asked about what is closed or suspended.`,
          params: Params,
          response: { 200: ShownUsage },
        },
      },
      async (request) => {
        const instance = await own(request, request.params.instance_id);
        return usageShown(instance, await looked(core, instance), core.clock.now());
      },
    );
    app.put(
      '/v1/instances/:instance_id/usage-reminder',
      {
        config: { access: ['buyer'], problems: reminderProblems },
        schema: {
          summary: 'Have the provider warn when little is left 用量提醒',
          description:
            'The provider is told at once. What it does not agree to leaves the reminder as it was. 202: it has not answered yet; look at `reminder_change`.',
          params: Params,
          body: Reminder,
          response: { 200: ShownUsage, 202: ShownUsage },
        },
      },
      async (request, reply) => {
        const instance = await own(request, request.params.instance_id);
        const { instanceId, accountId } = instance;
        const { on, amount: span, unit } = request.body;
        const alert = on && span !== undefined && unit !== undefined ? { on, span, unit } : ({ on: false } as const);
        const written = await core.write(setUsageReminder, { instanceId, accountId, alert });
        if (written.status !== 200) return answer(reply, written);
        const { seq } = written.body as { seq: number };
        const usage = await waited(core, instanceId, ({ setting }) => setting?.seq !== seq);
        if (usage?.refused?.seq === seq) throw notSet(usage.refused);
        const isOnItsWay = usage?.setting?.seq === seq;
        return reply.code(isOnItsWay ? 202 : 200).send(usageShown(instance, usage ?? unknown(instanceId), core.clock.now()));
      },
    );
  };

const reminderProblems = Problem.codes(
  'not-found',
  'usage-not-metered',
  'usage-reminder-not-settable',
  'usage-unit-not-fitting',
  'usage-reminder-in-hand',
  'usage-reminder-declined',
  'provider-not-reached',
);
function notSet({ kind, info }: Trouble) {
  if (kind === 'failed') return new Problem('provider-not-reached');
  return new Problem('usage-reminder-declined', info === undefined ? {} : { detail: `The provider says: ${info}` });
}

const ownInstance =
  ({ instances }: UsageRouteParts) =>
  async (request: FastifyRequest, instanceId: InstanceId): Promise<Metered> => {
    const instance = await instances.find(callerOf(request).accountId, instanceId);
    if (instance === undefined) throw new Problem('not-found');
    if (!isMetered(instance)) throw new Problem('usage-not-metered');
    return instance;
  };

/** What is known of the usage once the provider was asked, if it is time to ask it. Who comes while it is being asked waits for the same answer. */
async function looked(core: UsageRouteParts['core'], instance: Metered): Promise<Usage> {
  const { instanceId, accountId } = instance;
  const known = await findUsage(core.sql, instanceId);
  if (!mayBeAsked(instance)) return known ?? unknown(instanceId);
  if (isToBeAsked(known, core.clock.now())) await core.write(askUsage, { instanceId, accountId });
  else if (known === undefined || known.query === null) return known ?? unknown(instanceId);
  return (await waited(core, instanceId, ({ query }) => query === null)) ?? known ?? unknown(instanceId);
}

async function waited(
  core: UsageRouteParts['core'],
  instanceId: InstanceId,
  isDone: (usage: Usage) => boolean,
): Promise<Usage | undefined> {
  const following = follow(core, usageRows, instanceId, () => findUsage(core.sql, instanceId));
  try {
    return await following.until(isDone, usagePolicy.waitMsMax);
  } finally {
    following.stop();
  }
}
