import { createHash } from 'node:crypto';
import { InstanceId } from '@yunshi/kernel/ids';
import { FlowUnit } from '@yunshi/kernel/marketplace';
import type { Core } from '@yunshi/messaging/core';
import { z } from 'zod';
import type { MarketAction, Said } from '../market-api/api.ts';
import { isAmount } from './amount.ts';
import { takeUsageReminder, type RemindRefusal } from './handlers.ts';

/** `FlowProductRemind` of the cloud's API `market`: a provider tells that little is left of what is metered. All parameters are strings. */

const Text = z.string().min(1).max(128);
const Figure = z.string().refine(isAmount, { error: 'is no decimal' });
const Parameters = z.object({
  ProviderUin: Text,
  SignId: Text,
  ResourceId: Text,
  TotalFlow: Figure,
  LeftFlow: Figure,
  FlowUnit,
});

export const flowProductRemind =
  (core: Pick<Core, 'write'>): MarketAction =>
  async ({ providerId, parameters, signature, atMs }) => {
    const read = Parameters.safeParse(parameters);
    if (!read.success) return notRead(read.error.issues[0]);
    const { ProviderUin, SignId: signId, ResourceId, TotalFlow: total, LeftFlow: left, FlowUnit: unit } = read.data;
    if (ProviderUin !== providerId) return { code: 'UnauthorizedOperation', message: `the key is not of the provider ${ProviderUin}` };
    const instanceId = instanceOf(ResourceId);
    if (instanceId === undefined) return said['not-found'];
    // The same call has the same signature; what it is known by tells nobody the signature itself.
    const flowId = createHash('sha256').update(signature).digest('hex').slice(0, 32);
    const reminder = { flowId, total, left, unit, heardMs: atMs };
    const written = await core.write(takeUsageReminder, { providerId, instanceId, signId, reminder });
    if (written.status !== 200) return said[(written.body as { refusal: RemindRefusal }).refusal];
    return { body: { Success: 'true', FlowId: flowId, Info: '' } };
  };

const said: Readonly<Record<RemindRefusal, Said>> = {
  'not-found': { code: 'ResourceNotFound', message: 'you have no instance with this ResourceId and SignId' },
  'not-metered': { code: 'UnsupportedOperation', message: 'the instance is not metered' },
  closed: { code: 'ResourceUnavailable', message: 'the instance is closed' },
  // The cloud has no code of its own for it; what this one asks for is what helps: sign anew.
  replayed: { code: 'AuthFailure.SignatureExpire', message: 'the signature was used before: sign anew' },
  'too-often': { code: 'RequestLimitExceeded', message: 'too many reminders of this instance in the last minutes' },
};

function notRead(issue: z.core.$ZodIssue | undefined): Said {
  const name = String(issue?.path[0] ?? 'the parameters');
  const isMissing = issue?.code === 'invalid_type' && issue.input === undefined;
  return { code: isMissing ? 'MissingParameter' : 'InvalidParameterValue', message: `${name}: ${issue?.message ?? 'not readable'}` };
}

/** As we call it to the provider: `market-` and the instance's digits. */
function instanceOf(resourceId: string): InstanceId | undefined {
  const read = InstanceId.safeParse(resourceId.replace(/^market-/, 'ins_'));
  return read.success && resourceId.startsWith('market-') ? read.data : undefined;
}
