import type { ProviderId, UserId } from '@yunshi/kernel/ids';
import { audited } from '@yunshi/messaging/audit';
import { httpWrite, write } from '@yunshi/messaging/handle';
import type { Decision, Write } from '@yunshi/messaging/handle';
import { Problem } from '../problems.ts';
import { disable, issue } from './cloud-key.ts';
import type { CloudKey, KeyRing, NewKey } from './cloud-key.ts';
import { cloudKeyRows, keyRingRows } from './cloud-keys.ts';

type Of = { readonly providerId: ProviderId; readonly actor: UserId };
type OfKey = Of & { readonly secretId: string };
const key = ({ providerId }: Of) => providerId;
const besideKey = { of: cloudKeyRows, key: ({ secretId }: OfKey) => secretId };
const ringOf = ({ providerId }: Of, ring: KeyRing | undefined): KeyRing => ring ?? { providerId, active: [] };
const noted = (actor: UserId, action: string, { secretId }: Pick<CloudKey, 'secretId'>): Write =>
  audited({ actor, action: `cloud-key.${action}`, object: `cloud-key:${secretId}`, reason: undefined });
const notFound: Decision<KeyRing> = { response: Problem.response('not-found') };
const done = { response: { status: 200, body: null } };

export const issueCloudKey = httpWrite('issue cloud key', {
  of: keyRingRows,
  key,
  decide: (ask: Of & { readonly made: NewKey }, ring: KeyRing | undefined, { now }): Decision<KeyRing> => {
    const issued = issue(ringOf(ask, ring), ask.made, now);
    if (!issued.ok) return { response: Problem.response(issued.error) };
    return { save: issued.value.ring, writes: [write(cloudKeyRows, issued.value.key), noted(ask.actor, 'issue', ask.made)], ...done };
  },
});

/** The old one is good no longer when the new one is told. */
export const rotateCloudKey = httpWrite('rotate cloud key', {
  of: keyRingRows,
  key: (ask: OfKey & { readonly made: NewKey }) => ask.providerId,
  beside: besideKey,
  decide: (ask, ring, { now, beside: old }): Decision<KeyRing> => {
    if (old?.providerId !== ask.providerId) return notFound;
    if (old.status === 'disabled') return { response: Problem.response('cloud-key-disabled') };
    const without = disable(ringOf(ask, ring), old, now);
    const issued = issue(without.ring, ask.made, now);
    if (!issued.ok) return { response: Problem.response(issued.error) };
    const keys = [write(cloudKeyRows, without.key), write(cloudKeyRows, issued.value.key)];
    return { save: issued.value.ring, writes: [...keys, noted(ask.actor, 'disable', old), noted(ask.actor, 'issue', ask.made)], ...done };
  },
});

export const disableCloudKey = httpWrite('disable cloud key', {
  of: keyRingRows,
  key: (ask: OfKey) => ask.providerId,
  beside: besideKey,
  decide: (ask, ring, { now, beside: old }): Decision<KeyRing> => {
    if (old?.providerId !== ask.providerId) return notFound;
    const without = disable(ringOf(ask, ring), old, now);
    if (old.status === 'disabled') return done;
    return { save: without.ring, writes: [write(cloudKeyRows, without.key), noted(ask.actor, 'disable', old)], ...done };
  },
});
