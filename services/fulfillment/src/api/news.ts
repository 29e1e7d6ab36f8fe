import type { Message } from '@yunshi/contracts/define';
import { apiAccessChanged } from '@yunshi/contracts/fulfillment';
import type { Instance } from '../instance/instance.ts';

/** What the API gateway is told with every change of an instance: all of it, so that no news is needed to understand another. */
export function accessChanged(instance: Instance): Message[] {
  const { instanceId, version: instanceVersion, accountId, providerId, productId, status, suspendedAt, expiresAt, api } = instance;
  if (api === null || status === 'shipping') return [];
  return [
    apiAccessChanged({
      instanceId,
      instanceVersion,
      accountId,
      providerId,
      productId,
      isUsable: status === 'shipped' && suspendedAt === null,
      callsBought: api.calls,
      expiresAt: expiresAt?.toISOString() ?? null,
      keys: api.keys.map(({ secretId, secretKey, status: keyStatus, validUntil }) => ({
        secretId,
        secretKey,
        status: keyStatus,
        validUntil,
      })),
    }),
  ];
}
