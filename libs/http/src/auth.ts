import { AccountId, ProviderId, UserId } from '@yunshi/kernel/ids';
import { createLocalJWKSet, createRemoteJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { Problem } from './problem.ts';
import { remembering } from './remember.ts';

export const Role = z.enum(['buyer', 'approver', 'provider', 'operator']);
export type Role = z.infer<typeof Role>;

/** Who is asking. Every query is scoped by `accountId`, and by `providerId` for what providers do. */
export type Caller = {
  readonly userId: UserId;
  readonly accountId: AccountId;
  readonly roles: readonly Role[];
  readonly providerId?: ProviderId;
};

/**
 * Who may use a route. Each route says so in `config.access`; a server with a route that says nothing does not start.
 * Without a token or with a bad one: 401. With the wrong role: 403. What belongs to another account: 404, by the service's own query.
 */
export type Access = 'public' | 'signed-in' | readonly [Role, ...Role[]];

export type Verified = { readonly caller: Caller; readonly expiresAtMs: number };
export type Auth = {
  /** Throws a `Problem` when the token is not good. */
  readonly verify: (token: string) => Promise<Verified>;
};

const Claims = z
  .object({
    sub: UserId,
    account_id: AccountId,
    roles: z.array(Role).min(1).max(3),
    provider_id: ProviderId.optional(),
    exp: z.int(),
  })
  .refine((claims) => !claims.roles.includes('provider') || claims.provider_id !== undefined, 'a provider needs provider_id');

/** An HMAC secret could be brute-forced or, worse, be the public key itself: only signatures, and only these. */
const algorithms = ['EdDSA', 'ES256', 'RS256'];
const clockToleranceS = 5;

export type JwtOptions = {
  readonly issuer: string;
  readonly audience: string;
  /** Where the issuer publishes its keys, or the keys themselves. */
  readonly jwks: string | JSONWebKeySet;
};

function keysOf(jwks: JwtOptions['jwks']): JWTVerifyGetKey {
  const find =
    typeof jwks === 'string'
      ? createRemoteJWKSet(new URL(jwks), { timeoutDuration: 5_000, cooldownDuration: 10_000, cacheMaxAge: 600_000 })
      : createLocalJWKSet(jwks);
  return (header, token) => {
    // Without a key id a set with one key would match anything, and rotation would be guesswork.
    if (!header.kid) throw new errors.JWKSNoMatchingKey('the token names no key (kid)');
    return find(header, token);
  };
}

const refused: readonly string[] = [
  'ERR_JWS_INVALID',
  'ERR_JWT_INVALID',
  'ERR_JWT_CLAIM_VALIDATION_FAILED',
  'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
  'ERR_JOSE_ALG_NOT_ALLOWED',
  'ERR_JOSE_NOT_SUPPORTED',
  'ERR_JWKS_NO_MATCHING_KEY',
  'ERR_JWKS_MULTIPLE_MATCHING_KEYS',
];

function problemOf(cause: unknown): Problem {
  const challenge = (description: string) => ({ 'www-authenticate': `Bearer error="invalid_token", error_description="${description}"` });
  if (cause instanceof errors.JWTExpired) return new Problem('token-expired', { headers: challenge('expired'), cause });
  if (cause instanceof errors.JOSEError && refused.includes(cause.code)) {
    return new Problem('token-not-valid', { detail: 'The token was not accepted.', headers: challenge('not accepted'), cause });
  }
  // The key set could not be fetched or read: nothing is known about the token, so the caller is not to blame.
  return new Problem('issuer-unavailable', { headers: { 'retry-after': '5' }, cause });
}

/** Verifies JWTs of one issuer: signature by its published keys, issuer, audience, expiry, and the claims that we need. */
export function jwtAuth({ issuer, audience, jwks }: JwtOptions): Auth {
  const keys = keysOf(jwks);
  return remembering({
    async verify(token) {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms,
        requiredClaims: ['exp', 'sub', 'aud', 'iss'],
        clockTolerance: clockToleranceS,
      }).catch((cause: unknown) => {
        throw problemOf(cause);
      });
      const claims = Claims.safeParse(payload);
      if (!claims.success) {
        const named = claims.error.issues.map((issue) => issue.path.join('.') || issue.message).join(', ');
        throw new Problem('token-not-valid', {
          detail: `The token's claims are not what is needed: ${named}.`,
          headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
          cause: claims.error,
        });
      }
      const { sub, account_id, roles, provider_id, exp } = claims.data;
      return {
        caller: { userId: sub, accountId: account_id, roles, ...(provider_id && { providerId: provider_id }) },
        expiresAtMs: exp * 1_000,
      };
    },
  });
}

const bearer = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i;

/** The token of an Authorization header; undefined when there is none. */
export function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined || header === '') return undefined;
  const token = bearer.exec(header)?.[1];
  if (!token) {
    throw new Problem('token-not-valid', {
      detail: 'The Authorization header is not `Bearer` and a JWT.',
      headers: { 'www-authenticate': 'Bearer error="invalid_request"' },
    });
  }
  return token;
}

/** Refuses a caller whose roles are not among those that the route names. */
export function checkAccess(access: Access, caller: Caller): void {
  if (typeof access === 'string' || access.some((role) => caller.roles.includes(role))) return;
  throw new Problem('role-not-allowed', { detail: `This is for the role ${access.join(' or ')}; you are ${caller.roles.join(', ')}.` });
}
