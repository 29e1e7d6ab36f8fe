import type { ProviderId, UserId } from '@yunshi/kernel/ids';
import { no, ok } from '@yunshi/kernel/result';
import type { Result } from '@yunshi/kernel/result';

/** 云 API 密钥: what a provider signs its calls of the marketplace's cloud API with. */
export type CloudKey = {
  secretId: string;
  providerId: ProviderId;
  /** Encrypted; nobody is shown it a second time. */
  secretKey: string;
  status: 'active' | 'disabled';
  createdBy: UserId;
  createdAt: Date;
  disabledAt: Date | null;
};

/** The secretIds of a provider's active keys. A row of its own, because keys that do not exist yet cannot be counted under a lock. */
export type KeyRing = { providerId: ProviderId; active: readonly string[] };

/** Two, as in the cloud, so that a new one can be put to use before the old one is given up. */
export const activeKeysMax = 2;

export type NewKey = Pick<CloudKey, 'secretId' | 'secretKey' | 'createdBy'>;
export type Issued = { readonly ring: KeyRing; readonly key: CloudKey };

export function issue(ring: KeyRing, made: NewKey, now: Date): Result<Issued, 'cloud-keys-full'> {
  if (ring.active.length >= activeKeysMax) return no('cloud-keys-full');
  const key: CloudKey = { ...made, providerId: ring.providerId, status: 'active', createdAt: now, disabledAt: null };
  return ok({ ring: { ...ring, active: [...ring.active, made.secretId] }, key });
}

/** For good: a secret that may be known to others is never trusted again. Repeating it changes nothing. */
export function disable(ring: KeyRing, key: CloudKey, now: Date): Issued {
  if (key.status === 'disabled') return { ring, key };
  const active = ring.active.filter((secretId) => secretId !== key.secretId);
  return { ring: { ...ring, active }, key: { ...key, status: 'disabled', disabledAt: now } };
}
