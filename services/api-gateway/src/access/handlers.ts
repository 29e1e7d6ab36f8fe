import { apiAccessChanged, upstreamChanged } from '@yunshi/contracts/fulfillment';
import { rowsOf } from '@yunshi/db/rows';
import { on, write } from '@yunshi/messaging/handle';
import type { Decision, Handler } from '@yunshi/messaging/handle';
import { accesses, apiKeys, upstreams } from '../tables.ts';

const accessRows = rowsOf(accesses, 'instanceId');
const keyRows = rowsOf(apiKeys, 'secretId');
const upstreamRows = rowsOf(upstreams, 'productId');

/** The replica: events come in any order, the newest version stays. Keys are never taken away, so that what is gone is known as disabled. */
export const accessHandlers: readonly Handler[] = [
  on(apiAccessChanged, {
    of: accessRows,
    key: ({ instanceId }) => instanceId,
    decide: (told, known): Decision<typeof accesses.$inferSelect> => {
      if (known !== undefined && known.version >= told.instanceVersion) return {};
      const { instanceId, instanceVersion: version, accountId, providerId, productId, isUsable, callsBought, expiresAt, keys } = told;
      return {
        save: {
          instanceId,
          version,
          accountId,
          providerId,
          productId,
          isUsable,
          callsBought,
          expiresAt: expiresAt === null ? null : new Date(expiresAt),
        },
        writes: keys.map(({ secretId, secretKey, status, validUntil }) =>
          write(keyRows, { secretId, instanceId, secretKey, status, validUntil: validUntil === null ? null : new Date(validUntil) }),
        ),
      };
    },
  }),
  on(upstreamChanged, {
    of: upstreamRows,
    key: ({ productId }) => productId,
    decide: ({ productId, upstreamVersion: version, url, token }, known) =>
      known !== undefined && known.version >= version ? {} : { save: { productId, version, url, token } },
  }),
];
