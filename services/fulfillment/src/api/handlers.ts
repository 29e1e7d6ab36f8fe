import { endpointPublished, upstreamChanged } from '@yunshi/contracts/fulfillment';
import { rowsOf } from '@yunshi/db/rows';
import type { AccountId, InstanceId, ProductId, ProviderId } from '@yunshi/kernel/ids';
import type { Result } from '@yunshi/kernel/result';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite } from '@yunshi/messaging/handle';
import type { Decision } from '@yunshi/messaging/handle';
import { effects } from '../instance/handlers.ts';
import type { Instance } from '../instance/instance.ts';
import { instanceRows } from '../instance/instances.ts';
import { Problem } from '../problems.ts';
import { upstreams } from '../tables.ts';
import { issue, rotate, setStatus, type DrawnKey, type KeyRefusal } from './access.ts';

export const upstreamRows = rowsOf(upstreams, 'productId');
export type Upstream = typeof upstreams.$inferSelect;

type OfKey = { readonly accountId: AccountId; readonly instanceId: InstanceId; readonly actor: string };
export type KeyAsk = OfKey &
  (
    | { readonly action: 'issue'; readonly drawn: DrawnKey }
    | { readonly action: 'rotate'; readonly secretId: string; readonly drawn: DrawnKey }
    | { readonly action: 'disable' | 'enable'; readonly secretId: string }
  );

/** What a buyer does with the key pairs of an instance. The answer names the pair, never its secret. */
export const changeKeys = httpWrite('change-api-keys', {
  of: instanceRows,
  key: ({ instanceId }: KeyAsk) => instanceId,
  decide: (ask, instance, { now }): Decision<Instance> => {
    if (instance?.accountId !== ask.accountId) return { response: Problem.response('not-found') };
    const changed = changedBy(ask, instance, now);
    if (!changed.ok) return { response: Problem.response(changed.error) };
    const secretId = 'drawn' in ask ? ask.drawn.secretId : ask.secretId;
    const { writes = [], ...decision } = effects({ instance: changed.value }, now);
    const act = audited({ actor: ask.actor, action: `api-key.${ask.action}`, object: `api-key:${secretId}`, reason: undefined });
    return {
      ...decision,
      writes: [...writes, act],
      response: { status: 'drawn' in ask ? 201 : 200, body: { secret_id: secretId } },
    };
  },
});

function changedBy(ask: KeyAsk, instance: Instance, now: Date): Result<Instance, KeyRefusal> {
  switch (ask.action) {
    case 'issue':
      return issue(instance, ask.drawn, now);
    case 'rotate':
      return rotate(instance, ask.secretId, ask.drawn, now);
    case 'disable':
      return setStatus(instance, ask.secretId, 'disabled', now);
    case 'enable':
      return setStatus(instance, ask.secretId, 'active', now);
  }
}

export type SetUpstream = {
  readonly productId: ProductId;
  readonly providerId: ProviderId;
  readonly url: string;
  /** Sealed. */
  readonly token: string;
};

/** An upstream that has answered is where calls go from now on; the catalogue may put the product on the shelf. */
export const setUpstream = httpWrite('set-upstream', {
  of: upstreamRows,
  key: ({ productId }: SetUpstream) => productId,
  decide: ({ productId, providerId, url, token }, known, { now }): Decision<Upstream> => {
    if (known !== undefined && known.providerId !== providerId) return { response: Problem.response('not-found') };
    const version = (known?.version ?? 0) + 1;
    return {
      save: { productId, version, providerId, url, token, checkedAt: now },
      events: [
        upstreamChanged({ productId, providerId, upstreamVersion: version, url, token }),
        endpointPublished({ productId, providerId, endpointVersion: version, publishedAt: now.toISOString() }),
      ],
      response: { status: 200, body: null },
    };
  },
});

export type Reveal = OfKey & { readonly secretId: string };

/** A secret was shown: who saw it stands in the audit. */
export const secretRevealed = httpWrite('reveal-api-key', {
  of: instanceRows,
  key: ({ instanceId }: Reveal) => instanceId,
  decide: ({ actor, secretId }) => ({
    writes: [audited({ actor, action: 'api-key.reveal', object: `api-key:${secretId}`, reason: undefined })],
    response: { status: 200, body: null },
  }),
});
