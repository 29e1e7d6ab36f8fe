import type { ProductId, ProviderId } from '@yunshi/kernel/ids';
import { no, ok } from '@yunshi/kernel/result';
import type { Result } from '@yunshi/kernel/result';
import { fraction } from '../instance/policy.ts';
import { asksForUsage, isSilent } from './check.ts';
import type { Check } from './check.ts';

/** The interface of a SaaS product 接口: set up at its debug address, checked there, published 发布接口, and then looked after. */
export type Endpoint = {
  productId: ProductId;
  version: number;
  providerId: ProviderId;
  debugDialect: string | null;
  debugUrl: string | null;
  debugToken: string | null;
  debugSeq: number;
  verifiedAt: Date | null;
  passedSeq: number | null;
  passedMetering: boolean;
  check: Check | null;
  dialect: string | null;
  url: string | null;
  token: string | null;
  publishedAt: Date | null;
  isMetering: boolean;
  probedAt: Date | null;
  failingSince: Date | null;
  probeNote: string | null;
};

/** An endpoint of which nothing is known: in development the sandbox plays its provider. */
export const unset = (productId: ProductId, providerId: ProviderId): Endpoint => ({
  productId,
  version: 0,
  providerId,
  debugDialect: null,
  debugUrl: null,
  debugToken: null,
  debugSeq: 0,
  verifiedAt: null,
  passedSeq: null,
  passedMetering: false,
  check: null,
  dialect: null,
  url: null,
  token: null,
  publishedAt: null,
  isMetering: false,
  probedAt: null,
  failingSince: null,
  probeNote: null,
});

export type DebugAddress = { readonly dialect: string; readonly url: string; readonly token: string };

/** What was checked is another address: it has to be checked before it is published. */
export function setDebug(endpoint: Endpoint, { dialect, url, token }: DebugAddress, now: Date): Result<Endpoint, 'check-running'> {
  // What a check has made at the old address is still to be taken back there.
  if (isBeingChecked(endpoint, now)) return no('check-running');
  const debugSeq = endpoint.debugSeq + 1;
  const debug = { debugDialect: dialect, debugUrl: url, debugToken: token, debugSeq, verifiedAt: now };
  return ok({ ...endpoint, ...debug, version: endpoint.version + 1 });
}

const isBeingChecked = ({ check }: Endpoint, now: Date): boolean => check !== null && !isSilent(check, now);

export function startCheck(endpoint: Endpoint, begin: (seq: number) => Check, now: Date): Result<Endpoint, 'check-running'> {
  if (isBeingChecked(endpoint, now)) return no('check-running');
  return ok({ ...endpoint, check: begin(endpoint.debugSeq) });
}

/** A check that ended well says something about the address that it was about, and about no other. */
export const checkEnded = (endpoint: Endpoint, { seq, steps }: Check, ended: 'passed' | 'failed'): Endpoint => ({
  ...endpoint,
  version: endpoint.version + 1,
  check: null,
  passedMetering:
    ended === 'passed' && seq === endpoint.debugSeq ? asksForUsage(steps) : endpoint.passedSeq !== seq && endpoint.passedMetering,
  passedSeq: ended === 'passed' && seq === endpoint.debugSeq ? seq : endpoint.passedSeq === seq ? null : endpoint.passedSeq,
});

export const isChecked = ({ debugSeq, passedSeq }: Pick<Endpoint, 'debugSeq' | 'passedSeq'>): boolean => passedSeq === debugSeq;

/** Puts the debug address, which has passed its check, in the place of the one that deliveries go to. */
export function publish(endpoint: Endpoint, { isMetered }: { readonly isMetered: boolean }, now: Date): Result<Endpoint, 'not-checked'> {
  const { debugDialect: dialect, debugUrl: url, debugToken: token, passedMetering: isMetering, version } = endpoint;
  // A product that is metered since its check has not been asked for usage yet.
  if (!isChecked(endpoint) || (isMetered && !isMetering)) return no('not-checked');
  return ok({ ...endpoint, version: version + 1, dialect, url, token, publishedAt: now, isMetering, failingSince: null, probeNote: null });
}

const probeEveryMs = 12 * 3_600_000;

/** Twice a day, each at times of its own, so that they are not all looked at in the same minute. */
export const firstProbeAt = ({ productId }: Pick<Endpoint, 'productId'>, from: Date): Date =>
  new Date(from.getTime() + Math.ceil(probeEveryMs * fraction(productId)));
/** However late a probe comes, the next one is half a day away: what was missed is not made up for. */
export const nextProbeAt = (from: Date): Date => new Date(from.getTime() + probeEveryMs);

export const probed = (endpoint: Endpoint, { ok: isWell, note }: { ok: boolean; note?: string | undefined }, now: Date): Endpoint => ({
  ...endpoint,
  probedAt: now,
  failingSince: isWell ? null : (endpoint.failingSince ?? now),
  probeNote: isWell ? null : (note ?? 'it did not prove that it knows the token'),
});
