import type { Line } from '@yunshi/kernel/marketplace';
import { no, ok, type Result } from '@yunshi/kernel/result';
import type { Instance } from '../instance/instance.ts';
import { keyPolicy } from './policy.ts';

/*
 * Of an API product 资源实例: what was bought, and the key pairs that calls are signed with. It is a part of the instance, so that keys, period
 * and suspension change under one lock, with one version.
 */

/** A key pair 密钥对. `secretKey` is sealed, bound to the secretId; null once the instance is closed. */
export type ApiKey = {
  readonly secretId: string;
  readonly secretKey: string | null;
  readonly status: 'active' | 'disabled';
  readonly createdAt: string;
  /** Of a pair that has been rotated 轮换: until when it still counts, RFC 3339. */
  readonly validUntil: string | null;
};

export type ApiAccess = {
  /** How many calls have been bought, topping up included. It shrinks only where a bank has taken a payment back. */
  readonly calls: number;
  /** For how many days from the delivery; null where its order did not say, as those did that were taken before it was kept. */
  readonly validDays: number | null;
  readonly keys: readonly ApiKey[];
};

export type DrawnKey = { readonly secretId: string; readonly secretKey: string };
export type KeyRefusal = 'api-keys-not-usable' | 'api-key-not-found' | 'api-keys-too-many' | 'api-key-retired';

export const boughtWith = ({ pack, quantity }: Pick<Line, 'pack' | 'quantity'>): ApiAccess => ({
  calls: pack === undefined ? 0 : pack.calls * quantity,
  validDays: pack?.validDays ?? null,
  keys: [],
});

const fresh = ({ secretId, secretKey }: DrawnKey, now: Date): ApiKey => ({
  secretId,
  secretKey,
  status: 'active',
  createdAt: now.toISOString(),
  validUntil: null,
});

/** The first pair, with the delivery. `calls` is what the catalogue said, for an order that did not say it itself. */
export function withFirstKey(instance: Instance, key: DrawnKey, calls: number | undefined, now: Date): Instance {
  const access = instance.api ?? { calls: 0, validDays: null, keys: [] };
  if (access.keys.length > 0) return instance;
  const bought = access.calls > 0 ? access.calls : (calls ?? 0) * instance.quantity;
  return { ...instance, api: { ...access, calls: bought, keys: [fresh(key, now)] } };
}

/** A pair that was rotated out, and whose overlap is over, is kept in the list for what it has called, and never counts again. */
export const isRetired = ({ validUntil }: ApiKey, now: Date): boolean => validUntil !== null && new Date(validUntil) <= now;

type Changed = Result<Instance, KeyRefusal>;

export function issue(instance: Instance, key: DrawnKey, now: Date): Changed {
  return change(instance, ({ keys }) => {
    if (keys.filter((one) => !isRetired(one, now)).length >= keyPolicy.keysMax) return no('api-keys-too-many');
    // A repetition that was not recognised as one draws another pair; a pair itself is never issued twice.
    return ok(bounded([...keys, fresh(key, now)], now));
  });
}

/** A new pair takes over from an old one, which counts for a while longer so that no call fails while programs are told. */
export function rotate(instance: Instance, secretId: string, key: DrawnKey, now: Date): Changed {
  return change(instance, ({ keys }) => {
    const old = keys.find((one) => one.secretId === secretId);
    if (old === undefined) return no('api-key-not-found');
    if (old.validUntil !== null) return no('api-key-retired');
    const validUntil = new Date(now.getTime() + keyPolicy.overlapMs).toISOString();
    return ok(bounded([...keys.map((one) => (one === old ? { ...one, validUntil } : one)), fresh(key, now)], now));
  });
}

export function setStatus(instance: Instance, secretId: string, status: ApiKey['status'], now: Date): Changed {
  return change(instance, ({ keys }) => {
    const key = keys.find((one) => one.secretId === secretId);
    if (key === undefined) return no('api-key-not-found');
    if (status === 'active' && isRetired(key, now)) return no('api-key-retired');
    return ok(keys.map((one) => (one === key ? { ...one, status } : one)));
  });
}

/** The newest retired pairs stay, the others are forgotten: an instance that rotates every day must not grow for ever. */
function bounded(keys: readonly ApiKey[], now: Date): readonly ApiKey[] {
  const retired = keys.filter((key) => isRetired(key, now));
  const forgotten = new Set(retired.slice(0, Math.max(0, retired.length - keyPolicy.retiredKept)));
  return keys.filter((key) => !forgotten.has(key));
}

function change(instance: Instance, to: (access: ApiAccess) => Result<readonly ApiKey[], KeyRefusal>): Changed {
  const { api, status } = instance;
  if (api === null || (status !== 'shipped' && status !== 'expired')) return no('api-keys-not-usable');
  const keys = to(api);
  return keys.ok ? ok({ ...instance, version: instance.version + 1, api: { ...api, keys: keys.value } }) : keys;
}

/** Topped up by a renewal, or less what a payment had brought that a bank took back. */
export const withCalls = (instance: Instance, more: number): Pick<Instance, 'api'> => ({
  api: instance.api === null ? null : { ...instance.api, calls: Math.max(0, instance.api.calls + more) },
});

/** Once it is closed nobody needs its secrets. */
export const withoutSecrets = ({ api }: Instance): Pick<Instance, 'api'> => ({
  api: api === null ? null : { ...api, keys: api.keys.map((key) => ({ ...key, secretKey: null })) },
});
